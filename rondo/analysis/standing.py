"""Where customers stand, run by run: loyalty ladder, life cycle and type of relationship of all, block by block, so
that memory is bounded.

The rules are :mod:`rondo.science.standing`; here they meet the columnar copy, the fitted model and the tables of a run.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.facts import Past
from rondo.analysis.modelling import Log, day_number, day_of
from rondo.analysis.results import Back, Moves, Standing, StandingCount, StandingWeek
from rondo.analysis.signs import Told
from rondo.analysis.thresholds import Thresholds, in_force
from rondo.science.standing import (
    NEVER,
    Confidence,
    Relation,
    Rung,
    Sign,
    Signs,
    Stage,
    base_of,
    changes,
    climb,
    live,
    relate,
    rhythm_of,
    transitions,
    weekly_grid,
)
from rondo.science.standing.ledger import Change
from rondo.science.standing.lifecycle import Alive, gone_after, spared
from rondo.science.standing.relationship import Contacts, Related
from rondo.science.summary import PurchaseDays

RUNGS = tuple(rung.name.lower() for rung in Rung)
STAGES = tuple(stage.name.lower() for stage in Stage)
TYPES = tuple(relation.name.lower() for relation in Relation)
CONFIDENCES = tuple(one.name.lower() for one in Confidence)[1:]
FACTS = ("ladder", "stage", "stage_since", "relationship", "relationship_confidence", "relationship_since")
MOVED_DAYS = 90
BACK_DAYS = 91
"""Days within which a purchase shows that somebody presumed gone was not: those of the risk of silence."""
_BLOCK = 20_000
_WEEKLY_CELLS = 20_000_000
_WEEKLY_DAYS = 26 * 7
_LATEST = 40
_SEEN = {
    "complaints": Sign.COMPLAINT,
    "contacts": Sign.UNPROMPTED,
    "talks": Sign.TALK,
    "offers_sent": Sign.SENT,
    "offers_answered": Sign.ANSWERED,
    "referrals": Sign.REFERRED,
}
"""Columns of the histories that say what a type rests on, beside ``window_purchases``."""

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
class CameBack:
    """Of ``presumed`` entries to termination that nobody stated, :data:`BACK_DAYS` ago or earlier, those after which
    the customer bought within so many days.

    By the history alone: who is spared now by what is served would have been presumed gone then, and has not come back.
    """

    presumed: int
    came: int


@dataclass(frozen=True)
class Found:
    """Where the customers ``ids`` (ascending) stand on the last day of ``grid`` and stood on the days before."""

    ids: npt.NDArray[np.int64]
    grid: npt.NDArray[np.int64]
    ladder: Course
    stages: Course
    types: Course
    related: Related
    came_back: CameBack

    def courses(self) -> tuple[tuple[str, Course], ...]:
        """Each scale with its course."""
        return ("ladder", self.ladder), ("stage", self.stages), ("relationship", self.types)

    def beside(self, facts: pa.Table) -> pa.Table:
        """The facts, whose rows are the customers in the order of ``ids``, with :data:`FACTS`."""
        sure = self.related.confidence
        confidence = pa.DictionaryArray.from_arrays(
            pa.array(np.maximum(sure, 1) - 1, mask=sure == Confidence.NONE), pa.array(CONFIDENCES)
        )
        columns = (
            _words(RUNGS, self.ladder.last),
            _words(STAGES, self.stages.last),
            _since(self.stages),
            _words(TYPES, self.types.last),
            confidence.cast(pa.string()),
            _since(self.types),
        )
        for name, column in zip(FACTS, columns, strict=True):
            facts = facts.append_column(name, column)
        return facts

    def histories(self) -> pa.Table:
        """One row per customer with the latest changes as text, and what the type of relationship rests on."""
        columns = {"customer_id": pa.array(self.ids), "stages": self.stages.latest, "rungs": self.ladder.latest}
        columns |= {"types": self.types.latest, "window_purchases": pa.array(self.related.purchases)}
        return pa.table(columns | {name: pa.array(self.related.counts[sign]) for name, sign in _SEEN.items()})

    @cached_property
    def entries(self) -> int:
        """How many entries :meth:`ledger` gives."""
        return sum(len(part) for _scale, course in self.courses() for part in course.ledger)

    def ledger(self) -> Iterator[pa.RecordBatch]:
        """The ledger of all scales in the columns of :data:`LEDGER`, by scale, customer and day."""
        for scale, course in self.courses():
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
            types=counted(scores, "relationship", TYPES),
            confidence=counted(scores, "relationship_confidence", CONFIDENCES),
            weekly=[
                StandingWeek(day=day, stages=[int(count) for count in counts])
                for day, counts in zip(days, self.stages.counts, strict=True)
            ],
            moves=None
            if moves is None
            else Moves(since=day_of(int(since)).isoformat(), until=days[-1], customers=moves.tolist()),
            came_back=Back(presumed=self.came_back.presumed, came=self.came_back.came, days=BACK_DAYS),
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
    known: Past,
    ids: npt.NDArray[np.int64],
    log: Log,
    told: Told,
    alive: Alive | None,
    thresholds: Thresholds | None = None,
    served: npt.NDArray[np.float64] | None = None,
    *,
    dropout_told: bool = True,
) -> Found:
    """Where each of the customers ``ids`` (ascending) stands as of the day of ``known``.

    ``alive``: P(alive) of the fitted model; None where there is none. ``thresholds``: those in force, unless given.
    ``served``, ``dropout_told``: see :func:`rondo.science.standing.lifecycle.gone_after`.
    """
    log_of = _of(ids, log)
    by, day = thresholds or in_force(), day_number(known.as_of)
    return follow(ids, log_of, told.signs, day, alive, by, told.contacts, served, dropout_told=dropout_told)


def follow(
    ids: npt.NDArray[np.int64],
    log: PurchaseDays,
    signs: Signs,
    as_of: int,
    alive: Alive | None = None,
    thresholds: Thresholds | None = None,
    contacts: Contacts | None = None,
    served: npt.NDArray[np.float64] | None = None,
    *,
    dropout_told: bool = True,
) -> Found:
    """Where customers stand on ``as_of``: ``ids`` by code of ``log``, ``signs`` and ``contacts``. Blocks of them run
    side by side."""
    by, met = thresholds or Thresholds(), contacts or Contacts.none(ids.size)
    ladder_rules, rules = by.ladder, by.life_cycle
    levels = tuple(sorted({ladder_rules.quantile, *rules.levels}))
    base = base_of(log, levels)
    first_purchase = log.first_day if log.day.size else as_of
    heard = signs.interest[signs.interest <= as_of]
    grid = grid_of(min(first_purchase, int(heard.min()) if heard.size else as_of), as_of, ids.size)
    # At least one block, an empty one, so that a base of nobody has its figures too.
    blocks = max(-(-ids.size // _BLOCK), 1)
    bounds = np.searchsorted(log.customer, np.arange(blocks + 1) * _BLOCK)
    once = base[levels.index(rules.once)]
    plain = gone_after(log, once, as_of, alive, rules, told=dropout_told)
    silence = plain if served is None else spared(log, plain, served, rules)

    def block(number: int) -> tuple[tuple[Course, Course, Course], Related, CameBack]:
        start, stop = number * _BLOCK, min((number + 1) * _BLOCK, ids.size)
        rows = slice(bounds[number], bounds[number + 1])
        part = PurchaseDays(log.customer[rows] - start, log.day[rows], log.spend[rows], stop - start)
        rhythm, sign = rhythm_of(part, levels, base), signs.part(start, stop)
        rungs = climb(part, rhythm, sign, grid, ladder_rules)
        stages = live(part, rhythm, sign, grid, alive, rules, first_day=first_purchase, silence=silence[rows])
        related = relate(part, rungs, met.part(start, stop), grid, by.relationship)
        courses = (
            _course(RUNGS, rungs, grid, start, sign.cut_off),
            _course(STAGES, stages, grid, start, sign.cut_off),
            _course(TYPES, related.types, grid, start, np.zeros(stop - start, bool)),
        )
        freed = np.flatnonzero(plain[rows] != silence[rows])
        spared_of = part.customer[freed], _entered(grid, part.day[freed] + plain[rows][freed])
        back = _came_back(part, courses[1].ledger[0], start, sign, as_of, spared_of)
        return courses, replace(related, types=related.types[-1:].copy()), back  # not the whole block

    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 4)) as pool:
        done = list(pool.map(block, range(blocks)))
    ladder, stages, types = (_joined([courses[place] for courses, _related, _back in done]) for place in range(3))
    back = CameBack(*(sum(getattr(one, name) for _courses, _related, one in done) for name in ("presumed", "came")))
    return Found(ids, grid, ladder, stages, types, _together([related for _courses, related, _back in done]), back)


def _entered(grid: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The grid day on which each of the days shows; beyond all of them where none does."""
    return np.append(grid, NEVER)[np.searchsorted(grid, day)]


def _came_back(
    log: PurchaseDays,
    ledger: Change,
    start: int,
    signs: Signs,
    as_of: int,
    spared_of: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> CameBack:
    """How many of a block's customers, from ``start`` on, came back after having been presumed gone; ``spared_of``: who
    would have been, but for what is served, and on which day."""
    entered = (ledger.after == Stage.TERMINATION) & (ledger.day <= as_of - BACK_DAYS)
    long_ago = spared_of[1] <= as_of - BACK_DAYS
    customer = np.concatenate([ledger.customer[entered] - start, spared_of[0][long_ago]])
    day = np.concatenate([ledger.day[entered], spared_of[1][long_ago]])
    presumed = ~np.isin(customer, signs.cancelled.customer)
    customer, day = customer[presumed], day[presumed]
    if not log.day.size:
        return CameBack(int(day.size), 0)
    first = log.day.min()
    apart = max(int(log.day.max()), as_of) - first + 1
    purchases, since = log.customer * apart + (log.day - first), customer * apart + (day - first)
    # Purchases after that day, and not after the last of the days that count.
    place, until = (np.searchsorted(purchases, end, side="right") for end in (since, since + BACK_DAYS))
    return CameBack(int(day.size), int((until > place).sum()))


def _together(parts: list[Related]) -> Related:
    """The blocks side by side; of the types the last day alone is kept."""
    return Related(
        np.concatenate([part.types for part in parts], axis=1),
        np.concatenate([part.confidence for part in parts]),
        np.concatenate([part.purchases for part in parts]),
        np.concatenate([part.counts for part in parts], axis=1),
    )


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


def _since(course: Course) -> pa.Array:
    """The day on which each state was first read; null where it held as the data began."""
    return pa.array(course.since.astype(np.int32), mask=course.since < 0).cast(pa.date32())


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
