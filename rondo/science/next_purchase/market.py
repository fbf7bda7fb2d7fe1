"""What the whole base says of products on a day: what sells, what is tried, bought again, and goes together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rondo.science._checks import FloatArray, IntArray
from rondo.science.next_purchase.baskets import BasketLog

WINDOWS = (28, 91, 364)
"""Days of the latest sales that count as now: the shortest with :data:`ENOUGH` baskets in it."""
ENOUGH = 500
LONGER = 0.1
"""Weight of a sale in the three times longer window, so that what sells slowly is not unknown."""
TOGETHER_DAYS = 120
AGAIN_DAYS = 60
AGAIN_WEIGHT = 10.0
"""Pairs of customer and product by which a product's share bought again is drawn towards that of its kind."""
TOGETHER_BASKETS = 200_000
"""Most baskets (the latest) in which products are looked for together."""


@dataclass(frozen=True)
class Market:
    """As of the end of day ``as_of``. Per product: ``sold`` (baskets, recently), ``basket_share`` (the same, each
    basket divided by its size: what small baskets are made of), ``tried`` (first purchases), ``again`` (share of
    purchases followed by another of the same customer within 60 days). ``baskets``: how many there were.
    ``candidates``: the best sold products. ``together``: how often each two of them were in a basket, large ones
    counting less; ``seen``: how often each was in those baskets.
    """

    as_of: int
    window: int
    baskets: int
    sold: FloatArray
    basket_share: FloatArray
    tried: FloatArray
    again: FloatArray
    candidates: IntArray
    together: npt.NDArray[np.float32]
    seen: FloatArray
    kind: IntArray
    family: IntArray

    @cached_property
    def kind_share(self) -> FloatArray:
        """Of each product in the sales of its kind."""
        return _share(self.sold, self.kind)

    @cached_property
    def family_share(self) -> FloatArray:
        """Of each product in the sales of its family."""
        return _share(self.sold, self.family)


def window_of(log: BasketLog, as_of: int) -> int:
    """Days up to ``as_of`` that count as now."""
    for days in WINDOWS:
        if np.count_nonzero((log.visit_day > as_of - days) & (log.visit_day <= as_of)) >= ENOUGH:
            return days
    return WINDOWS[-1]


def market_of(log: BasketLog, as_of: int, candidates: int) -> Market:
    """What the baskets up to the end of day ``as_of`` say; rows after it are not looked at."""
    window, products = window_of(log, as_of), log.products
    age = as_of - log.day
    past = age >= 0
    now = past & (age < window)
    recent = np.bincount(log.product[now], minlength=products).astype(np.float64)
    lately = np.bincount(log.product[past & (age < 3 * window)], minlength=products)
    sold: FloatArray = recent + LONGER * lately
    baskets = int(np.count_nonzero((log.visit_day > as_of - window) & (log.visit_day <= as_of)))
    share = np.bincount(log.product[now], 1.0 / log.size[now], minlength=products).astype(np.float64)
    begins = np.ones(log.customer.size, bool)
    begins[1:] = (np.diff(log.customer) != 0) | (np.diff(log.product) != 0)
    tried = np.bincount(log.product[now & begins], minlength=products).astype(np.float64)
    best = np.argsort(-sold, kind="stable")[:candidates]
    best = best[sold[best] > 0]
    together, seen = _together(log, as_of, age, past, best)
    return Market(
        as_of,
        window,
        max(baskets, 1),
        sold,
        share,
        tried,
        _again(log, as_of, past, begins),
        best,
        together,
        seen,
        log.kind,
        log.family,
    )


def _share(sold: FloatArray, group: IntArray) -> FloatArray:
    totals = np.bincount(group, sold) if group.size else np.zeros(0)
    found: FloatArray = sold / np.maximum(totals[group], 1e-9)
    return found


def _again(log: BasketLog, as_of: int, past: npt.NDArray[np.bool_], begins: npt.NDArray[np.bool_]) -> FloatArray:
    """Share of purchases that were followed by another within 60 days, drawn towards that of the kind and of all."""
    following = np.zeros(log.customer.size, bool)
    gap = log.day[1:] - log.day[:-1]
    following[:-1] = ~begins[1:] & (gap <= AGAIN_DAYS) & past[1:]
    watched = past & (log.day <= as_of - AGAIN_DAYS)
    came = np.bincount(log.product[watched], following[watched], minlength=log.products)
    trials = np.bincount(log.product[watched], minlength=log.products)
    everybody = float(came.sum() / trials.sum()) if trials.sum() else 0.5
    kinds = np.bincount(log.kind, trials)
    of_kind = (np.bincount(log.kind, came) + 2 * AGAIN_WEIGHT * everybody) / (kinds + 2 * AGAIN_WEIGHT)
    found: FloatArray = (came + AGAIN_WEIGHT * of_kind[log.kind]) / (trials + AGAIN_WEIGHT)
    return found


def _together(
    log: BasketLog, as_of: int, age: IntArray, past: npt.NDArray[np.bool_], best: IntArray
) -> tuple[npt.NDArray[np.float32], FloatArray]:
    days = max(TOGETHER_DAYS, 3 * window_of(log, as_of))
    rows = np.flatnonzero(past & (age < days))
    number = (log.first[log.customer] + log.visit)[rows]
    kept, place = np.unique(number, return_inverse=True)
    if kept.size > TOGETHER_BASKETS:
        latest = np.sort(np.argsort(-log.visit_day[kept], kind="stable")[:TOGETHER_BASKETS])
        taken = np.isin(number, kept[latest])
        rows = rows[taken]
        kept, place = np.unique(number[taken], return_inverse=True)
    column = np.full(log.products, -1, np.int64)
    column[best] = np.arange(best.size)
    what = column[log.product[rows]]
    place, what = place[what >= 0], what[what >= 0]
    ones = np.ones(what.size, np.float32)
    found = sparse.csr_matrix((ones, (place, what)), shape=(kept.size, best.size))
    weight = (1 / np.sqrt(np.maximum(log.visit_size[kept], 1))).astype(np.float32)
    together: npt.NDArray[np.float32] = (sparse.csr_matrix(found.T.multiply(weight)) @ found).toarray()
    return together, np.bincount(what, minlength=best.size).astype(np.float64)
