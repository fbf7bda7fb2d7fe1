"""What sets the members of a segment apart: shares among them against shares among everybody else, with intervals.

Every comparison is one of two shares, so that all of them are on one scale: for a choice, the share with that choice
among those whose value is known; for a figure, the share above its median over all customers. So many are looked at
that some would always differ by chance: :func:`rondo.science.proportions.differences` calls those that are more.
"""

from collections.abc import Iterator
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.foundation.registry import RuleField
from rondo.rules import Schema
from rondo.science.proportions import differences
from rondo.warehouse.tables import Tables

FALSE = 0.1
"""The share of false ones that is borne among the differences called."""
STRONGEST = 6
"""So many over- and so many under-represented facts are kept."""
_FIGURES = ("money", "count", "days", "share", "number")
_SMALLEST = 5
"""A side with fewer known values says nothing."""


def profile(keys: npt.NDArray[np.int64], known: Schema, tables: Tables) -> list[dict[str, Any]]:
    """The strongest differences, over-represented ones first; those that may be chance are left out.

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
    called = list(_called(found))
    over = sorted((one for one in called if one["low"] > 0), key=lambda one: -one["low"])
    under = sorted((one for one in called if one["high"] < 0), key=lambda one: one["high"])
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
    sides = tuple((hits.get(side, 0), totals[side]) for side in (True, False))
    return [{"field": term.key, "value": "", "above": None, "n": totals[True], "sides": sides} | more]


def _called(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those that are more than chance, with their shares and the interval of the difference."""
    counts = np.array([[*inside, *outside] for inside, outside in (one.pop("sides") for one in found)])
    if not counts.size:
        return
    judged = differences(*counts.T, false=FALSE)
    for one, (hits, n, other_hits, other_n), low, high, called in zip(
        found, counts.tolist(), judged.low.tolist(), judged.high.tolist(), judged.called, strict=True
    ):
        if called:
            yield one | {"inside": hits / n, "outside": other_hits / other_n, "low": low, "high": high}
