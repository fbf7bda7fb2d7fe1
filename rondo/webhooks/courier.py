"""The courier: a thread of every worker process that sends messages, so that none waits behind an analysis.

It alone touches the database; the network is left to threads that know no more than one message each.
"""

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from logging import getLogger

from django.conf import settings
from django.db.utils import OperationalError
from django.utils.translation import override

from rondo.foundation.installation import language
from rondo.foundation.jobs import leases
from rondo.webhooks import deliveries
from rondo.webhooks.deliveries import Letter
from rondo.webhooks.models import Delivery
from rondo.webhooks.sending import Answer, post

log = getLogger("rondo.webhooks")

AT_ONCE = 8
"""Messages that one worker has under way."""
IDLE_SECONDS = 1.0


class Courier:
    """Makes messages of events, sends what is due, and writes what came of it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        self._going: dict[Future[Answer], Delivery] = {}

    def run(self, ended: threading.Event) -> None:
        """Work until told to stop; then wait for what is under way no longer than the worker's grace."""
        try:
            while not ended.is_set():
                leases.refresh_connections()
                try:
                    busy = self.turn()
                except OperationalError as error:  # a locked or restarting database: the next round will do
                    log.warning("webhooks: the database does not answer (%s); trying again", error)
                    busy = False
                if self._going:
                    wait(self._going, timeout=0.2, return_when=FIRST_COMPLETED)
                elif not busy:
                    ended.wait(IDLE_SECONDS)
        finally:
            self.close()

    def turn(self) -> bool:
        """One round; whether there was anything to do."""
        done = [future for future in self._going if future.done()]
        for future in done:
            deliveries.settle(self._going.pop(future), future.result())
        planned = deliveries.plan()
        claimed = deliveries.claim(AT_ONCE - len(self._going)) if len(self._going) < AT_ONCE else []
        for row in claimed:
            made = deliveries.letter(row)
            if isinstance(made, str):
                deliveries.settle(row, Answer(None, 0, made))
            else:
                self._going[self._pool.submit(_send, made, language())] = row
        return bool(done or planned or claimed)

    def drain(self) -> None:
        """Work until nothing is due and nothing is under way."""
        while self.turn() or self._going:
            if self._going:
                wait(self._going, return_when=FIRST_COMPLETED)

    def close(self) -> None:
        """Write what has come back by now; the rest is taken up when its lease has ended."""
        wait(self._going, timeout=3.0)
        unsent = [row for future, row in self._going.items() if future.cancel()]
        for future, row in self._going.items():
            if future.done() and not future.cancelled():
                deliveries.settle(row, future.result())
        deliveries.postpone(unsent)
        self._going.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _send(made: Letter, tongue: str) -> Answer:
    """Send one; what went wrong is kept in the company's language, for there is no reader yet."""
    with override(tongue):
        return post(made.url, made.body, made.headers, allowed=settings.RONDO_WEBHOOK_NETWORKS)


def run(ended: threading.Event) -> None:
    """What every worker runs beside its tasks."""
    Courier().run(ended)
