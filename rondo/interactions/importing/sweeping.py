"""Rows of imports that died: found by the spans of ids they were given, deleted in chunks, never visible meanwhile."""

import contextlib
import logging
from collections.abc import Iterator

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from rondo.errors import StateError
from rondo.foundation.models import Load
from rondo.foundation.registry import LoadedTable, registries
from rondo.interactions.importing.locking import exclusive
from rondo.interactions.importing.rejects import remove_unfinished
from rondo.interactions.importing.staging import remove_dead_folders

log = logging.getLogger("rondo.import")
_IDS = 20_000


def sweep_dead_loads() -> list[int]:
    """Delete the rows of imports whose process died; the ids of these loads. Does nothing while an import is running.

    Safe to run at any time, by any process: who holds the lock of imports knows that whatever is still loading is dead.
    """
    if not _dead():
        remove_dead_folders()  # of runs that died after their last commit
        remove_unfinished()
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
        _end(load, Load.Status.ABANDONED if load.status == Load.Status.LOADING else load.status)
    remove(dead)
    remove_dead_folders()
    remove_unfinished()
    return [load.pk for load in dead]


def clean(load: Load, status: str) -> None:
    """End a load that was never visible and delete its rows. What cannot be deleted now (no room, the connection is
    gone) stays hidden and is left to the next sweep."""
    if _end(load, status):
        remove([load])


def _end(load: Load, status: str) -> bool:
    with _left_to_the_next_sweep(load):
        ended = Load.objects.filter(pk=load.pk).exclude(status__in=[Load.Status.VISIBLE, Load.Status.UNDONE])
        if ended.update(status=status, finished_at=timezone.now(), lease_until=None):
            load.status = Load.Status(status)
            return True
    return False


@contextlib.contextmanager
def _left_to_the_next_sweep(load: Load) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        log.warning("Import %s could not be tidied up now, the next sweep will: %s", load.pk, error)


def remove(loads: list[Load]) -> None:
    """Delete the rows of loads that have ended, table by table over all of them: a dead load may refer to records of
    one that died before it. The caller holds the lock."""
    pending = [load for load in loads if load.status in {Load.Status.FAILED, Load.Status.ABANDONED}]
    for table in sorted(registries.loaded_tables, key=lambda item: -item.order):
        for load in list(pending):
            pending.remove(load)
            with _left_to_the_next_sweep(load):
                _remove_from(table, load)
                pending.append(load)


def _remove_from(table: LoadedTable, load: Load) -> None:
    name = table.model._meta.db_table
    spans = dict(Load.objects.values_list("spans", flat=True).get(pk=load.pk))
    if name not in spans:
        return
    low, high = spans[name]
    if table.remove is None:
        _delete(table.model, load.pk, spans[name])
    elif table.remove(load, low, high):
        if _others_wait(load):
            return  # what needs these rows may be about to go
        # whoever needs them stands: they are no longer the dead load's
        table.model._default_manager.filter(load_id=load.pk, pk__range=(low, high)).update(load=None)
    del spans[name]
    Load.objects.filter(pk=load.pk).update(spans=spans)
    load.spans = spans


def _others_wait(load: Load) -> bool:
    """Whether another dead load waits for its sweep, whose rows may need those of ``load``."""
    return any(other.pk != load.pk for other in _dead())


def _delete(model: type, load_id: int, span: list[int]) -> None:
    """Delete a load's rows of one table by ranges of keys, each in a transaction of its own."""
    meta = model._meta  # type: ignore[attr-defined]
    name, key = meta.db_table, meta.pk.column
    columns = {field.column for field in meta.concrete_fields}
    if "load_id" in columns:
        condition = "load_id = %s"
    elif "customer_id" in columns:  # words of names belong to the load of their customer
        condition = (
            f'EXISTS (SELECT 1 FROM "customers_customer" AS c WHERE c.id = "{name}".customer_id AND c.load_id = %s)'
        )
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
