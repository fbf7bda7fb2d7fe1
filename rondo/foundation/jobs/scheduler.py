"""The scheduler: enqueues registered periodic jobs when they are due; of several schedulers exactly one does.

It works nothing itself: workers do, with leases, so that a long analysis does not hold up a short refresh.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from types import FrameType

from django.db import transaction
from django.db.utils import OperationalError
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from rondo.foundation.actors import system
from rondo.foundation.installation import zone
from rondo.foundation.jobs import enqueue_after_commit, leases, task
from rondo.foundation.models import PeriodicState
from rondo.foundation.registry import Periodic, registries

log = logging.getLogger("rondo.jobs")

POLL_SECONDS = 5.0
BEAT_SECONDS = 10.0
REAP_SECONDS = 15.0


@task()
def run_periodic(key: str) -> None:
    """Carry out one periodic job; nothing if it is no longer registered."""
    job = registries.periodic.get(key)
    if job is not None:
        run = import_string(job.run) if isinstance(job.run, str) else job.run
        run(system("job"))


def next_due(job: Periodic, now: datetime) -> datetime:
    """When the job is due after ``now``: a whole number of intervals of the clock, or the next ``at`` in the company's
    zone (on the day the clock is put forward over it, at the moment it would have been)."""
    if job.at is None:
        return now + job.every
    here = zone()
    local = now.astimezone(here)
    due = datetime.combine(local.date(), job.at, here)
    while due.astimezone(UTC) <= now:
        due = datetime.combine(due.date() + timedelta(days=1), job.at, here)
    return due.astimezone(UTC)


def tick(now: datetime | None = None) -> list[str]:
    """Enqueue what is due; returns the keys. A job whose last task has not ended yet is left for the next time."""
    now = now or timezone.now()
    begun = []
    for job in registries.periodic:
        state, _new = PeriodicState.objects.get_or_create(
            key=job.key, defaults={"due_at": now if job.at is None else next_due(job, now)}
        )
        if state.due_at > now:
            continue
        with transaction.atomic():
            won = PeriodicState.objects.filter(key=job.key, due_at=state.due_at).update(due_at=next_due(job, now))
            if not won or _is_open(state):
                continue
            made = enqueue_after_commit(run_periodic, job.key)
            PeriodicState.objects.filter(key=job.key).update(task_id=made.id)
            begun.append(job.key)
    return begun


def _is_open(state: PeriodicState) -> bool:
    if state.task_id is None:
        return False
    return DBTaskResult.objects.filter(
        pk=state.task_id, status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING]
    ).exists()


class Scheduler:
    """Ticks until told to stop."""

    def __init__(self) -> None:
        self.name = leases.process_name()
        self.stopping = False

    def stop(self, signum: int, frame: FrameType | None) -> None:
        """Signal handler."""
        self.stopping = True

    def run(self) -> None:
        """Enqueue what is due every few seconds, and take up what dead workers left."""
        next_tick = next_beat = next_reap = 0.0
        while not self.stopping:
            leases.refresh_connections()
            now = time.monotonic()
            try:
                if now >= next_beat:
                    leases.beat(self.name, "scheduler")
                    next_beat = now + BEAT_SECONDS
                if now >= next_reap:
                    leases.reap()
                    next_reap = now + REAP_SECONDS
                if now >= next_tick:
                    tick()
                    next_tick = now + POLL_SECONDS
            except OperationalError as error:  # a locked or restarting database: the next round will do
                log.warning("scheduler: the database does not answer (%s); trying again", error)
                time.sleep(1)
            time.sleep(0.2)
