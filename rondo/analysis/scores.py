"""The wide table of scores: a new one is filled beside the old and put in its place in one transaction."""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
from django.db import connection, transaction

from rondo.analysis.models import Score

TABLE = Score._meta.db_table
_CHUNK = 20_000


def schema() -> pa.Schema:
    """Columns and Arrow types of the score table, the customer first."""
    kinds = {
        "OneToOneField": pa.int64(),
        "BigIntegerField": pa.int64(),
        "IntegerField": pa.int64(),
        "FloatField": pa.float64(),
        "DateField": pa.date32(),
        "CharField": pa.string(),
    }
    return pa.schema([(field.column, kinds[field.get_internal_type()]) for field in Score._meta.concrete_fields])


def leftovers() -> list[str]:
    """Tables of runs that died before they were put in place."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
    return [name for name in names if name.startswith(f"{TABLE}_run_")]


def drop(names: Sequence[str]) -> None:
    """Drop tables that :func:`leftovers` found."""
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")


def prepare(run_id: int, rows: pa.Table) -> str:
    """Make, fill and index a score table for a run, out of sight; returns its name.

    Rows go in by chunks, each its own transaction, so that no writer waits long.
    """
    name = f"{TABLE}_run_{run_id}"
    quoted = connection.ops.quote_name(name)
    editor = connection.SchemaEditorClass(connection, collect_sql=True)
    editor.deferred_sql = []
    create, parameters = editor.table_sql(Score)
    with connection.cursor() as cursor:
        # No constraint by name: names are unique in a PostgreSQL schema, and the old table still has them.
        cursor.execute(create.replace(connection.ops.quote_name(TABLE), quoted, 1), parameters or None)
    rows = rows.select(schema().names).cast(schema())
    for start in range(0, rows.num_rows, _CHUNK):
        with transaction.atomic():
            _insert(quoted, rows.slice(start, _CHUNK))
    for column in rows.schema.names[1:]:
        index = connection.ops.quote_name(f"score_{run_id}_{column}")
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE INDEX {index} ON {quoted} ({connection.ops.quote_name(column)}, customer_id)")
    return name


def put_in_place(name: str) -> None:
    """Let a prepared table take the place of the one being served; inside the caller's transaction."""
    old = connection.ops.quote_name(f"{name}_old")
    served = connection.ops.quote_name(TABLE)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {served} RENAME TO {old}")
        cursor.execute(f"ALTER TABLE {connection.ops.quote_name(name)} RENAME TO {served}")
        cursor.execute(f"DROP TABLE {old}")


def _insert(quoted: str, rows: pa.Table) -> None:
    if connection.vendor == "postgresql":
        buffer = io.BytesIO()
        pc_csv.write_csv(rows, buffer, pc_csv.WriteOptions(include_header=False))
        columns = ", ".join(rows.schema.names)
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {quoted} ({columns}) FROM STDIN (FORMAT csv)") as copied,
        ):
            copied.write(buffer.getvalue())
        return
    values = [
        (pc.cast(column, pa.string()) if pa.types.is_date(column.type) else column).to_pylist()
        for column in rows.columns
    ]
    marks = ", ".join("?" for _name in rows.schema.names)
    connection.connection.executemany(
        f"INSERT INTO {quoted} ({', '.join(rows.schema.names)}) VALUES ({marks})", zip(*values, strict=True)
    )
