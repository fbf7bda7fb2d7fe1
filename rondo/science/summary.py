"""From a log of purchase days to what customer-base models take: x, t_x, T and spend per customer, at any date.

A purchase *day* is a customer and a day with at least one purchase (purchases of one day are one event: Fader, Hardie &
Lee 2005, section 4). Days are whole numbers counted from any fixed date. All of it is sums over sorted arrays, so that
an earlier origin (for hold-outs) costs one more pass and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray, refuse_where, same_length

DAYS_PER_WEEK = 7.0


@dataclass(frozen=True)
class PurchaseDays:
    """Purchase days sorted by customer, then day; one row per customer and day.

    ``customer``: code from 0; ``day``: whole day number; ``spend``: money of that day in minor units;
    ``n_customers``: codes in use run below this number, and a code without rows is a customer without purchases.
    """

    customer: IntArray
    day: IntArray
    spend: IntArray
    n_customers: int

    @property
    def first_day(self) -> int:
        """First day in the log (InputError when the log is empty)."""
        return int(self._days().min())

    @property
    def last_day(self) -> int:
        """Last day in the log (InputError when the log is empty)."""
        return int(self._days().max())

    def _days(self) -> IntArray:
        if self.day.size == 0:
            raise InputError("purchase log: no rows; import purchases first")
        return self.day


@dataclass(frozen=True)
class Summary:
    """One row per customer who had bought by ``as_of``.

    ``customer``: code in the log. ``x``: repeat purchase days. ``recency_days``: days from first to last purchase.
    ``age_days``: days from first purchase to ``as_of``. ``spend_days``: days with spend above 0, of those the spend
    model counts, and ``spend``: their money in minor units. ``t_x`` and ``T`` are the same times in weeks.
    """

    customer: IntArray
    x: IntArray
    recency_days: IntArray
    age_days: IntArray
    spend_days: IntArray
    spend: IntArray
    as_of: int

    def __len__(self) -> int:
        return int(self.customer.size)

    @property
    def t_x(self) -> FloatArray:
        """Time of the last repeat purchase since the first one, in weeks; 0 where there is none."""
        return self.recency_days / DAYS_PER_WEEK

    @property
    def T(self) -> FloatArray:
        """Time observed since the first purchase, in weeks."""
        return self.age_days / DAYS_PER_WEEK

    @property
    def mean_spend(self) -> FloatArray:
        """Mean spend per counted purchase day in minor units; 0 where no day counts."""
        return np.divide(self.spend, self.spend_days, out=np.zeros(len(self)), where=self.spend_days > 0)


def merge_days(
    customer: npt.ArrayLike, day: npt.ArrayLike, spend: npt.ArrayLike | None = None, n_customers: int | None = None
) -> PurchaseDays:
    """Sort purchases and merge those of one customer and day, adding their spend.

    ``customer``: codes from 0; ``day``: whole day numbers; ``spend``: whole minor units (0 where not given).
    Raises InputError for negative codes, fractions, or columns of different length.
    """
    customers = _whole(customer, "customer")
    days = _whole(day, "day")
    money = np.zeros(customers.size, np.int64) if spend is None else _whole(spend, "spend")
    same_length({"customer": customers, "day": days, "spend": money})
    refuse_where(customers < 0, customers, "customer", "codes start at 0")
    size = int(customers.max()) + 1 if customers.size else 0
    if n_customers is None:
        n_customers = size
    elif size > n_customers:
        raise InputError(f"column customer: code {size - 1} does not fit {n_customers} customers; raise n_customers")
    if customers.size == 0:
        return PurchaseDays(customers, days, money, n_customers)
    low = int(days.min())
    span = int(days.max()) - low + 1
    key = customers * span + (days - low)
    if np.all(key[1:] > key[:-1]):  # sorted and merged already
        return PurchaseDays(customers, days, money, n_customers)
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    money = np.add.reduceat(money[order], starts)
    key = key[starts]
    return PurchaseDays(key // span, key % span + low, money, n_customers)


def summarise(log: PurchaseDays, as_of: int, *, start: int | None = None, first_spend: bool = True) -> Summary:
    """State of every customer at the end of day ``as_of``.

    ``start``: first day of observation; earlier rows are left out (default: none are). ``first_spend``: whether the
    first purchase day counts for spend too; the literature's CDNOW tables leave it out (``False``).
    Customers whose first purchase lies after ``as_of`` are not in the result.
    """
    inside = log.day <= as_of
    if start is not None:
        inside &= log.day >= start
    customer, day, spend = log.customer[inside], log.day[inside], log.spend[inside]
    if customer.size == 0:
        empty = np.empty(0, np.int64)
        return Summary(empty, empty, empty, empty, empty, empty, as_of)
    starts = np.flatnonzero(np.concatenate(([True], customer[1:] != customer[:-1])))
    ends = np.append(starts[1:], customer.size) - 1
    counted = spend > 0
    if not first_spend:
        counted[starts] = False
    return Summary(
        customer=customer[starts],
        x=ends - starts,
        recency_days=day[ends] - day[starts],
        age_days=as_of - day[starts],
        spend_days=np.add.reduceat(counted.astype(np.int64), starts),
        spend=np.add.reduceat(np.where(counted, spend, 0), starts),
        as_of=as_of,
    )


def window(log: PurchaseDays, after: int, until: int) -> tuple[IntArray, IntArray]:
    """Purchase days and spend (minor units) per customer code in ``after < day <= until``.

    Index the result by ``Summary.customer`` to line it up with a summary. Raises InputError when the window is empty.
    """
    if until <= after:
        raise InputError(f"window: day {until} does not come after day {after}")
    inside = (log.day > after) & (log.day <= until)
    codes = log.customer[inside]
    purchases = np.bincount(codes, minlength=log.n_customers).astype(np.int64)
    # Sums of int64, never floats, so that every engine and order of rows agrees.
    spend = np.zeros(log.n_customers, np.int64)
    np.add.at(spend, codes, log.spend[inside])
    return purchases, spend


def _whole(values: npt.ArrayLike, column: str) -> IntArray:
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"column {column}: {array.ndim} dimensions, one is needed")
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"column {column}: not numeric ({error})") from error
    refuse_where(~np.isfinite(numbers) | (numbers != np.floor(numbers)), numbers, column, "must be a whole number")
    return numbers.astype(np.int64)
