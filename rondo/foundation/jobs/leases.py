"""Leases of tasks: claim by a conditional update, renew while working, put back what a dead worker left.

A lease ends at a time of the database's clock, so that the clocks of several machines do not matter. A worker of this
machine that is seen to be gone does not have to wait for that.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from django.db import close_old_connections, connection, transaction
from django.db.models import ExpressionWrapper, F, fields
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from rondo.foundation.models import JobLease, ProcessBeat

LEASE = timedelta(seconds=120)
"""How long a claim holds without being renewed; longer than a writer may wait for SQLite's lock (30 s)."""

HEARTBEAT_SECONDS = 20.0
"""How often a worker renews the lease of the task it runs."""

MAX_ATTEMPTS = 3
"""A task whose worker died this often is failed: it is probably what kills it."""


_CLOCK_STEP_SECONDS = 60
"""By how much the reckoned birth of a living process may shift when the machine's clock is set."""


@dataclass(frozen=True)
class Claim:
    """A task that this worker holds; ``attempt`` counts from 1."""

    task: "DBTaskResult[Any, Any]"
    worker: str
    attempt: int


@lru_cache(maxsize=1)
def _place() -> str:
    """The machine and its space of process ids: only within it does a process id mean anything."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        space = "0"
    return f"{socket.gethostname()[:24]}.{space}"


def process_name() -> str:
    """This process' name as a worker: place, process id and moment of birth."""
    pid = os.getpid()
    return f"{_place()}/{pid}/{int(psutil.Process(pid).create_time())}"


def is_gone(name: str) -> bool:
    """Whether the process called ``name`` is known to have ended; False if it lives or is on another machine."""
    place, pid, born = name.rsplit("/", 2)
    if place != _place():
        return False
    try:
        process = psutil.Process(int(pid))
        other: bool = abs(process.create_time() - int(born)) > _CLOCK_STEP_SECONDS
        return other or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _until() -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(Now() + LEASE, output_field=fields.DateTimeField())


def claim(worker: str, queues: Sequence[str] = ("default",)) -> Claim | None:
    """Claim the next ready task for ``worker``, or None. Of several workers exactly one gets it."""
    ready = DBTaskResult.objects.ready().filter(backend_name="default", queue_name__in=queues)
    for task_id in list(ready.values_list("pk", flat=True)[:10]):
        with transaction.atomic():
            won = DBTaskResult.objects.filter(pk=task_id, status=TaskResultStatus.READY).update(
                status=TaskResultStatus.RUNNING, started_at=timezone.now()
            )
            if not won:
                continue
            again = JobLease.objects.filter(task_id=task_id).update(
                worker=worker, until=_until(), attempts=F("attempts") + 1
            )
            if not again:
                JobLease.objects.create(task_id=task_id, worker=worker, until=_until())
            task = DBTaskResult.objects.get(pk=task_id)
            task.worker_ids = [*task.worker_ids, worker]
            task.save(update_fields=["worker_ids"])
            attempt = JobLease.objects.values_list("attempts", flat=True).get(task_id=task_id)
        return Claim(task, worker, attempt)
    return None


def renew(task_id: UUID, worker: str) -> bool:
    """Prolong a lease; False if it is no longer the worker's."""
    return bool(JobLease.objects.filter(task_id=task_id, worker=worker).update(until=_until()))


def finish(held: Claim, *, status: TaskResultStatus, **result: Any) -> bool:
    """Write a task's outcome and end its lease; False (and nothing written) if the lease is no longer the worker's."""
    with transaction.atomic():
        if not JobLease.objects.filter(task_id=held.task.pk, worker=held.worker).delete()[0]:
            return False
        DBTaskResult.objects.filter(pk=held.task.pk).update(
            status=status,
            finished_at=timezone.now(),
            **({"exception_class_path": "", "traceback": "", "return_value": None} | result),
        )
    return True


def give_back(held: Claim) -> None:
    """Put a task back that the worker has not finished (it is being stopped); this does not count as an attempt."""
    with transaction.atomic():
        own = JobLease.objects.filter(task_id=held.task.pk, worker=held.worker)
        if own.update(worker="", attempts=F("attempts") - 1):
            DBTaskResult.objects.filter(pk=held.task.pk, status=TaskResultStatus.RUNNING).update(
                status=TaskResultStatus.READY, started_at=None
            )


def reap() -> tuple[int, int]:
    """Take up tasks whose worker died: (put back, failed).

    Put back to ready, at most :data:`MAX_ATTEMPTS` runs in all; then the task is failed with a sentence that says so.
    """
    put_back = failed = 0
    held = JobLease.objects.exclude(worker="")
    late = set(held.filter(until__lt=Now()).values_list("task_id", flat=True))
    for lease in list(held):
        if lease.task_id not in late and not is_gone(lease.worker):
            continue
        with transaction.atomic():
            same = JobLease.objects.filter(task_id=lease.task_id, worker=lease.worker, attempts=lease.attempts)
            if lease.task_id in late:
                same = same.filter(until__lt=Now())
            running = DBTaskResult.objects.filter(pk=lease.task_id, status=TaskResultStatus.RUNNING)
            if lease.attempts < MAX_ATTEMPTS:
                if same.update(worker=""):
                    put_back += running.update(status=TaskResultStatus.READY, started_at=None)
            elif same.delete()[0]:
                failed += running.update(
                    status=TaskResultStatus.FAILED,
                    finished_at=timezone.now(),
                    exception_class_path="rondo.errors.StateError",
                    traceback=(
                        f"rondo.errors.StateError: Its worker died {lease.attempts} times while running this task "
                        f"(last: {lease.worker}); look for the cause in the log, then enqueue it again."
                    ),
                )
    return put_back, failed


def refresh_connections() -> None:
    """Close connections that broke or grew old between two pieces of work; within a transaction all are left alone."""
    if not connection.in_atomic_block:
        close_old_connections()


def beat(process: str, role: str) -> None:
    """Leave a sign of life of this process."""
    ProcessBeat.objects.update_or_create(process=process, defaults={"role": role, "at": Now()})


def forget_beats() -> int:
    """Remove signs of life older than a day."""
    old = ExpressionWrapper(Now() - timedelta(days=1), output_field=fields.DateTimeField())
    return ProcessBeat.objects.filter(at__lt=old).delete()[0]
