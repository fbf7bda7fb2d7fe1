"""Settings from the environment: one declared list, so that each is documented and typed in one place.

A secret may also be given as ``NAME_FILE``, the path of a file that holds it.
"""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from rondo.errors import InputError
from rondo.speech import gettext_noop


@dataclass(frozen=True)
class Setting:
    """One environment variable: its name, default (as text), meaning, and whether ``NAME_FILE`` is honoured."""

    name: str
    default: str
    meaning: str
    secret: bool = False


SETTINGS: dict[str, Setting] = {
    s.name: s
    for s in (
        Setting(
            "RONDO_HOME",
            "~/.rondo",
            "Folder of everything Rondo keeps: SQLite file, columnar copy, reject files, logs.",
        ),
        Setting(
            "RONDO_DATABASE_URL",
            "",
            "Operational database: `postgresql://user:password@host:5432/name` or `sqlite:///path`. Empty: "
            "`RONDO_HOME/rondo.sqlite3`.",
            secret=True,
        ),
        Setting(
            "RONDO_SECRET_KEY",
            "",
            "Signs sessions and links. Empty: made once and kept in `RONDO_HOME/secret-key`.",
            secret=True,
        ),
        Setting(
            "RONDO_ENGINE",
            "duckdb",
            "Engine of the analysis: `duckdb`, or `duckdb:MEMORY` such as `duckdb:4GB` to bound its memory; or "
            "`spark://host:7077`, the master of a Spark cluster ([how](spark.md)).",
        ),
        Setting("RONDO_WAREHOUSE", "", "Folder of the columnar copy. Empty: `RONDO_HOME/warehouse`."),
        Setting("RONDO_HOST", "127.0.0.1", "Address that `rondo up` listens on."),
        Setting("RONDO_PORT", "8000", "Port that `rondo up` listens on."),
        Setting(
            "RONDO_URL",
            "",
            "Public address, such as `https://crm.example.org`. Empty: `http://localhost:RONDO_PORT`. "
            "With https one proxy in front sets `X-Forwarded-Proto` and `X-Forwarded-For` itself.",
        ),
        Setting("RONDO_WORKERS", "1", "Web worker processes that `rondo up` starts."),
        Setting(
            "RONDO_SERVER_TIMING",
            "0",
            "`1` adds a `Server-Timing` header to every answer, which browsers show beside the request: how long it "
            "took, how long the processor worked, and how long and how often the database was asked.",
        ),
        Setting("RONDO_DEBUG", "0", "`1` shows tracebacks in the browser. Never on a machine that others reach."),
        Setting(
            "RONDO_LANGUAGE",
            "",
            "Language of commands, and of pages before somebody has signed in: `en` or `de`. Empty: German where "
            "`LC_ALL`, `LC_MESSAGES` or `LANG` says so, else English.",
        ),
        Setting(
            "RONDO_MAIL_URL",
            "",
            "Mail server: `smtp://user:password@host:587?starttls=1`, `smtps://user:password@host:465`, or "
            "`smtp://host` without either. Empty: nothing is sent, and the page *Reports* says so.",
            secret=True,
        ),
        Setting(
            "RONDO_MAIL_FROM",
            "",
            "Sender of mails, such as `Rondo <crm@example.org>`. Needed with `RONDO_MAIL_URL`.",
        ),
        Setting(
            "RONDO_UPLOAD_LIMIT_MB",
            "2048",
            "Largest file in MB that is taken in by the browser; larger ones go in by `rondo import`.",
        ),
        Setting(
            "RONDO_API_RATE",
            "1200",
            "Requests a minute that one token of the REST API may make, over all processes; `0`: any number.",
        ),
        Setting(
            "RONDO_WEBHOOK_NETWORKS",
            "",
            "Networks inside the house that webhooks may reach, such as `10.1.0.0/16, 192.168.5.7`. Empty: public "
            "addresses by https alone ([how](webhooks.md)).",
        ),
        Setting("RONDO_WEBHOOK_LOG_DAYS", "30", "Days that the log of webhooks is kept, 1 to 365."),
        Setting("RONDO_LOG_LEVEL", "INFO", "Least severity that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR`."),
    )
}


def unknown() -> list[tuple[str, str]]:
    """Variables that look like settings and are none, each with the setting it may stand for (or nothing)."""
    known = {*SETTINGS, *(f"{name}_FILE" for name, setting in SETTINGS.items() if setting.secret)}
    given = sorted(name for name in os.environ if name.startswith("RONDO_") and name not in known)
    return [(name, next(iter(difflib.get_close_matches(name, known, 1)), "")) for name in given]


def read(name: str) -> str:
    """The value of a declared setting; from ``NAME``, else from the file named by ``NAME_FILE``, else the default.

    Raises:
        InputError: ``NAME_FILE`` names a file that cannot be read.
    """
    setting = SETTINGS[name]
    value = os.environ.get(name)
    if value is not None:
        return value
    if setting.secret and (path := os.environ.get(f"{name}_FILE")):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InputError(
                gettext_noop(
                    "%(name)s_FILE=%(path)s: cannot be read (%(reason)s); name a readable file or set %(name)s."
                ),
                name=name,
                path=path,
                reason=error.strerror,
            ) from error
    return setting.default


def read_int(name: str, low: int, high: int) -> int:
    """A declared setting as a whole number within ``low`` and ``high``; raises InputError otherwise."""
    text = read(name)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise InputError(
            gettext_noop("%(name)s=%(value)r: a whole number from %(low)d to %(high)d is needed."),
            name=name,
            value=text,
            low=low,
            high=high,
        )
    return int(text)
