"""The customer life cycle, from initiation to revitalisation (after Stauss 2000)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.standing.history import NEVER, Block, Marks, Signs, Spans, blocks
from rondo.science.standing.rhythm import Rhythm
from rondo.science.standing.settling import Settling, States
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays

Alive = Callable[[IntArray, FloatArray, FloatArray], FloatArray]
"""P(alive) of repeat buyers: (x, t_x, T) with times in weeks."""


class Stage(IntEnum):
    """Stages of the life cycle; every customer is in exactly one. ``BEFORE``: known, but no sign of interest yet."""

    BEFORE = 0
    INITIATION = 1
    SOCIALISATION = 2
    GROWTH = 3
    MATURITY = 4
    ENDANGERED = 5
    DECLINE = 6
    TERMINATION = 7
    ABSTINENCE = 8
    REVITALISATION = 9


_LATE, _VERY_LATE, _GONE, _NEW, _RISING, _FALLING, _COMPLAINS, _NOTICED = (1 << bit for bit in range(8))
_TREND_SHIFT = 4


@dataclass(frozen=True)
class LifeCycleRules:
    """Thresholds of the life cycle (all are conventions, so all are settings).

    ``settled_from``: purchase days that end socialisation and revitalisation; ``settled_days``: days after the first
    purchase that end socialisation in any case. ``trend_days``: the window of the spend trend, whose later half is
    compared with the earlier one; ``trend``: the change (share) beyond which spend rises or falls, and
    ``trend_errors``: by how many standard errors of chance it has to (0: chance is not asked). ``endangered``,
    ``decline``: quantiles of the customer's own gaps. ``alive_below``: P(alive) below which a repeat buyer is presumed
    gone; ``once``: quantile of the base's gaps to the second purchase beyond which who bought once is. ``abstinence``:
    days from termination to abstinence. ``complaint_days``: days after which a complaint that nobody answered no longer
    counts as open. ``notice_days``: days for which a notice counts, if no cancellation and return come between.
    ``hold_days``: days that a rule must hold before growth, maturity or decline is
    entered; ``endangered_hold_days`` before endangered is.
    """

    settled_from: int = 3
    settled_days: int = 90
    trend_days: int = 180
    trend: float = 0.1
    trend_errors: float = 1.645
    endangered: float = 0.75
    decline: float = 0.9
    alive_below: float = 0.2
    once: float = 0.95
    abstinence: int = 90
    complaint_days: int = 90
    notice_days: int = 365
    hold_days: int = 28
    endangered_hold_days: int = 7

    def __post_init__(self) -> None:
        for name in ("settled_from", "settled_days", "abstinence", "complaint_days", "notice_days"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)}; write 1 or more")
        if self.trend_days < 2 or self.trend_days % 2:
            raise InputError(f"trend_days: {self.trend_days}; write an even number of days")
        for name in ("trend", "endangered", "decline", "alive_below", "once"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)}; write a share between 0 and 1")
        if not 0 <= self.trend_errors < 10:
            raise InputError(f"trend_errors: {self.trend_errors}; write 0 or more, below 10")
        if self.endangered >= self.decline:
            raise InputError(f"endangered: {self.endangered}; has to lie below decline ({self.decline})")
        if min(self.hold_days, self.endangered_hold_days) < 0:
            raise InputError("hold_days, endangered_hold_days: write 0 or more")

    def to_dict(self) -> dict[str, Any]:
        """The thresholds as JSON."""
        return asdict(self)

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantiles of gaps that the rules need of a rhythm."""
        return tuple(sorted({self.endangered, self.decline, self.once}))

    def hold(self) -> IntArray:
        """Days to hold per stage."""
        days = np.zeros(len(Stage), np.int64)
        # Decline waits in its own rule: until it has held, a customer who is late is endangered, not well.
        days[[Stage.GROWTH, Stage.MATURITY]] = self.hold_days
        days[Stage.ENDANGERED] = self.endangered_hold_days
        return days


def live(
    log: PurchaseDays,
    rhythm: Rhythm,
    signs: Signs,
    grid: IntArray,
    alive: Alive | None = None,
    rules: LifeCycleRules | None = None,
    first_day: int | None = None,
    silence: IntArray | None = None,
) -> States:
    """The stage of every customer on every grid day: (grid day, customer code), values of :class:`Stage`.

    ``rhythm`` must hold the quantiles ``rules.levels``. ``alive``: P(alive) of a fitted model; without one nobody who
    came twice is presumed gone before their gap passes ``once`` of the base. ``first_day``: day on which the data
    begin, where ``log`` is a part of them (default: its own first day). ``silence``: :func:`gone_after` of the rows of
    ``log``, where it was worked out for all customers at once.
    """
    rules = rules or LifeCycleRules()
    if missing := [level for level in rules.levels if level not in rhythm.levels]:
        raise InputError(f"rhythm: has no quantile {missing[0]}; it has {rhythm.levels}")
    out: States = np.empty((grid.size, log.n_customers), np.uint8)
    start_of_data = first_day if first_day is not None else log.first_day if log.day.size else 0
    if silence is None:
        silence = gone_after(log, rhythm.base[rhythm.levels.index(rules.once)], int(grid[-1]), alive, rules)
    for start, stop, block in blocks(log, grid):
        course = _Course(block, signs.part(start, stop), rhythm, silence[block.rows], rules, start_of_data)
        for number, day in enumerate(grid):
            out[number, start:stop] = course.step(number, int(day))
    return out


def gone_after(
    log: PurchaseDays,
    once: float,
    as_of: int,
    alive: Alive | None = None,
    rules: LifeCycleRules | None = None,
    served: FloatArray | None = None,
    *,
    told: bool = True,
) -> IntArray:
    """For each purchase day the gap (days) from which on a customer is presumed gone if it stays the last one;
    ``NEVER`` where that does not come by ``as_of``.

    ``once``: the base's quantile of gaps to the second purchase day (nan: nobody came twice). ``alive`` must not rise
    with T while x and t_x stay, as in every model of purchases with dropout; the day on which it falls below
    ``rules.alive_below`` is then found by halving, once for each x and t_x that occur.

    ``told``: whether the data tell how customers leave; where they do not, P(alive) is an assumption, and the gap has
    to lie beyond ``once``, too. ``served``: P(alive) of each customer (by code) as it is shown on ``as_of`` by all that
    is known of them, nan where nothing is: who is there by that is not presumed gone in the pause that still lasts.
    """
    rules = rules or LifeCycleRules()
    found = np.full(log.day.size, NEVER, np.int64)
    if not log.day.size:
        return found
    begins = np.flatnonzero(np.concatenate(([True], log.customer[1:] != log.customer[:-1])))
    per_customer = np.diff(np.append(begins, log.day.size))
    repeats = np.arange(log.day.size) - np.repeat(begins, per_customer)
    once_only = repeats == 0 if alive is not None else np.ones(log.day.size, bool)
    if not np.isnan(once):
        found[once_only] = int(np.floor(once)) + 1
    if alive is None:
        return found
    age = log.day - np.repeat(log.day[begins], per_customer)
    again = np.flatnonzero(~once_only)
    span = int(age.max()) + 1
    cells, cell = _distinct(repeats[again] * span + age[again])
    x, t_x = cells // span, cells % span
    never = max(as_of - int(log.day.min()), 0) + 1
    low, high = np.zeros(cells.size, np.int64), np.full(cells.size, never)
    while np.any(low < high):
        middle = (low + high) // 2
        gone = alive(x, t_x / DAYS_PER_WEEK, (t_x + middle) / DAYS_PER_WEEK) < rules.alive_below
        low, high = np.where(gone, low, middle + 1), np.where(gone, middle, high)
    found[again] = np.where(low < never, low, NEVER)[cell]
    if not told and not np.isnan(once):
        found[again] = np.maximum(found[again], int(np.floor(once)) + 1)
    return found if served is None else spared(log, found, served, rules)


def spared(log: PurchaseDays, gaps: IntArray, served: FloatArray, rules: LifeCycleRules | None = None) -> IntArray:
    """The ``gaps`` of :func:`gone_after` by the history alone, but ``NEVER`` in the pause that still lasts of repeat
    buyers who are there by what is ``served``."""
    rules = rules or LifeCycleRules()
    found = gaps.copy()
    begins = np.flatnonzero(np.concatenate(([True], log.customer[1:] != log.customer[:-1])))
    if log.day.size:
        per_customer = np.diff(np.append(begins, log.day.size))
        last = np.cumsum(per_customer)[per_customer > 1] - 1
        found[last[served[log.customer[last]] >= rules.alive_below]] = NEVER
    return found


def _distinct(keys: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct ones of whole numbers from 0, ascending, and of each its place among them."""
    space = int(keys.max(initial=-1)) + 1
    if space > 4 * keys.size:
        return np.unique(keys, return_inverse=True)
    there = np.zeros(space, bool)
    there[keys] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]


class _Course:
    """The life of a block of customers, stepped through grid days: what a rule needs to remember is kept here."""

    def __init__(
        self, block: Block, signs: Signs, rhythm: Rhythm, silence: IntArray, rules: LifeCycleRules, start_of_data: int
    ) -> None:
        self._signs, self._rules = signs, rules
        self._trend_known_from = start_of_data + rules.trend_days - 1
        self._purchases = block.purchases
        self._flags = self._flags_of(block, rhythm, silence)
        # Most bases have no dated sign of this kind.
        self._cancelled = self._cancellations(block) if signs.cancelled.begin.size else None
        self._settling = Settling(block.size, rules.hold())
        # Purchase days when the relationship last ended (-1: it never did), and the day it did.
        self._purchases_at_end = np.full(block.size, -1, np.int32)
        self._ended_on = np.zeros(block.size, np.int32)
        self._declining_since = np.full(block.size, NEVER, np.int32)

    def _flags_of(self, block: Block, rhythm: Rhythm, silence: IntArray) -> States:
        """What purchases, complaints and notices alone say of every customer on every grid day."""
        rules, days = self._rules, block.grid.size
        marks = Marks(days, block.size)
        for bit, level in ((_LATE, rules.endangered), (_VERY_LATE, rules.decline)):
            marks.between(bit, block.later_than(rhythm.at(block.rows, level)), block.until, block.customer)
        marks.between(_GONE, block.first_on(block.day + silence), block.until, block.customer)
        # What came before the data is not known; who was not yet a customer spent nothing then, which is.
        new_until = block.first_on(block.first + rules.settled_days + 1)
        settled = np.flatnonzero(block.rank == rules.settled_from)
        np.minimum.at(new_until, block.customer[settled], block.place[settled])
        new = np.flatnonzero((block.first < NEVER) & ~self._signs.cut_off)
        marks.between(_NEW, block.first_on(block.first[new]), new_until[new], new)
        for bit, spans in (
            (_COMPLAINS, self._signs.complaints.joined(rules.complaint_days)),
            (_NOTICED, self._notices(block).joined(rules.notice_days)),
        ):
            marks.between(bit, block.first_on(spans.begin), block.first_on(spans.until), spans.customer)
        marks.follow(_TREND_SHIFT, *block.trend(rules.trend_days // 2, rules.trend, rules.trend_errors))
        return marks.read()

    def _notices(self, block: Block) -> Spans:
        """From each notice to the first purchase after the cancellation that followed it: then it has done its work."""
        given, cancelled = self._signs.notice, self._signs.cancelled
        ended = cancelled.first_from(given.customer, given.begin)
        return Spans(given.customer, given.begin, block.next_after(given.customer, ended))

    def _cancellations(self, block: Block) -> States:
        """Whose cancellation stands on each grid day, since they have not bought on a later day."""
        marks = Marks(block.grid.size, block.size)
        stated = self._signs.cancelled
        back = block.next_after(stated.customer, stated.begin)
        spans = Spans(stated.customer, stated.begin, back).joined()
        marks.between(1, block.first_on(spans.begin), block.first_on(spans.until), spans.customer)
        return marks.read()

    def step(self, number: int, day: int) -> States:
        """The stages on one grid day."""
        was, purchases, flags = self._settling.state, self._purchases[number], self._flags[number]
        bought = purchases > 0
        ended = (was == Stage.TERMINATION) | (was == Stage.ABSTINENCE)
        since_end = purchases - self._purchases_at_end
        back = ended & (since_end > 0)
        stay = ended & ~back
        returning = back | ((was == Stage.REVITALISATION) & (since_end < self._rules.settled_from))
        gone = (flags & _GONE) > 0
        if self._cancelled is not None:
            gone |= self._cancelled[number] > 0
        stage = self._of_buyers(day, was, flags)
        stage[returning] = Stage.REVITALISATION
        # What somebody said does not wait for a rule to hold; but who has just come back is welcome first.
        stage[((flags & _NOTICED) > 0) & ~back] = Stage.DECLINE
        stage[gone] = Stage.TERMINATION
        long_ago = stay & (day - self._ended_on >= self._rules.abstinence)
        stage = np.where(stay, was, stage)
        stage[long_ago] = Stage.ABSTINENCE
        before = np.where(self._signs.interest <= day, np.uint8(Stage.INITIATION), np.uint8(Stage.BEFORE))
        stage = np.where(bought, stage, before)
        # A first purchase or a return is a fact: the old stage cannot wait for a rule to hold.
        at_once = (was <= Stage.INITIATION) & bought | ended
        settled = self._settling.step(day, stage, at_once)
        ending = np.flatnonzero((settled == Stage.TERMINATION) & ~ended)
        self._purchases_at_end[ending] = purchases[ending]
        self._ended_on[ending] = day
        return settled

    def _of_buyers(self, day: int, was: States, flags: States) -> States:
        """The stage of customers whose relationship goes on."""
        rules = self._rules
        trend = day >= self._trend_known_from
        declining = (flags & (_VERY_LATE | _FALLING if trend else _VERY_LATE)) > 0
        since = np.where(declining, np.minimum(self._declining_since, day), NEVER).astype(np.int32)
        self._declining_since = since
        steady = (was >= Stage.GROWTH) & (was <= Stage.ENDANGERED)
        stage = np.full(was.size, Stage.MATURITY, np.uint8)
        if trend:
            stage[(flags & _RISING) > 0] = Stage.GROWTH
        stage[steady & ((flags & _LATE) > 0)] = Stage.ENDANGERED
        stage[(flags & _COMPLAINS) > 0] = Stage.ENDANGERED
        stage[since <= day - rules.hold_days] = Stage.DECLINE
        stage[(flags & _NEW) > 0] = Stage.SOCIALISATION
        return stage
