"""Audit entries: written by actions, inside their transaction, never changed."""

from collections.abc import Iterable, Mapping
from typing import Any

from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry

Changes = Mapping[str, list[Any]]


def entry(actor: Actor, verb: str, record_type: str, record_id: int, changes: Changes) -> AuditEntry:
    """An unsaved entry; ``changes`` maps a field to [before, after], both JSON values."""
    return AuditEntry(
        actor=actor.user,
        door=actor.door,
        verb=verb,
        record_type=record_type,
        record_id=record_id,
        changes=dict(changes),
        load_id=actor.load_id,
    )


def record(actor: Actor, verb: str, record_type: str, record_id: int, changes: Changes) -> None:
    """Write one entry."""
    entry(actor, verb, record_type, record_id, changes).save(force_insert=True)


def record_many(entries: Iterable[AuditEntry]) -> None:
    """Write many entries at once (imports, jobs)."""
    AuditEntry.objects.bulk_create(entries, batch_size=1000)


def entries_of(record_type: str, record_id: int, limit: int = 50) -> list[AuditEntry]:
    """The latest entries of one record, newest first. The caller has checked that the record is visible."""
    return list(
        AuditEntry.objects.filter(record_type=record_type, record_id=record_id)
        .select_related("actor")
        .order_by("-id")[:limit]
    )
