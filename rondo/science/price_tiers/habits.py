"""Which tier a customer buys of a category: purchase days by tier, the usual one, and how the latest days were."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rondo.science._checks import FloatArray, IntArray
from rondo.science.price_tiers.grading import Paid, Tiers

FADING = 3.0
"""Purchase days after which an earlier one counts half, in what was bought lately."""
WEIGHT = 1e6


@dataclass(frozen=True)
class Days:
    """One row per customer, category and purchase day in it, in this order: the ``tier`` with most units (the lower
    where two are alike), ``units`` (usual packs), ``paid``, ``saved`` (minor units)."""

    customer: IntArray
    category: IntArray
    day: IntArray
    tier: IntArray
    units: FloatArray
    paid: IntArray
    saved: IntArray

    @classmethod
    def of(cls, paid: Paid, tiers: Tiers) -> Days:
        """The days of all graded products in categories with at least two tiers."""
        count = len(tiers.paths)
        graded = (tiers.tier >= 0) & (tiers.count[tiers.category] > 1) if count else np.zeros(tiers.tier.size, bool)
        rows = np.flatnonzero(graded[paid.product])
        product = paid.product[rows]
        kind = tiers.category[product]
        order = np.lexsort((paid.day[rows], kind, paid.customer[rows]))
        rows, product, kind = rows[order], product[order], kind[order]
        who, when = paid.customer[rows], paid.day[rows]
        new = np.ones(rows.size, bool)
        new[1:] = (np.diff(who) != 0) | (np.diff(kind) != 0) | (np.diff(when) != 0)
        number = np.cumsum(new) - 1
        many = int(new.sum())
        # Whole numbers, so that sums do not hang on the order of rows.
        packs = np.rint(paid.units[rows] * tiers.factor[product] * (WEIGHT / 1000)).astype(np.int64)
        by_tier = np.bincount(number * 3 + tiers.tier[product], packs, minlength=many * 3).reshape(-1, 3)
        return cls(
            who[new],
            kind[new],
            when[new],
            by_tier.argmax(axis=1).astype(np.int64),
            by_tier.sum(axis=1) / WEIGHT,
            np.bincount(number, paid.paid[rows], minlength=many).astype(np.int64),
            np.bincount(number, paid.saved[rows], minlength=many).astype(np.int64),
        )

    def until(self, day: int) -> Days:
        """Those up to the end of ``day``."""
        known = self.day <= day
        return Days(*(getattr(self, name)[known] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Habits:
    """One row per customer and category, in this order.

    ``days``: purchase days per tier (row, 3); ``usual``: the tier that half of the days do not exceed; ``units``: mean
    usual packs per day, ``units_square`` their mean square; ``spend``: per tier in minor units (row, 3); ``lately``:
    share of days above the usual tier, the latest three counting half of all; ``last_above``: whether the last was;
    ``first``, ``last``: day; ``saved``: share of the shelf price that discounts took off.
    """

    customer: IntArray
    category: IntArray
    days: IntArray
    usual: IntArray
    units: FloatArray
    units_square: FloatArray
    spend: IntArray
    lately: FloatArray
    trend: FloatArray
    last_above: npt.NDArray[np.bool_]
    first: IntArray
    last: IntArray
    saved: FloatArray

    @cached_property
    def count(self) -> IntArray:
        """Purchase days in the category."""
        found: IntArray = self.days.sum(axis=1)
        return found

    @cached_property
    def above(self) -> IntArray:
        """Purchase days above the usual tier."""
        found: IntArray = (self.days * (np.arange(3) > self.usual[:, None])).sum(axis=1)
        return found

    @classmethod
    def of(cls, log: Days) -> Habits:
        """Of all days of a log."""
        new = np.ones(log.customer.size, bool)
        new[1:] = (np.diff(log.customer) != 0) | (np.diff(log.category) != 0)
        number = np.cumsum(new) - 1
        pairs = int(new.sum())
        days = np.bincount(number * 3 + log.tier, minlength=pairs * 3).reshape(-1, 3)
        count = days.sum(axis=1)
        below = np.cumsum(days, axis=1)
        usual = (2 * below < count[:, None]).sum(axis=1)
        above = log.tier > usual[number]
        ends = np.cumsum(count)
        back = ends[number] - 1 - np.arange(number.size)
        fading = np.exp2(-back / FADING)
        lately = np.bincount(number, fading * above, minlength=pairs) / np.maximum(
            np.bincount(number, fading, minlength=pairs), 1e-12
        )
        later = back < (count // 2)[number]
        half = np.maximum(count // 2, 1)
        earlier_tier = np.bincount(number, np.where(later, 0, log.tier), minlength=pairs) / np.maximum(count - half, 1)
        later_tier = np.bincount(number, np.where(later, log.tier, 0), minlength=pairs) / half
        paid, saved = (np.bincount(number, part, minlength=pairs) for part in (log.paid, log.saved))
        last = ends - 1
        return cls(
            log.customer[new],
            log.category[new],
            days,
            usual.astype(np.int64),
            np.bincount(number, log.units, minlength=pairs) / np.maximum(count, 1),
            np.bincount(number, log.units**2, minlength=pairs) / np.maximum(count, 1),
            np.bincount(number * 3 + log.tier, log.paid, minlength=pairs * 3).reshape(-1, 3).astype(np.int64),
            lately,
            np.where(count > 1, later_tier - earlier_tier, 0.0),
            above[last],
            log.day[new],
            log.day[last],
            saved / np.maximum(paid + saved, 1),
        )


@dataclass(frozen=True)
class Drawn:
    """Shares drawn towards those of the customer's like (empirical Bayes; Robbins 1956): per row the Beta posterior's
    ``mean`` and ``strength`` (prior days and own), ``prior``: the mean of the same category and usual tier."""

    mean: FloatArray
    strength: FloatArray
    prior: FloatArray


def drawn(above: IntArray, count: IntArray, group: IntArray, groups: int) -> Drawn:
    """Beta-binomial by moments. ``group``: category and usual tier as a code; groups' means are drawn towards that of
    all by as many days as a prior is worth, which is read off how much customers of a group differ."""
    days, up = np.bincount(group, count, minlength=groups), np.bincount(group, above, minlength=groups)
    everybody = float(up.sum() / max(days.sum(), 1))
    everybody = min(max(everybody, 1e-4), 1 - 1e-4)
    mean = (up + 20 * everybody) / (days + 20)
    several = count > 1
    p = mean[group[several]]
    n = count[several].astype(np.float64)
    # E[(x - np)²] = n p (1 - p) (1 + (n - 1) rho); rho = 1 / (strength + 1).
    excess = float((((above[several] - n * p) ** 2) - n * p * (1 - p)).sum())
    scale = float((n * (n - 1) * p * (1 - p)).sum())
    rho = min(max(excess / scale if scale > 0 else 0.0, 0.01), 0.9)
    strength = 1 / rho - 1
    prior: FloatArray = mean[group].astype(np.float64)
    return Drawn((above + strength * prior) / (count + strength), np.asarray(count + strength, np.float64), prior)
