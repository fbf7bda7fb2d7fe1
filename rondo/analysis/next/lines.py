"""The lines of baskets up to the day of a run as arrays of codes, read from the columnar copy."""

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.facts import Past
from rondo.warehouse.tables import Tables

Codes = npt.NDArray[np.int64]
_EPOCH = ibis.date("1970-01-01")


@dataclass(frozen=True)
class Lines:
    """One row per line that is no return. ``customer``, ``product``: codes in ``customers`` and ``products`` (ids,
    ascending); ``basket``: the order's id; ``day``: since 1970-01-01.

    Per product: ``kind`` its category, ``shelf`` that on the second level, ``floor`` that on the first, as codes;
    ``buyer``, ``bought``: who ever bought which product, returns and gifts included, as rules ask for it.
    ``shelves``: paths of the second level by code, the first being empty, of products without a category.
    """

    customers: Codes
    products: Codes
    customer: Codes
    basket: Codes
    product: Codes
    day: Codes
    kind: Codes
    shelf: Codes
    floor: Codes
    buyer: Codes
    bought: Codes
    shelves: list[str]

    def name_of(self, shelf: int) -> str:
        """The name of a category on the second level."""
        return self.shelves[shelf].rpartition(" > ")[2]


def read_lines(tables: Tables, known: Past) -> Lines:
    """The lines of all customers shown, of orders and lines above 0."""
    orders = known.orders.select(order_id="id", business_date="business_date")
    t = known.lines.filter(lambda row: (row.total >= 0) & (row.quantity_milli > 0))
    t = t.join(orders, "order_id").semi_join(known.customers.select(customer_id="id"), "customer_id")
    found = tables.arrow(
        t.select("customer_id", "order_id", "product_id", day=t.business_date.delta(_EPOCH, unit="day").cast("int64"))
    )
    ever = tables.arrow(known.lines.select("customer_id", "product_id").distinct())
    goods = tables.arrow(
        known.products.left_join(known.categories, known.products.category_id == known.categories.id).select(
            id=known.products.id, path=known.categories.path
        )
    )
    customers, customer = np.unique(found["customer_id"].to_numpy(), return_inverse=True)
    products, product = np.unique(found["product_id"].to_numpy(), return_inverse=True)
    buyer, bought = _codes(ever["customer_id"], customers), _codes(ever["product_id"], products)
    here = (buyer >= 0) & (bought >= 0)
    buyer, bought = buyer[here], bought[here]
    paths = _paths(goods, products)
    kind = np.unique(np.array(paths, dtype=object).astype(str), return_inverse=True)[1] if paths else products
    shelves = sorted({"", *(" > ".join(path.split(" > ")[:2]) for path in paths)})
    shelf_of = {path: code for code, path in enumerate(shelves)}
    shelf = [shelf_of[" > ".join(path.split(" > ")[:2])] for path in paths]
    floors = {path: code for code, path in enumerate(sorted({path.partition(" > ")[0] for path in paths}))}
    return Lines(
        customers.astype(np.int64),
        products.astype(np.int64),
        customer.astype(np.int64),
        found["order_id"].to_numpy(),
        product.astype(np.int64),
        found["day"].to_numpy(),
        np.asarray(kind, np.int64),
        np.array(shelf, np.int64),
        np.array([floors[path.partition(" > ")[0]] for path in paths], np.int64),
        buyer,
        bought,
        shelves,
    )


def _codes(values: pa.ChunkedArray, known: npt.NDArray[Any]) -> Codes:
    """Places of values among the known ones (ascending); -1 where they are not."""
    found: Any = pc.index_in(values, pa.array(known)).fill_null(-1)
    codes: Codes = found.to_numpy().astype(np.int64)
    return codes


def _paths(goods: pa.Table, products: Codes) -> list[str]:
    """Category path per product, empty where there is none."""
    place: Any = pc.index_in(pa.array(products), goods["id"])
    found: list[str] = goods["path"].take(place).fill_null("").to_pylist()
    return found
