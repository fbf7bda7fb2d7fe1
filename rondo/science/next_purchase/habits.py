"""What a customer bought before, product by product: how often, how lately, at what rhythm, and whether it is due."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rondo.science._checks import FloatArray, IntArray
from rondo.science.next_purchase.baskets import BasketLog
from rondo.science.next_purchase.market import Market

VISITS = (4.0, 16.0, 64.0)
DAYS = 14.0
KIND_VISITS = 8.0
FEATURES = (
    "recent 4",
    "recent 16",
    "recent 64",
    "lately",
    "count",
    "once",
    "early",
    "late",
    "popular",
    "returning",
    "kind",
    "kind silent",
    "visits",
    "rhythm",
    "basket",
)
"""Logarithms, but for ``once``: share of the visits that had it, with half-lives of 4, 16 and 64 visits; purchases with
a half-life of 14 days; purchases; bought once; before and after it is due by the own gaps; sold now to all; bought
again by all; the same of its kind, and days since; visits, days between them, products in them."""


@dataclass(frozen=True)
class Habits:
    """One row per customer and product bought, by both. ``count`` purchases, ``silent`` days since the last until the
    customer's last visit, ``gap`` mean days between them (0: bought once). ``features``: :data:`FEATURES`."""

    customer: IntArray
    product: IntArray
    count: IntArray
    silent: IntArray
    gap: FloatArray
    features: FloatArray


def habits_of(log: BasketLog, market: Market) -> Habits:
    """All habits in a log, whose last visits are the present; ``market`` may be older than these."""
    if not log.customer.size:
        empty = np.empty(0, np.int64)
        return Habits(empty, empty, empty, empty, np.empty(0), np.empty((0, len(FEATURES))))
    begins = np.ones(log.customer.size, bool)
    begins[1:] = (np.diff(log.customer) != 0) | (np.diff(log.product) != 0)
    start = np.flatnonzero(begins)
    count = np.diff(np.append(start, log.customer.size))
    end = start + count - 1
    who, what = log.customer[start], log.product[start]
    visits = log.visits
    last = log.visit_day[np.maximum(log.first[1:] - 1, 0)] if log.visit_day.size else np.zeros(log.customers, np.int64)
    beginning = log.visit_day[np.minimum(log.first[:-1], log.visit_day.size - 1)]
    rhythm = np.maximum((last - beginning) / np.maximum(visits - 1, 1), 0.1)
    size = np.bincount(np.repeat(np.arange(log.customers), visits), log.visit_size, minlength=log.customers)
    mean_size = size / np.maximum(visits, 1)
    ago = visits[log.customer] - log.visit
    seen = visits[who]
    silent = last[who] - log.day[end]
    gap = np.where(count > 1, (log.day[end] - log.day[start]) / np.maximum(count - 1, 1), 0.0)
    due = (silent + rhythm[who]) / np.maximum(gap, 0.5)
    turn = np.where(count > 1, np.log(np.clip(due, 0.02, 50.0)), 0.0)
    columns: list[FloatArray] = [
        *(np.log(np.add.reduceat(np.exp2(-ago / life), start) / _most(seen, life) + 0.003) for life in VISITS),
        np.log(np.add.reduceat(np.exp2(-(last[log.customer] - log.day) / DAYS), start) + 0.05),
        np.log(count),
        (count == 1) * 1.0,
        np.minimum(turn, 0.0),
        np.maximum(turn, 0.0),
        np.log(market.sold[what] + 1.0),
        np.log(market.again[what]),
    ]
    # The need behind a product is met by any of its kind.
    groups, place = np.unique(who * (int(log.kind.max()) + 1) + log.kind[what], return_inverse=True)
    fresh = np.bincount(place, np.add.reduceat(np.exp2(-ago / KIND_VISITS), start), minlength=groups.size)
    since = np.full(groups.size, np.iinfo(np.int64).max)
    np.minimum.at(since, place, silent)
    columns += [
        np.log(fresh[place] / _most(seen, KIND_VISITS) + 0.003),
        np.log(since[place] + 0.5),
        np.log(seen),
        np.log(rhythm[who] + 0.2),
        np.log(np.maximum(mean_size[who], 1.0)),
    ]
    return Habits(who, what, count, silent, gap, np.column_stack(columns))


def _most(visits: IntArray, life: float) -> FloatArray:
    """What a product in every visit would add up to."""
    step = 0.5 ** (1 / life)
    found: FloatArray = step * (1 - step**visits) / (1 - step)
    return found
