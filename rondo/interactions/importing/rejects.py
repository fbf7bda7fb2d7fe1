"""The reject file: every row that did not go in, with line, column, value and reason, and the row as it was."""

import csv
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from django.conf import settings

from rondo.foundation.spreadsheets import harmless
from rondo.interactions.importing.reading import Reader

HEADER = ("line", "column", "value", "reason")
_UNFINISHED = ".part"
_MOMENT = 5
"""Seconds between the making of a file and its lock, generously."""


def folder() -> Path:
    """Where refused rows stand."""
    return Path(settings.RONDO_HOME) / "rejects"


@contextmanager
def made_whole(path: Path) -> Iterator[TextIO]:
    """A file that is at ``path`` when it is written, and beside it until then, locked as long as somebody writes."""
    made = path.with_suffix(f".{secrets.token_hex(4)}{_UNFINISHED}")
    file = os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", newline="", encoding="utf-8")
    try:
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
            file.flush()
            os.fsync(file.fileno())
            made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def unfinished() -> list[Path]:
    """Files of refused rows that are being written."""
    return sorted(folder().glob(f"*{_UNFINISHED}"))


def remove_unfinished() -> list[Path]:
    """Remove the files whose writer died: nobody holds their lock any more; those that are left have one. A file that
    was made a moment ago is given the time to be locked."""
    left = []
    for made in unfinished():
        try:
            with made.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - made.stat().st_mtime < _MOMENT:
                    left.append(made)
                else:
                    made.unlink()
        except FileNotFoundError:
            continue
        except BlockingIOError:
            left.append(made)
    return left


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: what could be one gets an apostrophe in front, numbers stay."""
    text = text.replace("\x00", "\\0")
    number = text.lstrip("+-").replace(",", "").replace(".", "", 1)
    if number.isdecimal() and text[0] in "+-":
        return text
    return harmless(text)


def write_rejects(
    reader: Reader,
    mapping: dict[str, str],
    staging: Any,
    stem: str,
    take: Callable[[int, list[str]], None] = lambda line, cells: None,
) -> Path | None:
    """Write the table ``rejected`` to ``RONDO_HOME/rejects/<stem>.csv``; None if nothing was refused.

    The columns of the file stand behind the four of the reason, so that the mended reject file can be imported as it
    is. ``take`` is called with line and cells of each of the rows, since the file is read for them but once.
    """
    table = staging.sql(
        "SELECT line, any_value(field) AS field, any_value(value) AS value, any_value(reason) AS reason "
        "FROM rejected GROUP BY line ORDER BY line"
    ).to_arrow_table()
    if len(table) == 0:
        return None
    folder().mkdir(parents=True, exist_ok=True)
    path = folder() / f"{stem}.csv"
    lines = np.asarray(table["line"])
    reasons = {row["line"]: row for row in table.to_pylist()}
    ragged = dict(reader.ragged)

    def start(line: int) -> list[str]:
        row = reasons[line]
        column = mapping.get(row["field"], row["field"]) if row["field"] else ""
        return [str(line), *(safe_cell(cell or "") for cell in (column, row["value"], row["reason"]))]

    with made_whole(path) as file:
        writer = csv.writer(file)
        names = [f"row_{name}" if name in HEADER else name for name in reader.columns]
        writer.writerow([*HEADER, *map(safe_cell, names)])
        for line, text in sorted(ragged.items()):
            writer.writerow([*start(line), safe_cell(text)])
        for line, cells in reader.rows_at(lines):
            writer.writerow([*start(line), *map(safe_cell, cells)])
            take(line, cells)
    return path
