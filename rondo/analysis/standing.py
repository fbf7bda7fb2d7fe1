"""Where customers stand, run by run: loyalty ladder and life cycle of all, block by block, so that memory is bounded.

The rules are :mod:`rondo.science.standing`; here they meet the columnar copy, the fitted model and the tables of a run.
Signs that this product does not record yet (recommendation, cancellation, notice, complaint) are absent, see
docs/standing.md.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.facts import Past
from rondo.analysis.modelling import Log, day_number, day_of
from rondo.analysis.results import Moves, Standing, StandingCount, StandingWeek
from rondo.analysis.summary import cut_on_the_left
from rondo.analysis.thresholds import Thresholds, in_force
from rondo.science.standing import (
    NEVER,
    Rung,
    Signs,
    Stage,
    base_of,
    changes,
    climb,
    live,
    rhythm_of,
    transitions,
    weekly_grid,
)
from rondo.science.standing.ledger import Change
from rondo.science.standing.lifecycle import Alive, gone_after
from rondo.science.summary import PurchaseDays
from rondo.warehouse.tables import Tables

RUNGS = tuple(rung.name.lower() for rung in Rung)
STAGES = tuple(stage.name.lower() for stage in Stage)
CUT_OFF_DAYS = 31
"""Who is first seen within so many days of a log that begins later than its relationships was a customer before it."""
MOVED_DAYS = 90
_BLOCK = 20_000
_WEEKLY_CELLS = 20_000_000
_WEEKLY_DAYS = 26 * 7
_LATEST = 40
_EPOCH = date(1970, 1, 1)

LEDGER = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("scale", pa.string()),
        ("day", pa.date32()),
        ("before", pa.string()),
        ("after", pa.string()),
    ]
)
"""Columns of the ledger; ``before`` is null in the first entry of a customer."""


@dataclass(frozen=True)
class Course:
    """One scale of one run. ``last``, ``since``: state and day number it began (-1: before the data) by customer.

    ``counts``: customers by grid day and state. ``moves``: from state (row) to state over the last 90 days; None where
    the data are shorter. ``ledger``: entries with customers as positions; ``latest``: the last ones as text.
    """

    names: tuple[str, ...]
    last: npt.NDArray[np.uint8]
    since: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    moves: npt.NDArray[np.int64] | None
    ledger: list[Change]
    latest: pa.ChunkedArray


@dataclass(frozen=True)
class Found:
    """Where the customers ``ids`` (ascending) stand on the last day of ``grid`` and stood on the days before."""

    ids: npt.NDArray[np.int64]
    grid: npt.NDArray[np.int64]
    ladder: Course
    stages: Course

    def beside(self, facts: pa.Table) -> pa.Table:
        """The facts, whose rows are the customers in the order of ``ids``, with the three of standing."""
        since = pa.array(self.stages.since.astype(np.int32), mask=self.stages.since < 0).cast(pa.date32())
        facts = facts.append_column("ladder", _words(RUNGS, self.ladder.last))
        facts = facts.append_column("stage", _words(STAGES, self.stages.last))
        return facts.append_column("stage_since", since)

    def histories(self) -> pa.Table:
        """One row per customer with the latest changes as text."""
        columns = {"customer_id": pa.array(self.ids), "stages": self.stages.latest, "rungs": self.ladder.latest}
        return pa.table(columns)

    @cached_property
    def entries(self) -> int:
        """How many entries :meth:`ledger` gives."""
        return sum(len(part) for course in (self.ladder, self.stages) for part in course.ledger)

    def ledger(self) -> Iterator[pa.RecordBatch]:
        """The ledger of both scales in the columns of :data:`LEDGER`, by scale, customer and day."""
        for scale, course in (("ladder", self.ladder), ("stage", self.stages)):
            for part in course.ledger:
                begins = np.diff(part.customer, prepend=-1) != 0
                columns = [
                    pa.array(self.ids[part.customer]),
                    pa.repeat(scale, len(part)),
                    pa.array(part.day.astype(np.int32)).cast(pa.date32()),
                    pc.if_else(pa.array(begins), None, _words(course.names, part.before)),
                    _words(course.names, part.after),
                ]
                yield pa.record_batch(columns, schema=LEDGER)

    def results(self, scores: pa.Table) -> Standing:
        """The figures that the pages read; ``scores`` are the facts that :meth:`beside` completed, with values."""
        days = [day_of(day).isoformat() for day in self.grid]
        moves = self.stages.moves
        since = self.grid[max(int(np.searchsorted(self.grid, self.grid[-1] - MOVED_DAYS, side="right")) - 1, 0)]
        return Standing(
            rungs=counted(scores, "ladder", RUNGS),
            stages=counted(scores, "stage", STAGES),
            weekly=[
                StandingWeek(day=day, stages=[int(count) for count in counts])
                for day, counts in zip(days, self.stages.counts, strict=True)
            ],
            moves=None
            if moves is None
            else Moves(since=day_of(int(since)).isoformat(), until=days[-1], customers=moves.tolist()),
        )


def counted(scores: pa.Table, name: str, keys: tuple[str, ...]) -> list[StandingCount]:
    """Customers and their value per state, in the order of ``keys``."""
    value = scores.group_by(name).aggregate([("customer_id", "count"), ("value", "sum")]).to_pylist()
    found = {row[name]: row for row in value}
    return [
        StandingCount(
            key=key,
            customers=int(found[key]["customer_id_count"]) if key in found else 0,
            value=int(found[key]["value_sum"] or 0) if key in found else 0,
        )
        for key in keys
    ]


def stand(
    tables: Tables, known: Past, facts: pa.Table, log: Log, alive: Alive | None, thresholds: Thresholds | None = None
) -> Found:
    """Where every customer of ``facts`` (ordered by ``customer_id``) stands as of the day of ``known``.

    ``alive``: P(alive) of the fitted model; None where there is none. ``thresholds``: those in force, unless given.
    """
    ids = facts["customer_id"].to_numpy()
    signs = replace(
        Signs.none(ids.size), interest=_interest(tables, known, ids), cut_off=_cut_off(facts["first_purchase"], known)
    )
    return follow(ids, _of(ids, log), signs, day_number(known.as_of), alive, thresholds or in_force())


def follow(
    ids: npt.NDArray[np.int64],
    log: PurchaseDays,
    signs: Signs,
    as_of: int,
    alive: Alive | None = None,
    thresholds: Thresholds | None = None,
) -> Found:
    """Where customers stand on ``as_of``: ``ids`` by code of ``log`` and ``signs``. Blocks of them run side by side."""
    by = thresholds or Thresholds()
    ladder_rules, rules = by.ladder, by.life_cycle
    levels = tuple(sorted({ladder_rules.quantile, *rules.levels}))
    base = base_of(log, levels)
    first_purchase = log.first_day if log.day.size else as_of
    heard = signs.interest[signs.interest <= as_of]
    grid = grid_of(min(first_purchase, int(heard.min()) if heard.size else as_of), as_of, ids.size)
    # At least one block, an empty one, so that a base of nobody has its figures too.
    blocks = max(-(-ids.size // _BLOCK), 1)
    bounds = np.searchsorted(log.customer, np.arange(blocks + 1) * _BLOCK)
    silence = gone_after(log, base[levels.index(rules.once)], as_of, alive, rules)

    def block(number: int) -> tuple[Course, Course]:
        start, stop = number * _BLOCK, min((number + 1) * _BLOCK, ids.size)
        rows = slice(bounds[number], bounds[number + 1])
        part = PurchaseDays(log.customer[rows] - start, log.day[rows], log.spend[rows], stop - start)
        rhythm, sign = rhythm_of(part, levels, base), signs.part(start, stop)
        rungs = climb(part, rhythm, sign, grid, ladder_rules)
        stages = live(part, rhythm, sign, grid, alive, rules, first_day=first_purchase, silence=silence[rows])
        return _course(RUNGS, rungs, grid, start, sign.cut_off), _course(STAGES, stages, grid, start, sign.cut_off)

    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 4)) as pool:
        done = list(pool.map(block, range(blocks)))
    return Found(ids, grid, _joined([one for one, _other in done]), _joined([other for _one, other in done]))


def grid_of(first_day: int, as_of: int, customers: int) -> npt.NDArray[np.int64]:
    """Days on which states are read: every Sunday and ``as_of``; for very large bases with long histories every fourth
    Sunday before the last 26 weeks."""
    grid = weekly_grid(first_day, as_of)
    if grid.size * customers <= _WEEKLY_CELLS:
        return grid
    recent = np.arange(grid.size)[::-1] <= _WEEKLY_DAYS // 7
    kept: npt.NDArray[np.int64] = grid[recent | (np.arange(grid.size) % 4 == 0)]
    return kept


def _course(
    names: tuple[str, ...],
    states: npt.NDArray[np.uint8],
    grid: npt.NDArray[np.int64],
    start: int,
    cut_off: npt.NDArray[np.bool_],
) -> Course:
    """What is kept of a block's states (grid day, customer)."""
    size = len(names)
    counts = np.stack([np.bincount(row, minlength=size) for row in states])
    then = int(np.searchsorted(grid, grid[-1] - MOVED_DAYS, side="right")) - 1
    found = changes(states, grid)
    customers = states.shape[1]
    ends = np.searchsorted(found.customer, np.arange(1, customers + 1)) - 1
    since = found.day[ends] if customers else np.empty(0, np.int64)
    # The first two states, of those whose relationship is older than the data, only say that these had not begun.
    unknown = (since == grid[0]) | (cut_off & (found.before[ends] <= 1)) if customers else np.empty(0, bool)
    return Course(
        names,
        states[-1],
        np.where(unknown, -1, since),
        counts,
        transitions(states[then], states[-1], size) if then >= 0 else None,
        [replace(found, customer=found.customer + start)],
        pa.chunked_array([_texts(names, found, ends, grid)]),
    )


def _texts(names: tuple[str, ...], found: Change, ends: npt.NDArray[np.int64], grid: npt.NDArray[np.int64]) -> pa.Array:
    """The latest changes of each customer as one text."""
    kept = np.flatnonzero(ends[found.customer] - np.arange(len(found)) < _LATEST)
    # Few days and few states: each pair of them is written once.
    pairs = pa.array([f"{day_of(int(day)).isoformat()} {name}" for day in grid for name in names], pa.string())
    words = pairs.take(pa.array(np.searchsorted(grid, found.day[kept]) * len(names) + found.after[kept]))
    offsets = np.concatenate(([0], np.cumsum(np.bincount(found.customer[kept], minlength=ends.size))))
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), words), ";")


def _joined(parts: list[Course]) -> Course:
    moves = [part.moves for part in parts if part.moves is not None]
    return Course(
        parts[0].names,
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.since for part in parts]),
        np.sum([part.counts for part in parts], axis=0),
        np.sum(moves, axis=0) if moves else None,
        [entry for part in parts for entry in part.ledger],
        pa.chunked_array([chunk for part in parts for chunk in part.latest.chunks], pa.string()),
    )


def _words(names: tuple[str, ...], codes: npt.NDArray[np.uint8]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names)).cast(pa.string())


def _of(ids: npt.NDArray[np.int64], log: Log) -> PurchaseDays:
    """The log with positions in ``ids`` as codes. A purchase may belong to a record that is no longer shown (its load
    was taken back): its rows fall away."""
    place = np.searchsorted(ids, log.customers)
    shown = place < ids.size
    shown[shown] = ids[place[shown]] == log.customers[shown]
    rows = shown[log.days.customer]
    return PurchaseDays(place[log.days.customer[rows]], log.days.day[rows], log.days.spend[rows], int(ids.size))


def _interest(tables: Tables, known: Past, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Day of the first inbound interaction that is no purchase, by position in ``ids``."""
    t = known.interactions
    t = t.filter((t.direction == "inbound") & (t.kind != "purchase"))
    rows = tables.arrow(t.group_by("customer_id").aggregate(day=t.business_date.min()))
    interest = np.full(ids.size, NEVER, np.int64)
    who = rows["customer_id"].to_numpy()
    place = np.clip(np.searchsorted(ids, who), 0, max(ids.size - 1, 0))
    here = ids[place] == who if ids.size else np.zeros(who.size, bool)
    interest[place[here]] = rows["day"].cast(pa.int32()).to_numpy()[here]
    return interest


def _cut_off(first_purchase: Any, known: Past) -> npt.NDArray[np.bool_]:
    """Whose relationship is older than the data: see :data:`CUT_OFF_DAYS`."""
    days = first_purchase.cast(pa.int32()).fill_null(NEVER).to_numpy()
    if not days.size or not cut_on_the_left(first_purchase, known.as_of):
        return np.zeros(days.size, bool)
    return np.asarray(days < days.min() + CUT_OFF_DAYS)
