"""How good a ranking is: share of the next basket among the first ten, in total and on what is new, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.next_purchase.baskets import BasketLog
from rondo.science.next_purchase.model import Ranking

DRAWS = 2_000


@dataclass(frozen=True)
class Recall:
    """``value``: mean over baskets of the share of a basket that was among the first. ``low``, ``high``: 90 % bootstrap
    interval over baskets. ``pooled``: all hits by all products. ``each``: per basket."""

    value: float
    low: float
    high: float
    pooled: float
    baskets: int
    each: FloatArray


@dataclass(frozen=True)
class Comparison:
    """By how much one recall is above another on the same baskets, with its 90 % bootstrap interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, one: Recall, other: Recall, seed: int = 0) -> Comparison:
        """``one`` less ``other``, basket by basket."""
        if one.each.shape != other.each.shape:
            raise InputError(f"recalls of {one.baskets} and {other.baskets} baskets cannot be compared")
        difference = one.each - other.each
        return cls(float(difference.mean()), *_interval(difference, seed))


def recall_at(
    customer: IntArray, product: IntArray, pairs: IntArray, baskets: IntArray, products: int, seed: int = 0
) -> Recall:
    """Recall of a ranking (rows ``customer``, ``product``: the first ten of each) on the products of the next baskets.

    ``pairs``: customer times ``products`` plus product, what was bought; ``baskets``: customers judged. A customer
    without a pair is left out.
    """
    owner = pairs // products
    size = np.bincount(owner, minlength=int(baskets.max(initial=-1)) + 1)
    judged = baskets[size[baskets] > 0]
    hit = np.isin(customer * products + product, pairs)
    hits = np.bincount(customer[hit], minlength=size.size)
    each = hits[judged] / size[judged]
    if not each.size:
        raise InputError("baskets: none to judge")
    return Recall(
        float(each.mean()),
        *_interval(each, seed),
        float(hits[judged].sum() / size[judged].sum()),
        int(judged.size),
        each,
    )


def _interval(each: FloatArray, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    means = [float(rng.choice(each, each.size).mean()) for _draw in range(DRAWS)]
    low, high = np.quantile(means, (0.05, 0.95))
    return float(low), float(high)


def own_frequency(log: BasketLog, top: int = 10) -> Ranking:
    """Baseline: what each customer bought most often; of equals the first by code."""
    keys, count = np.unique(log.customer * log.products + log.product, return_counts=True)
    who, what = np.divmod(keys, log.products)
    return _ranked(who, what, count.astype(np.float64), False, top)


def popularity(log: BasketLog, top: int = 10, *, new: bool = False) -> Ranking:
    """Baseline: what sells most, the same for all, or, where ``new``, of what each has not bought."""
    sold = np.bincount(log.product, minlength=log.products)
    order = np.argsort(-sold, kind="stable")[: int(np.count_nonzero(sold))]
    if not new:
        who = np.repeat(np.arange(log.customers), min(top, order.size))
        what = np.tile(order[:top], log.customers)
        return _ranked(who, what, sold[what].astype(np.float64), False, top)
    had = np.unique(log.customer * log.products + log.product)
    different = np.bincount(had // log.products, minlength=log.customers)
    parts = []
    for customer in range(log.customers):
        mine = had[np.searchsorted(had, customer * log.products) :][: different[customer]] % log.products
        best = order[: top + mine.size]
        parts.append(best[~np.isin(best, mine)][:top])
    who = np.repeat(np.arange(log.customers), [part.size for part in parts])
    what = np.concatenate(parts) if parts else np.empty(0, np.int64)
    return _ranked(who, what, sold[what].astype(np.float64), True, top)


def _ranked(who: IntArray, what: IntArray, score: FloatArray, new: bool, top: int) -> Ranking:
    none = np.zeros(who.size, np.int64)
    # A score is no probability; only its order is used.
    found = Ranking(who, what, none.copy(), score, np.full(who.size, new), none, none, np.zeros(who.size))
    return found.best(top)
