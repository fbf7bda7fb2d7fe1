"""The served tables of a run, scores and histories: filled beside the old, put in their place in one transaction."""

import io
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
from django.db import connection, transaction
from django.db.models import Model

from rondo.analysis import images
from rondo.analysis.models import History, Run, Score
from rondo.analysis.scores_beside import BESIDE

TABLE = Score._meta.db_table
FIRST = ("value", "activity", "risk", "stage")
"""Facts whose index a run waits for: what pages link lists by. Those of large bases follow (:func:`index`)."""
INDEXED_AT_ONCE = 100_000
"""Customers of a base that is not large: its run waits for all indices and for its old tables to go."""
_OLD = "_old"
_CHUNK = 20_000
_IMAGE = "rows_at_once"
_SORTED_KIB = 2000
"""What SQLite sorts at once where it builds an index."""


def schema(model: type[Model] = Score) -> pa.Schema:
    """Columns and Arrow types of a served table, the customer first."""
    kinds = {
        "OneToOneField": pa.int64(),
        "BigIntegerField": pa.int64(),
        "IntegerField": pa.int64(),
        "FloatField": pa.float64(),
        "DateField": pa.date32(),
        "CharField": pa.string(),
        "TextField": pa.string(),
    }
    return pa.schema([(field.column, kinds[field.get_internal_type()]) for field in model._meta.concrete_fields])


def leftovers(*models: type[Model]) -> list[str]:
    """Tables of runs that died before they were put in place: of ``models``, else of scores and histories."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
    heads = tuple(f"{model._meta.db_table}_run_" for model in models or (Score, History))
    return [name for name in names if name.startswith(heads)]


def drop(names: Sequence[str]) -> None:
    """Drop tables that :func:`leftovers` found."""
    # Scores are keys and figures alone. To write zeros over all their pages, as some builds of SQLite do, would hold
    # the write lock for many seconds.
    freely = _set(secure_delete="FAST") if connection.vendor == "sqlite" else nullcontext()
    with freely, connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)}")


def prepare(run_id: int, rows: pa.Table, model: type[Model] = Score) -> str:
    """Make and fill a table for a run, out of sight; returns its name. Scores get an index per column, those of a large
    base at first only the columns :data:`FIRST`; tables :data:`BESIDE` them one per column named there.

    Rows go in by chunks, each its own transaction, so that no writer waits long.
    """
    name = f"{model._meta.db_table}_run_{run_id}"
    quoted = connection.ops.quote_name(name)
    editor = connection.SchemaEditorClass(connection, collect_sql=True)
    editor.deferred_sql = []
    create, parameters = editor.table_sql(model)
    if connection.vendor == "sqlite":
        # An "integer" key (the very word) is the row's own number: no index of keys beside the table, and every other
        # index ends with it unasked.
        create = create.replace(" bigint NOT NULL PRIMARY KEY", " integer NOT NULL PRIMARY KEY", 1)
    with connection.cursor() as cursor:
        # No constraint by name: names are unique in a PostgreSQL schema, and the old table still has them.
        cursor.execute(create.replace(connection.ops.quote_name(model._meta.db_table), quoted, 1), parameters or None)
    rows = rows.select(schema(model).names).cast(schema(model))
    _fill(quoted, rows)
    columns: Sequence[str] = BESIDE.get(model, ())
    if model is Score:
        columns = rows.schema.names[1:] if rows.num_rows <= INDEXED_AT_ONCE else FIRST
    with _sorting(), connection.cursor() as cursor:
        for column in columns:
            _create_index(cursor, run_id, column, quoted)
    return name


def index(run_id: int) -> int:
    """Give the scores being served the indices that their run did not wait for, while they are those of that run;
    returns how many. Safe to run twice, and beside another run.

    Each is a transaction of its own, so that no writer waits long.
    """
    columns = unindexed(run_id)
    with _sorting(), connection.cursor() as cursor:
        for built, column in enumerate(columns):
            with transaction.atomic():
                if connection.vendor == "postgresql":  # else the run could be replaced between the look and the index
                    cursor.execute(f"LOCK TABLE {connection.ops.quote_name(TABLE)} IN SHARE MODE")
                if not Run.objects.filter(pk=run_id, is_current=True).exists():
                    return built
                _create_index(cursor, run_id, column, connection.ops.quote_name(TABLE))
    return len(columns)


def unindexed(run_id: int) -> list[str]:
    """Facts without an index in the scores being served, if they are those of the run of that key."""
    with connection.cursor() as cursor:
        known = connection.introspection.get_constraints(cursor, TABLE)
    return [column for column in schema().names[1:] if f"score_{run_id}_{column}" not in known]


def _create_index(cursor: Any, run_id: int, column: str, quoted: str) -> None:
    name = connection.ops.quote_name(f"score_{run_id}_{column}")
    # On SQLite every index ends with the key of the row unasked.
    columns = connection.ops.quote_name(column) + ("" if connection.vendor == "sqlite" else ", customer_id")
    cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {quoted} ({columns})")


@contextmanager
def _sorting() -> Iterator[None]:
    """Build indices on SQLite in half the time: sorted in runs that fit the processor's cache and merged by way of a
    file, where one list of a million rows in memory misses the cache at every step."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:  # within a transaction it cannot be set
        yield
        return
    with _set(temp_store="FILE", cache_size=-_SORTED_KIB):
        yield


@contextmanager
def _set(**pragmas: str | int) -> Iterator[None]:
    """Settings of this connection to SQLite for a while."""
    with connection.cursor() as cursor:
        before = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas}
        for name, value in pragmas.items():
            cursor.execute(f"PRAGMA {name} = {value}")
        try:
            yield
        finally:
            for name, value in before.items():
                cursor.execute(f"PRAGMA {name} = {value}")


def put_in_place(*names: str, large: bool = False) -> None:
    """Let prepared tables take the place of those being served; inside the caller's transaction.

    The old ones go at once, but those of a ``large`` base on SQLite, whose every page is read for it: :func:`clear`
    drops them after the run.
    """
    later = large and connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        for name in names:
            prepared, served = connection.ops.quote_name(name), connection.ops.quote_name(name.rpartition("_run_")[0])
            cursor.execute(f"ALTER TABLE {served} RENAME TO {connection.ops.quote_name(name + _OLD)}")
            cursor.execute(f"ALTER TABLE {prepared} RENAME TO {served}")
    if not later:
        drop([name + _OLD for name in names])


def clear() -> None:
    """Drop the tables whose place others took, index by index, so that no writer waits long."""
    for name in leftovers():
        if name.endswith(_OLD):
            with connection.cursor() as cursor:
                known = connection.introspection.get_constraints(cursor, name)
                for key in (key for key, one in known.items() if one["index"] and not one["primary_key"]):
                    cursor.execute(f"DROP INDEX IF EXISTS {connection.ops.quote_name(key)}")
            drop([name])


def _fill(quoted: str, rows: pa.Table) -> None:
    with _imaging() as imaging, connection.cursor() as cursor:
        create = ""
        if imaging:
            cursor.execute("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = %s", [quoted.strip('"')])
            create = cursor.fetchone()[0]
        for start in range(0, rows.num_rows, _CHUNK):
            part = rows.slice(start, _CHUNK)
            image = images.image(create, part) if imaging else None
            if image is not None:
                connection.connection.deserialize(image, name=_IMAGE)
            with transaction.atomic():
                _insert(quoted, part, imaged=image is not None)


@contextmanager
def _imaging() -> Iterator[bool]:
    """Room for a second database, in memory, on this connection to SQLite, and whether there is: a transaction would
    hold on to the first image that it reads."""
    if connection.vendor != "sqlite" or connection.in_atomic_block or not hasattr(sqlite3.Connection, "deserialize"):
        yield False
        return
    with connection.cursor() as cursor:
        cursor.execute(f"ATTACH ':memory:' AS {_IMAGE}")
        try:
            yield True
        finally:
            cursor.execute(f"DETACH {_IMAGE}")


def _insert(quoted: str, rows: pa.Table, *, imaged: bool) -> None:
    if imaged:
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO main.{quoted} SELECT * FROM {_IMAGE}.{quoted}")
        return
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
