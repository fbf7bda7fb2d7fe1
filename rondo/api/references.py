"""Public ids of records that have no pages of their own under one: users, teams, runs of imports, changes."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Manager

from rondo.foundation import audit, ids
from rondo.foundation.models import AuditEntry

USER, TEAM, INVITATION, SESSION, TOKEN = "u", "tm", "iv", "us", "tk"
CHANGE = "ch"
"""An entry of the audit log: what was changed, and what can be taken back by it."""
RUN = "ld"
"""A run of an import."""

T = TypeVar("T")


def change_of(entry: AuditEntry | None) -> str | None:
    """The public id of a change; None where nothing was changed."""
    return None if entry is None else ids.encode(CHANGE, entry.pk)


def key_in(rows: Manager[Any], pk: int) -> str:
    """The ``key`` of the row of a primary key; empty where it is gone."""
    return str(rows.filter(pk=pk).values_list("key", flat=True).first() or "")


def last_change(record_type: str, record_id: int) -> int:
    """The key of the last entry about a record; 0 where there is none."""
    return next((entry.pk for entry in audit.entries_of(record_type, record_id, 1)), 0)


def changed(record_type: str, record_id: int, change: Callable[[], T]) -> tuple[T, str | None]:
    """What ``change`` returns, and the public id of the change that it made of the record; None where it made none."""
    before = last_change(record_type, record_id)
    done = change()
    after = last_change(record_type, record_id)
    return done, None if after == before else ids.encode(CHANGE, after)
