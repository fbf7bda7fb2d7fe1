"""One thing after the other, walked over the events of everybody in their order, in this process.

An engine that walks by a window spends nearly all of its time on moving rows. What a walk needs of an event is little:
whose it is, its business day, and which of the steps it may be; the place among the others says what came first. So the
walk has two columns, the *events* as whole numbers of 64 bits (:data:`CUSTOMER` times the customer's key, and the
business day) and their *steps* as bits, and jumps from step to step by places.

It asks for no days that run against the clock. Who has such events is named by :func:`against_the_clock`, to be asked
otherwise.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

import ibis
import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = npt.NDArray[np.int64]
Steps: TypeAlias = npt.NDArray[np.uint8]

CUSTOMER = 2**32
MAX_CUSTOMER = 2**31 - 1
"""The highest key of a customer that there is room for."""
FIRST_DAY = date(1, 1, 1)
_EVER = 2**31
"""More days than there are, and fewer than from one customer to the next."""
_AT_ONCE = 2**18
"""Events of a part, so that what is worked out of them stays in the processor's cache."""


@dataclass(frozen=True)
class Path:
    """The way asked for. ``steps``: that have to happen; ``excluded``: whether the step after them must not.
    ``days``: from the first step within which all of it lies. ``as_of``: the day it is asked for."""

    steps: int
    excluded: bool
    days: int | None
    as_of: date


def in_order(rows: Any, **columns: Any) -> Any:
    """The number of each event as the column ``event``, and other columns of theirs, in the order of customers and,
    within each, of moments and keys, in Ibis."""
    day = rows.business_date.delta(ibis.literal(FIRST_DAY), unit="day")
    event = rows.customer_id.cast("int64") * CUSTOMER + day
    # Engines sort what is narrow and worked out already in half of the time.
    narrow = rows.select(
        event=event, first=rows.customer_id.cast("uint32"), second=rows.occurred_at, third=rows.id, **columns
    )
    return narrow.order_by("first", "second", "third").select("event", *columns)


def stepped(flags: list[Any]) -> Any:
    """Which of the steps each event may be, as an Ibis column; ``flags``: whether it may be each of them."""
    return reduce(or_, (flag.cast("uint8") * 2**number for number, flag in enumerate(flags))).cast("uint8")


def walk(events: IntArray, steps: Callable[[slice], Steps], path: Path) -> IntArray:
    """The customers who went the way, in order, once. ``events`` are in the order of customers and, within each, of
    moments; ``steps`` gives those of some of them, and may be called by several threads."""
    cuts = [0]
    while cuts[-1] + _AT_ONCE < events.size:
        behind = int(events[cuts[-1] + _AT_ONCE]) // CUSTOMER + 1
        cuts.append(int(np.searchsorted(events, behind * CUSTOMER)))
    parts = [slice(low, high) for low, high in zip(cuts, [*cuts[1:], events.size], strict=True)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return np.concatenate([*threads.map(lambda part: _gone(events[part], steps(part), path), parts)])


def against_the_clock(events: IntArray) -> IntArray:
    """Who has a business day behind a later one, in order, once."""
    back = np.flatnonzero(events[1:] < events[:-1])
    return np.unique(events[back] // CUSTOMER)


def _gone(events: IntArray, steps: Steps, path: Path) -> IntArray:
    """From each first step to the next second one behind it, and so on."""
    days = _EVER if path.days is None else min(path.days, _EVER)
    start = np.flatnonzero(steps & 1)
    at = start
    for number in range(1, path.steps):
        at, near = _next(events, steps, at, start, number, days)
        start, at = start[near], at[near]
    if path.excluded:
        start = start[~_next(events, steps, at, start, path.steps, days)[1]]
        if path.days is not None:
            start = start[events[start] % CUSTOMER <= (path.as_of - FIRST_DAY).days - path.days]
    ordered = events[start] // CUSTOMER
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]


def _next(
    events: IntArray, steps: Steps, at: IntArray, start: IntArray, number: int, days: int
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Where the next event that may be a step lies behind each place, and whether it is the same customer's and at most
    so many days after the start."""
    may_be = (steps & (1 << number)) > 0
    places = np.flatnonzero(may_be)
    if not places.size:
        return at, np.zeros(at.size, bool)
    following = np.cumsum(may_be, dtype=np.int32)[at]
    behind = places[np.minimum(following, places.size - 1)]
    return behind, (following < places.size) & (events[behind] - events[start] <= days)
