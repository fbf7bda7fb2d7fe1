"""Jobs: claimed once, taken up again when the worker died, failed when they kill it, left alone while it lives."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from rondo.foundation.jobs import enqueue_after_commit, leases, worker
from rondo.foundation.jobs.worker import Worker
from rondo.foundation.models import JobLease
from rondo.foundation.registry import Companion, Registry, registries
from rondo.foundation.tests import tasks

pytestmark = pytest.mark.django_db

ELSEWHERE = "another-machine.1/42/1700000000"


def _row(result: object) -> "DBTaskResult[..., object]":
    return DBTaskResult.objects.get(pk=result.id)  # type: ignore[attr-defined]


def _let_lapse() -> None:
    JobLease.objects.update(until=timezone.now() - timedelta(seconds=1))


def test_a_task_runs_and_keeps_its_value_and_no_lease() -> None:
    made = enqueue_after_commit(tasks.add, 2, 3)
    assert Worker(until_empty=True).run() == 1
    row = _row(made)
    assert (row.status, row.return_value) == (TaskResultStatus.SUCCESSFUL, 5)
    assert not JobLease.objects.exists()


def test_an_exception_is_kept_with_the_task_and_the_worker_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    broken = enqueue_after_commit(tasks.fail, "no such file")
    fine = enqueue_after_commit(tasks.add, 1, 1)
    assert Worker(until_empty=True).run() == 2
    row = _row(broken)
    assert (row.status, row.exception_class_path) == (TaskResultStatus.FAILED, "builtins.ValueError")
    assert "no such file" in row.traceback
    assert _row(fine).status == TaskResultStatus.SUCCESSFUL


def test_work_of_a_transaction_that_is_rolled_back_is_never_seen() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue_after_commit(tasks.add, 1, 1)
        raise ZeroDivisionError
    assert leases.claim("w") is None


def test_a_claimed_task_is_not_claimed_again() -> None:
    made = enqueue_after_commit(tasks.add, 1, 1)
    held = leases.claim("one")
    assert held is not None
    assert (str(held.task.pk), held.attempt) == (made.id, 1)
    assert leases.claim("two") is None


def test_a_lapsed_lease_puts_the_task_back_and_the_late_worker_may_not_write() -> None:
    enqueue_after_commit(tasks.add, 1, 1)
    late = leases.claim(ELSEWHERE)
    assert late is not None
    assert leases.reap() == (0, 0)
    _let_lapse()
    assert leases.reap() == (1, 0)
    assert not leases.renew(late.task.pk, ELSEWHERE)
    again = leases.claim("another")
    assert again is not None
    assert again.attempt == 2
    assert not leases.finish(late, status=TaskResultStatus.SUCCESSFUL, return_value=99)
    assert leases.finish(again, status=TaskResultStatus.SUCCESSFUL, return_value=2)
    assert DBTaskResult.objects.get().return_value == 2


def test_renewing_keeps_the_task() -> None:
    enqueue_after_commit(tasks.add, 1, 1)
    held = leases.claim(ELSEWHERE)
    assert held is not None
    _let_lapse()
    assert leases.renew(held.task.pk, ELSEWHERE)
    assert leases.reap() == (0, 0)


def test_a_task_that_keeps_killing_its_worker_is_failed_with_a_reason() -> None:
    enqueue_after_commit(tasks.add, 1, 1)
    for attempt in range(1, leases.MAX_ATTEMPTS + 1):
        held = leases.claim(ELSEWHERE)
        assert held is not None
        assert held.attempt == attempt
        _let_lapse()
        assert leases.reap() == ((1, 0) if attempt < leases.MAX_ATTEMPTS else (0, 1))
    row = DBTaskResult.objects.get()
    assert row.status == TaskResultStatus.FAILED
    assert f"died {leases.MAX_ATTEMPTS} times" in row.traceback
    assert not JobLease.objects.exists()


def test_giving_back_is_no_attempt() -> None:
    enqueue_after_commit(tasks.add, 1, 1)
    for _round in range(leases.MAX_ATTEMPTS + 2):
        held = leases.claim(ELSEWHERE)
        assert held is not None
        assert held.attempt == 1
        leases.give_back(held)


def test_who_is_gone() -> None:
    me = leases.process_name()
    assert not leases.is_gone(me)
    assert not leases.is_gone(ELSEWHERE)
    place, _pid, born = me.rsplit("/", 2)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert leases.is_gone(f"{place}/{ended.pid}/{born}")
    assert leases.is_gone(f"{place}/{os.getpid()}/{int(born) - 86400}"), "the process id was given to another process"


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_run_every_task_exactly_once(tmp_path: Path) -> None:
    total = 24
    for number in range(total):
        enqueue_after_commit(tasks.note, str(tmp_path / str(number)))

    def work() -> None:
        try:
            while (held := leases.claim(f"thread-{threading.get_ident()}")) is not None:
                held.task.task.call(*held.task.args_kwargs["args"])
                leases.finish(held, status=TaskResultStatus.SUCCESSFUL)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [len((tmp_path / str(n)).read_text().split()) for n in range(total)] == [1] * total
    assert not JobLease.objects.exists()


WORKER = """
import sys, django; django.setup()
from django.db import connection
if sys.argv[1] == "sqlite":
    connection.settings_dict["NAME"] = sys.argv[2]
else:
    connection.settings_dict["NAME"] = sys.argv[2]
from rondo.foundation.jobs.worker import Worker, install_signals
worker = Worker(until_empty=len(sys.argv) > 3)
install_signals(worker.stop)
worker.run()
"""


def _start(*, until_empty: bool = False) -> "subprocess.Popen[bytes]":
    """A worker process on the database of this test."""
    command = [sys.executable, "-c", WORKER, connection.vendor, str(connection.settings_dict["NAME"])]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "rondo.settings", "RONDO_HOME": str(settings.RONDO_HOME)}
    return subprocess.Popen(command + ["1"] * until_empty, env=environment)


def _until(true: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def _lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_a_companion_runs_beside_the_tasks_is_started_again_and_ends_with_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "COMPANION_PAUSE", 0.0)
    made: Registry[Companion] = Registry("companions")
    made.add("pace", Companion("pace", f"{tasks.__name__}.keep_pace"))
    monkeypatch.setattr(registries, "companions", made)
    tasks.PACED.clear()
    with Worker()._companions():
        _until(lambda: tasks.PACED == ["failed", "begun"])
    assert tasks.PACED == ["failed", "begun", "ended"]
    with Worker(until_empty=True)._companions():
        assert not any(thread.name == "pace" for thread in threading.enumerate())


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_task_is_taken_up_by_the_next_worker(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    made = enqueue_after_commit(tasks.slow, str(trace))
    first = _start()
    try:
        _until(lambda: _lines(trace) == ["begun"])
    finally:
        first.kill()
        first.wait()
    assert _row(made).status == TaskResultStatus.RUNNING
    assert _start(until_empty=True).wait(240) == 0
    assert _lines(trace) == ["begun", "begun", "ended"]
    assert _row(made).status == TaskResultStatus.SUCCESSFUL


@pytest.mark.django_db(transaction=True)
def test_a_worker_told_to_stop_puts_a_long_task_back(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    made = enqueue_after_commit(tasks.slow, str(trace))
    worker = _start()
    try:
        _until(lambda: _lines(trace) == ["begun"])
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(240) == 0
    finally:
        worker.kill()
        worker.wait()
    assert _row(made).status == TaskResultStatus.READY
    assert JobLease.objects.get().attempts == 0
