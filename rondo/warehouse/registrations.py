"""Tables of the columnar copy: those of the floors below register here, upper rooms in their own registrations."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from rondo.catalogue import copied as catalogue_tables
from rondo.customers import copied as customer_tables
from rondo.foundation.registry import Periodic, WarehouseTable, registries
from rondo.interactions import copied as interaction_tables

__all__ = ["catalogue_tables", "customer_tables", "interaction_tables"]

# Refreshed last: rows of a load are seen in the copy from the moment its status is.
registries.warehouse_tables.add(
    "loads",
    WarehouseTable(
        key="loads",
        mode="snapshot",
        source="foundation_load a",
        key_sql="a.id",
        columns={"id": ("a.id", "int64"), "kind": ("a.kind", "string"), "status": ("a.status", "string")},
        order=1000,
        meaning="Import runs and whether their rows are visible.",
    ),
)


def _on_cluster() -> AbstractContextManager[Any]:
    from rondo.warehouse.engines import on_cluster  # pages have no use for the engines

    return on_cluster()


registries.clusters.add("spark", _on_cluster)
registries.periodic.add("refresh", Periodic("refresh", "rondo.warehouse.jobs.keep_up", timedelta(minutes=5)))
