"""The columnar copy as Ibis tables: what analysts and the analysis read.

Each name is a view that leaves out rows of hidden import runs and of retracted interactions, and in which
``customer_id`` is the surviving customer (``record_id`` the record the row was written with). ``raw`` has the files as
they are.
"""

from pathlib import Path
from typing import Any

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from deltalake import DeltaTable
from django.conf import settings
from django.utils.translation import gettext as _

from rondo.errors import InputError, StateError
from rondo.foundation.registry import WarehouseTable
from rondo.warehouse import delta
from rondo.warehouse.extract import arrow_schema
from rondo.warehouse.refresh import table_list

_DUCK_TYPES = {
    "int64": "BIGINT",
    "int32": "INTEGER",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "string": "VARCHAR",
    "date32": "DATE",
    "timestamp": "TIMESTAMPTZ",
}
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
    "buying_stages",
    "buying_moves",
)
"""Tables that the analysis writes, opened where they are there."""


class _Raw:
    """The tables as the files have them, hidden and retracted rows included."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return self._connection.table(f"raw_{name}")


class Tables:
    """Ibis tables over the columnar copy, of the moment it was opened.

    ``tables.orders`` and so on are Ibis expressions; ``tables.sql(text)`` reads the same names in SQL; ``names`` lists
    them; ``raw`` has the files without any row left out. ``connection`` is the Ibis backend.
    """

    def __init__(self, connection: Any, names: list[str], schemas: dict[str, Any]) -> None:
        self.connection = connection
        self.names = names
        self._schemas = schemas
        self.raw = _Raw(connection)
        self._queries = 0
        self._kept = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.names:
            raise AttributeError(f"no table {name!r}; there are {', '.join(self.names)}")
        # What a view gives is known: asking the engine for it costs more than many a query.
        schema = self._schemas.get(name)
        return self.connection.table(name) if schema is None else self._table(name, schema)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def sql(self, text: str) -> Any:
        """The result of a query in DuckDB's SQL, as an Ibis table."""
        # By way of a view: the `sql` of Ibis 12 calls what DuckDB 2 no longer has.
        self._queries += 1
        name = f"query_{self._queries}"
        _view(self.connection, name, text.strip().rstrip(";"))
        return self.connection.table(name)

    def keep(self, expression: Any) -> Any:
        """The table of an Ibis expression, computed now and held by the engine until these tables are closed."""
        # Not by `expression.cache()` of Ibis 12: DuckDB 2 does not take its way of dropping a table.
        self._kept += 1
        name = f"kept_{self._kept}"
        schema, types = expression.schema(), self.connection.compiler.type_mapper
        # DuckDB adds whole numbers up in 128 bits, where Ibis promises 64.
        columns = [f"CAST({_name(key)} AS {types.to_string(kind)}) AS {_name(key)}" for key, kind in schema.items()]
        query = self.connection.compile(expression)
        self.connection.raw_sql(f"CREATE TEMP TABLE {name} AS SELECT {', '.join(columns)} FROM ({query})")
        return self._table(name, schema)

    def take(self, rows: pa.Table) -> Any:
        """The table of rows that come from elsewhere, held by the engine until these tables are closed."""
        # Not by `create_table` of Ibis 12: DuckDB 2 does not take its way of dropping a view.
        self._kept += 1
        name = f"kept_{self._kept}"
        self.connection.con.register(f"taken_{self._kept}", rows)
        self.connection.raw_sql(f"CREATE TEMP TABLE {name} AS SELECT * FROM taken_{self._kept}")
        self.connection.con.unregister(f"taken_{self._kept}")
        return self._table(name, ibis.schema(rows.schema))

    def _table(self, name: str, schema: Any) -> Any:
        return ops.DatabaseTable(name, schema=schema, source=self.connection, namespace=ops.Namespace()).to_expr()

    def arrow(self, expression: Any) -> pa.Table:
        """Run an Ibis expression and return an Arrow table."""
        return self.connection.to_pyarrow(expression)

    def close(self) -> None:
        """Free the engine's memory."""
        self.connection.disconnect()

    def __enter__(self) -> "Tables":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def connect() -> Any:
    """The query engine that ``RONDO_ENGINE`` names, as an Ibis backend.

    Raises:
        InputError: the setting names no engine.
    """
    name, _colon, memory = str(settings.RONDO_ENGINE).partition(":")
    if name != "duckdb":
        raise InputError(
            _("RONDO_ENGINE=%(value)r: write duckdb, or duckdb:4GB to bound its memory.")
            % {"value": settings.RONDO_ENGINE}
        )
    spill = Path(settings.RONDO_WAREHOUSE) / ".spill"
    connection = ibis.duckdb.connect(temp_directory=str(spill), autoinstall_known_extensions=False)
    connection.raw_sql("SET TimeZone = 'UTC'")
    if memory:
        try:
            connection.raw_sql(f"SET memory_limit = '{memory.replace(chr(39), '')}'")
        except Exception as error:
            raise InputError(
                _("RONDO_ENGINE=%(value)r: %(memory)r is no size such as 4GB.")
                % {"value": settings.RONDO_ENGINE, "memory": memory}
            ) from error
    return connection


def open_tables() -> Tables:
    """Open the columnar copy as it stands now.

    Raises:
        StateError: there is no copy yet.
    """
    tables = table_list()
    found = {table.key: delta.existing(table.key) for table in tables}
    # A table that a newer version added is not there until the next refresh; what does not ask for it goes on.
    tables = [table for table in tables if found[table.key] is not None]
    if missing := [key for key in ("customers", "loads", "retractions", "survivors") if found[key] is None]:
        raise StateError(
            _("The columnar copy has no %(tables)s yet; run “rondo warehouse refresh” first.")
            % {"tables": ", ".join(missing)}
        )
    connection = connect()
    for table in tables:
        files = found[table.key]
        assert files is not None
        _view(connection, f"raw_{table.key}", _files_sql(table, files))
    # As literals: an OR with a subquery would cost a join per row.
    rows = connection.raw_sql("SELECT id FROM raw_loads WHERE status = 'visible' ORDER BY id").fetchall()
    loads = [int(row[0]) for row in rows]
    retracted = connection.raw_sql("SELECT count(*) FROM raw_retractions").fetchone()[0] > 0
    merged = connection.raw_sql("SELECT count(*) FROM raw_survivors").fetchone()[0] > 0
    for table in tables:
        _view(connection, table.key, visible_sql(table, loads, retracted=retracted, merged=merged))
    names = [table.key for table in tables]
    for name in _WORKED_OUT:
        written = delta.existing(name)
        if written is not None and written.file_uris():
            _view(connection, name, f"SELECT * FROM read_parquet({_quoted(written.file_uris())})")
            names.append(name)
    return Tables(connection, names, {table.key: visible_schema(table) for table in tables})


def visible_schema(table: WarehouseTable) -> Any:
    """The Ibis schema of a table's visible view."""
    kinds = {name: kind for name, (_sql, kind) in table.columns.items() if name not in _HIDDEN}
    return ibis.schema(
        {name: _IBIS_TYPES.get(kind, kind) for name, kind in kinds.items()}
        | ({"record_id": "int64"} if table.customer else {})
    )


def visible_sql(table: WarehouseTable, loads: list[int], *, retracted: bool, merged: bool) -> str:
    """The visible view over the raw one: rows of no load or of one of ``loads``.

    ``retracted``, ``merged``: whether there are any, so that the join for them is needed.
    """
    columns = []
    source = f"raw_{table.key} AS t"
    for name in table.columns:
        if name == table.customer and merged:
            columns.append("coalesce(s.survivor_id, t.customer_id) AS customer_id")
        elif name not in _HIDDEN:
            columns.append(f"t.{_name(name)}")
    if table.customer:
        columns.append(f"t.{table.customer} AS record_id")
        if merged:
            source += f" LEFT JOIN raw_survivors s ON s.customer_id = t.{table.customer}"
    conditions = []
    if table.load_sql:
        listed = f" OR t.load_id IN ({', '.join(map(str, loads))})" if loads else ""
        conditions.append(f"(t.load_id IS NULL{listed})")
    if table.retracted_by and retracted:
        column = f"t.{table.retracted_by}"
        conditions.append(f"({column} IS NULL OR {column} NOT IN (SELECT interaction_id FROM raw_retractions))")
    if table.keep:
        conditions.append(f"({table.keep})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(columns)} FROM {source}{where}"


def _files_sql(table: WarehouseTable, found: DeltaTable) -> str:
    files = found.file_uris()
    if files:
        # A column that a newer version added is empty until the next refresh; what does not ask for it goes on.
        there = {field.name for field in found.schema().fields}
        columns = [
            _name(name) if name in there else f"CAST(NULL AS {_DUCK_TYPES[kind]}) AS {_name(name)}"
            for name, (_sql, kind) in table.columns.items()
        ]
        return f"SELECT {', '.join(columns)} FROM read_parquet({_quoted(files)})"
    nothing = ", ".join(
        f"CAST(NULL AS {_DUCK_TYPES[kind]}) AS {_name(name)}" for name, (_sql, kind) in table.columns.items()
    )
    return f"SELECT {nothing} WHERE false"


def _name(column: str) -> str:
    return f'"{column}"'


def _quoted(files: list[str]) -> str:
    return "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "]"


def _view(connection: Any, name: str, sql: str) -> None:
    connection.raw_sql(f"CREATE VIEW {name} AS {sql}")


__all__ = ["Tables", "arrow_schema", "connect", "open_tables", "visible_sql"]
