"""Which tables a backup holds, and how their columns are written in it, whatever the database."""

from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext as _

from rondo.errors import StateError
from rondo.foundation.registry import WarehouseTable

LEFT_OUT = {
    "django_session": "everybody signs in again",
    "foundation_usersession": "everybody signs in again",
    "foundation_loginlink": "a one-time link is made anew",
    "foundation_apianswer": "a request is sent again within a day",
    "foundation_processbeat": "says what runs now",
    "warehouse_copystate": "the columnar copy is worked out anew",
}
"""Tables that a backup does not hold, with the reason."""

Model = type[models.Model]
_KINDS = {
    "BooleanField": "bool",
    "DateField": "date32",
    "DateTimeField": "timestamp",
    "FloatField": "float64",
    "CharField": "string",
    "TextField": "string",
    "SlugField": "string",
    "EmailField": "string",
    "URLField": "string",
    "JSONField": "string",
    "DecimalField": "string",
    "UUIDField": "string",
    "GenericIPAddressField": "string",
}


def tables_of(apps: Any) -> list[Model]:
    """The models whose tables a backup holds, each after those that it refers to; columns that the database does not
    hold to what they refer to (``db_constraint=False``) ask for no order, and may close a circle."""
    known: dict[str, Model] = {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in LEFT_OUT
    }
    after = {
        name: {
            other
            for field in model._meta.local_concrete_fields
            if field.remote_field is not None
            and getattr(field, "db_constraint", True)
            and (other := field.remote_field.model._meta.db_table) in known
            and other != name
        }
        for name, model in sorted(known.items())
    }
    return [known[name] for name in TopologicalSorter(after).static_order()]


def read_as(model: Model) -> WarehouseTable:
    """The table as the columnar reader takes it: every column, in the order of the key.

    Raises:
        StateError: a column of a kind that backups do not know.
    """
    quote = connection.ops.quote_name
    columns = {str(field.column): (_sql(field, quote(field.column)), kind_of(field)) for field in _fields(model)}
    table = model._meta.db_table
    return WarehouseTable(table, "snapshot", quote(table), columns, quote(str(model._meta.pk.column)))


def kind_of(field: Any) -> str:
    """The Arrow type of a field's column, as the columnar reader names it."""
    while field.remote_field is not None:
        field = field.target_field
    kind = field.get_internal_type()
    if kind.endswith(("IntegerField", "AutoField")):
        return "int64"
    if kind not in _KINDS:
        raise StateError(
            _("%(table)s.%(column)s: backups know no columns of kind %(kind)s; rondo/backups/tables.py has to say how.")
            % {"table": field.model._meta.db_table, "column": field.column, "kind": kind}
        )
    return _KINDS[kind]


def sequences(models_: list[Model]) -> dict[str, int]:
    """The last key that each table has ever given out, so that none is given out twice after a restore."""
    found = {}
    with connection.cursor() as cursor:
        for table, sequence in _sequences(models_, cursor):
            if connection.vendor == "sqlite":
                cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            else:
                cursor.execute(f"SELECT last_value FROM {sequence} WHERE is_called")
            row = cursor.fetchone()
            if row:
                found[table] = int(row[0])
    return found


def put_sequences(models_: list[Model], last: dict[str, int]) -> None:
    """Let every table go on after its last key, or after the greatest that it holds."""
    with connection.cursor() as cursor:
        by_table = {model._meta.db_table: model for model in models_}
        for table, sequence in _sequences(models_, cursor):
            quote = connection.ops.quote_name
            cursor.execute(f"SELECT max({quote(str(by_table[table]._meta.pk.column))}) FROM {quote(table)}")
            top = max(int(cursor.fetchone()[0] or 0), last.get(table, 0))
            if not top:
                continue
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, top])
            else:
                cursor.execute("SELECT setval(%s, %s)", [sequence, top])


def _sequences(models_: list[Model], cursor: Any) -> Iterator[tuple[str, str]]:
    for model in models_:
        key = model._meta.pk
        if not key.get_internal_type().endswith("AutoField"):
            continue
        table = model._meta.db_table
        if connection.vendor == "sqlite":
            yield table, table
        else:
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'"{table}"', str(key.column)])
            yield table, str(cursor.fetchone()[0])


def _fields(model: Model) -> list[Any]:
    return list(model._meta.local_concrete_fields)


def _sql(field: Any, column: str) -> str:
    kind = field.get_internal_type()
    if kind == "UUIDField":
        return column if connection.vendor == "sqlite" else f"replace({column}::text, '-', '')"
    if kind == "GenericIPAddressField" and connection.vendor != "sqlite":
        return f"host({column})"
    if kind == "DecimalField":
        return f"CAST({column} AS text)"
    return column
