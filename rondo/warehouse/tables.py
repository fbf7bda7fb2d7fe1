"""The columnar copy as Ibis tables: what analysts and the analysis read.

Each name is a view that leaves out rows of hidden import runs and of retracted interactions, and in which
``customer_id`` is the surviving customer (``record_id`` the record the row was written with). ``raw`` has the files as
they are.
"""

from collections.abc import Callable
from datetime import date
from functools import partial
from threading import RLock
from typing import Any

import ibis
import pyarrow as pa
from django.utils.translation import gettext as _

from rondo.errors import StateError
from rondo.foundation.registry import WarehouseTable
from rondo.warehouse import chronology, delta
from rondo.warehouse.chronology import Chronology
from rondo.warehouse.engines import Engine, connect
from rondo.warehouse.engines.engine import quoted
from rondo.warehouse.extract import arrow_schema
from rondo.warehouse.refresh import table_list

_IBIS_TYPES = {"bool": "boolean", "date32": "date", "timestamp": "timestamp('UTC', 6)"}
_HIDDEN = {"load_id", "is_merged"}
_WORKED_OUT = (
    "scores",
    "standing",
    "marks",
    "next_products",
    "next_categories",
    "next_due",
    "pairs",
    "price_tiers",
    "product_tiers",
    "trading_up",
    "buying_stages",
    "buying_moves",
    "leads",
    "interests",
)
"""Tables that the analysis writes, opened where they are there."""
_EVERYWHERE = {"loads", "retractions", "survivors", "binned", "interactions"}
"""Tables that views of others read."""


class _Raw:
    """The tables as the files have them, hidden and retracted rows included."""

    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def __getattr__(self, name: str) -> Any:
        self._tables._name(f"raw_{name}")
        return self._tables._engine.backend.table(f"raw_{name}")


class Tables:
    """Ibis tables over the columnar copy, of the moment it was opened.

    ``tables.orders`` and so on are Ibis expressions; ``tables.sql(text)`` reads the same names in SQL; ``names`` lists
    them; ``raw`` has the files without any row left out.
    """

    def __init__(
        self,
        engine: Engine,
        names: list[str],
        schemas: dict[str, Any],
        unnamed: dict[str, Callable[[], None]],
        chain: list[str],
    ) -> None:
        self._engine = engine
        self._chain = chain
        self.names = names
        self._schemas = schemas
        # A name is given to the engine when it is first asked for: most of who opens the copy reads a few tables.
        self._unnamed = unnamed
        self._naming = RLock()
        self.raw = _Raw(self)
        self._queries = 0
        self._kept = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.names:
            raise AttributeError(f"no table {name!r}; there are {', '.join(self.names)}")
        self._name(name)
        schema = self._schemas.get(name)
        return self._engine.backend.table(name) if schema is None else self._engine.table(name, schema)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def _name(self, *names: str) -> None:
        with self._naming:
            for name in names:
                if give := self._unnamed.pop(name, None):
                    if f"raw_{name}" in self._unnamed:
                        self._name(f"raw_{name}")
                    give()

    @property
    def connection(self) -> Any:
        """The Ibis backend, in which all tables have their names."""
        self._name(*self._unnamed)
        return self._engine.backend

    @property
    def in_process(self) -> bool:
        """Whether the engine's rows are in this process, so that taking many of them costs little."""
        return self._engine.in_process

    def sql(self, text: str) -> Any:
        """The result of a query in the engine's own SQL, as an Ibis table."""
        # By way of a view: the `sql` of Ibis 12 calls what DuckDB 2 no longer has.
        self._queries += 1
        name = f"query_{self._queries}"
        backend = self.connection
        self._engine.view(name, text.strip().rstrip(";"))
        return backend.table(name)

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        """The rows of a small query in SQL that both engines read."""
        self._name(*self._unnamed)
        return self._engine.rows(text)

    def chronology(self, first: date | None = None, last: date | None = None) -> Chronology | None:
        """The order of all interactions, for a question about those of these days. None where they are too few for it,
        and where it cannot be kept: see :func:`rondo.warehouse.chronology.opened`."""
        if not self.in_process or not self._chain:
            return None
        rows = self.raw.interactions
        if first is not None:
            rows = rows.filter(rows.business_date >= ibis.literal(first))
        if last is not None:
            rows = rows.filter(rows.business_date <= ibis.literal(last))
        worth = self.arrow(rows.count()).as_py() >= chronology.WORTH
        return chronology.opened(self, self._chain) if worth else None

    def keep(self, expression: Any) -> Any:
        """The table of an Ibis expression, computed once and held by the engine until these tables are closed."""
        self._kept += 1
        return self._engine.keep(f"kept_{self._kept}", expression)

    def take(self, rows: pa.Table) -> Any:
        """The table of rows that come from elsewhere, held by the engine until these tables are closed."""
        self._kept += 1
        return self._engine.take(f"kept_{self._kept}", rows)

    def arrow(self, expression: Any) -> Any:
        """Run an Ibis expression and return what it gives as an Arrow table (a column as an array, a figure as a
        scalar)."""
        return self._engine.arrow(expression)

    def close(self) -> None:
        """Free the engine's memory."""
        self._engine.close()

    def __enter__(self) -> "Tables":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


_NEEDED = ("customers", "loads", "retractions", "survivors")


def is_there() -> bool:
    """Whether there is a columnar copy that can be opened."""
    return all(delta.existing(key) is not None for key in _NEEDED)


def open_tables() -> Tables:
    """Open the columnar copy as it stands now.

    Raises:
        StateError: there is no copy yet.
    """
    tables = table_list()
    found = {table.key: delta.existing(table.key) for table in tables}
    # A table that a newer version added is not there until the next refresh; what does not ask for it goes on.
    tables = [table for table in tables if found[table.key] is not None]
    if missing := [key for key in _NEEDED if found[key] is None]:
        raise StateError(
            _("The columnar copy has no %(tables)s yet; run “rondo warehouse refresh” first.")
            % {"tables": ", ".join(missing)}
        )
    engine = connect()
    try:
        return _named(engine, tables, found)
    except BaseException:
        engine.close()
        raise


def _named(engine: Engine, tables: list[WarehouseTable], found: dict[str, Any]) -> Tables:
    unnamed: dict[str, Callable[[], None]] = {
        f"raw_{table.key}": partial(engine.files, f"raw_{table.key}", found[table.key], arrow_schema(table))
        for table in tables
    }
    for key in _EVERYWHERE & found.keys():
        if give := unnamed.pop(f"raw_{key}", None):
            give()
    # As literals: an OR with a subquery would cost a join per row.
    loads = [int(row[0]) for row in engine.rows("SELECT id FROM raw_loads WHERE status = 'visible' ORDER BY id")]
    retracted = engine.rows("SELECT count(*) FROM raw_retractions")[0][0] > 0
    merged = engine.rows("SELECT count(*) FROM raw_survivors")[0][0] > 0
    # None where the copy is of a version that knew no bin
    binned = found.get("binned") is not None and engine.rows("SELECT count(*) FROM raw_binned")[0][0] > 0
    for table in tables:
        sql = visible_sql(table, loads, retracted=retracted, merged=merged, binned=binned)
        unnamed[table.key] = partial(engine.view, table.key, sql)
    names = [table.key for table in tables]
    for name in _WORKED_OUT:
        written = delta.existing(name)
        if written is not None and written.file_uris():
            unnamed[name] = partial(engine.files, name, written, pa.schema(written.schema().to_arrow()))
            names.append(name)
    chain = found.get(chronology.CHAIN)
    files = [] if chain is None else chain.file_uris()
    return Tables(engine, names, {table.key: visible_schema(table) for table in tables}, unnamed, files)


def visible_schema(table: WarehouseTable) -> Any:
    """The Ibis schema of a table's visible view."""
    kinds = {name: kind for name, (_sql, kind) in table.columns.items() if name not in _HIDDEN}
    return ibis.schema(
        {name: _IBIS_TYPES.get(kind, kind) for name, kind in kinds.items()}
        | ({"record_id": "int64"} if table.customer else {})
    )


def visible_sql(table: WarehouseTable, loads: list[int], *, retracted: bool, merged: bool, binned: bool = False) -> str:
    """The visible view over the raw one: rows of no load or of one of ``loads``.

    ``retracted``, ``merged``, ``binned``: whether there are any, so that the join for them is needed.
    """
    columns = []
    source = f"raw_{table.key} AS t"
    for name in table.columns:
        if name == table.customer and merged:
            columns.append("coalesce(s.survivor_id, t.customer_id) AS customer_id")
        elif name not in _HIDDEN:
            columns.append(f"t.{quoted(name)}")
    if table.customer:
        columns.append(f"t.{table.customer} AS record_id")
        if merged:
            source += f" LEFT JOIN raw_survivors s ON s.customer_id = t.{table.customer}"
    conditions = []
    if table.load_sql:
        # Keys of loads begin with 1. One comparison takes half as long as two that are joined by OR.
        conditions.append(f"coalesce(t.load_id, 0) IN ({', '.join(map(str, [0, *loads]))})")
    if table.retracted_by and retracted:
        column = f"t.{table.retracted_by}"
        conditions.append(f"({column} IS NULL OR {column} NOT IN (SELECT interaction_id FROM raw_retractions))")
    if binned and not table.ledger and table.key != "binned":
        people = [*table.people, *([table.customer] if table.customer else [])]
        conditions += [_out_of_bin(f"t.{name}", "SELECT customer_id FROM raw_binned") for name in people]
        if table.retracted_by and not table.customer:  # parts of what a customer did
            theirs = "SELECT id FROM raw_interactions WHERE customer_id IN (SELECT customer_id FROM raw_binned)"
            conditions.append(_out_of_bin(f"t.{table.retracted_by}", theirs))
    if table.keep:
        conditions.append(f"({table.keep})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(columns)} FROM {source}{where}"


def _out_of_bin(column: str, keys: str) -> str:
    return f"({column} IS NULL OR {column} NOT IN ({keys}))"


__all__ = ["Tables", "open_tables", "visible_schema", "visible_sql"]
