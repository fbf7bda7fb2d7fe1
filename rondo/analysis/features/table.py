"""Computing the feature table, and reading it for the science floor."""

import hashlib
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.analysis.facts import Past
from rondo.analysis.features import names
from rondo.foundation.registry import registries
from rondo.science.features import Features
from rondo.warehouse.tables import Tables


def feature_table(known: Past) -> Any:
    """One row per surviving customer: ``customer_id`` and a float column per feature, null where it is not known."""
    base = known.customers.select(customer_id="id")
    parts = [(group, known.keep(group.build(known))) for group in registries.features]
    joined = reduce(lambda table, part: table.left_join(part[1], "customer_id", rname="{name}_again"), parts, base)
    columns = {}
    for group, _part in parts:
        for feature in group.features:
            column = joined[feature.key].cast("float64")
            columns[feature.key] = column.fill_null(0.0) if feature.zero else column
    return joined.select(customer_id=base.customer_id, **columns)


def restricted(known: Past, chosen: Any) -> Past:
    """The same past of some customers alone: those in the column ``chosen`` of an Ibis table."""
    some = known.keep(chosen.select("chosen").distinct())

    def of(table: Any, column: str = "customer_id") -> Any:
        return table.filter(table[column].isin(some.chosen))

    return replace(
        known,
        customers=of(known.customers, "id"),
        orders=of(known.orders),
        lines=of(known.lines),
        interactions=of(known.interactions),
        exposures=of(known.exposures),
    )


@dataclass(frozen=True)
class Known:
    """The feature table read: keys of customers, ascending, and their features in the same order."""

    customers: npt.NDArray[np.int64]
    features: Features

    @property
    def fingerprint(self) -> str:
        """SHA-256 of keys, names and values; equal for equal content."""
        digest = hashlib.sha256("\x1f".join(self.features.names).encode())
        digest.update(np.ascontiguousarray(self.customers, "<i8").tobytes())
        digest.update(np.ascontiguousarray(np.round(self.features.values, 9) + 0.0, "<f8").tobytes())
        return digest.hexdigest()

    def places(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Row numbers of those of ``customers`` that are in the table."""
        found = np.searchsorted(self.customers, customers)
        inside = found < self.customers.size
        inside[inside] = self.customers[found[inside]] == customers[inside]
        return found[inside].astype(np.int64)

    def mask(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether each row is one of ``customers``."""
        chosen = np.zeros(self.customers.size, bool)
        chosen[self.places(customers)] = True
        return chosen


def read(tables: Tables, known: Past) -> Known:
    """Compute the feature table and hand it to the science floor."""
    table = tables.arrow(feature_table(known).order_by("customer_id"))
    keys = names()
    values = np.empty((table.num_rows, len(keys)))
    for number, key in enumerate(keys):
        values[:, number] = table[key].to_numpy()
    return Known(table["customer_id"].to_numpy().astype(np.int64), Features(keys, values))
