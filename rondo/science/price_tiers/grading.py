"""Price tiers within categories, from what was really paid: which products are low, middle and high, and at what edges.

A dearer product may be a larger pack. Where sizes are known, prices are compared at the category's usual size: prices
of one maker's packs grow with a power of their size (Nerlove 1995 has the argument for hedonic prices with makers held
fixed), and that power brings every pack to the usual one. Where sizes are not known, packs are compared as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.price_tiers.sizes import UNKNOWN, Sizes

SEPARATOR = " > "


@dataclass(frozen=True)
class Paid:
    """What customers paid: one row per customer, product and day, in any order. ``customer``, ``product``: codes from
    0; ``units``: quantity in thousandths, above 0; ``paid``, ``saved``: minor units, ``paid`` above 0."""

    customer: IntArray
    product: IntArray
    day: IntArray
    units: IntArray
    paid: IntArray
    saved: IntArray

    def __post_init__(self) -> None:
        columns = ("customer", "product", "day", "units", "paid", "saved")
        lengths = {name: int(getattr(self, name).size) for name in columns}
        if len(set(lengths.values())) > 1:
            raise InputError(f"columns differ in length: {lengths}; give one row per customer, product and day in each")
        for name in ("units", "paid"):
            values = getattr(self, name)
            if values.size and values.min() <= 0:
                raise InputError(
                    f"column {name}, index {int(values.argmin())}: {values.min()}; only what was paid for makes a "
                    "price, leave other rows out"
                )

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Paid:
        """Some of the rows."""
        return Paid(
            self.customer[chosen],
            self.product[chosen],
            self.day[chosen],
            self.units[chosen],
            self.paid[chosen],
            self.saved[chosen],
        )


@dataclass(frozen=True)
class Goods:
    """Per product: ``paths`` of its category ("" where it has none), ``brands`` (codes; -1: not known), ``sizes``."""

    paths: Sequence[str]
    brands: IntArray
    sizes: Sizes


@dataclass(frozen=True)
class TierConfig:
    """``products``, ``customers``: fewest of a category that is graded. ``step``: how many times dearer than the tier
    below a tier is at least. ``share``: of purchases that a tier has at least; ``kinds``: products. ``sized``: share of
    purchases with a known size from which packs are compared at the usual size. ``prior``: products by which a
    category's power of size is drawn towards that of all; ``power``: sizes that prices follow with less are not
    believed."""

    products: int = 6
    customers: int = 30
    step: float = 1.2
    share: float = 0.1
    kinds: int = 2
    sized: float = 0.8
    prior: float = 10.0
    power: float = 0.2


@dataclass(frozen=True)
class Tiers:
    """Graded categories and their products.

    Per category: ``paths``, ``depth`` (level in the tree, from 1), ``count`` of tiers (1: no spread that supports
    more), ``edges`` (category, 2): the price from which the second and third tier begin, in minor units, -1 where there
    is none; ``prices`` (category, 3): mean price of each tier, nan; ``by_size``: prices are those of a pack of the
    ``usual`` amount, in the unit ``measure``; ``power``: of size.

    Per product: ``category`` (code; -1: none), ``tier`` (0 low, then up; -1: none), ``price``: median paid per unit,
    ``level_price``: the same at the usual size, ``factor``: usual packs in one, so that factor × level_price = price.
    """

    paths: list[str]
    depth: IntArray
    count: IntArray
    edges: IntArray
    prices: FloatArray
    by_size: npt.NDArray[np.bool_]
    usual: FloatArray
    measure: IntArray
    power: FloatArray
    category: IntArray
    tier: IntArray
    price: IntArray
    level_price: IntArray
    factor: FloatArray
    bought: IntArray


def grade(paid: Paid, goods: Goods, config: TierConfig | None = None) -> Tiers:
    """Grade the products of every category with enough of them and of customers, on the lowest level that has.

    A category is a whole branch of the tree: a branch is graded where none of its own branches could be. The first
    level is graded only where the tree has no second. Tiers are natural breaks (Fisher 1958) of the logarithm of
    price, weighted by purchases: three where each is ``step`` times dearer than the one below and holds its share of
    purchases, else two, else one.
    """
    config = config or TierConfig()
    products = len(goods.paths)
    bought = np.bincount(paid.product, minlength=products)
    price = paid_prices(paid, products)
    paths, depth, category = _branches(paid, goods.paths, bought, config)
    group = np.where(category >= 0, category, len(paths))
    sizes = goods.sizes.settled(group, bought.astype(np.float64), price.astype(np.float64))
    measure, by_size = _measures(sizes, group, bought, len(paths), config)
    fits = (category >= 0) & (bought > 0)
    fits[fits] &= ~by_size[category[fits]] | (sizes.measure[fits] == measure[category[fits]])
    power, usual, factor = _powers(price, sizes, category, goods.brands, bought, fits, by_size, config)
    if (unlike := by_size & (power < config.power)).any():
        # What is stated is not what is in the pack: "12 OZ" of a case of cans. Packs are compared as they are.
        by_size = by_size & ~unlike
        fits |= (category >= 0) & (bought > 0) & unlike[category]
        factor[unlike[category] & (category >= 0)] = 1.0
        power, usual = np.where(unlike, 0.0, power), np.where(unlike, np.nan, usual)
    level_price = np.where(fits, np.maximum(np.rint(price / factor), 1), 0).astype(np.int64)
    count = np.ones(len(paths), np.int64)
    edges = np.full((len(paths), 2), -1, np.int64)
    prices = np.full((len(paths), 3), np.nan)
    tier = np.full(products, -1, np.int64)
    for code, rows in _groups(category, fits, len(paths)):
        found = breaks(level_price[rows], bought[rows], config)
        count[code] = len(found) + 1
        edges[code, : len(found)] = found
        tier[rows] = np.searchsorted(np.array(found, np.int64), level_price[rows], side="right")
        weight = np.bincount(tier[rows], bought[rows], minlength=3)
        total = np.bincount(tier[rows], bought[rows] * level_price[rows], minlength=3)
        prices[code] = np.where(weight > 0, total / np.maximum(weight, 1), np.nan)
    return Tiers(
        paths,
        depth,
        count,
        edges,
        prices,
        by_size,
        usual,
        measure,
        power,
        category,
        tier,
        price,
        level_price,
        factor,
        bought,
    )


def paid_prices(paid: Paid, products: int) -> IntArray:
    """Per product the (lower) median of what was paid per unit, in minor units: every customer's day counts once. 0
    where it was never bought."""
    each = (paid.paid * 2000 + paid.units) // (2 * paid.units)
    order = np.lexsort((each, paid.product))
    first = np.searchsorted(paid.product[order], np.arange(products + 1))
    middle = (first[:-1] + np.maximum(first[1:] - 1, first[:-1])) // 2
    found = np.zeros(products, np.int64)
    known = first[1:] > first[:-1]
    found[known] = np.maximum(each[order[middle[known]]], 1)
    return found


def breaks(price: IntArray, weight: IntArray, config: TierConfig | None = None) -> list[int]:
    """Where the upper tiers of one category begin, in minor units: two edges, one, or none."""
    config = config or TierConfig()
    order = np.argsort(price, kind="stable")
    values, first = np.unique(price[order], return_index=True)
    if values.size < 2:
        return []
    logs, weights = np.log(price[order].astype(np.float64)), weight[order].astype(np.float64)
    at = first[1:]
    if at.size > 150:
        reached = np.cumsum(weights)[at - 1] / weights.sum()
        at = np.unique(at[np.searchsorted(reached, np.linspace(0, 1, 152)[1:-1]).clip(max=at.size - 1)])
    sums = [np.concatenate(([0.0], np.cumsum(part))) for part in (weights, weights * logs, weights * logs**2)]
    paid = np.concatenate(([0.0], np.cumsum(weights * price[order])))
    starts, ends = np.concatenate(([0], at)), np.concatenate((at, [price.size]))
    low, high = np.meshgrid(starts, ends, indexing="ij")
    w, m, q = (part[high] - part[low] for part in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = q - m**2 / w
        mean = (paid[high] - paid[low]) / w
    possible = (high - low >= config.kinds) & (w >= config.share * weights.sum() - 1e-9)
    within = np.where(possible, within, np.inf)

    def apart(lower: FloatArray, upper: FloatArray) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = upper >= config.step * lower * (1 - 1e-12)
        return found

    # starts[i + 1] == ends[i]: a cut at place i ends the tier below and begins the one above.
    cuts = at.size
    first_cost, last_cost = within[0, :cuts], within[1:, cuts]
    between = within[1:, :cuts]
    three = first_cost[:, None] + between + last_cost[None, :]
    good = np.triu(np.ones((cuts, cuts), bool), 1)
    good &= apart(mean[0, :cuts][:, None], mean[1:, :cuts]) & apart(mean[1:, :cuts], mean[1:, cuts][None, :])
    three = np.where(good, three, np.inf)
    two = np.where(apart(mean[0, :cuts], mean[1:, cuts]), first_cost + last_cost, np.inf)
    if np.isfinite(three).any():
        chosen = [int(place) for place in np.unravel_index(int(np.argmin(three)), three.shape)]
    elif np.isfinite(two).any():
        chosen = [int(np.argmin(two))]
    else:
        return []
    sorted_price = price[order]
    found = []
    for cut in chosen:
        below, above = int(sorted_price[at[cut] - 1]), int(sorted_price[at[cut]])
        found.append(below + (above - below + 1) // 2)
    return found


def _groups(category: IntArray, fits: npt.NDArray[np.bool_], count: int) -> list[tuple[int, IntArray]]:
    rows = np.flatnonzero(fits)
    rows = rows[np.argsort(category[rows], kind="stable")]
    first = np.searchsorted(category[rows], np.arange(count + 1))
    return [(code, rows[first[code] : first[code + 1]]) for code in range(count) if first[code + 1] > first[code]]


def _branches(
    paid: Paid, paths: Sequence[str], bought: IntArray, config: TierConfig
) -> tuple[list[str], IntArray, IntArray]:
    """Graded branches by path, their depth, and the branch of each product (-1: none)."""
    split = [path.split(SEPARATOR) if path else [] for path in paths]
    deepest = max((len(parts) for parts in split), default=0)
    customers = int(paid.customer.max(initial=-1)) + 1
    placed = np.zeros(len(split), bool)
    names: list[str] = []
    depths: list[int] = []
    category = np.full(len(split), -1, np.int64)
    for depth in range(deepest, min(1, deepest - 1), -1):
        cut = [SEPARATOR.join(parts[:depth]) if len(parts) >= depth else "" for parts in split]
        nodes, node = np.unique(np.array(cut, dtype=object).astype(str), return_inverse=True)
        here = np.array([bool(text) for text in cut])
        kinds = np.bincount(node[bought > 0], minlength=nodes.size)
        people = np.bincount(
            np.unique(node[paid.product] * customers + paid.customer) // max(customers, 1), minlength=nodes.size
        )
        taken = np.bincount(node[placed], minlength=nodes.size) > 0
        enough = (kinds >= config.products) & (people >= config.customers) & ~taken & (nodes != "")
        for number in np.flatnonzero(enough):
            rows = (node == number) & here
            category[rows] = len(names)
            placed |= rows
            names.append(str(nodes[number]))
            depths.append(depth)
    order = np.argsort(np.array(names, dtype=object).astype(str), kind="stable") if names else np.empty(0, np.int64)
    rank = np.empty(len(names) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(names)), -1
    return [names[at] for at in order], np.array(depths, np.int64)[order], rank[category]


def _measures(
    sizes: Sizes, group: IntArray, bought: IntArray, count: int, config: TierConfig
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Per category the measure of most purchases, and whether enough have it."""
    table = np.bincount(group * 8 + sizes.measure, bought, minlength=(count + 1) * 8).reshape(-1, 8)[:count]
    totals = table.sum(axis=1)
    table[:, UNKNOWN] = 0
    measure = table.argmax(axis=1) if count else np.empty(0, np.int64)
    share = table.max(axis=1, initial=0) / np.maximum(totals, 1)
    return measure.astype(np.int64), share >= config.sized


def _powers(
    price: IntArray,
    sizes: Sizes,
    category: IntArray,
    brands: IntArray,
    bought: IntArray,
    fits: npt.NDArray[np.bool_],
    by_size: npt.NDArray[np.bool_],
    config: TierConfig,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Per category the power of size (0 to 1) and the usual size, per product its usual packs.

    The power is the slope of log price on log size among products of one maker in a category (of the category where
    makers are not known), drawn towards that of all categories.
    """
    count = by_size.size
    power, usual, factor = np.zeros(count), np.full(count, np.nan), np.ones(price.size)
    sized = fits.copy()
    sized[fits] = by_size[category[fits]]
    rows = np.flatnonzero(sized)
    if not rows.size:
        return power, usual, factor
    x, y = np.log(sizes.amount[rows]), np.log(price[rows].astype(np.float64))
    kind = category[rows]
    maker = np.unique(kind * (int(brands.max()) + 2) + brands[rows] + 1, return_inverse=True)[1]
    many = np.bincount(maker)
    x0, y0 = (value - (np.bincount(maker, value) / many)[maker] for value in (x, y))
    sxx, sxy = np.bincount(kind, x0 * x0, minlength=count), np.bincount(kind, x0 * y0, minlength=count)
    if sxx.sum() > 0:
        pooled = float(np.clip(sxy.sum() / sxx.sum(), 0, 1))
        weight = config.prior * float(sxx.sum()) / rows.size
        power = np.where(by_size, np.clip((sxy + weight * pooled) / (sxx + weight), 0, 1), 0.0)
    for code, some in _groups(category, sized, count):
        order = some[np.argsort(sizes.amount[some], kind="stable")]
        reached = np.cumsum(bought[order])
        usual[code] = sizes.amount[order[np.searchsorted(reached, reached[-1] / 2)]]
    factor[rows] = (sizes.amount[rows] / usual[kind]) ** power[kind]
    return power, usual, factor
