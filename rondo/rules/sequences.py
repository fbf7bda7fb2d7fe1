"""One thing after the other, walked over sorted whole numbers in this process.

An engine that orders everybody's events by a window spends nearly all of its time on it. So what a walk needs of an
event is packed into one whole number of 64 bits, whose order is that of customers and, within each, of moments. An
array of such numbers is sorted many times faster than rows, and the walk jumps from step to step by their places.

A number has no room for the key by which events of one moment are ordered, and a walk none for days that run against
the clock. Customers for whom either could matter are named as *unsure*, to be asked otherwise.

From the lowest bit: which steps the event may be (:data:`STEPS` bits), its business day less the UTC day of its moment
plus 1 (3: no such small number), its seconds since 1900, and the customer's key.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import ibis
import numpy as np
import numpy.typing as npt

from rondo.rules.tree import MAX_STEPS

IntArray: TypeAlias = npt.NDArray[np.int64]

STEPS, _SHIFT, _SECONDS = MAX_STEPS, 2, 33
ANY_STEP = 2**STEPS - 1
"""The bits of a number that are 0 in an event that is no step."""
_LOW = STEPS + _SHIFT
_CUSTOMER = _LOW + _SECONDS
MAX_CUSTOMER = 2 ** (63 - _CUSTOMER) - 1
"""The highest key of a customer that there is room for: 33,554,431."""

_EPOCH = date(1900, 1, 1)
_BEFORE_1970 = (date(1970, 1, 1) - _EPOCH).days * 86_400
_DAY = 86_400
_ODD = 2**_SHIFT - 1
_AT_ONCE = 2**17
"""Events of a part, so that its columns stay in the processor's cache."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def epoch_us(moment: ibis.expr.datatypes.timestamp) -> int:  # type: ignore[empty-body]
    """Microseconds since 1970; the engine's own function."""


@ibis.udf.scalar.builtin(name="divide")  # type: ignore[untyped-decorator]
def whole_times(number: int, by: int) -> int:  # type: ignore[empty-body]
    """How often a number goes into another that is not negative; the engine's own function."""


@dataclass(frozen=True)
class Path:
    """The way asked for. ``steps``: that have to happen; ``excluded``: whether the step after them must not.
    ``days``: from the first step within which all of it lies. ``as_of``: the day it is asked for."""

    steps: int
    excluded: bool
    days: int | None
    as_of: date


def packed(rows: Any, flags: list[Any]) -> Any:
    """The number of each event, as an Ibis column of DuckDB; ``flags``: whether it may be each of the steps."""
    moment = rows.occurred_at if rows.occurred_at.type().is_timestamp() else rows.occurred_at.cast("timestamp")
    second = whole_times(epoch_us(moment) + _BEFORE_1970 * 1_000_000, 1_000_000)
    shift = rows.business_date.delta(ibis.literal(_EPOCH), unit="day") - whole_times(second, _DAY) + 1
    fits = shift.between(0, _ODD - 1) & second.between(0, 2**_SECONDS - 1)
    steps = sum(flag.cast("int64") * 2**number for number, flag in enumerate(flags))
    return (
        rows.customer_id.cast("int64") * 2**_CUSTOMER
        + ibis.greatest(0, ibis.least(second, 2**_SECONDS - 1)) * 2**_LOW
        + ibis.cases((fits, shift), else_=_ODD) * 2**STEPS
        + steps
    )


def walk(events: IntArray, path: Path) -> tuple[IntArray, IntArray]:
    """The customers who went the way, and those of whom the numbers alone cannot tell; each in order, once.

    ``events`` is sorted in its place.
    """
    events.sort()
    cuts = [0]
    while cuts[-1] + _AT_ONCE < events.size:
        behind = (events[cuts[-1] + _AT_ONCE] >> _CUSTOMER) + 1
        cuts.append(int(np.searchsorted(events, behind << _CUSTOMER)) if behind <= MAX_CUSTOMER else events.size)
    parts = [events[low:high] for low, high in zip(cuts, [*cuts[1:], events.size], strict=True)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        found = list(threads.map(lambda part: (_gone(part, path), _unsure(part)), parts))
    gone, unsure = (np.concatenate([one[place] for one in found]) for place in (0, 1))
    return np.setdiff1d(gone, unsure, assume_unique=True), unsure


def _gone(events: IntArray, path: Path) -> IntArray:
    """From each first step to the next second one behind it, and so on."""
    start = np.flatnonzero(events & 1)
    at = start
    for number in range(1, path.steps):
        at, there = _next(events, at, number)
        start, at = start[there], at[there]
        if path.days is not None:
            near = _day(events[at]) <= _day(events[start]) + path.days
            start, at = start[near], at[near]
    if path.excluded:
        behind, there = _next(events, at, path.steps)
        if path.days is None:
            start = start[~there]
        else:
            day = _day(events[start])
            broken = there & (_day(events[behind]) <= day + path.days)
            start = start[~broken & (day <= (path.as_of - _EPOCH).days - path.days)]
    return _once(events[start] >> _CUSTOMER)


def _next(events: IntArray, at: IntArray, number: int) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Where the next event that may be a step lies behind each place, and whether it is the same customer's."""
    places = np.flatnonzero(events & (1 << number))
    if not places.size:
        return at, np.zeros(at.size, bool)
    following = np.searchsorted(places, at, side="right")
    behind = places[np.minimum(following, places.size - 1)]
    return behind, (following < places.size) & (events[behind] >> _CUSTOMER == events[at] >> _CUSTOMER)


def _unsure(events: IntArray) -> IntArray:
    """Whose order, or whose days, the numbers do not tell."""
    differ = events[1:] ^ events[:-1]
    # One moment, and not alike: which came first?
    doubtful = (differ > 0) & (differ < 1 << _LOW)
    wanting = events[1:][doubtful]
    mask = _ODD << STEPS
    shifts = np.bitwise_and.reduce(events) & mask, np.bitwise_or.reduce(events) & mask
    if shifts[0] != shifts[1] or shifts[0] == mask:
        day = _day(events)
        against = (day[1:] < day[:-1]) & (differ < 1 << _CUSTOMER)
        wanting = np.concatenate((wanting, events[1:][against], events[events & mask == mask]))
    return np.unique(wanting >> _CUSTOMER)


def _day(events: IntArray) -> IntArray:
    """Business days since 1900."""
    second = (events >> _LOW) & (2**_SECONDS - 1)
    return np.asarray(second // _DAY + ((events >> STEPS) & _ODD) - 1, np.int64)


def _once(ordered: IntArray) -> IntArray:
    """Each number of an ordered column once."""
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]
