"""The copy keeps up: brought up when anything may have changed, left alone otherwise."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rondo.errors import StateError
from rondo.foundation import audit
from rondo.foundation.actors import system
from rondo.foundation.models import AuditEntry
from rondo.warehouse import jobs
from rondo.warehouse.models import CopyState

pytestmark = pytest.mark.django_db


def test_brought_up_when_something_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(jobs, "refresh", lambda: calls.append(1))
    assert jobs.keep_up(system("job"))
    CopyState.objects.create(table="loads", refreshed_at=timezone.now())
    assert not jobs.keep_up(system("job"))
    audit.record(system(), "customer.changed", "customer", 1, {})
    assert jobs.keep_up(system("job"))
    with audit.door_opened("this test sets the clock"):
        AuditEntry.objects.update(at=timezone.now() - timedelta(hours=1))
    assert not jobs.keep_up(system("job"))
    assert len(calls) == 2


def test_somebody_else_refreshing_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> None:
        raise StateError("another refresh is under way")

    monkeypatch.setattr(jobs, "refresh", busy)
    assert not jobs.keep_up(system("job"))
