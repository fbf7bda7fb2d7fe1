"""Keeps child processes running: starts them, restarts what dies with growing pauses, ends all of them together."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from django.utils.translation import gettext as _

from rondo.errors import StateError

log = logging.getLogger("rondo.up")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 30.0
GRACE_SECONDS = 12.0
HOPELESS = 3


@dataclass
class Child:
    """One child: its command line, its process, how often it died young in a row, and when it may start again."""

    role: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    born: float = 0.0
    young_deaths: int = 0
    steady_once: bool = False
    not_before: float = 0.0


class Supervisor:
    """Runs ``roles`` (commands of ``rondo``) until SIGINT or SIGTERM; children end with this process in any case."""

    def __init__(self, roles: Sequence[str], *, ready: Callable[[], bool], on_ready: Callable[[], None]) -> None:
        base = [sys.executable, "-m", "rondo.cli"]
        self.children = [Child(role, [*base, role, "--parent", str(os.getpid())]) for role in roles]
        self.stopping = False
        self._ready = ready
        self._on_ready = on_ready
        self._told = False

    def stop(self, signum: int, frame: FrameType | None) -> None:
        """Signal handler."""
        self.stopping = True

    def run(self) -> None:
        """Keep the children running until told to stop.

        Raises:
            StateError: a child dies again and again without ever having been steady.
        """
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        try:
            while not self.stopping:
                for child in self.children:
                    self._look_after(child)
                if not self._told and self._ready():
                    self._told = True
                    self._on_ready()
                time.sleep(0.2)
        finally:
            self._end()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.not_before:
                # Sessions of their own: Ctrl-C reaches this process alone, which then ends them in order.
                child.process = subprocess.Popen(child.command, start_new_session=True)
                child.born = now
            return
        age = now - child.born
        if (status := child.process.poll()) is None:
            if age > STEADY_SECONDS:
                child.steady_once, child.young_deaths = True, 0
            return
        _kill_group(child.process)
        child.process = None
        child.young_deaths = child.young_deaths + 1 if age < STEADY_SECONDS else 0
        if child.young_deaths >= HOPELESS and not child.steady_once:
            raise StateError(
                _("“rondo %(role)s” ended %(count)d times in a row (status %(status)d); its message stands above.")
                % {"role": child.role, "count": child.young_deaths, "status": status}
            )
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** max(0, child.young_deaths - 1))
        child.not_before = now + pause
        log.error("rondo %s ended with status %s; starting it again in %.0f s", child.role, status, pause)

    def _end(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        until = time.monotonic() + GRACE_SECONDS
        for process in running:
            try:
                process.wait(timeout=max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process %d does not end; killing it", process.pid)
            _kill_group(process)
            process.wait()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End whatever is left of a child's session (the web server's own workers, say)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
