"""What may be known on a day: the one place where rows after ``as_of`` are cut off, for all facts alike."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis

from rondo.warehouse.tables import Tables


@dataclass(frozen=True)
class Past:
    """Ibis tables of the rows up to the end of day ``as_of``; orders in ``currency`` only, since no rates are known.

    ``lines`` carry the customer of their order.
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
        interactions=tables.interactions.filter(lambda t: t.business_date <= day),
        exposures=tables.exposures.filter(lambda t: (t.sent_on <= day) & (t.suppressed == "")),
    )
