"""Reading the reserved attributes (:mod:`rondo.analysis.reserved`) of all customers from the columnar copy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.reserved import RELATIONS, TYPES
from rondo.warehouse.tables import Tables

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reserved:
    """What is known of each customer, in the order of their ids; nan where nothing is. Dates are day numbers.

    ``relationship_survey`` holds numbers of :class:`rondo.science.standing.Relation`.
    """

    contract_end: Numbers
    notice_months: Numbers
    connected_products: Numbers
    commitment: Numbers
    promoter_score: Numbers
    community_member: Numbers
    relationship_survey: Numbers
    relationship_survey_on: Numbers


def read_reserved(tables: Tables, ids: npt.NDArray[np.int64]) -> Reserved:
    """The reserved attributes of the customers ``ids`` (ascending).

    Of merged records the survivor's own value counts, else that of the record entered first, as everywhere.
    """
    t = tables.attributes
    rows = tables.arrow(
        t.filter(t.key.isin(list(TYPES)))
        .select("key", "type", "customer_id", "record_id", "choice", "number", "day")
        .order_by("key", "customer_id", t.record_id != t.customer_id, "record_id")
    )
    customers = rows["customer_id"].to_numpy()
    place = np.clip(np.searchsorted(ids, customers), 0, max(ids.size - 1, 0))
    shown = ids[place] == customers if ids.size else np.zeros(customers.size, bool)
    found = {}
    for key, kind in TYPES.items():
        fits = pc.and_(pc.equal(rows["key"], key), pc.equal(rows["type"], kind)).to_numpy()
        mine = np.flatnonzero(fits & shown)
        first = mine[np.concatenate(([True], customers[mine][1:] != customers[mine][:-1]))] if mine.size else mine
        column = np.full(ids.size, np.nan)
        column[place[first]] = _numbers(rows.take(pa.array(first)), kind)
        found[key] = column
    return Reserved(**found)


def _numbers(rows: pa.Table, kind: str) -> Numbers:
    if kind == "choice":
        codes: Any = pc.index_in(rows["choice"], pa.array(RELATIONS, pa.string()))
        return np.asarray(codes.cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)
    column = rows["day"].cast(pa.int32()) if kind == "date" else rows["number"]
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)
