"""What was really paid for products, and what is known of their kind, maker and size, read from the columnar copy."""

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.facts import Past
from rondo.analysis.next.lines import Lines
from rondo.science.price_tiers import Goods, Paid, Sizes
from rondo.warehouse.tables import Tables

_EPOCH = ibis.date("1970-01-01")


def read_paid(tables: Tables, known: Past, lines: Lines) -> tuple[Paid, Goods]:
    """Lines above 0 with a quantity above 0 of the customers shown, a row per customer, product and day, in the codes
    of ``lines``; and the products' category, brand and size."""
    orders = known.orders.select(order_id="id", business_date="business_date")
    t = known.lines.filter(lambda row: (row.total > 0) & (row.quantity_milli > 0))
    t = t.join(orders, "order_id").semi_join(known.customers.select(customer_id="id"), "customer_id")
    t = t.mutate(
        day=t.business_date.delta(_EPOCH, unit="day").cast("int64"),
        saved=t.discount.fill_null(0) + t.coupon_discount.fill_null(0) + t.match_discount.fill_null(0),
    )
    found = tables.arrow(
        t.group_by("customer_id", "product_id", "day").aggregate(
            units=lambda row: row.quantity_milli.sum().cast("int64"),
            paid=lambda row: row.total.sum().cast("int64"),
            saved=lambda row: row.saved.sum().cast("int64"),
        )
    )
    paid = Paid(
        _places(found["customer_id"], lines.customers),
        _places(found["product_id"], lines.products),
        found["day"].to_numpy(),
        found["units"].to_numpy(),
        found["paid"].to_numpy(),
        np.maximum(found["saved"].to_numpy(), 0),
    )
    return paid, _goods(tables, known, lines)


def _goods(tables: Tables, known: Past, lines: Lines) -> Goods:
    rows = tables.arrow(
        known.products.left_join(known.categories, known.products.category_id == known.categories.id).select(
            id=known.products.id, path=known.categories.path, brand=known.products.brand, size=known.products.size
        )
    )
    place: Any = pc.index_in(pa.array(lines.products), rows["id"])
    paths, brands, sizes = (rows[name].take(place).fill_null("").to_pylist() for name in ("path", "brand", "size"))
    code = {brand: number for number, brand in enumerate(sorted({*brands} - {""}))}
    return Goods(paths, np.array([code.get(brand, -1) for brand in brands], np.int64), Sizes.parse(sizes))


def _places(values: pa.ChunkedArray, known: Any) -> Any:
    found: Any = pc.index_in(values, pa.array(known))
    return found.to_numpy().astype(np.int64)
