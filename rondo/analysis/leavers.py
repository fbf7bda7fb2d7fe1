"""Who has said that they leave, from the columnar copy, and of whom that still holds."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.between import placed
from rondo.analysis.facts import Past
from rondo.warehouse.tables import Tables

Whole = npt.NDArray[np.int64]


def stated(tables: Tables, known: Past, ids: Whole, kind: str) -> tuple[Whole, Whole]:
    """Each inbound contact of a kind: the customer by position in ``ids``, and its day number."""
    t = known.interactions
    rows = tables.arrow(t.filter((t.direction == "inbound") & (t.kind == kind)).select("customer_id", "business_date"))
    place, here = placed(rows["customer_id"].to_numpy(), ids)
    return place[here], rows["business_date"].cast(pa.int32()).to_numpy()[here].astype(np.int64)


def still_gone(customer: Whole, day: Whole, last_purchase: Any) -> npt.NDArray[np.bool_]:
    """Whether a customer cancelled and bought on no later day: ``customer`` (positions) cancelled on ``day``,
    ``last_purchase`` is the day of everybody's last purchase."""
    never = np.iinfo(np.int64).min
    last = last_purchase.cast(pa.int32()).fill_null(np.iinfo(np.int32).min).to_numpy().astype(np.int64)
    latest = np.full(last.size, never)
    np.maximum.at(latest, customer, day)
    return np.asarray((latest > never) & (latest >= last))


__all__ = ["stated", "still_gone"]
