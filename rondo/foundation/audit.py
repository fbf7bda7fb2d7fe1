"""Audit entries: written by actions, inside their transaction, never changed (triggers of the database see to it)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Q

from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, Load
from rondo.foundation.registry import registries

Changes = Mapping[str, list[Any]]
_BATCH = 1000


def entry(
    actor: Actor, verb: str, record_type: str, record_id: int, changes: Changes, about: int | None = None
) -> AuditEntry:
    """An unsaved entry; ``changes`` maps a field to [before, after], both JSON values. ``about``: the key of
    the customer record that the record is a part of, where it is none itself."""
    return AuditEntry(
        actor=actor.user,
        door=actor.door,
        verb=verb,
        record_type=record_type,
        record_id=record_id,
        changes=dict(changes),
        load_id=actor.load_id,
        about=about,
    )


def record(actor: Actor, verb: str, record_type: str, record_id: int, changes: Changes) -> AuditEntry:
    """Write one entry."""
    row = entry(actor, verb, record_type, record_id, changes)
    row.save(force_insert=True)
    _follow([row])
    return row


def record_many(entries: Iterable[AuditEntry]) -> None:
    """Write many entries at once (imports, jobs)."""
    rest = iter(entries)
    while batch := list(islice(rest, _BATCH)):
        _follow(AuditEntry.objects.bulk_create(batch))


def _follow(rows: Sequence[AuditEntry]) -> None:
    """Tell who follows the log, in the transaction that wrote the rows."""
    for follow in registries.noted:
        follow(rows)


def entries_of(record_type: str, record_id: int, limit: int = 50) -> list[AuditEntry]:
    """The latest entries of one record, newest first. The caller has checked that the record is visible."""
    return list(
        AuditEntry.objects.filter(record_type=record_type, record_id=record_id)
        .select_related("actor")
        .order_by("-id")[:limit]
    )


def changed_since(moment: datetime, *, apart_from: Iterable[str] = ()) -> bool:
    """Whether an action or a load may have changed anything after ``moment``: for periodic work that has nothing to do
    otherwise. Entries of record types ``apart_from`` do not count (those that the work writes itself)."""
    entries = AuditEntry.objects.exclude(record_type__in=list(apart_from))
    last = entries.order_by("-id").values_list("at", flat=True).first()
    if last is not None and last > moment:
        return True
    return Load.objects.filter(Q(started_at__gt=moment) | Q(finished_at__gt=moment)).exists()


@contextmanager
def door_opened(reason: str) -> Iterator[None]:
    """Let audit entries be changed or deleted within the block: for erasure, which must take values out of them.

    Inside a transaction nobody else's door is opened; call it there. ``reason`` stands in the door's row meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO foundation_audit_door (reason) VALUES (%s)", [reason[:200]])
    try:
        yield
    finally:
        if not connection.needs_rollback and connection.is_usable():  # else the row goes with the transaction
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM foundation_audit_door")
