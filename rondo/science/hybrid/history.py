"""What a history says beyond x, t_x and T: pause, momentum, regularity and money, as numbers that carry over in time.

Every column is relative (to what the base model expects, to the customer's own habit) or on a logarithmic scale, since
it is learnt at earlier dates, when everybody was younger, and used today.
"""

from __future__ import annotations

import numpy as np

from rondo.science._checks import FloatArray
from rondo.science.paretonbd import ParetoNbd
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary

WINDOWS = (14, 28, 56, 91, 182)
"""Days before the date in which purchases are compared with those expected of a customer who is there."""
# Standard deviation of the logarithm of an exponential gap: what purchases at random times show.
_AT_RANDOM = float(np.pi / np.sqrt(6))
# Customers described at once: bounds the memory of the columns between.
_BATCH = 200_000


def windows_within(days: int) -> tuple[int, ...]:
    """Those of :data:`WINDOWS` that a log of so many days fills."""
    return tuple(window for window in WINDOWS if window <= days)


def names(windows: tuple[int, ...]) -> tuple[str, ...]:
    """The columns of :func:`describe_history`, in order."""
    fixed = ("alive", "once", "twice", "age", "pause", "pause_expected", "regularity", "longest", "last_gap")
    return (*fixed, "spend", "spend_last", "spend_first", *(f"recent_{window}" for window in windows))


def describe_history(log: PurchaseDays, base: Summary, model: ParetoNbd, windows: tuple[int, ...]) -> FloatArray:
    """One row per customer of ``base`` = ``summarise(log, as_of)``, columns :func:`names`; nothing later counts.

    ``model``: fitted in weeks to what was known on that day.
    """
    parts = [_batch(log, base, model, windows, slice(start, start + _BATCH)) for start in range(0, len(base), _BATCH)]
    return np.vstack(parts) if parts else np.empty((0, len(names(windows))))


def _batch(log: PurchaseDays, base: Summary, model: ParetoNbd, windows: tuple[int, ...], rows: slice) -> FloatArray:
    who, x = base.customer[rows], base.x[rows].astype(np.float64)
    age, silent = base.age_days[rows].astype(np.float64), (base.age_days - base.recency_days)[rows].astype(np.float64)
    begin, end = np.searchsorted(log.customer, [who[0], who[-1] + 1])
    inside = log.day[begin:end] <= base.as_of
    code, day, spend = (column[begin:end][inside] for column in (log.customer, log.day, log.spend))
    head = np.concatenate(([True], code[1:] != code[:-1]))
    first = np.flatnonzero(head)
    last = np.append(first[1:], code.size) - 1
    place = np.cumsum(head) - 1

    # Rate while there, given the purchases made: the posterior mean of the base model, per day.
    rate = (model.r + x) / (model.alpha * DAYS_PER_WEEK + age)
    alive = model.probability_alive(x, base.t_x[rows], base.T[rows])

    again = ~head
    gap = np.maximum(np.diff(day, prepend=day[:1])[again], 1).astype(np.float64)
    of, count = place[again], np.maximum(x, 1)
    mean = np.bincount(of, np.log(gap), minlength=who.size) / count
    square = np.bincount(of, (np.log(gap) - mean[of]) ** 2, minlength=who.size)
    spread = np.sqrt(square / np.maximum(x - 1, 1))
    longest = np.zeros(who.size)
    np.maximum.at(longest, of, gap)
    final = np.ones(who.size)
    final[x > 0] = (day[last] - day[np.maximum(last - 1, 0)])[x > 0]

    usual = np.log1p(np.maximum(base.mean_spend[rows], 0.0))
    columns = [
        -np.log(np.maximum(alive, 1e-4)),
        x == 0,
        x == 1,
        np.log(age + 7),
        np.log(silent + 3.5),
        np.log1p(silent * rate),
        np.where(x > 1, (spread - _AT_RANDOM) * np.clip(x - 1, 0, 5) / 5, 0.0),
        np.where(x > 0, np.log((silent + 1) / (longest + 1)), 0.0),
        np.where(x > 0, np.log(np.maximum(final, 1.0) * rate), 0.0),
        usual,
        np.log1p(np.maximum(spend[last], 0)) - usual,
        np.log1p(np.maximum(spend[first], 0)) - usual,
    ]
    for window in windows:
        came = np.bincount(place[day > base.as_of - window], minlength=who.size)
        columns.append(np.log((came + 1) / (rate * np.minimum(window, age + 1) + 1)))
    return np.column_stack(columns).astype(np.float64)
