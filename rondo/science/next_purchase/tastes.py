"""What a customer has not bought yet: what sells, within the kinds that they buy, beside what they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.science.next_purchase.baskets import BasketLog
from rondo.science.next_purchase.market import Market

Floats = npt.NDArray[np.float32]
HALF_LIFE_DAYS = 60.0
HALF_LIFE_VISITS = 16.0
RARE = 0.7
"""Power of a product's sales by which what is with it is divided: 1 would favour the rare, 0 what everybody has."""
FEATURES = ("sold", "small baskets", "tried", "kind", "family", "together", "passed by", "variety", "kind visits")
"""Logarithms: sold now; the same by share of the basket; first purchases against sales; the customer's share of the
kind (of the family) times the product's share in it; with what the customer has bought; visits without it against its
sales; different products of the kind per purchase of it; purchases of the kind."""


@dataclass(frozen=True)
class Tastes:
    """Customers by candidates: ``columns`` one array per feature (those of the market alone have one row for all),
    ``has`` where it was bought."""

    columns: list[Floats]
    has: npt.NDArray[np.bool_]

    def features(self, chosen: npt.NDArray[np.bool_]) -> Floats:
        """Features of the chosen cells (customer, candidate), a row each."""
        return np.column_stack([np.broadcast_to(column, self.has.shape)[chosen] for column in self.columns])


def tastes_of(log: BasketLog, market: Market) -> Tastes:
    """Tastes of all customers of a (small) log, whose last visits are the present."""
    customers, best = log.customers, market.candidates
    last = log.visit_day[np.maximum(log.first[1:] - 1, 0)] if log.visit_day.size else np.zeros(customers, np.int64)
    fading = np.exp2(-(last[log.customer] - log.day) / HALF_LIFE_DAYS)
    visits = log.visits
    latest = np.exp2(-(visits[log.customer] - log.visit) / HALF_LIFE_VISITS)
    begins = np.ones(log.customer.size, bool)
    begins[1:] = (np.diff(log.customer) != 0) | (np.diff(log.product) != 0)
    rate = _sums(log, log.kind, fading)
    wider = _sums(log, log.family, fading)
    bought = _sums(log, log.kind, np.ones(log.customer.size))
    different = _sums(log, log.kind, begins * 1.0)
    total = np.maximum(rate.sum(axis=1, keepdims=True), np.float32(1e-9))
    kinds, families = log.kind[best], log.family[best]
    column = np.full(log.products, best.size, np.int64)
    column[best] = np.arange(best.size)
    shape = (customers, best.size + 1)
    cell = log.customer * (best.size + 1) + column[log.product]
    recent = np.bincount(cell, latest, minlength=customers * (best.size + 1)).reshape(shape)[:, :-1]
    weight = np.maximum(np.bincount(log.customer, latest, minlength=customers), 1e-9)[:, None]
    recent = (recent / weight / np.maximum(market.seen, 0.5) ** RARE).astype(np.float32)
    share = (market.sold[best] / market.baskets).astype(np.float32)
    of_kind = np.log1p(bought)[:, kinds]
    columns = [
        np.log(share)[None, :],
        np.log(market.basket_share[best] / market.baskets + 1e-7)[None, :],
        (np.log(market.tried[best] + 1) - np.log(share))[None, :],
        np.log((rate / total)[:, kinds] * market.kind_share[best].astype(np.float32) + np.float32(1e-5)),
        np.log((wider / total)[:, families] * market.family_share[best].astype(np.float32) + np.float32(1e-5)),
        np.log(recent @ market.together + np.float32(1e-6)),
        np.log1p(np.float32(2) * visits[:, None].astype(np.float32) * share),
        np.log1p(different)[:, kinds] - of_kind,
        of_kind,
    ]
    has = np.bincount(cell, minlength=customers * (best.size + 1)).reshape(shape)[:, :-1] > 0
    return Tastes([found.astype(np.float32, copy=False) for found in columns], has)


def _sums(log: BasketLog, group: npt.NDArray[np.int64], weight: npt.NDArray[np.floating]) -> Floats:
    """Sums of ``weight`` by customer and group of the product."""
    width = int(group.max()) + 1 if group.size else 0
    sums = np.bincount(log.customer * width + group[log.product], weight, minlength=log.customers * width)
    return sums.reshape(log.customers, width).astype(np.float32)
