"""What is bought together more often than chance: lift with intervals, whole tables of pairs tested at once.

Large baskets hold everything, so that plain lift is above 1 for almost any pair of a grocer. Here what is expected is
computed among baskets of like size (the strata of Mantel & Haenszel 1959), and baskets of one customer are no
independent witnesses: intervals are by the jackknife over groups of customers. Which pairs are told apart from chance
is decided over all pairs together (Benjamini & Hochberg 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse, stats

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray

SIZES = (2, 3, 4, 5, 7, 10, 14, 20, 30, 45, 70)
"""Different items in a basket from which a stratum begins; baskets of one item can hold no pair."""


@dataclass(frozen=True)
class PairConfig:
    """``fewest``: baskets that a pair must be in. ``items``: most items looked at, the most frequent. ``groups``:
    of customers, for the jackknife. ``level``: of intervals. ``false``: share of false pairs that is borne."""

    fewest: int = 30
    items: int = 2_000
    groups: int = 20
    level: float = 0.9
    false: float = 0.05


@dataclass(frozen=True)
class BoughtTogether:
    """Pairs of items, ``one`` below ``other``, the most certain first (by the lower bound of ``lift``).

    ``baskets``: with both; ``with_one``, ``with_other``: with each, of ``total``. ``lift``: baskets with both by those
    expected among baskets of like size, with ``low`` to ``high``. ``plain``: without regard to size. ``adjusted``:
    false discovery rate at which the pair would just be called. ``called``: at the rate of the configuration.
    """

    one: IntArray
    other: IntArray
    baskets: IntArray
    with_one: IntArray
    with_other: IntArray
    lift: FloatArray
    low: FloatArray
    high: FloatArray
    plain: FloatArray
    adjusted: FloatArray
    called: npt.NDArray[np.bool_]
    total: int
    tested: int


def bought_together(
    customer: npt.ArrayLike, basket: npt.ArrayLike, item: npt.ArrayLike, config: PairConfig | None = None
) -> BoughtTogether:
    """Test all pairs of items; rows are lines of baskets (codes from 0, an item may occur twice in one).

    Raises InputError for columns of unequal length.
    """
    config = config or PairConfig()
    who, place, what = (np.asarray(column, np.int64) for column in (customer, basket, item))
    if not who.shape == place.shape == what.shape:
        raise InputError(f"columns differ in length: customer {who.size}, basket {place.size}, item {what.size}")
    if not who.size:
        return _none(0)
    width = int(what.max()) + 1
    keys, first = np.unique(place * width + what, return_index=True)
    _numbers, place = np.unique(keys // width, return_inverse=True)
    what, owner = keys % width, who[first]
    size = np.bincount(place)
    total = int(size.size)
    stratum = np.searchsorted(SIZES, size, side="right")
    room = _room(size, stratum, place, what, width)
    often = np.bincount(what, minlength=width)
    chosen = np.sort(np.argsort(-often, kind="stable")[: config.items])
    chosen = chosen[often[chosen] >= config.fewest]
    column = np.full(width, -1)
    column[chosen] = np.arange(chosen.size)
    kept = column[what] >= 0
    place, what, owner = place[kept], column[what[kept]], owner[kept]
    # Customers into groups by a fixed mixing of their codes, so that neighbours are apart.
    group = (owner * 2_654_435_761 % 4_294_967_296) % config.groups
    of_basket = np.zeros(total, np.int64)
    of_basket[place] = group
    matrix = sparse.csr_matrix((np.ones(place.size, np.float32), (place, what)), shape=(total, chosen.size))
    # What baskets hold, and how many there are, by group and stratum.
    cells = of_basket * (len(SIZES) + 1) + stratum
    shape = (config.groups, len(SIZES) + 1)
    baskets = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    held = np.bincount(cells[place] * chosen.size + what, minlength=shape[0] * shape[1] * chosen.size)
    held = held.reshape(*shape, chosen.size)
    both = sparse.triu(matrix.T @ matrix, k=1).tocoo()
    enough = both.data >= config.fewest
    one, other, count = both.row[enough].astype(np.int64), both.col[enough].astype(np.int64), both.data[enough]
    if not one.size:
        return _none(total)
    by_group = np.stack([_counts(matrix[of_basket == number], one, other) for number in range(config.groups)])
    expected = _expected(held.sum(axis=0), baskets.sum(axis=0), room, one, other)
    logs = np.log(count) - np.log(expected)
    without = np.empty((config.groups, one.size))
    for number in range(config.groups):
        rest = _expected(held.sum(axis=0) - held[number], baskets.sum(axis=0) - baskets[number], room, one, other)
        without[number] = np.log(np.maximum(count - by_group[number], 0.5)) - np.log(np.maximum(rest, 1e-9))
    spread = np.sqrt((config.groups - 1) / config.groups * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    # Never surer than the count itself allows.
    spread = np.maximum(spread, 1 / np.sqrt(count) * 0.5)
    law = stats.t(config.groups - 1)
    adjusted = stats.false_discovery_control(2 * law.sf(np.abs(logs) / spread))
    reach = float(law.ppf((1 + config.level) / 2)) * spread
    order = np.argsort(-(logs - reach), kind="stable")
    totals = held.sum(axis=(0, 1))
    plain = count * total / (totals[one] * totals[other])
    return BoughtTogether(
        one=chosen[one][order],
        other=chosen[other][order],
        baskets=np.rint(count).astype(np.int64)[order],
        with_one=totals[one][order],
        with_other=totals[other][order],
        lift=np.exp(logs)[order],
        low=np.exp(logs - reach)[order],
        high=np.exp(logs + reach)[order],
        plain=plain[order],
        adjusted=adjusted[order],
        called=(adjusted <= config.false)[order],
        total=total,
        tested=int(one.size),
    )


def _room(size: IntArray, stratum: IntArray, place: IntArray, what: IntArray, width: int) -> FloatArray:
    """Pairs that the baskets of a stratum hold, by those they would if items fell without regard to each other.

    A basket of two has room for one pair only: its items stand in each other's way.
    """
    strata = len(SIZES) + 1
    baskets = np.bincount(stratum, minlength=strata)
    pairs = np.bincount(stratum, size * (size - 1.0), minlength=strata)
    lines = np.bincount(stratum, size, minlength=strata).astype(np.float64)
    cells, counts = np.unique(stratum[place] * width + what, return_counts=True)
    squares = np.bincount(cells // width, counts.astype(np.float64) ** 2, minlength=strata)
    free = (lines**2 - squares) / np.maximum(baskets, 1)
    return np.divide(pairs, free, out=np.zeros(strata), where=free > 0)


def _expected(held: IntArray, baskets: IntArray, room: FloatArray, one: IntArray, other: IntArray) -> FloatArray:
    """Baskets with both if items fell independently among baskets of like size."""
    found = np.zeros(one.size)
    for stratum in range(1, baskets.size):
        if baskets[stratum] > 0:
            found += room[stratum] * held[stratum, one] * held[stratum, other] / baskets[stratum]
    least: FloatArray = np.maximum(found, 1e-9)
    return least


def _counts(matrix: sparse.csr_matrix, one: IntArray, other: IntArray) -> FloatArray:
    found = (matrix.T @ matrix).tocsr()
    return np.asarray(found[one, other]).ravel().astype(np.float64)


def _none(total: int) -> BoughtTogether:
    whole, real = np.empty(0, np.int64), np.empty(0)
    return BoughtTogether(whole, whole, whole, whole, whole, real, real, real, real, real, np.empty(0, bool), total, 0)
