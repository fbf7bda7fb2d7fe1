"""Purchases, spend and signs of each customer as known on each day of a grid; in blocks, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.standing.settling import States
from rondo.science.summary import PurchaseDays

NEVER = np.iinfo(np.int32).max
_BLOCK_CELLS = 2_000_000
_APART = 1 << 33
"""More days than lie between any two, ``NEVER`` and its neighbours included."""


def weekly_grid(first_day: int, as_of: int) -> IntArray:
    """Days on which states are read: every Sunday (day 3 of 1970 was one) from the first after ``first_day``, and
    ``as_of`` itself."""
    if as_of < first_day:
        raise InputError(f"as_of: day {as_of} lies before the first day {first_day}")
    sunday = first_day + (3 - first_day) % 7
    days = np.arange(sunday, as_of + 1, 7, dtype=np.int64)
    return days if days.size and days[-1] == as_of else np.append(days, as_of)


@dataclass(frozen=True)
class Spans:
    """Spans of days, any number per customer: codes (ascending), the first day, and the first day after (``NEVER``:
    none yet). A span that ends on the day it begins holds on none."""

    customer: IntArray
    begin: IntArray
    until: IntArray

    @classmethod
    def none(cls) -> Spans:
        """No span of anybody."""
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, nothing)

    @classmethod
    def of(cls, customer: IntArray, begin: IntArray, until: IntArray) -> Spans:
        """Spans in whatever order they come."""
        order = np.argsort(customer, kind="stable")
        return cls(*(np.asarray(column, np.int64)[order] for column in (customer, begin, until)))

    def part(self, start: int, stop: int) -> Spans:
        """The spans of the customers with codes from ``start`` to below ``stop``, counted from ``start``."""
        low, high = np.searchsorted(self.customer, (start, stop))
        return Spans(self.customer[low:high] - start, self.begin[low:high], self.until[low:high])

    def first_from(self, customer: IntArray, day: IntArray) -> IntArray:
        """The first day on which a span of each customer begins, from a day on; ``NEVER`` where there is none."""
        order = np.lexsort((self.begin, self.customer))
        return _next_after(self.customer[order], self.begin[order], customer, day - 1)

    def joined(self, longest: int = NEVER) -> Spans:
        """Each customer's spans, none longer than ``longest`` days, in order and without overlap: those that overlap or
        touch are one."""
        until = np.minimum(self.until, self.begin + longest)
        some = np.flatnonzero(self.begin < until)
        some = some[np.lexsort((self.begin[some], self.customer[some]))]
        customer, begin, until = self.customer[some], self.begin[some], until[some]
        # One line of days for all, a customer after the other: how far it is covered by the spans up to each.
        covered = np.maximum.accumulate(until + customer * _APART)
        opens = np.ones(some.size, bool)
        opens[1:] = begin[1:] + customer[1:] * _APART > covered[:-1]
        first = np.flatnonzero(opens)
        last = np.append(first, some.size)[1:] - 1
        return Spans(customer[first], begin[first], covered[last] - customer[first] * _APART)


@dataclass(frozen=True)
class Signs:
    """Dated signs per customer code beside purchases: day numbers, ``NEVER`` where there is none.

    ``interest``: the first sign of interest (visit, free subscription, enquiry, sign-up). ``recommended``: the first
    dated evidence that they recommend. ``cancelled``, ``notice``: from each cancellation stated and each notice given
    (until ``NEVER``; what ends them is told by purchases). ``complaints``: from each complaint to the day of its first
    answer. ``cut_off``: customers whose relationship began before the log does.
    """

    interest: IntArray
    recommended: IntArray
    cancelled: Spans
    notice: Spans
    complaints: Spans
    cut_off: npt.NDArray[np.bool_]

    @classmethod
    def none(cls, customers: int) -> Signs:
        """No sign of anybody."""
        never = np.full(customers, NEVER, np.int64)
        return cls(never, never, Spans.none(), Spans.none(), Spans.none(), np.zeros(customers, bool))

    def part(self, start: int, stop: int) -> Signs:
        """The signs of the customers with codes from ``start`` to below ``stop``."""
        return Signs(
            self.interest[start:stop],
            self.recommended[start:stop],
            self.cancelled.part(start, stop),
            self.notice.part(start, stop),
            self.complaints.part(start, stop),
            self.cut_off[start:stop],
        )


class Block:
    """The purchases of some customers on the days of a grid; arrays by purchase day of the block, or (grid day,
    customer).

    ``customer``: code within the block. ``day``: day number. ``rank``: how many purchase days the customer had up to
    this one. ``place``, ``until``: grid days (positions) from this purchase day on and before the next one. ``rows``:
    where the block's rows stand in the log.
    """

    def __init__(self, log: PurchaseDays, grid: IntArray, bounds: IntArray) -> None:
        self.grid, self.rows, self.size = grid, slice(int(bounds[0]), int(bounds[-1])), bounds.size - 1
        per_customer = np.diff(bounds)
        self.customer = np.repeat(np.arange(self.size), per_customer)
        self.day, self.spend = log.day[self.rows], log.spend[self.rows]
        self._low = bounds[:-1] - bounds[0]
        self.rank = (np.arange(self.day.size) - self._low[self.customer] + 1).astype(np.int32)
        self._first_on = np.searchsorted(grid, np.arange(int(grid[0]), int(grid[-1]) + 2))
        self.place = self.first_on(self.day)
        self.until = np.full(self.day.size, grid.size)
        same = self.customer[1:] == self.customer[:-1]
        self.until[:-1][same] = self.place[1:][same]
        self.first = np.full(self.size, NEVER, np.int64)
        self.first[per_customer > 0] = self.day[self._low[per_customer > 0]]

    def first_on(self, day: IntArray) -> IntArray:
        """Position of the first grid day from ``day`` on; the size of the grid where there is none."""
        found: IntArray = self._first_on[np.clip(day - self.grid[0], 0, self._first_on.size - 1)]
        return found

    def next_after(self, customer: IntArray, day: IntArray) -> IntArray:
        """The first purchase day of each customer after a day; ``NEVER`` where there is none."""
        return _next_after(self.customer, self.day, customer, day)

    @cached_property
    def purchases(self) -> npt.NDArray[np.int32]:
        """Purchase days up to each grid day: (grid day, customer)."""
        return self._counted(self.place)

    def _counted(self, place: IntArray) -> npt.NDArray[np.int32]:
        inside = place < self.grid.size
        cells = np.zeros((self.grid.size, self.size), np.int32)
        # Of several purchase days in one cell the last is kept: rows of a customer ascend.
        cells[place[inside], self.customer[inside]] = self.rank[inside]
        for number in range(1, self.grid.size):
            np.maximum(cells[number], cells[number - 1], out=cells[number])
        return cells

    def later_than(self, limit: FloatArray) -> IntArray:
        """Per purchase day the position of the first grid day that lies more than ``limit`` days behind it."""
        whole = np.where(np.isfinite(limit), np.floor(np.minimum(limit, float(NEVER))), NEVER).astype(np.int64)
        return self.first_on(self.day + whole + 1)

    def trend(self, half: int, share: float, errors: float) -> tuple[IntArray, IntArray, States]:
        """Where spend rises or falls: (grid day, customer, 1 rising or 2 falling or 0), by customer and day, wherever
        that may change; it holds until the customer's next row.

        The last ``half`` days are compared with as many before; the difference must exceed ``share`` of what was spent
        before, and ``errors`` standard errors of it if purchases come at random (a compound Poisson process: the root
        of the sum of squared spends of both halves).
        """
        touched = np.zeros((self.size, self.grid.size), bool)
        for lag in (0, half, 2 * half):
            place = self.first_on(self.day + lag)
            inside = place < self.grid.size
            touched[self.customer[inside], place[inside]] = True
        customer, number = np.divmod(np.flatnonzero(touched), self.grid.size)
        low = self._low[customer]
        now = low + self.purchases[number, customer]
        halfway = low + self._counted(self.first_on(self.day + half))[number, customer]
        back = low + self._counted(self.first_on(self.day + 2 * half))[number, customer]
        money = np.concatenate(([0], np.cumsum(self.spend)))
        # Within the block, so that the running sum stays small beside a customer's own part of it.
        squares = np.concatenate(([0.0], np.cumsum(np.square(self.spend.astype(np.float64)))))
        recent, before = money[now] - money[halfway], money[halfway] - money[back]
        least = np.maximum(share * before, errors * np.sqrt(squares[now] - squares[back]))
        sign = np.where(recent - before > least, np.uint8(1), np.uint8(0))
        sign[before - recent > least] = 2
        return number, customer, sign


def _next_after(of: IntArray, days: IntArray, customer: IntArray, day: IntArray) -> IntArray:
    """The first of ``days`` of each customer after a day; ``NEVER`` where there is none. ``of``, ``days`` ascend."""
    place = np.searchsorted(of * _APART + days, customer * _APART + day, side="right")
    there = place < of.size
    there[there] = of[place[there]] == customer[there]
    found = np.full(customer.size, NEVER, np.int64)
    found[there] = days[place[there]]
    return found


class Marks:
    """Flags of customers on grid days, written where they begin and end: (grid day, customer) bits."""

    def __init__(self, days: int, customers: int) -> None:
        self._turned = np.zeros(days * customers, np.uint8)
        self._shape = days, customers

    def between(self, bit: int, begin: IntArray, end: IntArray, customer: IntArray) -> None:
        """Set ``bit`` from grid day ``begin`` to below ``end`` (positions); a customer's spans must not overlap."""
        days, size = self._shape
        some = begin < end
        begin, end, customer = begin[some], end[some], customer[some]
        # No cell comes twice in one array: spans that do not overlap differ in their begin, and in their end.
        self._turned[begin * size + customer] ^= np.uint8(bit)
        ended = end < days
        self._turned[end[ended] * size + customer[ended]] ^= np.uint8(bit)

    def follow(self, shift: int, number: IntArray, customer: IntArray, value: States) -> None:
        """Set the bits above ``shift`` to ``value`` from grid day ``number`` on until the customer's next row; rows are
        sorted by customer, then day."""
        before = np.concatenate((np.zeros(min(1, value.size), np.uint8), value[:-1]))
        before[np.flatnonzero(customer[1:] != customer[:-1]) + 1] = 0
        self._turned[number * self._shape[1] + customer] ^= (value ^ before) << np.uint8(shift)

    def read(self) -> States:
        """The flags: (grid day, customer). Nothing can be set afterwards."""
        cells = self._turned.reshape(self._shape)
        for number in range(1, self._shape[0]):
            cells[number] ^= cells[number - 1]
        return cells


def blocks(log: PurchaseDays, grid: IntArray) -> Iterator[tuple[int, int, Block]]:
    """The customers ``start`` to below ``stop`` on the days of a grid, block by block.

    Raises:
        InputError: the days do not ascend.
    """
    if np.any(np.diff(grid) <= 0):
        raise InputError("grid: days must ascend")
    bounds = np.searchsorted(log.customer, np.arange(log.n_customers + 1))
    width = max(_BLOCK_CELLS // max(grid.size, 1), 1)
    for start in range(0, log.n_customers, width):
        stop = min(start + width, log.n_customers)
        yield start, stop, Block(log, grid, bounds[start : stop + 1])
