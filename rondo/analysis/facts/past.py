"""What may be known on a day: the one place where rows after ``as_of`` are cut off, for all facts alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.interactions.queries import traces
from rondo.warehouse.tables import Tables

_EPOCH = ibis.date("1970-01-01")


@dataclass(frozen=True)
class Past:
    """Ibis tables of the rows up to the end of day ``as_of``; orders in ``currency`` only, since no rates are known;
    interactions without traces, such as opened mails, which are no contacts.

    ``lines`` carry the customer of their order. ``keep`` computes an expression once and holds its rows: what is read
    more than once, and the parts that a query is put together from. Small queries one after the other are written
    faster than one of everything, and need less memory.
    """

    as_of: date
    currency: str
    customers: Any
    orders: Any
    lines: Any
    products: Any
    categories: Any
    interactions: Any
    exposures: Any
    keep: Callable[[Any], Any]

    @cached_property
    def purchase_days(self) -> Any:
        """One row per customer and purchase day: ``customer_id``, ``day`` (days since 1970-01-01), ``spend`` (of the
        orders above 0, in minor units)."""
        bought = self.orders.filter(lambda t: t.total >= 0)
        bought = bought.select("customer_id", "total", day=bought.business_date.delta(_EPOCH, unit="day"))
        return self.keep(bought.group_by("customer_id", "day").aggregate(spend=lambda t: t.total.sum().cast("int64")))

    def held(self) -> "Past":
        """The same with orders and lines computed once: for a run, which reads them ten times over."""
        return replace(self, orders=self.keep(self.orders), lines=self.keep(self.lines))


def past(tables: Tables, as_of: date, currency: str) -> Past:
    """Cut the tables of the columnar copy off at the end of day ``as_of``."""
    day = ibis.literal(as_of)
    orders = tables.orders.filter(lambda t: (t.business_date <= day) & (t.currency == currency))
    lines = tables.order_lines.join(orders.select(order_id="id", customer_id="customer_id"), "order_id")
    return Past(
        as_of=as_of,
        currency=currency,
        customers=tables.customers,
        orders=orders,
        lines=lines,
        products=tables.products,
        categories=tables.categories,
        interactions=tables.interactions.filter(lambda t: (t.business_date <= day) & ~t.kind.isin(traces())),
        exposures=tables.exposures.filter(lambda t: (t.sent_on <= day) & (t.suppressed == "")),
        keep=tables.keep,
    )


def only(tables: Tables, past: Past, customers: npt.NDArray[np.int64]) -> Past:
    """What is known of some customers alone."""
    chosen = tables.take(pa.table({"member": pa.array(customers, pa.int64())}))
    rows = {
        name: table.filter(table.customer_id.isin(chosen.member))
        for name, table in (
            ("orders", past.orders),
            ("lines", past.lines),
            ("interactions", past.interactions),
            ("exposures", past.exposures),
        )
    }
    return replace(past, customers=past.customers.filter(past.customers.id.isin(chosen.member)), **rows)
