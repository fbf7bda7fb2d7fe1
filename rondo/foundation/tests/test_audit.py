"""Audit entries are added by actions and by nothing else changed: the database itself refuses."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, Load, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> AuditEntry:
    audit.record(system("job"), "thing.changed", "thing", 7, {"name": ["a", "b"]})
    return AuditEntry.objects.get()


def test_who_what_and_through_which_door(alice: User) -> None:
    audit.record(Actor(alice, "api"), "thing.changed", "thing", 7, {"name": ["a", "b"]})
    audit.record_many(audit.entry(system("import"), "thing.seen", "thing", n, {}) for n in (7, 8))
    newest, oldest = audit.entries_of("thing", 7)
    assert (oldest.actor, oldest.door, oldest.verb, oldest.changes) == (
        alice,
        "api",
        "thing.changed",
        {"name": ["a", "b"]},
    )
    assert (newest.actor, newest.door, newest.verb) == (None, "import", "thing.seen")


def test_the_database_refuses_to_change_an_entry(entry: AuditEntry) -> None:
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        AuditEntry.objects.update(verb="nothing.happened")
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        AuditEntry.objects.all().delete()
    entry.refresh_from_db()
    assert entry.verb == "thing.changed"


def test_erasure_has_a_door_that_closes_again(entry: AuditEntry) -> None:
    with transaction.atomic(), audit.door_opened("erasure of thing 7"):
        AuditEntry.objects.filter(record_id=7).update(changes={})
    assert AuditEntry.objects.get().changes == {}
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.update(verb="x")


def test_the_door_closes_when_the_erasure_fails(entry: AuditEntry) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic(), audit.door_opened("erasure"):
        raise ZeroDivisionError
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.update(verb="x")


def test_what_changed_since() -> None:
    start = timezone.now()
    assert not audit.changed_since(start)
    audit.record(system(), "run.done", "run", 1, {})
    assert audit.changed_since(start)
    assert not audit.changed_since(start, apart_from=["run"])
    assert not audit.changed_since(timezone.now())
    Load.objects.create(kind="orders", file_name="f", fingerprint="f")
    assert audit.changed_since(start, apart_from=["run"])


@pytest.mark.django_db(transaction=True)
def test_flush_empties_the_audit_and_leaves_the_door_shut() -> None:
    audit.record(system(), "thing.changed", "thing", 7, {})
    call_command("flush", interactive=False, verbosity=0)
    assert not AuditEntry.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM foundation_audit_door")
        assert cursor.fetchone()[0] == 0
