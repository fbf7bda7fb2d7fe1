"""Reading rows out of the operational store in columnar batches, within one consistent read transaction.

SQLite gives rows of Python values that become Arrow arrays; PostgreSQL streams COPY text that Arrow parses itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
from django.db import connection, transaction

from rondo.foundation.registry import WarehouseTable

BATCH_ROWS = 65_536

_TYPES = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "date32": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def arrow_schema(table: WarehouseTable) -> pa.Schema:
    """The Arrow schema of a table of the copy; every column may be null."""
    return pa.schema([pa.field(name, _TYPES[kind]) for name, (_sql, kind) in table.columns.items()])


@contextmanager
def read_transaction() -> Iterator[None]:
    """All reads inside see the same state of the operational store, and nobody has to wait for them.

    Inside a transaction of the caller that one is used as it stands.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # Not transaction.atomic(): that begins IMMEDIATE and would hold the write lock through the whole read.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("COMMIT")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def one_row(sql: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
    """The one row that ``sql`` gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or [])
        return tuple(cursor.fetchone())


def batches(table: WarehouseTable, where: str, join: str = "") -> Iterator[pa.RecordBatch]:
    """Rows of ``table`` that meet ``where`` (SQL without parameters), ordered by key, in batches of bounded size."""
    if connection.vendor == "sqlite":
        return _from_sqlite(table, where, join)
    return _from_postgresql(table, where, join)


def _select(table: WarehouseTable, expressions: list[str], where: str, join: str) -> str:
    return (
        f"SELECT {', '.join(expressions)} FROM {table.source} {join} WHERE {where or '1 = 1'} ORDER BY {table.key_sql}"
    )


def _from_sqlite(table: WarehouseTable, where: str, join: str) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(table)
    # The unary plus makes a column an expression, so that Django's converters (a call per value) leave it alone.
    sql = _select(table, [f"+({expression})" for expression, _kind in table.columns.values()], where, join)
    connection.ensure_connection()
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql)
        while rows := cursor.fetchmany(BATCH_ROWS):
            # Column by column: to zip so many rows at once takes several times as long, one step in each row in turn.
            columns = [
                _sqlite_array([row[place] for row in rows], kind)
                for place, (_sql, kind) in enumerate(table.columns.values())
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
    finally:
        cursor.close()


def _sqlite_array(values: list[Any], kind: str) -> pa.Array:
    """SQLite keeps dates and times as text and yes/no as 0/1."""
    if kind == "bool":
        return pa.array(values, pa.int8()).cast(pa.bool_())
    if kind == "date32":
        return pa.array(values, pa.string()).cast(pa.date32())
    if kind == "timestamp":
        return pc.assume_timezone(pa.array(values, pa.string()).cast(pa.timestamp("us")), "UTC")
    return pa.array(values, _TYPES[kind])


class _Copied:
    """The blocks of a PostgreSQL COPY as a file that can be read."""

    closed = False

    def __init__(self, blocks: Iterator[Any]) -> None:
        self._blocks = blocks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        parts, length = [self._rest], len(self._rest)
        while size < 0 or length < size:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(bytes(block))
            length += len(block)
        data = b"".join(parts)
        if size < 0:
            size = len(data)
        self._rest = data[size:]
        return data[:size]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def _from_postgresql(table: WarehouseTable, where: str, join: str) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(table)
    expressions = [
        f"({expression}) AT TIME ZONE 'UTC'" if kind == "timestamp" else f"({expression})"
        for expression, kind in table.columns.values()
    ]
    read_as = {field.name: pa.timestamp("us") if pa.types.is_timestamp(field.type) else field.type for field in schema}
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({_select(table, expressions, where, join)}) TO STDOUT (FORMAT csv)") as copied,
    ):
        source = _Copied(iter(copied))
        head = source.read(1)
        if not head:
            return
        source._rest = head + source._rest
        reader = pc_csv.open_csv(
            pa.PythonFile(source, mode="r"),
            read_options=pc_csv.ReadOptions(column_names=schema.names, block_size=4 << 20, use_threads=False),
            parse_options=pc_csv.ParseOptions(newlines_in_values=True),
            convert_options=pc_csv.ConvertOptions(
                column_types=read_as,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
        for batch in reader:
            yield pa.RecordBatch.from_arrays(
                [
                    pc.assume_timezone(array, "UTC") if pa.types.is_timestamp(array.type) else array
                    for array in batch.columns
                ],
                schema=schema,
            )
