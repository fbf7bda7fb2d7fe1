"""Where a customer stands in buying, category by category: unaware, need recognised, information search, evaluation,
purchase, after-purchase (Robinson, Faris & Wind 1967).

Signals are dated and fade: a purchase places a customer in *purchase* for some days, then *after-purchase*, until the
category is due again by the customer's own rhythm (*need recognised*); who stays away for long is back to *unaware*. A
contact about the category after the last purchase (content read, viewed, compared, put into the basket) begins the next
round earlier. The rhythm is the mean logarithm of the own gaps drawn towards that of the category by the weight of
Bühlmann (1967), see :mod:`rondo.science.due`. What is known on a day is all that is used for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.due import Pairs, credibility

Codes = npt.NDArray[np.uint8]
Days = npt.NDArray[np.int32]


class BuyingStage(IntEnum):
    """Stages in their order."""

    UNAWARE = 0
    NEED_RECOGNISED = 1
    INFORMATION_SEARCH = 2
    EVALUATION = 3
    PURCHASE = 4
    AFTER_PURCHASE = 5


NONE = len(BuyingStage)
"""Stands for a pair without any signal up to a day."""


class Reason(IntEnum):
    """Why a pair stands in its stage: signals faded, due by rhythm, content, search, evaluation, bought, bought some
    days ago, service or review."""

    FADED = 0
    DUE = 1
    CONTENT = 2
    SEARCH = 3
    EVALUATION = 4
    BOUGHT = 5
    LATELY = 6
    SERVICE = 7


STAGE_OF = np.array(
    [
        BuyingStage.UNAWARE,
        BuyingStage.NEED_RECOGNISED,
        BuyingStage.NEED_RECOGNISED,
        BuyingStage.INFORMATION_SEARCH,
        BuyingStage.EVALUATION,
        BuyingStage.PURCHASE,
        BuyingStage.AFTER_PURCHASE,
        BuyingStage.AFTER_PURCHASE,
        NONE,
    ],
    np.uint8,
)
"""The stage that goes with each :class:`Reason`; the last place is that of pairs without a signal."""
_NO_REASON = len(Reason)
_LONG_AGO = np.int32(-(2**30))
_FAR = 2**20
_LEAST_WEIGHT = 1.0
"""The category's mean counts for so many own gaps at least: who bought once has nothing else."""
_CONTACTS = (
    (BuyingStage.NEED_RECOGNISED, Reason.CONTENT),
    (BuyingStage.INFORMATION_SEARCH, Reason.SEARCH),
    (BuyingStage.EVALUATION, Reason.EVALUATION),
    (BuyingStage.AFTER_PURCHASE, Reason.SERVICE),
)
"""What kinds of contact are signs of, and the reason they give."""


@dataclass(frozen=True)
class BuyingStageRules:
    """Thresholds of the buying stages (all are conventions, so all are settings).

    ``purchase_days``: a purchase stands for so many days, its own among them. ``habit_from``: purchase days of the
    category from which it is bought by habit, so that a need comes back. ``need_from``: share of the rhythm after which
    it does. ``fades_after``: rhythms, but at least ``fades_least`` days, after which it has faded. ``content_days``,
    ``search_days``, ``evaluation_days``, ``service_days``: how long a contact of each kind counts.
    ``usual_days``: the rhythm where nobody has bought of anything twice.
    """

    purchase_days: int = 7
    habit_from: int = 3
    need_from: float = 0.8
    fades_after: float = 2.0
    fades_least: int = 28
    content_days: int = 30
    search_days: int = 14
    evaluation_days: int = 14
    service_days: int = 30
    usual_days: int = 60

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name not in ("need_from", "fades_after") and value < 1:
                raise InputError(f"{name}: {value}; write 1 day or more")
        if not 0 < self.need_from < self.fades_after:
            raise InputError(
                f"need_from: {self.need_from}; write more than 0 and less than fades_after ({self.fades_after})"
            )

    def to_dict(self) -> dict[str, Any]:
        """The thresholds as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Signals:
    """Dated signals of pairs of customer and category, by pair and day; a purchase day of a pair stands once.

    ``pair``: place in ``category`` (the category of each pair, as a code). ``day``: day number. ``kind``: the stage
    that it is a sign of (PURCHASE: bought that day).
    """

    pair: IntArray
    day: IntArray
    kind: Codes
    category: IntArray

    def __post_init__(self) -> None:
        if not self.pair.shape == self.day.shape == self.kind.shape:
            raise InputError(
                f"signals: columns differ in length: pair {self.pair.size}, day {self.day.size}, kind {self.kind.size}"
            )
        step = np.diff(self.pair)
        if np.any(step < 0) or np.any((step == 0) & (np.diff(self.day) < 0)):
            raise InputError("signals: rows must stand by pair and day")


@dataclass(frozen=True)
class Stand:
    """How pairs stand on one day: ``reason`` (:class:`Reason`, or one more for no signal), ``since`` the day it began,
    ``bought`` the last purchase day (-1: none), ``rhythm`` in days (0: none)."""

    reason: Codes
    since: IntArray
    bought: IntArray
    rhythm: IntArray

    @property
    def stage(self) -> Codes:
        """The stage of each pair; :data:`NONE` where there was no signal."""
        found: Codes = STAGE_OF[self.reason]
        return found


class Walk:
    """The pairs day after day: :meth:`until` goes on to a later day, :meth:`reasons` tells how they stand there."""

    def __init__(self, signals: Signals, rules: BuyingStageRules, categories: int) -> None:
        size = signals.category.size
        rhythm, habit = _rhythms(signals, rules, categories)
        order = np.argsort(signals.day.astype(np.int32), kind="stable")
        self._pair, self._day, self._kind = (
            signals.pair[order],
            signals.day[order].astype(np.int32),
            signals.kind[order],
        )
        self._rhythm, self._habit = rhythm[order], habit[order]
        self._rules = rules
        self._at = 0
        self._today = -1
        self.bought: Days = np.full(size, _LONG_AGO)
        self.gap: FloatArray = np.zeros(size)
        self._due: Days = np.full(size, _LONG_AGO)
        self._faded: Days = np.full(size, _LONG_AGO)
        self._seen = {kind: np.full(size, _LONG_AGO) for kind, _reason in _CONTACTS if np.any(self._kind == kind)}

    def until(self, day: int) -> None:
        """Take in all signals up to the end of ``day``, which must not lie before the day reached."""
        if day < self._today:
            raise InputError(f"day {day} lies before day {self._today}, which was reached already")
        self._today = day
        stop = int(np.searchsorted(self._day, day, side="right"))
        rows = slice(self._at, stop)
        self._at = stop
        pair, when, kind = self._pair[rows], self._day[rows], self._kind[rows]
        for sign, seen in self._seen.items():
            here = kind == sign
            seen[pair[here]] = when[here]
        here = kind == BuyingStage.PURCHASE
        # Rows ascend by day: of several purchases of a pair the last is kept.
        pair, when, gap, habit, rules = (
            pair[here],
            when[here],
            self._rhythm[rows][here],
            self._habit[rows][here],
            self._rules,
        )
        self.bought[pair], self.gap[pair] = when, gap
        due = np.maximum(_whole(rules.need_from * gap), rules.purchase_days)
        faded = np.maximum(_whole(rules.fades_after * gap), rules.fades_least)
        # What is no habit is not due again: it fades where a need would come back.
        faded = np.where(habit, np.maximum(faded, due + 1), np.maximum(due, rules.fades_least))
        self._due[pair] = when + np.where(habit, due, faded)
        self._faded[pair] = when + faded

    def reasons(self) -> Codes:
        """The reason why each pair stands as it does on the day reached; one more than all for no signal."""
        day, rules = self._today, self._rules
        reason = np.full(self.bought.size, _NO_REASON, np.uint8)
        known = self.bought > _LONG_AGO
        reason[known] = Reason.FADED
        reason[known & (day < self._faded)] = Reason.DUE
        reason[known & (day < self._due)] = Reason.LATELY
        # What came later in the round decides, so the order is that of the stages; service goes before a need that
        # only time suggests.
        lasts = {
            BuyingStage.NEED_RECOGNISED: rules.content_days,
            BuyingStage.AFTER_PURCHASE: rules.service_days,
            BuyingStage.INFORMATION_SEARCH: rules.search_days,
            BuyingStage.EVALUATION: rules.evaluation_days,
        }
        told = dict(_CONTACTS)
        for sign, days in lasts.items():
            seen = self._seen.get(sign)
            if seen is None:
                continue
            reason[(reason == _NO_REASON) & (seen > _LONG_AGO)] = Reason.FADED
            fresh = (day < seen + days) & self._after_purchase(sign, seen)
            reason[fresh] = told[sign]
        reason[known & (day < self.bought + rules.purchase_days)] = Reason.BOUGHT
        return reason

    def _after_purchase(self, sign: int, seen: Days) -> npt.NDArray[np.bool_]:
        """Whether a contact belongs to the round after the last purchase. Of those on its day only service does: what
        was read and compared then led to it."""
        found: npt.NDArray[np.bool_] = (
            (seen >= self.bought) if sign == BuyingStage.AFTER_PURCHASE else (seen > self.bought)
        )
        return found & (seen > _LONG_AGO)

    def stand(self) -> Stand:
        """How the pairs stand on the day reached, and since when."""
        reason, rules = self.reasons(), self._rules
        since = np.full(reason.size, -1, np.int64)
        # When the last contact of the round ceased to count: what only time suggests holds since then.
        over = np.full(reason.size, _LONG_AGO)
        lasts = (rules.content_days, rules.search_days, rules.evaluation_days, rules.service_days)
        for (sign, told), days in zip(_CONTACTS, lasts, strict=True):
            seen = self._seen.get(sign)
            if seen is not None:
                here = reason == told
                since[here] = seen[here]
                over = np.maximum(over, np.where(self._after_purchase(sign, seen), seen + days, _LONG_AGO))
        begins = {
            Reason.FADED: np.maximum(self._faded, over),
            Reason.DUE: np.maximum(self._due, over),
            Reason.BOUGHT: self.bought,
            Reason.LATELY: np.maximum(self.bought + rules.purchase_days, over),
        }
        for told, day in begins.items():
            here = reason == told
            since[here] = day[here]
        bought = np.where(self.bought > _LONG_AGO, self.bought, -1).astype(np.int64)
        return Stand(reason, since, bought, np.rint(np.minimum(self.gap, _FAR)).astype(np.int64))


def _rhythms(signals: Signals, rules: BuyingStageRules, categories: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Per row the rhythm in force from that purchase on, from the gaps up to it, and whether it is a habit by then; 0
    and no for other signals."""
    rows = np.flatnonzero(signals.kind == BuyingStage.PURCHASE)
    found, habit = np.zeros(signals.pair.size), np.zeros(signals.pair.size, bool)
    if not rows.size:
        return found, habit
    pair, day = signals.pair[rows], signals.day[rows]
    again = np.concatenate(([False], np.diff(pair) == 0))
    gaps = np.diff(day, prepend=day[0])[again]
    logs = np.zeros(rows.size)
    logs[again] = np.log(np.maximum(gaps, 1))
    start = np.flatnonzero(~again)
    place = np.cumsum(~again) - 1
    known = np.arange(rows.size) - start[place]
    running = np.cumsum(logs)
    total = running - (running[start] - logs[start])[place]
    last = np.append(start[1:], rows.size) - 1
    category = signals.category[pair[start]]
    mean = total[last] / np.maximum(known[last], 1)
    usual, weight = np.full(categories, np.log(rules.usual_days)), _LEAST_WEIGHT
    if gaps.size:
        pairs = Pairs(pair[start], category, known[last] + 1, day[last], mean, np.zeros(start.size))
        usual, weight = credibility(pairs, np.maximum(gaps, 1), place[again], categories)
    weight = max(weight, _LEAST_WEIGHT)
    found[rows] = np.exp((total + weight * usual[category][place]) / (known + weight))
    habit[rows] = known + 1 >= rules.habit_from
    return found, habit


@dataclass(frozen=True)
class Turn:
    """Pairs that changed their stage up to a grid ``day``: ``before`` may be :data:`NONE`."""

    day: int
    pair: IntArray
    before: Codes
    after: Codes


def _whole(days: FloatArray) -> Days:
    """Days rounded up; what differs from a whole day by the last digits alone is that day."""
    found: Days = np.ceil(np.minimum(days, _FAR) - 1e-6).astype(np.int32)
    return found


def turns(walk: Walk, grid: IntArray) -> Iterator[Turn]:
    """The changes of stage from grid day to grid day (ascending); the walk stands on the last one afterwards."""
    if np.any(np.diff(grid) <= 0):
        raise InputError("grid: days must ascend")
    before: Codes = np.full(walk.bought.size, NONE, np.uint8)
    for day in grid:
        walk.until(int(day))
        after = STAGE_OF[walk.reasons()]
        pair = np.flatnonzero(before != after)
        yield Turn(int(day), pair, before[pair], after[pair])
        before = after


@dataclass(frozen=True)
class Came:
    """What became of pairs within ``days`` after ``day``: by stage how many stood there, and how many of them bought of
    the category."""

    day: int
    days: int
    pairs: IntArray
    bought: IntArray


def what_came(signals: Signals, rules: BuyingStageRules, categories: int, day: int, days: int) -> Came:
    """Who bought within ``days`` after ``day``, by the stage that the signals up to that day give."""
    earlier = signals.day <= day
    walk = Walk(
        Signals(signals.pair[earlier], signals.day[earlier], signals.kind[earlier], signals.category),
        rules,
        categories,
    )
    walk.until(day)
    stage = STAGE_OF[walk.reasons()]
    later = (signals.kind == BuyingStage.PURCHASE) & (signals.day > day) & (signals.day <= day + days)
    bought = np.zeros(stage.size, bool)
    bought[signals.pair[later]] = True
    return Came(
        day,
        days,
        np.bincount(stage, minlength=NONE + 1)[:NONE],
        np.bincount(stage[bought], minlength=NONE + 1)[:NONE],
    )
