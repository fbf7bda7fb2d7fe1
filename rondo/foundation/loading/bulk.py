"""Writing and finding many rows at once: executemany on SQLite, COPY on PostgreSQL, always on Django's own connection.

Foreign keys, unique constraints and checks stay in force; only Django's row objects are left out.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from django.db import connection, models
from django.utils.translation import gettext as _

from rondo.errors import StateError

Columns = Mapping[str, Any]
"""Column name → Arrow array, or one value for all rows."""

_LOOKUP_BATCH = 20_000


def _default(field: models.Field[Any, Any], count: int) -> pa.Array:
    if field.has_default():
        return _repeat(field.get_default(), count)
    if field.null:
        return pa.nulls(count, pa.string())
    if field.blank and field.get_internal_type() in {"CharField", "TextField"}:
        return _repeat("", count)
    raise StateError(
        _("%(table)s.%(column)s: no value was given and it has no default; give one.")
        % {"table": field.model._meta.db_table, "column": field.column}
    )


def _repeat(value: Any, count: int) -> pa.Array:
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return pa.repeat(pa.scalar(value), count) if value is not None else pa.nulls(count, pa.string())


def _complete(model: type[models.Model], columns: Columns, count: int) -> pa.Table:
    """All columns of the model's table in its order, defaults filled in."""
    known: dict[str, models.Field[Any, Any]] = {str(field.column): field for field in model._meta.concrete_fields}
    if strangers := set(columns) - set(known):
        raise StateError(
            _("%(table)s: there is no column %(columns)s; check the names.")
            % {"table": model._meta.db_table, "columns": ", ".join(sorted(strangers))}
        )
    arrays = {}
    for name, field in known.items():
        value = columns[name] if name in columns else _default(field, count)
        is_array = isinstance(value, pa.Array | pa.ChunkedArray)
        arrays[name] = value if is_array else _repeat(value, count)
    return pa.table(arrays)


def _sqlite_column(column: pa.ChunkedArray) -> list[Any]:
    """Values as Django's SQLite backend writes them: times as text in UTC, with microseconds only where there are
    any."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        plain = column.cast(pa.timestamp("us"))
        whole = pc.cast(plain, pa.timestamp("s"), safe=False)
        text = pc.cast(whole, pa.string())
        exact = pc.equal(pc.cast(whole, pa.timestamp("us")), plain)
        if not pc.all(exact).as_py() and len(column) > column.null_count:
            text = pc.if_else(exact, text, pc.cast(plain, pa.string()))
        column = text
    elif pa.types.is_date(kind):
        column = pc.cast(column, pa.string())
    elif pa.types.is_boolean(kind):
        column = pc.cast(column, pa.int8())
    values: list[Any] = column.to_pylist()
    return values


def _copy(table_name: str, table: pa.Table) -> None:
    arrays = [
        pc.cast(pc.cast(column, pa.timestamp("us")), pa.timestamp("us", "UTC"))
        if pa.types.is_timestamp(column.type)
        else column
        for column in table.columns
    ]
    buffer = io.BytesIO()
    pa_csv.write_csv(
        pa.table(arrays, names=table.column_names), buffer, pa_csv.WriteOptions(include_header=False, batch_size=65_536)
    )
    names = ", ".join(f'"{name}"' for name in table.column_names)
    statement = f'COPY "{table_name}" ({names}) FROM STDIN (FORMAT csv)'
    # what ends the copy is raised where its block ends, out of sight of Django's own translation of errors
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.write(buffer.getbuffer())


def insert(model: type[models.Model], columns: Columns, count: int) -> None:
    """Insert ``count`` rows given as columns (database column names; scalars are repeated, defaults filled in)."""
    if count == 0:
        return
    table = _complete(model, columns, count)
    if connection.vendor == "postgresql":
        _copy(model._meta.db_table, table)
        return
    connection.ensure_connection()
    names = ", ".join(f'"{name}"' for name in table.column_names)
    marks = ", ".join("?" * table.num_columns)
    statement = f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})'
    with connection.wrap_database_errors:
        connection.connection.executemany(statement, zip(*map(_sqlite_column, table.columns), strict=True))


def update(model: type[models.Model], keys: pa.Array, columns: Columns) -> None:
    """Set the given columns of the rows with primary keys ``keys``; rows in the order of the keys."""
    count = len(keys)
    if count == 0:
        return
    name = model._meta.db_table
    key = str(model._meta.pk.column)
    arrays = {
        column: value if isinstance(value, pa.Array | pa.ChunkedArray) else _repeat(value, count)
        for column, value in columns.items()
    }
    if connection.vendor == "postgresql":
        staged = "rondo_update"
        wanted = ", ".join(f'"{column}"' for column in [key, *arrays])
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE TEMP TABLE {staged} ON COMMIT DROP AS SELECT {wanted} FROM "{name}" LIMIT 0')
            _copy(staged, pa.table({key: keys, **arrays}))
            assigned = ", ".join(f'"{column}" = s."{column}"' for column in arrays)
            cursor.execute(f'UPDATE "{name}" AS t SET {assigned} FROM {staged} AS s WHERE t."{key}" = s."{key}"')
            cursor.execute(f"DROP TABLE {staged}")
        return
    connection.ensure_connection()
    assigned = ", ".join(f'"{column}" = ?' for column in arrays)
    table = pa.table({**arrays, key: keys})
    with connection.wrap_database_errors:
        connection.connection.executemany(
            f'UPDATE "{name}" SET {assigned} WHERE "{key}" = ?',
            zip(*map(_sqlite_column, table.columns), strict=True),
        )


def lookup(
    model: type[models.Model],
    column: str,
    values: Iterable[Any],
    wanted: Sequence[str],
    **where: Any,
) -> list[tuple[Any, ...]]:
    """The rows whose ``column`` is one of ``values`` (and other columns equal ``where``; None is NULL), by index.

    Returns tuples of the ``wanted`` columns as Django's backend reads them raw (SQLite: times and dates as text).
    """
    name = model._meta.db_table
    picked = ", ".join(f't."{w}"' for w in wanted)
    conditions = "".join(f' AND t."{c}" IS NULL' if v is None else f' AND t."{c}" = %s' for c, v in where.items())
    parameters = [v for v in where.values() if v is not None]
    pending = list(values)
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for start in range(0, len(pending), _LOOKUP_BATCH):
            batch = pending[start : start + _LOOKUP_BATCH]
            if connection.vendor == "postgresql":
                statement = f'SELECT {picked} FROM "{name}" AS t WHERE t."{column}" = ANY(%s){conditions}'
                cursor.execute(statement, [batch, *parameters])
            else:  # CROSS JOIN keeps SQLite from turning the join around
                statement = (
                    f'SELECT {picked} FROM json_each(%s) AS k CROSS JOIN "{name}" AS t '
                    f'WHERE t."{column}" = k.value{conditions}'
                )
                cursor.execute(statement, [json.dumps(batch), *parameters])
            found.extend(cursor.fetchall())
    return found
