"""The ledger of erasures outside of the database: ``RONDO_HOME/erasures.jsonl``, one line a record, marks alone.

It is what a restore of an older backup erases by, so it must not come out of that backup: it stays where it is when a
home is used again, and can be brought along to another one.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from rondo.erasure.models import Erased
from rondo.errors import InputError

FILE = "erasures.jsonl"
FORMAT = 1


def path() -> Path:
    """Where the ledger of this home lies."""
    return Path(settings.RONDO_HOME) / FILE


def read(file: Path) -> dict[str, str]:
    """Marks with the moment of their erasure; empty where there is no such file. A last line that was cut short by a
    crash is left out, since the erasure that wrote it writes it again.

    Raises:
        InputError: the file is no ledger.
    """
    if not file.exists():
        return {}
    found: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one: dict[str, Any] = json.loads(line)
            if one["format"] != FORMAT:
                raise ValueError(one["format"])
            found[str(one["mark"])] = str(one["at"])
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                continue
            raise InputError(
                _("%(file)s, line %(line)d is no line of a ledger of erasures; take the file erasures.jsonl of a home.")
                % {"file": file, "line": number}
            ) from error
    return found


def add(marks: dict[str, str]) -> int:
    """Write the marks that the ledger does not have yet; how many. They are on the disk when this returns."""
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
        fcntl.flock(out, fcntl.LOCK_EX)  # two erasures at once would write into one another's lines
        known = read(file)
        fresh = {mark: at for mark, at in marks.items() if mark not in known}
        if not fresh:
            return 0
        begun = file.read_bytes().rpartition(b"\n")[2]
        if begun and any(mark.encode() in begun for mark in known):  # whole but for its end
            out.write(b"\n")
        elif begun:  # cut short by a crash: with others behind it, it would be no line of a ledger
            out.truncate(file.stat().st_size - len(begun))
        for mark, at in fresh.items():
            out.write(json.dumps({"format": FORMAT, "at": at, "mark": mark}).encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return len(fresh)


def mirror() -> int:
    """Bring the ledger of this home up to that of the database; how many marks were missing."""
    return add(lines(Erased.objects.order_by("at").values_list("mark", "at")))


def lines(rows: Iterable[tuple[str, datetime]]) -> dict[str, str]:
    """Marks and moments as the file has them."""
    return {mark: at.isoformat(timespec="seconds") for mark, at in rows}
