"""The rules of ladder and life cycle asked anew of every customer on every grid day: the slow way, which the product's,
which works out only where something changes, must equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.science._checks import FloatArray, IntArray
from rondo.science.standing.history import NEVER, Signs
from rondo.science.standing.ladder import LadderRules, Rung
from rondo.science.standing.lifecycle import Alive, LifeCycleRules, Stage
from rondo.science.standing.rhythm import Rhythm
from rondo.science.standing.settling import Settling, States
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays

_ENDED = (Stage.TERMINATION, Stage.ABSTINENCE)


@dataclass(frozen=True)
class Moment:
    """One grid day of one block of customers (arrays by customer of the block).

    ``purchases``: purchase days so far. ``first``, ``last``: day numbers, -1 where none. ``row``: row of the log of the
    last purchase day (0 where none). ``recent``, ``before``: spend of the last half and of the half before of the trend
    window, in minor units. ``noise``: standard error of their difference if purchases come at random (a compound
    Poisson process: the root of the sum of squared spends of both halves).
    """

    day: int
    purchases: IntArray
    first: IntArray
    last: IntArray
    row: IntArray
    recent: IntArray
    before: IntArray
    noise: FloatArray

    @property
    def bought(self) -> npt.NDArray[np.bool_]:
        """Who had bought by that day."""
        return self.purchases > 0

    @property
    def gap(self) -> IntArray:
        """Days since the last purchase; meaningless where none."""
        return self.day - self.last

    def limit(self, rhythm: Rhythm, level: float) -> FloatArray:
        """The gap beyond which a customer is late by ``level`` of the rhythm; infinite where nobody has one."""
        found = rhythm.at(self.row, level) if rhythm.own.size else np.full(self.row.size, np.nan)
        return np.where(np.isnan(found), np.inf, found)


def moments(log: PurchaseDays, grid: IntArray, half_window: int) -> Iterator[Moment]:
    """All customers on every grid day; ``half_window``: days of each of the two halves that a trend compares."""
    bounds = np.searchsorted(log.customer, np.arange(log.n_customers + 1))
    return _moments(log, grid, half_window, bounds, np.concatenate(([0], np.cumsum(log.spend))))


def _moments(log: PurchaseDays, grid: IntArray, half: int, bounds: IntArray, money: IntArray) -> Iterator[Moment]:
    begin, end, size = int(bounds[0]), int(bounds[-1]), bounds.size - 1
    customer = np.repeat(np.arange(size), np.diff(bounds))
    day = log.day[begin:end]

    def counted(lag: int) -> IntArray:
        """Purchase days up to each grid day less ``lag``: (grid day, customer)."""
        place = np.searchsorted(grid, day + lag)
        inside = place < grid.size
        cells = np.bincount(place[inside] * size + customer[inside], minlength=grid.size * size)
        return np.cumsum(cells.reshape(grid.size, size), axis=0)

    now, halfway, back = counted(0), counted(half), counted(2 * half)
    low = bounds[:-1]
    # Within the block, so that the running sum stays small beside a customer's own part of it.
    squares = np.concatenate(([0.0], np.cumsum(np.square(log.spend[begin:end].astype(np.float64)))))
    some = np.diff(bounds) > 0
    first = np.full(size, -1, np.int64)
    first[some] = log.day[low[some]]
    for number, today in enumerate(grid):
        purchases = now[number]
        bought = purchases > 0
        row = np.where(bought, low + purchases - 1, 0)
        last = np.where(bought, log.day[row] if log.day.size else -1, -1)
        yield Moment(
            day=int(today),
            purchases=purchases,
            first=np.where(bought, first, -1),
            last=last,
            row=row,
            recent=money[low + purchases] - money[low + halfway[number]],
            before=money[low + halfway[number]] - money[low + back[number]],
            noise=np.sqrt(squares[low - begin + purchases] - squares[low - begin + back[number]]),
        )


def climb(log: PurchaseDays, rhythm: Rhythm, signs: Signs, grid: IntArray, rules: LadderRules) -> States:
    """The rung of every customer on every grid day: (grid day, customer code)."""
    settling = Settling(log.n_customers, np.full(len(Rung), rules.hold_days, np.int64))
    out = np.empty((grid.size, log.n_customers), np.uint8)
    for number, now in enumerate(moments(log, grid, 1)):
        regular = (now.purchases >= rules.client_from) & (now.gap <= now.limit(rhythm, rules.quantile))
        rung = np.where(regular, np.where(signs.recommended <= now.day, Rung.ADVOCATE, Rung.CLIENT), Rung.CUSTOMER)
        before = np.where(signs.interest <= now.day, Rung.PROSPECT, Rung.SUSPECT)
        rule = np.where(now.bought, rung, before).astype(np.uint8)
        stale = (settling.state <= Rung.PROSPECT) & (rule != settling.state)
        if number:
            rule = np.where(stale & now.bought, np.uint8(Rung.CUSTOMER), rule)
        out[number] = settling.step(now.day, rule, stale)
    return out


def live(
    log: PurchaseDays,
    rhythm: Rhythm,
    signs: Signs,
    grid: IntArray,
    alive: Alive | None,
    rules: LifeCycleRules,
    first_day: int,
) -> States:
    """The stage of every customer on every grid day: (grid day, customer code)."""
    course = _Course(log.n_customers, signs, rhythm, alive, rules, first_day)
    return np.stack([course.step(now) for now in moments(log, grid, rules.trend_days // 2)])


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
        stage = np.where(self._noticed(now) & ~back, np.uint8(Stage.DECLINE), stage)
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
        declining = now.bought & ((now.gap > now.limit(self._rhythm, rules.decline)) | falling)
        self._declining_since = np.where(declining, np.minimum(self._declining_since, now.day), NEVER)
        decline = declining & (now.day - self._declining_since >= rules.hold_days)
        spans = signs.complaints
        closed = np.minimum(spans.until, spans.begin + rules.complaint_days)
        trouble = np.isin(np.arange(was.size), spans.customer[(spans.begin <= now.day) & (now.day < closed)])
        steady = np.isin(was, (Stage.GROWTH, Stage.MATURITY, Stage.ENDANGERED))
        slipping = steady & (now.gap > now.limit(self._rhythm, rules.endangered))
        stage = np.where(rising, np.uint8(Stage.GROWTH), np.uint8(Stage.MATURITY))
        stage = np.where(slipping | trouble, np.uint8(Stage.ENDANGERED), stage)
        stage = np.where(decline, np.uint8(Stage.DECLINE), stage)
        return np.where(new, np.uint8(Stage.SOCIALISATION), stage).astype(np.uint8)

    def _noticed(self, now: Moment) -> npt.NDArray[np.bool_]:
        """Who gave notice lately, and has not come back after the cancellation that followed."""
        given, cancelled = self._signs.notice, self._signs.cancelled
        found = np.zeros(now.last.size, bool)
        for customer, begin in zip(given.customer, given.begin, strict=True):
            after = cancelled.begin[(cancelled.customer == customer) & (cancelled.begin >= begin)]
            back = after.size > 0 and now.last[customer] > after.min()
            found[customer] |= begin <= now.day < begin + self._rules.notice_days and not back
        return found

    def _gone(self, now: Moment) -> npt.NDArray[np.bool_]:
        """Whose relationship was cancelled, or is presumed to have ended."""
        stated = np.zeros(now.last.size, bool)
        for customer, begin in zip(self._signs.cancelled.customer, self._signs.cancelled.begin, strict=True):
            stated[customer] |= begin <= now.day and now.last[customer] <= begin
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
