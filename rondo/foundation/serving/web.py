"""The web server: Granian over the WSGI application."""

import os

from django.conf import settings
from django.db import connections

from rondo.foundation.serving import shares

THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""Requests that one worker process holds at the same moment: those that are worked on in turns (see
:mod:`rondo.foundation.serving.turns`), and files that are sent and received meanwhile."""


def run_web() -> None:
    """Serve the pages on RONDO_HOST:RONDO_PORT with RONDO_WORKERS processes until SIGTERM or SIGINT."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    shares.expect(settings.RONDO_WORKERS)
    connections.close_all()  # worker processes are forked: no connection may be shared
    Server(
        "rondo.foundation.serving.app:application",
        address=settings.RONDO_HOST,
        port=settings.RONDO_PORT,
        interface=Interfaces.WSGI,
        workers=settings.RONDO_WORKERS,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=8,
        log_level=LogLevels.warning,
        websockets=False,
    ).serve()
