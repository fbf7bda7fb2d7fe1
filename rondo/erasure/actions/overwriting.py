"""What a database file still holds of deleted rows: SQLite leaves them in freed pages and in its log until somebody
writes over them. PostgreSQL's own vacuum does that by itself."""

from pathlib import Path

from django.db import connection

from rondo.interactions.wording import sweep

AT_ONCE = 1 << 30
"""Up to so many bytes the file is written anew right away; a larger one at night."""


def may_overwrite(*, at_night: bool) -> bool:
    """Whether the file is to be written anew now. Not within a transaction, which would not let it."""
    if connection.in_atomic_block:
        return False
    return at_night or connection.vendor != "sqlite" or _size() <= AT_ONCE


def zero_freed() -> None:
    """Let this connection write zeros over what it deletes from now on."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def overwrite() -> bool:
    """Let the index of notes forget words that only texts had which are gone, then write the database file anew without
    freed pages, and empty its log; False where readers did not let go of the log in time, so that it has to be done
    again."""
    sweep()
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        # The new file is built beside the old one, not in memory.
        cursor.execute("PRAGMA temp_store")
        (before,) = cursor.fetchone()
        cursor.execute("PRAGMA temp_store = FILE")
        try:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_pages) = cursor.fetchone()
        finally:
            cursor.execute(f"PRAGMA temp_store = {int(before)}")
    return not busy


def _size() -> int:
    file = Path(str(connection.settings_dict["NAME"]))
    return file.stat().st_size if file.is_file() else 0
