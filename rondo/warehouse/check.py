"""Comparing the columnar copy with the operational store: counts and whole-number sums of what is visible."""

from dataclasses import dataclass

from rondo.foundation.registry import WarehouseTable
from rondo.warehouse.extract import one_row, read_transaction
from rondo.warehouse.refresh import table_list
from rondo.warehouse.tables import Tables, open_tables

_INTEGERS = {"int64", "int32"}


@dataclass(frozen=True)
class Comparison:
    """One figure of one table on both sides: ``rows``, or the sum of a column of whole numbers."""

    table: str
    figure: str
    store: int
    copy: int

    @property
    def same(self) -> bool:
        return self.store == self.copy


def compare() -> list[Comparison]:
    """Counts and sums of every table, in the store and in the copy as it stands (nothing is refreshed).

    Rows of import runs that are not visible are left out on both sides.

    Raises:
        StateError: there is no copy yet.
    """
    found: list[Comparison] = []
    with open_tables() as tables, read_transaction():
        for table in table_list():
            names = ["rows", *(name for name, (_sql, kind) in table.columns.items() if kind in _INTEGERS)]
            for name, store, copy in zip(names, _store(table), _copy(tables, table), strict=True):
                found.append(Comparison(table.key, name, store, copy))
    return found


def _store(table: WarehouseTable) -> list[int]:
    sums = ["count(*)"]
    sums += [f"coalesce(sum({sql}), 0)" for sql, kind in table.columns.values() if kind in _INTEGERS]
    where = ""
    if table.load_sql:
        shown = "SELECT id FROM foundation_load WHERE status = 'visible'"
        where = f" WHERE {table.load_sql} IS NULL OR {table.load_sql} IN ({shown})"
    return [int(value) for value in one_row(f"SELECT {', '.join(sums)} FROM {table.source}{where}")]


def _copy(tables: Tables, table: WarehouseTable) -> list[int]:
    sums = ["count(*)"]
    sums += [f"coalesce(sum({name}), 0)" for name, (_sql, kind) in table.columns.items() if kind in _INTEGERS]
    where = ""
    if table.load_sql:
        where = " WHERE load_id IS NULL OR load_id IN (SELECT id FROM raw_loads WHERE status = 'visible')"
    (row,) = tables.rows(f"SELECT {', '.join(sums)} FROM raw_{table.key}{where}")
    return [int(value) for value in row]
