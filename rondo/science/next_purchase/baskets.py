"""Baskets of customers as arrays: who bought what in which visit, in the order that the models read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import IntArray


@dataclass(frozen=True)
class BasketLog:
    """One row per basket and product, ordered by customer, product and visit.

    ``customer``, ``product``: codes from 0. ``visit``: number of the basket among the customer's, from 0. ``first``:
    per customer where its visits begin in ``visit_day`` (business day) and ``visit_size`` (different products); it has
    one entry more than there are customers. ``kind``, ``family``: codes of a product's category and of the wider one
    that this belongs to (never negative; products of unknown category share one).
    """

    customer: IntArray
    product: IntArray
    visit: IntArray
    first: IntArray
    visit_day: IntArray
    visit_size: IntArray
    kind: IntArray
    family: IntArray

    @property
    def customers(self) -> int:
        """How many customers there are, those without a basket included."""
        return int(self.first.size - 1)

    @property
    def products(self) -> int:
        """How many products there are."""
        return int(self.kind.size)

    @cached_property
    def visits(self) -> IntArray:
        """Baskets per customer."""
        return np.diff(self.first)

    @cached_property
    def day(self) -> IntArray:
        """Business day per row."""
        found: IntArray = self.visit_day[self.first[self.customer] + self.visit]
        return found

    @cached_property
    def size(self) -> IntArray:
        """Different products in the basket of each row."""
        found: IntArray = self.visit_size[self.first[self.customer] + self.visit]
        return found

    def known(self, as_of: int) -> IntArray:
        """Visits per customer up to the end of day ``as_of``."""
        counts = np.concatenate(([0], np.cumsum(self.visit_day <= as_of)))
        found: IntArray = counts[self.first[1:]] - counts[self.first[:-1]]
        return found

    def until(self, visits: IntArray) -> BasketLog:
        """The log with the first ``visits`` baskets of each customer alone."""
        rows = self.visit < visits[self.customer]
        number = np.arange(self.visit_day.size) - np.repeat(self.first[:-1], self.visits)
        kept = number < np.repeat(visits, self.visits)
        return BasketLog(
            self.customer[rows],
            self.product[rows],
            self.visit[rows],
            np.concatenate(([0], np.cumsum(np.minimum(visits, self.visits)))),
            self.visit_day[kept],
            self.visit_size[kept],
            self.kind,
            self.family,
        )

    def of(self, start: int, stop: int) -> BasketLog:
        """The log of the customers from ``start`` up to before ``stop``, whose codes then begin at 0."""
        low, high = np.searchsorted(self.customer, (start, stop))
        first = self.first[start : stop + 1]
        return BasketLog(
            self.customer[low:high] - start,
            self.product[low:high],
            self.visit[low:high],
            first - first[0],
            self.visit_day[first[0] : first[-1]],
            self.visit_size[first[0] : first[-1]],
            self.kind,
            self.family,
        )

    def chosen(self, customers: IntArray) -> BasketLog:
        """The log of some customers (ascending codes), whose codes then are their places among them."""
        place = np.full(self.customers, -1, np.int64)
        place[customers] = np.arange(customers.size)
        rows = place[self.customer] >= 0
        kept = np.repeat(place >= 0, self.visits)
        return BasketLog(
            place[self.customer[rows]],
            self.product[rows],
            self.visit[rows],
            np.concatenate(([0], np.cumsum(self.visits[customers]))),
            self.visit_day[kept],
            self.visit_size[kept],
            self.kind,
            self.family,
        )


def basket_log(
    customer: npt.ArrayLike,
    basket: npt.ArrayLike,
    product: npt.ArrayLike,
    day: npt.ArrayLike,
    *,
    kind: npt.ArrayLike,
    family: npt.ArrayLike | None = None,
    customers: int | None = None,
) -> BasketLog:
    """Lines of baskets (any order, a product may occur twice in a basket) as a log.

    ``basket``: a whole number per basket; those of a customer's day are put in its order. ``kind``, ``family``: per
    product, codes from 0; without a family there is one for all.

    Raises InputError for columns of unequal length, negative codes, products without a kind, or a basket of two
    customers or two days.
    """
    who, bought, what, when = (np.asarray(column, dtype=np.int64) for column in (customer, basket, product, day))
    if not who.shape == bought.shape == what.shape == when.shape or who.ndim != 1:
        raise InputError(
            f"columns differ in length: customer {who.size}, basket {bought.size}, product {what.size}, "
            f"day {when.size}; give one row per line in each"
        )
    kinds = np.asarray(kind, dtype=np.int64)
    families = np.zeros(kinds.size, np.int64) if family is None else np.asarray(family, dtype=np.int64)
    count = (int(who.max()) + 1 if who.size else 0) if customers is None else customers
    for name, codes, most in (("customer", who, count), ("product", what, kinds.size)):
        if codes.size and (codes.min() < 0 or codes.max() >= most):
            raise InputError(f"column {name}: {codes.min()} to {codes.max()}; codes from 0 to {most - 1} are needed")
    # Baskets in the order of their customers, days and numbers.
    order = np.lexsort((bought, when, who))
    new = np.ones(order.size, bool)
    new[1:] = (np.diff(who[order]) != 0) | (np.diff(when[order]) != 0) | (np.diff(bought[order]) != 0)
    number = np.empty(order.size, np.int64)
    number[order] = np.cumsum(new) - 1
    heads = order[new]
    if np.unique(bought[heads]).size != heads.size:
        found, counts = np.unique(bought[heads], return_counts=True)
        raise InputError(f"basket {int(found[counts > 1][0])}: of two customers or two days; give each its own number")
    first = np.searchsorted(who[heads], np.arange(count + 1))
    # The number of a basket tells its customer, so that one key finds what occurs twice.
    keys = np.unique(number * max(kinds.size, 1) + what)
    basket_of, item = np.divmod(keys, max(kinds.size, 1))
    owner = who[heads][basket_of]
    rows = np.lexsort((basket_of, item, owner))
    return BasketLog(
        customer=owner[rows],
        product=item[rows],
        visit=(basket_of - first[owner])[rows],
        first=first.astype(np.int64),
        visit_day=when[heads],
        visit_size=np.bincount(basket_of, minlength=heads.size).astype(np.int64),
        kind=kinds,
        family=families,
    )
