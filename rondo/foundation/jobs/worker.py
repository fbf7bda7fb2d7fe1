"""The worker: claims tasks one by one, renews the lease while it works, and writes what came of it."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from traceback import format_exception
from types import FrameType
from typing import Any, cast

from django.db import connections
from django.db.utils import OperationalError
from django.utils.module_loading import import_string
from django_tasks.base import TaskContext, TaskResultStatus
from django_tasks.signals import task_finished, task_started
from django_tasks.utils import normalize_json

from rondo.foundation.jobs import leases
from rondo.foundation.jobs.leases import Claim
from rondo.foundation.registry import registries

log = logging.getLogger("rondo.jobs")

POLL_SECONDS = 1.0
BEAT_SECONDS = 10.0
REAP_SECONDS = 15.0
GRACE_SECONDS = 5
COMPANION_PAUSE = 10.0


class _Stopped(BaseException):
    """The process is to end and the running task has had its time of grace."""


class Worker:
    """Runs tasks until told to stop. ``until_empty`` ends it when no task is ready."""

    def __init__(self, *, until_empty: bool = False) -> None:
        self.name = leases.process_name()
        self.until_empty = until_empty
        self.stopping = False
        self.done = 0
        self._running = False
        self._next_beat = 0.0
        self._next_reap = 0.0

    def run(self) -> int:
        """Work; returns the number of tasks that were run."""
        with self._companions():
            self._work()
        return self.done

    @contextmanager
    def _companions(self) -> Iterator[None]:
        """Run what must not wait behind long jobs beside the tasks; not where the worker ends by itself."""
        ended = threading.Event()
        started = [
            threading.Thread(target=_accompany, args=(one.path, ended), name=one.key, daemon=True)
            for one in ([] if self.until_empty else registries.companions)
        ]
        for thread in started:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in started:
                thread.join(GRACE_SECONDS)  # what it has not finished by then, its lease brings back

    def _work(self) -> None:
        while not self.stopping:
            leases.refresh_connections()
            try:
                self._round()
                held = leases.claim(self.name)
            except OperationalError as error:  # a locked or restarting database: the task stays where it is
                log.warning("worker: the database does not answer (%s); trying again", error)
                time.sleep(POLL_SECONDS)
                continue
            if held is not None:
                self.execute(held)
            elif self.until_empty:
                break
            else:
                self._wait()

    def stop(self, signum: int, frame: FrameType | None) -> None:
        """Signal handler: finish the running task within :data:`GRACE_SECONDS`, else put it back."""
        self.stopping = True
        if self._running:
            signal.signal(signal.SIGALRM, self._interrupt)
            signal.alarm(GRACE_SECONDS)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self._running:
            raise _Stopped

    def _wait(self) -> None:
        until = time.monotonic() + POLL_SECONDS
        while not self.stopping and time.monotonic() < until:
            time.sleep(0.1)

    def _round(self) -> None:
        now = time.monotonic()
        if now >= self._next_beat:
            leases.beat(self.name, "worker")
            self._next_beat = now + BEAT_SECONDS
        if now >= self._next_reap:
            put_back, failed = leases.reap()
            if put_back or failed:
                log.warning("worker: of dead workers' tasks %d put back, %d failed", put_back, failed)
            self._next_reap = now + REAP_SECONDS

    def execute(self, held: Claim) -> None:
        """Run one claimed task and write its outcome, unless the lease has been lost meanwhile."""
        ended = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(held, ended), name="lease", daemon=True)
        keeper.start()
        self._running = True
        try:
            outcome = self._call(held)
            self._running = False
        except _Stopped:
            self._running = False
            leases.give_back(held)
            log.warning("%s: put back, this worker is stopping", held.task.task_path)
            return
        finally:
            self._running = False
            ended.set()
            keeper.join()
            self.done += 1
        if not leases.finish(held, **outcome):
            log.error(
                "%s: the lease was lost before the end; the outcome is left to who runs it now", held.task.task_path
            )
            return
        with suppress(ImportError):  # the task's code is gone: there is nobody to tell
            held.task.refresh_from_db()
            task_finished.send(sender=type(held.task.task.get_backend()), task_result=held.task.task_result)

    def _call(self, held: Claim) -> dict[str, Any]:
        """The outcome of the task as columns of its row. An exception is an outcome."""
        try:
            task, result = held.task.task, held.task.task_result
            task_started.send(sender=type(task.get_backend()), task_result=result)
            context = [TaskContext(task_result=cast(Any, result))] if task.takes_context else []
            value = normalize_json(task.call(*context, *result.args, **result.kwargs))
            return {"status": TaskResultStatus.SUCCESSFUL, "return_value": value}
        except Exception as error:
            log.exception("%s failed", held.task.task_path)
            leases.refresh_connections()
            return {
                "status": TaskResultStatus.FAILED,
                "exception_class_path": f"{type(error).__module__}.{type(error).__qualname__}",
                "traceback": "".join(format_exception(error)),
            }

    def _keep(self, held: Claim, ended: threading.Event) -> None:
        """Renew the lease and leave signs of life while the task runs."""
        try:
            while not ended.wait(leases.HEARTBEAT_SECONDS):
                try:
                    if not leases.renew(held.task.pk, held.worker):
                        return
                    leases.beat(self.name, "worker")
                except OperationalError:  # somebody writes for long; the lease outlasts several beats
                    continue
        finally:
            connections.close_all()


def _accompany(path: str, ended: threading.Event) -> None:
    """Run a companion until told to stop; one that fails is started again after a pause."""
    try:
        while not ended.is_set():
            try:
                import_string(path)(ended)
            except Exception:
                log.exception("%s failed; starting it again in %.0f s", path, COMPANION_PAUSE)
                leases.refresh_connections()
                ended.wait(COMPANION_PAUSE)
    finally:
        connections.close_all()


def install_signals(stop: Callable[[int, FrameType | None], None]) -> None:
    """Let SIGTERM and SIGINT call ``stop``."""
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
