"""The customer life cycle, from initiation to revitalisation (after Stauss 2000)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.standing.history import NEVER, Moment, Signs, blocks
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


_ENDED = (Stage.TERMINATION, Stage.ABSTINENCE)


@dataclass(frozen=True)
class LifeCycleRules:
    """Thresholds of the life cycle (all are conventions, so all are settings).

    ``settled_from``: purchase days that end socialisation and revitalisation; ``settled_days``: days after the first
    purchase that end socialisation in any case. ``trend_days``: the window of the spend trend, whose later half is
    compared with the earlier one; ``trend``: the change (share) beyond which spend rises or falls, and
    ``trend_errors``: by how many standard errors of chance it has to (0: chance is not asked). ``endangered``,
    ``decline``: quantiles of the customer's own gaps. ``alive_below``: P(alive) below which a repeat buyer is presumed
    gone; ``once``: quantile of the base's gaps to the second purchase beyond which who bought once is. ``abstinence``:
    days from termination to abstinence. ``hold_days``: days that a rule must hold before growth, maturity or decline is
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
    hold_days: int = 28
    endangered_hold_days: int = 7

    def __post_init__(self) -> None:
        for name in ("settled_from", "settled_days", "abstinence"):
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
) -> States:
    """The stage of every customer on every grid day: (grid day, customer code), values of :class:`Stage`.

    ``rhythm`` must hold the quantiles ``rules.levels``. ``alive``: P(alive) of a fitted model; without one nobody who
    came twice is presumed gone before their gap passes ``once`` of the base. ``first_day``: day on which the data
    begin, where ``log`` is a part of them (default: its own first day).
    """
    rules = rules or LifeCycleRules()
    if missing := [level for level in rules.levels if level not in rhythm.levels]:
        raise InputError(f"rhythm: has no quantile {missing[0]}; it has {rhythm.levels}")
    out: States = np.empty((grid.size, log.n_customers), np.uint8)
    start_of_data = first_day if first_day is not None else log.first_day if log.day.size else 0
    for start, stop, moments in blocks(log, grid, rules.trend_days // 2):
        course = _Course(stop - start, signs.part(start, stop), rhythm, alive, rules, start_of_data)
        for number, now in enumerate(moments):
            out[number, start:stop] = course.step(now)
    return out


class _Course:
    """The life of a block of customers, stepped through grid days: what a rule needs to remember is kept here."""

    def __init__(
        self, size: int, signs: Signs, rhythm: Rhythm, alive: Alive | None, rules: LifeCycleRules, start_of_data: int
    ) -> None:
        self._signs, self._rhythm, self._alive, self._rules = signs, rhythm, alive, rules
        self._trend_known_from = start_of_data + rules.trend_days - 1
        self._settling = Settling(size, rules.hold())
        # Purchase days when the relationship last ended (-1: it never did), and the day it did.
        self._purchases_at_end = np.full(size, -1, np.int64)
        self._ended_on = np.zeros(size, np.int64)
        self._declining_since = np.full(size, NEVER, np.int64)

    def step(self, now: Moment) -> States:
        """The stages on one grid day."""
        was = self._settling.state
        ended = np.isin(was, _ENDED)
        back = ended & (now.purchases > self._purchases_at_end)
        returning = back | (
            (was == Stage.REVITALISATION) & (now.purchases - self._purchases_at_end < self._rules.settled_from)
        )
        gone = self._gone(now)
        stage = self._of_buyers(now, was)
        stage = np.where(returning, np.uint8(Stage.REVITALISATION), stage)
        stage = np.where(gone, np.uint8(Stage.TERMINATION), stage)
        long_ago = ended & (now.day - self._ended_on >= self._rules.abstinence)
        stay = np.where(long_ago, np.uint8(Stage.ABSTINENCE), was)
        stage = np.where(ended & ~back, stay, stage)
        before = np.where(self._signs.interest <= now.day, np.uint8(Stage.INITIATION), np.uint8(Stage.BEFORE))
        stage = np.where(now.bought, stage, before).astype(np.uint8)
        # A first purchase or a return is a fact: the old stage cannot wait for a rule to hold.
        at_once = (was <= Stage.INITIATION) & now.bought | ended
        settled = self._settling.step(now.day, stage, at_once)
        ending = (settled == Stage.TERMINATION) & ~ended
        self._purchases_at_end = np.where(ending, now.purchases, self._purchases_at_end)
        self._ended_on = np.where(ending, now.day, self._ended_on)
        return settled

    def _of_buyers(self, now: Moment, was: States) -> States:
        """The stage of customers whose relationship goes on."""
        rules, signs = self._rules, self._signs
        new = (now.purchases < rules.settled_from) & (now.day - now.first <= rules.settled_days) & ~signs.cut_off
        # What came before the data is not known; who was not yet a customer spent nothing then, which is.
        known = now.day >= self._trend_known_from
        least = np.maximum(rules.trend * now.before, rules.trend_errors * now.noise)
        rising = known & (now.recent - now.before > least)
        falling = known & (now.before - now.recent > least)
        noticed = signs.notice <= now.day
        declining = now.bought & ((now.gap > now.limit(self._rhythm, rules.decline)) | falling | noticed)
        self._declining_since = np.where(declining, np.minimum(self._declining_since, now.day), NEVER)
        decline = declining & (now.day - self._declining_since >= rules.hold_days)
        trouble = (signs.trouble_from <= now.day) & (now.day <= signs.trouble_until)
        steady = np.isin(was, (Stage.GROWTH, Stage.MATURITY, Stage.ENDANGERED))
        slipping = steady & (now.gap > now.limit(self._rhythm, rules.endangered))
        stage = np.where(rising, np.uint8(Stage.GROWTH), np.uint8(Stage.MATURITY))
        stage = np.where(slipping | trouble, np.uint8(Stage.ENDANGERED), stage)
        stage = np.where(decline, np.uint8(Stage.DECLINE), stage)
        return np.where(new, np.uint8(Stage.SOCIALISATION), stage).astype(np.uint8)

    def _gone(self, now: Moment) -> npt.NDArray[np.bool_]:
        """Whose relationship was cancelled, or is presumed to have ended."""
        stated = (self._signs.cancelled <= now.day) & (now.last < self._signs.cancelled)
        repeat = now.purchases > 1
        limit = self._rhythm.base[self._rhythm.levels.index(self._rules.once)]
        silent = now.bought & (now.gap > (np.inf if np.isnan(limit) else limit))
        presumed = silent & ~repeat
        if self._alive is None:
            return stated | silent
        who = np.flatnonzero(repeat)
        if who.size:
            x = now.purchases[who] - 1
            t_x = (now.last[who] - now.first[who]) / DAYS_PER_WEEK
            age = (now.day - now.first[who]) / DAYS_PER_WEEK
            presumed[who] = self._alive(x, t_x, age) < self._rules.alive_below
        return stated | presumed
