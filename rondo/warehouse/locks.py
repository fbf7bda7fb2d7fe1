"""One refresh, one analysis at a time: a lock that the operating system takes back when its holder dies."""

import fcntl
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from rondo.errors import StateError


@contextmanager
def exclusive(name: str, wait: float = 60.0) -> Iterator[None]:
    """Hold the lock ``name`` (such as ``refresh``), on the warehouse's folder and, on PostgreSQL, in the database too.

    The file lock serves all processes that share the folder; the advisory lock those that share only the database.
    ``wait`` is how long, in seconds, to wait for another holder.

    Raises:
        StateError: another process holds the lock for longer than ``wait``.
    """
    folder = Path(settings.RONDO_WAREHOUSE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            _("RONDO_WAREHOUSE=%(folder)s: cannot be made (%(reason)s); name a folder that can be written.")
            % {"folder": folder, "reason": error.strerror}
        ) from error
    deadline = time.monotonic() + wait
    with (folder / f"{name}.lock").open("a") as file:
        while not _try_file(file.fileno()):
            _wait(name, deadline)
        while not _try_database(name):
            _wait(name, deadline)
        try:
            yield
        finally:
            _release_database(name)


def _try_file(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _key(name: str) -> int:
    return zlib.crc32(f"rondo.{name}".encode())


def _try_database(name: str) -> bool:
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_key(name)])
        return bool(cursor.fetchone()[0])


def _release_database(name: str) -> None:
    # A session whose transaction failed cannot run this; closing the connection frees the lock as well.
    if connection.vendor == "postgresql" and connection.is_usable():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_key(name)])


def _wait(name: str, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise StateError(
            _("%(work)s: another process is at it and has not ended; wait for it, or stop it and try again.")
            % {"work": name}
        )
    time.sleep(0.1)
