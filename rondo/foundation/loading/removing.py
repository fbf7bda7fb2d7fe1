"""Takes rows of a dead load out of a table that large tables refer to without an index.

Both databases look for referring rows once per deleted row, which over twenty million order lines and thousands of
products never ends. Here one pass over the referring table answers for all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, models, transaction

_BATCH = 20_000
_LOCK_WAIT = "5s"


class Reference(NamedTuple):
    """A foreign key that points at a table: where it stands, and whether an index leads to it."""

    table: str
    column: str
    key: str
    ascending: bool
    indexed: bool


def references(model: type[models.Model]) -> list[Reference]:
    """Every foreign key that points at ``model``."""
    found = []
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        field: models.ForeignKey[Any, Any] = relation.field
        meta = field.model._meta
        leading = [index.fields[0] for index in meta.indexes if index.fields and index.condition is None]
        leading += [
            str(constraint.fields[0])
            for constraint in meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and constraint.fields and constraint.condition is None
        ]
        found.append(
            Reference(
                meta.db_table,
                str(field.column),
                str(meta.pk.column),
                isinstance(meta.pk, models.AutoField | models.BigAutoField),
                bool(getattr(field, "db_index", False) or field.unique or field.name in leading),
            )
        )
    return found


def remove_unreferenced(model: type[models.Model], load_id: int, low: int, high: int) -> int:
    """Delete the rows of a load with keys from ``low`` to ``high`` that nothing refers to; how many are left.

    The caller holds the lock of imports, so that no other load refers to the rows meanwhile. Safe to be killed at any
    moment and to be run again.

    On SQLite, referring keys are gathered by one pass before the write lock is taken, and those written since inside
    it; then the search per row is switched off for the deletion alone. On PostgreSQL, whose search cannot be switched
    off, an index that holds only references to these keys lives for as long as the transaction; writers of the
    referring table wait that long. Memory: the keys still referred to, normally none.

    Raises:
        DatabaseError: no room, no right to make an index, or readers held the referring table for too long; nothing or
            whole batches were deleted then, and the next run continues.
    """
    if connection.vendor == "sqlite":
        _remove_on_sqlite(model, load_id, low, high)
    else:
        _remove_on_postgresql(model, load_id, low, high)
    return model._default_manager.filter(load_id=load_id, pk__range=(low, high)).count()


def _referred(reference: Reference, low: int, high: int, after: int | None = None) -> set[int]:
    newer = f' AND "{reference.key}" > %s' if after is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT DISTINCT "{reference.column}" FROM "{reference.table}" '
            f'WHERE "{reference.column}" BETWEEN %s AND %s{newer}',
            [low, high, *([] if after is None else [after])],
        )
        return {int(row[0]) for row in cursor.fetchall()}


def _newest(reference: Reference) -> int | None:
    """The highest key of the referring table, below which nothing new appears; None where keys do not ascend."""
    if not reference.ascending:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT max("{reference.key}") FROM "{reference.table}"')
        return int(cursor.fetchone()[0] or 0)


@contextmanager
def _without_search() -> Iterator[None]:
    """SQLite's own search for referring rows is off inside; within a transaction it cannot be, and stays on."""
    if connection.in_atomic_block:
        yield
        return
    was_on = connection.disable_constraint_checking()
    try:
        yield
    finally:
        if was_on:
            connection.enable_constraint_checking()


def _remove_on_sqlite(model: type[models.Model], load_id: int, low: int, high: int) -> None:
    meta = model._meta
    pending = references(model)
    newest = {reference: _newest(reference) for reference in pending}
    needed: set[int] = set()
    for reference in pending:
        needed |= _referred(reference, low, high)
    with _without_search():
        for start in range(low, high + 1, _BATCH):
            end = min(start + _BATCH - 1, high)
            with transaction.atomic(), connection.cursor() as cursor:
                for reference in pending:
                    needed |= _referred(reference, low, high, newest[reference])
                keys = sorted(key for key in needed if start <= key <= end)
                cursor.execute(
                    f'DELETE FROM "{meta.db_table}" WHERE "{meta.pk.column}" BETWEEN %s AND %s AND load_id = %s '
                    f'AND "{meta.pk.column}" NOT IN (SELECT value FROM json_each(%s))',
                    [start, end, load_id, str(keys)],
                )


def _remove_on_postgresql(model: type[models.Model], load_id: int, low: int, high: int) -> None:
    meta = model._meta
    pending = references(model)
    helpers = [(f"rondo_removing_{n}", item) for n, item in enumerate(pending) if not item.indexed]
    low, high = int(low), int(high)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name, item in helpers:
            cursor.execute(
                f'CREATE INDEX {name} ON "{item.table}" ("{item.column}") '
                f'WHERE "{item.column}" >= {low} AND "{item.column}" <= {high}'
            )
        unreferenced = "".join(
            f' AND NOT EXISTS (SELECT 1 FROM "{item.table}" AS r WHERE r."{item.column}" = t."{meta.pk.column}" '
            f'AND r."{item.column}" >= {low} AND r."{item.column}" <= {high})'
            for item in pending
        )
        cursor.execute(
            f'DELETE FROM "{meta.db_table}" AS t WHERE t."{meta.pk.column}" BETWEEN %s AND %s AND t.load_id = %s'
            f"{unreferenced}",
            [low, high, load_id],
        )
        for name, _item in helpers:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
