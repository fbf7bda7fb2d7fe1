"""Whether customers hold to price tiers: do different products that one customer buys lie in the same tier more often
than tiers shuffled among the products would have it.

Who buys one product again and again stays in its tier whatever tiers mean. Only different products of one customer
tell: the assortativity of tiers in the network of products with customers in common (Newman 2003), popular products
taken into account, against tiers shuffled among the products of the category.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse, stats

from rondo.science._checks import FloatArray, IntArray
from rondo.science.price_tiers.grading import Tiers

CUSTOMERS = 5_000
"""Most customers of a category that are asked; where there are more, those with the lowest codes."""
FEWEST = 30
"""Customers of several products, below whom a category is not tested."""


@dataclass(frozen=True)
class Held:
    """Per category: ``assortativity`` (0: tiers as chance would have it, 1: nobody leaves a tier), ``p`` of the
    shuffled tiers at least as high, ``adjusted`` (false discovery rate at which it is just called), ``called``.
    nan where there are no two tiers, or fewer than 30 customers bought different products."""

    assortativity: FloatArray
    p: FloatArray
    adjusted: FloatArray
    called: npt.NDArray[np.bool_]


def held(
    customer: IntArray, product: IntArray, tiers: Tiers, *, shuffles: int = 999, false: float = 0.05, seed: int = 0
) -> Held:
    """Test every category with at least two tiers; called at a false discovery rate of ``false`` over all of them
    (Benjamini & Hochberg 1995). ``customer``, ``product``: who bought what, in any order and number."""
    count = len(tiers.paths)
    found, p = np.full(count, np.nan), np.full(count, np.nan)
    graded = (tiers.tier >= 0) & (tiers.count[tiers.category] > 1) if count else np.zeros(tiers.tier.size, bool)
    width = tiers.tier.size
    rows = graded[product]
    pairs = np.unique(customer[rows] * width + product[rows])
    who, what = np.divmod(pairs, max(width, 1))
    kind = tiers.category[what]
    order = np.argsort(kind, kind="stable")
    who, what, kind = who[order], what[order], kind[order]
    first = np.searchsorted(kind, np.arange(count + 1))
    generator = np.random.default_rng(seed)
    for code in range(count):
        rows_of = slice(int(first[code]), int(first[code + 1]))
        result = _one(who[rows_of], what[rows_of], tiers.tier, shuffles, generator)
        if result is not None:
            found[code], p[code] = result
    tested = ~np.isnan(p)
    adjusted = np.full(count, np.nan)
    if tested.any():
        adjusted[tested] = stats.false_discovery_control(p[tested])
    return Held(found, p, adjusted, np.nan_to_num(adjusted, nan=1.0) <= false)


def _one(
    who: IntArray, what: IntArray, tier: IntArray, shuffles: int, generator: np.random.Generator
) -> tuple[float, float] | None:
    people, who = np.unique(who, return_inverse=True)
    kept = who < CUSTOMERS
    goods, column = np.unique(what[kept], return_inverse=True)
    who = who[kept]
    variety = np.bincount(who, minlength=min(people.size, CUSTOMERS))
    several = variety[who] > 1
    labels = tier[goods].astype(np.float64)
    if int((variety > 1).sum()) < FEWEST or np.unique(labels).size < 2:
        return None
    who, column = np.unique(who[several], return_inverse=True)[1], column[several]
    variety = np.bincount(who)
    # Every customer weighs as many as the products bought, less one: pairs of the widely read do not drown the others.
    scale = 1 / (variety - 1.0)
    share = sparse.csr_matrix((np.ones(who.size), (who, column)), shape=(variety.size, goods.size))
    own = np.bincount(column, scale[who], minlength=goods.size)
    degree = np.bincount(column, minlength=goods.size).astype(np.float64)
    total = degree.sum()

    def statistic(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Covariance over linked products, and variance, of the columns of ``values``."""
        mean = degree @ values / total
        centred = values - mean
        sums = share @ centred
        linked = scale @ (sums * sums) - own @ (centred * centred)
        return linked / total, degree @ (centred * centred) / total

    covariance, variance = statistic(labels[:, None])
    if variance[0] <= 0:
        return None
    least = covariance[0] / variance[0]
    reached = 0
    for start in range(0, shuffles, 250):
        many = min(250, shuffles - start)
        shuffled = generator.permuted(np.repeat(labels[:, None], many, axis=1), axis=0)
        some, spread = statistic(shuffled)
        reached += int(np.count_nonzero(some >= least * spread * (1 - 1e-12) - 1e-15))
    return float(least), (1 + reached) / (1 + shuffles)
