"""Purchase days and contacts by customer and category, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import IntArray

Codes = npt.NDArray[np.integer]


@dataclass(frozen=True)
class InterestLog:
    """``known``: per customer the first day we know of them, buyers or not. ``family``: per category the wider one that
    it belongs to, as a code.

    Per purchase day of a customer and category, ordered by customer: ``customer``, ``category``, ``day`` (each once).
    Per contact that names a category, ordered by customer: ``told_customer``, ``told_category``, ``told_day``, and
    ``told_inbound``, whether they came to us.
    """

    known: IntArray
    family: IntArray
    customer: Codes
    category: Codes
    day: Codes
    told_customer: Codes
    told_category: Codes
    told_day: Codes
    told_inbound: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        for names in (("customer", "category", "day"), ("told_customer", "told_category", "told_day", "told_inbound")):
            sizes = {name: getattr(self, name).size for name in names}
            if len(set(sizes.values())) > 1:
                raise InputError(f"columns differ in length: {', '.join(f'{n} {size}' for n, size in sizes.items())}")
        if np.any(np.diff(self.customer) < 0) or np.any(np.diff(self.told_customer) < 0):
            raise InputError("rows must stand by customer")

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return int(self.known.size)

    @property
    def categories(self) -> int:
        """How many categories there are."""
        return int(self.family.size)

    @cached_property
    def _first(self) -> tuple[IntArray, IntArray]:
        everybody = np.arange(self.customers + 1)
        return np.searchsorted(self.customer, everybody), np.searchsorted(self.told_customer, everybody)

    def of(self, start: int, stop: int) -> InterestLog:
        """The log of the customers from ``start`` to before ``stop``, whose codes then begin at 0."""
        bought, told = (first[[start, stop]] for first in self._first)
        rows, contacts = slice(*bought.tolist()), slice(*told.tolist())
        return InterestLog(
            self.known[start:stop],
            self.family,
            self.customer[rows] - start,
            self.category[rows],
            self.day[rows],
            self.told_customer[contacts] - start,
            self.told_category[contacts],
            self.told_day[contacts],
            self.told_inbound[contacts],
        )

    def chosen(self, customers: IntArray) -> InterestLog:
        """The log of some customers (ascending codes), whose codes then are their places among them."""
        place = np.full(self.customers, -1, np.int64)
        place[customers] = np.arange(customers.size)
        rows, told = place[self.customer] >= 0, place[self.told_customer] >= 0
        return InterestLog(
            self.known[customers],
            self.family,
            place[self.customer[rows]],
            self.category[rows],
            self.day[rows],
            place[self.told_customer[told]],
            self.told_category[told],
            self.told_day[told],
            self.told_inbound[told],
        )

    def first_days(self, never: int) -> npt.NDArray[np.int32]:
        """The day of the first purchase by customer and category; ``never`` where there is none."""
        found = np.full(self.customers * self.categories, never, np.int32)
        cell = self.customer.astype(np.int64) * self.categories + self.category
        np.minimum.at(found, cell, self.day.astype(np.int32))
        return found.reshape(self.customers, self.categories)
