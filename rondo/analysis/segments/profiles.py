"""What sets the members of a segment apart: shares among them against shares among everybody else, with intervals.

Every comparison is one of two shares, so that all of them are on one scale: for a choice, the share with that choice
among those whose value is known; for a figure, the share above its median over all customers. So many are looked at
that some would always differ by chance: :func:`rondo.science.proportions.differences` calls those that are more.

What is told has to be new: facts that the rule itself names are left out, and figures that rank the customers as one of
those, or as one that is told already, does.
"""

from collections.abc import Collection, Iterator
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.core.cache import cache

from rondo.foundation.registry import RuleField
from rondo.rules import Schema
from rondo.science.proportions import differences
from rondo.science.ranks import rank_correlations
from rondo.warehouse.tables import Tables

FALSE = 0.1
"""The share of false ones that is borne among the differences called."""
STRONGEST = 6
"""So many over- and so many under-represented facts are kept."""
_FIGURES = ("money", "count", "days", "share", "number")
_SMALLEST = 5
"""A side with fewer known values says nothing."""
ALIKE = 0.9
"""Figures whose ranks correlate by more, in either direction, tell the same of customers."""
_RANKED = 50_000
"""So many customers are ranked, drawn by their keys; they tell the correlation of a larger base to two digits."""
_KEPT_SECONDS = 24 * 3600


def profile(
    keys: npt.NDArray[np.int64], known: Schema, tables: Tables, named: Collection[str] = (), run: str = ""
) -> list[dict[str, Any]]:
    """The strongest differences, over-represented ones first; those that may be chance are left out, and those of
    facts that tell nothing new. ``named``: the fields that the members' rule names; ``run``: what the run is called
    whose scores are in the copy.

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
    over: list[dict[str, Any]] = []
    under: list[dict[str, Any]] = []
    told, close = set(named), alike(known, tables, run)
    strongest = sorted(_called(found), key=lambda one: (-max(one["low"], -one["high"]), one["field"], one["value"]))
    for one in strongest:
        side = over if one["low"] > 0 else under
        same = one["field"] in named or close.get(one["field"], frozenset()) & told
        if len(side) < STRONGEST and not same:
            side.append(one)
            told.add(one["field"])
    return [*over, *under]


def alike(known: Schema, tables: Tables, run: str = "") -> dict[str, frozenset[str]]:
    """Of each figure of the scores the others that rank customers alike, measured on the run and kept for it."""
    key = f"analysis.alike.{run}"
    found: dict[str, frozenset[str]] | None = cache.get(key) if run else None
    if found is None:
        found = _alike(known, tables)
        if run:
            cache.set(key, found, _KEPT_SECONDS)
    return found


def _alike(known: Schema, tables: Tables) -> dict[str, frozenset[str]]:
    terms = [term for term in known.fields.values() if term.source == "score" and term.copied and term.type in _FIGURES]
    if not terms:
        return {}
    frame = known.sources["score"].frame(tables, terms[0])
    every = max(1, -(-int(tables.arrow(frame.count()).as_py()) // _RANKED))
    # By a hash that spreads neighbouring keys (Knuth), since keys follow the order in which customers came.
    drawn = frame.filter((frame.customer_id * 2654435761) % 4294967296 % every == 0)
    rows = tables.arrow(drawn.order_by("customer_id").select(*(term.copied for term in terms)))
    columns = np.column_stack([rows[term.copied].to_numpy(zero_copy_only=False).astype(float) for term in terms])
    close = np.abs(rank_correlations(columns)) > ALIKE
    np.fill_diagonal(close, False)
    return {
        term.key: frozenset(terms[place].key for place in np.flatnonzero(row))
        for term, row in zip(terms, close, strict=True)
    }


def _choices(term: RuleField, rows: Any, tables: Tables) -> list[dict[str, Any]]:
    counted = tables.arrow(rows.group_by("value", "inside").aggregate(n=rows.count())).to_pylist()
    totals = {side: sum(row["n"] for row in counted if row["inside"] is side) for side in (True, False)}
    found = []
    if term.several:
        counted = [{**row, "value": one} for row in counted for one in row["value"].split("|") if one]
    for value in sorted({row["value"] for row in counted}, key=str):
        hits = {
            side: sum(row["n"] for row in counted if row["value"] == value and row["inside"] is side) for side in totals
        }
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
