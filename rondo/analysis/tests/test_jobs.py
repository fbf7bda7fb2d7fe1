"""Periodic work: nothing without purchases, nothing when nothing changed."""

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string

from rondo.analysis import jobs
from rondo.analysis.models import Run
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.registry import registries

pytestmark = pytest.mark.django_db


def test_periodic_jobs_are_registered() -> None:
    assert {"tidy", "refresh", "analysis", "sweep"} <= set(registries.periodic.keys())
    for job in registries.periodic:
        assert callable(import_string(job.run) if isinstance(job.run, str) else job.run)


def test_the_nightly_run_leaves_an_empty_or_unchanged_base_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Actor] = []
    monkeypatch.setattr(jobs, "run_analysis", asked.append)
    jobs.nightly(system("job"))
    assert asked == []
    monkeypatch.setattr(jobs, "standing", lambda: _Some())
    jobs.nightly(system("job"))
    assert asked == [system("job")]
    now = timezone.now()
    Run.objects.create(as_of=now.date(), status=Run.Status.DONE, started_at=now)
    audit.record(system(), "analysis.run", "run", 1, {})
    jobs.nightly(system("job"))
    assert len(asked) == 1
    audit.record(system(), "customer.changed", "customer", 1, {})
    jobs.nightly(system("job"))
    assert len(asked) == 2


class _Some:
    """A query that finds something."""

    def filter(self, **conditions: object) -> "_Some":
        return self

    def exists(self) -> bool:
        return True
