"""One import at a time: a lock that the operating system or PostgreSQL drops at once when its process dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from rondo.errors import StateError

_ADVISORY = 0x526F6E646F01  # any fixed number: "Rondo", the first lock


def _lock_file() -> Path:
    name = str(connection.settings_dict["NAME"])
    if name == ":memory:" or "mode=memory" in name:
        folder = Path(settings.RONDO_HOME)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "import.lock"
    return Path(f"{name}.import-lock")


class Busy(StateError):
    """Another import, or its removal, is running."""


def _busy() -> Busy:
    return Busy(_("Another import or its removal is running; wait until it has ended (rondo import list)."))


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lock of imports.

    Raises:
        Busy: another process holds it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY])
            if not cursor.fetchone()[0]:
                raise _busy()
        try:
            yield
        finally:
            if connection.connection is not None and not connection.connection.closed and connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY])
        return
    with _lock_file().open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy() from error
        yield
