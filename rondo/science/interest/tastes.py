"""What speaks for a category that a customer never bought of: how many try it, what they buy else, what they looked at.

The neighbours in taste are found among categories: a ridge regression of each category's buyers on those of all others,
in closed form (Steck 2019, "Embarrassingly shallow autoencoders"), says which purchases go along with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.science._checks import FloatArray, IntArray
from rondo.science.interest.log import InterestLog
from rondo.science.reasons import Why

Floats = npt.NDArray[np.float32]
NEVER = np.iinfo(np.int32).max
MONTH, SEASON = 28, 84
LIFE = 14.0
_MOST_DAYS = 730.0
_RIDGE = 50.0
_WEIGHT = 5.0
_FLOOR = 0.002


FEATURES = (
    "trial",
    "taste",
    "log taste",
    "department",
    "looked",
    "looked before",
    "told",
    "silent",
    "visits 28",
    "visits 84",
    "visits",
    "new 28",
    "new 84",
    "categories",
)
WHY = (Why.POPULAR, Why.TASTE, Why.TASTE, Why.DEPARTMENT, Why.LOOKED, Why.LOOKED, Why.TOLD)
"""The reason that goes with each of the first features; the others are of the customer and speak for no category."""


@dataclass(frozen=True)
class Market:
    """What the base says on a day: ``rate`` per category, the share of those who never bought of it that did within the
    four weeks before; ``weights``: category by category, what goes along; ``usual``: share of each family among the
    categories of a customer."""

    rate: FloatArray
    weights: Floats
    usual: Floats


def market_of(log: InterestLog, day: int) -> Market:
    """The market of a log as of the end of ``day``; what comes after it is not looked at."""
    first = log.first_days(NEVER)
    here = (log.known <= day)[:, None]
    tried = [((first <= day) & (first > day - days)).sum(axis=0) for days in (MONTH, SEASON)]
    able = [(here & (first > day - days)).sum(axis=0) for days in (MONTH, SEASON)]
    usual = float(tried[1].sum() / max(able[1].sum(), 1)) * MONTH / SEASON
    rate = (tried[0] + tried[1] / 6 + _WEIGHT * usual) / (able[0] + able[1] / 2 + _WEIGHT)
    has = (first <= day).astype(np.float32)
    gram = (has.T @ has).astype(np.float64)
    gram[np.diag_indices_from(gram)] += _RIDGE
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    families = has.mean(axis=0) @ _families(log) if log.customers else np.zeros(int(log.family.max(initial=0)) + 1)
    return Market(
        np.maximum(rate, 1e-7),
        weights.astype(np.float32),
        (families / max(float(families.sum()), 1e-9)).astype(np.float32),
    )


def _families(log: InterestLog) -> Floats:
    found = np.zeros((log.categories, int(log.family.max(initial=0)) + 1), np.float32)
    found[np.arange(log.categories), log.family] = 1.0
    return found


@dataclass(frozen=True)
class Signals:
    """Customers by categories: ``columns`` one array per feature, those of one side alone having one row or column;
    ``open``: where the category was never bought, of customers who are known."""

    columns: list[Floats]
    open: npt.NDArray[np.bool_]

    def features(self, chosen: npt.NDArray[np.bool_]) -> Floats:
        """Features of the chosen cells, a row each."""
        return np.column_stack([np.broadcast_to(column, self.open.shape)[chosen] for column in self.columns])


def signals_of(log: InterestLog, day: int, market: Market) -> Signals:
    """The signals of all customers of a (small) log as of the end of ``day``."""
    past = log.day <= day
    customer, category = log.customer[past].astype(np.int64), log.category[past].astype(np.int64)
    when, size = log.day[past].astype(np.int64), log.customers
    cells = size * log.categories
    flat = np.full(cells, NEVER, np.int64)
    np.minimum.at(flat, customer * log.categories + category, when)
    first = flat.reshape(size, log.categories)
    has = (first <= day).astype(np.float32)
    taste = has @ market.weights
    families = has @ _families(log)
    own = has.sum(axis=1, keepdims=True)
    department = np.log((families + 0.5) / (own * market.usual + 0.5))[:, log.family]
    told = log.told_day <= day
    place = (log.told_customer[told].astype(np.int64) * log.categories + log.told_category[told]).astype(np.int64)
    age, inbound = day - log.told_day[told].astype(np.float64), log.told_inbound[told]

    def contacts(rows: npt.NDArray[np.bool_], life: float) -> Floats:
        if not rows.any():
            return np.zeros((1, 1), np.float32)
        sums = np.bincount(place[rows], np.exp2(-age[rows] / life), minlength=cells)
        found: Floats = np.log1p(sums).reshape(size, log.categories).astype(np.float32)
        return found

    visit = np.unique(customer * (day + 1 - _begin(when)) + when - _begin(when)) if when.size else customer
    width = max(day + 1 - _begin(when), 1)
    who, on = visit // width, visit % width + _begin(when)
    last = np.full(size, day - _MOST_DAYS)
    np.maximum.at(last, who, on)
    of_customers = [
        day - last,
        np.bincount(who[on > day - MONTH], minlength=size),
        np.bincount(who[on > day - SEASON], minlength=size),
        np.bincount(who, minlength=size),
        ((first <= day) & (first > day - MONTH)).sum(axis=1),
        ((first <= day) & (first > day - SEASON)).sum(axis=1),
        own[:, 0],
    ]
    columns = [
        np.log(market.rate).astype(np.float32)[None, :],
        taste,
        np.log(np.clip(taste, _FLOOR, 1.0)),
        department.astype(np.float32),
        contacts(inbound, LIFE),
        contacts(inbound, 6 * LIFE),
        contacts(~inbound, 2 * LIFE),
        *(np.log1p(column).astype(np.float32)[:, None] for column in of_customers),
    ]
    return Signals(columns, (first > day) & (log.known <= day)[:, None])


def _begin(days: IntArray) -> int:
    return int(days.min(initial=0))
