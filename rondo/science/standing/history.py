"""Purchases, spend and signs of each customer as known on each day of a grid; in blocks, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.standing.rhythm import Rhythm
from rondo.science.summary import PurchaseDays

NEVER = np.iinfo(np.int32).max
_BLOCK_CELLS = 2_000_000


def weekly_grid(first_day: int, as_of: int) -> IntArray:
    """Days on which states are read: every Sunday (day 3 of 1970 was one) from the first after ``first_day``, and
    ``as_of`` itself."""
    if as_of < first_day:
        raise InputError(f"as_of: day {as_of} lies before the first day {first_day}")
    sunday = first_day + (3 - first_day) % 7
    days = np.arange(sunday, as_of + 1, 7, dtype=np.int64)
    return days if days.size and days[-1] == as_of else np.append(days, as_of)


@dataclass(frozen=True)
class Signs:
    """Dated signs per customer code beside purchases: day numbers, ``NEVER`` where there is none.

    ``interest``: the first sign of interest (visit, free subscription, enquiry, sign-up). ``recommended``: the first
    dated evidence that they recommend. ``cancelled``: the day a cancellation was stated. ``notice``: the day notice was
    given. ``trouble_from`` to ``trouble_until``: a complaint open or a bad score standing. ``cut_off``: customers whose
    relationship began before the log does.
    """

    interest: IntArray
    recommended: IntArray
    cancelled: IntArray
    notice: IntArray
    trouble_from: IntArray
    trouble_until: IntArray
    cut_off: npt.NDArray[np.bool_]

    @classmethod
    def none(cls, customers: int) -> Signs:
        """No sign of anybody."""
        never = np.full(customers, NEVER, np.int64)
        return cls(never, never, never, never, never, never, np.zeros(customers, bool))

    def part(self, start: int, stop: int) -> Signs:
        """The signs of the customers with codes from ``start`` to below ``stop``."""
        return Signs(*(getattr(self, name)[start:stop] for name in self.__dataclass_fields__))


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


def blocks(log: PurchaseDays, grid: IntArray, half_window: int) -> Iterator[tuple[int, int, Iterator[Moment]]]:
    """The grid days of customers ``start`` to below ``stop``, block by block.

    ``half_window``: days of each of the two halves that a trend compares.
    """
    if np.any(np.diff(grid) <= 0):
        raise InputError("grid: days must ascend")
    bounds = np.searchsorted(log.customer, np.arange(log.n_customers + 1))
    money = np.concatenate(([0], np.cumsum(log.spend)))
    width = max(_BLOCK_CELLS // max(grid.size, 1), 1)
    for start in range(0, log.n_customers, width):
        stop = min(start + width, log.n_customers)
        yield start, stop, _moments(log, grid, half_window, bounds[start : stop + 1], money)


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
