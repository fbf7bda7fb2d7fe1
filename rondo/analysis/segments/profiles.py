"""What sets the members of a segment apart: shares among them against shares among everybody else, with intervals.

Every comparison is one of two shares, so that all of them are on one scale: for a choice, the share with that choice
among those whose value is known; for a figure, the share above its median over all customers. The interval of the
difference is Newcombe's hybrid score interval (1998, method 10), made of Wilson's intervals of the two shares.
"""

import math
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.foundation.registry import RuleField
from rondo.rules import Schema
from rondo.science.proportions import wilson
from rondo.warehouse.tables import Tables

LEVEL = 0.9
STRONGEST = 6
"""So many over- and so many under-represented facts are kept."""
_FIGURES = ("money", "count", "days", "share", "number")
_SMALLEST = 5
"""A side with fewer known values says nothing."""


def profile(keys: npt.NDArray[np.int64], known: Schema, tables: Tables) -> list[dict[str, Any]]:
    """The strongest differences, over-represented ones first; those whose interval holds 0 are left out.

    Each has ``field``, ``value`` (of a choice, else ""), ``above`` (the median, for a figure), ``inside`` and
    ``outside`` (shares), ``low`` and ``high`` of the difference, and ``n``, the members whose value is known.
    """
    if not len(keys):
        return []
    chosen = ibis.memtable(pa.table({"member": pa.array(keys, pa.int64())}))
    found: list[dict[str, Any]] = []
    for term in known.fields.values():
        if not term.copied or term.source not in ("score", "attribute"):
            continue
        frame = known.sources[term.source].frame(tables, term)
        column = frame[term.copied]
        rows = frame.filter(column.notnull()).select(value=column, inside=frame.customer_id.isin(chosen.member))
        if term.type in ("choice", "boolean"):
            found += _choices(term, rows, tables)
        elif term.type in _FIGURES:
            found += _figure(term, rows, tables)
    over = sorted((one for one in found if one["low"] > 0), key=lambda one: -one["low"])
    under = sorted((one for one in found if one["high"] < 0), key=lambda one: one["high"])
    return [*over[:STRONGEST], *under[:STRONGEST]]


def _choices(term: RuleField, rows: Any, tables: Tables) -> list[dict[str, Any]]:
    counted = tables.arrow(rows.group_by("value", "inside").aggregate(n=rows.count())).to_pylist()
    totals = {side: sum(row["n"] for row in counted if row["inside"] is side) for side in (True, False)}
    found = []
    for value in sorted({row["value"] for row in counted}, key=str):
        hits = {row["inside"]: row["n"] for row in counted if row["value"] == value}
        text = ("yes" if value else "no") if term.type == "boolean" else str(value)
        found += _compared(term, hits, totals, value=text)
    return found


def _figure(term: RuleField, rows: Any, tables: Tables) -> list[dict[str, Any]]:
    middle = tables.arrow(rows.value.quantile(0.5)).as_py()
    if middle is None:
        return []
    sums = rows.group_by("inside").aggregate(n=rows.count(), hits=(rows.value > middle).sum())
    counted = tables.arrow(sums).to_pylist()
    totals = {row["inside"]: int(row["n"]) for row in counted}
    hits = {row["inside"]: int(row["hits"]) for row in counted}
    return _compared(term, hits, totals, above=float(middle))


def _compared(term: RuleField, hits: dict[bool, int], totals: dict[bool, int], **more: Any) -> list[dict[str, Any]]:
    if min(totals.get(True, 0), totals.get(False, 0)) < _SMALLEST:
        return []
    inside = wilson(hits.get(True, 0), totals[True], LEVEL)
    outside = wilson(hits.get(False, 0), totals[False], LEVEL)
    assert inside is not None and outside is not None
    gap = inside.value - outside.value
    low = gap - math.hypot(inside.value - inside.low, outside.high - outside.value)
    high = gap + math.hypot(inside.high - inside.value, outside.value - outside.low)
    one = {"field": term.key, "value": "", "above": None, "inside": inside.value, "outside": outside.value}
    return [one | {"low": low, "high": high, "n": totals[True]} | more]
