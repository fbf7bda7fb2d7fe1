"""Turns: requests of one process are worked on one after the other, as long as each is short.

Threads of a Python process share one interpreter. Where several compute pages at once, each of their short waits for
the database gives the interpreter to another one for milliseconds, and all of them end late: the same pages one after
the other need less of the processor and are there sooner. What takes long must hold nobody up: an answer that was
worked on for :data:`LONG_SECONDS` counts no longer, and neither does what is sent after its head (downloads) nor what
is received before (uploads). A process that has more in hand than the others lets connections go
(:mod:`rondo.foundation.serving.shares`).
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from rondo.foundation.serving.shares import Share, new_table

AT_ONCE = 1
"""Short requests of one process that are worked on at the same moment."""
LONG_SECONDS = 0.15
"""From then on a request counts no longer, and the next one is begun beside it."""
ARRIVED = "rondo.arrived"
"""Where the environment of a request says when it came (``time.perf_counter``): its wait is part of what it takes."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Turns:
    """A WSGI application whose short requests come one after the other, in the order of their arrival."""

    def __init__(
        self,
        application: Application,
        at_once: int = AT_ONCE,
        long_seconds: float = LONG_SECONDS,
        share: Share | None = None,
    ) -> None:
        self._application = application
        self._share = share or Share(new_table(1))
        self._at_once = at_once
        self._long = long_seconds
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._short_until: dict[object, float] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ[ARRIVED] = time.perf_counter()
        if environ.get("CONTENT_LENGTH", "0") not in ("", "0") or environ.get("HTTP_TRANSFER_ENCODING"):
            return self._application(environ, start_response)  # its sender may be slow

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, ("Connection", "close")] if self._lets_go() else headers, *more)

        turn = object()
        self._begin(turn)
        try:
            return self._application(environ, start if environ.get("SERVER_PROTOCOL") == "HTTP/1.1" else start_response)
        finally:
            self._end(turn)

    def _begin(self, turn: object) -> None:
        with self._changed:
            self._share.change(1)
            self._waiting.append(turn)
            while True:
                now = time.monotonic()
                short = [until for until in self._short_until.values() if until > now]
                first = self._waiting[0] is turn
                if first and len(short) < self._at_once:
                    break
                self._changed.wait(min(short) - now if first else None)
            self._waiting.popleft()
            self._short_until[turn] = now + self._long
            self._changed.notify_all()

    def _lets_go(self) -> bool:
        with self._changed:
            return self._share.lets_go()

    def _end(self, turn: object) -> None:
        with self._changed:
            self._share.change(-1)
            del self._short_until[turn]
            self._changed.notify_all()
