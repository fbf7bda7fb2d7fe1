"""Work of a job that a page follows: a row says how far it is, that it is done, or why it failed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import models
from django.utils import timezone

from rondo.errors import RondoError

EVERY_SECONDS = 0.5
"""So often, and with each new step, progress is written down."""


class LongWork(models.Model):
    """What every such row has: ``step``, ``done`` and ``total`` tell how far it is, ``error`` why it failed."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.QUEUED)
    step = models.CharField(max_length=20, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    results = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def under_way(self) -> bool:
        """Whether it is still to end."""
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class Progress:
    """Writes down how far the work of one row is, at most twice a second and whenever a step begins or ends."""

    def __init__(self, row: models.Model) -> None:
        self._rows = type(row)._default_manager.filter(pk=row.pk)
        self._step, self._next = "", 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        """Tell of a step that ``done`` of ``total`` are done."""
        if step != self._step or self._due(done, total):
            self._step = step
            self._rows.update(step=step, done=done, total=total)

    def rows(self, done: int, total: int) -> None:
        """The same of work that has no steps; ``total`` is 0 while it is not known."""
        if self._due(done, total):
            self._rows.update(done=done, total=total)

    def _due(self, done: int, total: int) -> bool:
        now = time.monotonic()
        if now < self._next and (done < total or not total):
            return False
        self._next = now + EVERY_SECONDS
        return True


@contextmanager
def worked_on(row: LongWork) -> Iterator[Progress]:
    """Do the work of a row in the block, which writes down itself that it is done; what fails is written down here.

    An error of Rondo's own ends with that: whoever asked reads it on the page. Any other is raised as well.
    """
    rows = type(row)._default_manager.filter(pk=row.pk)
    rows.update(status=LongWork.Status.RUNNING, started_at=timezone.now())
    try:
        yield Progress(row)
    except Exception as error:
        known = isinstance(error, RondoError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        rows.update(status=LongWork.Status.FAILED, error=reason[:2000], finished_at=timezone.now())
        if not known:
            raise
