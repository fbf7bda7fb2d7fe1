"""Periodic jobs: due by the company's clock, enqueued once by however many schedulers, never on top of themselves."""

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation
from rondo.foundation.jobs import leases, scheduler
from rondo.foundation.jobs.housekeeping import tidy
from rondo.foundation.jobs.worker import Worker
from rondo.foundation.models import LoginLink, PeriodicState, ProcessBeat, User
from rondo.foundation.registry import Periodic, Registry, registries

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 3, 9, 12, 0, tzinfo=UTC)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    """Who ran the only registered job, which is due every ten minutes."""
    calls: list[Actor] = []
    periodic: Registry[Periodic] = Registry("periodic jobs")
    periodic.add("copy", Periodic("copy", calls.append, timedelta(minutes=10)))
    monkeypatch.setattr(registries, "periodic", periodic)
    return calls


def test_due_at_once_then_every_interval(ran: list[Actor]) -> None:
    assert scheduler.tick(NOW) == ["copy"]
    Worker(until_empty=True).run()
    assert ran == [system("job")]
    assert scheduler.tick(NOW + timedelta(minutes=9)) == []
    assert scheduler.tick(NOW + timedelta(minutes=10)) == ["copy"]


def test_a_job_that_is_still_running_is_not_begun_again(ran: list[Actor]) -> None:
    scheduler.tick(NOW)
    held = leases.claim("w")
    assert held is not None
    assert scheduler.tick(NOW + timedelta(minutes=10)) == []
    leases.give_back(held)
    Worker(until_empty=True).run()
    assert scheduler.tick(NOW + timedelta(minutes=20)) == ["copy"]


def test_a_key_that_is_gone_does_nothing(ran: list[Actor], monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler.tick(NOW)
    monkeypatch.setattr(registries, "periodic", Registry("periodic jobs"))
    Worker(until_empty=True).run()
    assert ran == []
    assert DBTaskResult.objects.get().status == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2024, 3, 9, 6, 0, tzinfo=UTC), datetime(2024, 3, 9, 7, 30, tzinfo=UTC)),
        (datetime(2024, 3, 9, 7, 30, tzinfo=UTC), datetime(2024, 3, 10, 7, 30, tzinfo=UTC)),
        (datetime(2024, 3, 10, 12, 0, tzinfo=UTC), datetime(2024, 3, 11, 6, 30, tzinfo=UTC)),
        (datetime(2024, 11, 2, 12, 0, tzinfo=UTC), datetime(2024, 11, 3, 7, 30, tzinfo=UTC)),
    ],
    ids=["today", "tomorrow", "after the clock went forward", "on the day the clock goes back"],
)
def test_nightly_means_the_companys_night(now: datetime, due: datetime) -> None:
    change_installation(system(), time_zone="America/New_York")
    nightly = Periodic("n", lambda actor: None, timedelta(days=1), time(2, 30))
    assert scheduler.next_due(nightly, now) == due


def test_a_nightly_job_waits_for_its_first_night(ran: list[Actor]) -> None:
    registries.periodic.add("night", Periodic("night", ran.append, timedelta(days=1), time(2, 30)))
    assert scheduler.tick(NOW) == ["copy"]
    assert PeriodicState.objects.get(key="night").due_at == datetime(2024, 3, 10, 2, 30, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_of_several_schedulers_one_enqueues(ran: list[Actor]) -> None:
    PeriodicState.objects.create(key="copy", due_at=NOW)
    begun: list[str] = []
    start = threading.Barrier(4)

    def run() -> None:
        try:
            start.wait()
            begun.extend(scheduler.tick(NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert begun == ["copy"]
    assert DBTaskResult.objects.count() == 1


def test_tidying_keeps_what_is_needed(alice: User) -> None:
    now = timezone.now()
    for n, (expires, used) in enumerate(((now + timedelta(hours=1), None), (now - timedelta(hours=1), None))):
        LoginLink.objects.create(user=alice, token_hash=str(n), expires_at=expires, used_at=used)
    ProcessBeat.objects.create(process="old", role="worker", at=now - timedelta(days=2))
    leases.beat("new", "worker")
    gone = tidy(system("job"))
    assert (gone["links"], gone["beats"]) == (1, 1)
    assert LoginLink.objects.get().token_hash == "0"
    assert ProcessBeat.objects.get().process == "new"
