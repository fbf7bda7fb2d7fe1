"""Rows of imports that died: found by the spans of ids they were given, deleted in chunks, never visible meanwhile."""

import contextlib

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from rondo.errors import StateError
from rondo.foundation.models import Load
from rondo.foundation.registry import registries
from rondo.interactions.importing.locking import exclusive

_IDS = 20_000


def sweep_dead_loads() -> list[int]:
    """Delete the rows of imports whose process died; the ids of these loads. Does nothing while an import is running.

    Safe to run at any time, by any process: who holds the lock of imports knows that whatever is still loading is dead.
    """
    if not _dead():
        return []
    try:
        with exclusive():
            return sweep_locked()
    except StateError:
        return []


def _dead() -> list[Load]:
    unfinished = Load.objects.filter(status=Load.Status.LOADING)
    unswept = Load.objects.filter(status__in=[Load.Status.FAILED, Load.Status.ABANDONED]).exclude(spans={})
    return [*unfinished, *unswept]


def sweep_locked() -> list[int]:
    """As :func:`sweep_dead_loads`, for a caller that holds the lock."""
    dead = _dead()
    for load in dead:
        clean(load, Load.Status.ABANDONED if load.status == Load.Status.LOADING else load.status)
    return [load.pk for load in dead]


def clean(load: Load, status: str) -> None:
    """End a load that was never visible and delete its rows. What cannot be deleted now (no room, the connection is
    gone) stays hidden and is left to the next sweep."""
    with contextlib.suppress(DatabaseError):
        ended = Load.objects.filter(pk=load.pk).exclude(status__in=[Load.Status.VISIBLE, Load.Status.UNDONE])
        if not ended.update(status=status, finished_at=timezone.now(), lease_until=None):
            return
        load.status = Load.Status(status)
        spans = dict(Load.objects.values_list("spans", flat=True).get(pk=load.pk))
        for table in sorted(registries.loaded_tables, key=lambda item: -item.order):
            name = table.model._meta.db_table
            if name in spans and table.swept:
                _delete(table.model, load.pk, spans[name])
                del spans[name]
                Load.objects.filter(pk=load.pk).update(spans=spans)
        load.spans = spans


def _delete(model: type, load_id: int, span: list[int]) -> None:
    """Delete a load's rows of one table by ranges of keys, each in a transaction of its own."""
    meta = model._meta  # type: ignore[attr-defined]
    name, key = meta.db_table, meta.pk.column
    columns = {field.column for field in meta.concrete_fields}
    if "load_id" in columns:
        condition = "load_id = %s"
    else:  # order lines belong to the load of their order
        condition = (
            f'EXISTS (SELECT 1 FROM "interactions_order" AS o WHERE o.interaction_id = "{name}".order_id '
            "AND o.load_id = %s)"
        )
    low, high = span
    for start in range(low, high + 1, _IDS):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f'DELETE FROM "{name}" WHERE "{key}" BETWEEN %s AND %s AND {condition}',
                [start, min(start + _IDS - 1, high), load_id],
            )
