"""Drawings kept as files in RONDO_HOME/drawings, so that no process draws again what another one drew.

A file's name is a digest of the drawing's key and of everything in this version that draws: another release, another
translation or another Altair finds nothing of the old. The newest LIMIT files stay. Losing any of them costs a drawing.
"""

import hashlib
import logging
import os
import secrets
import shutil
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

LIMIT = 400
"""Files kept: five charts of a run in two sizes and two languages are twenty, for each circle of viewers."""

_WEB = Path(__file__).parent.parent
_SOURCES = (
    "charts/*.py",
    "campaigns/*.py",
    "segments/*.py",
    "stages/*.py",
    "formats.py",
    "../locale/*/LC_MESSAGES/django.*",
)
_log = logging.getLogger("rondo.charts")


@lru_cache(maxsize=1)
def drawn_by() -> str:
    """A digest of what draws: our sources and words, Altair and vl-convert."""
    seen = hashlib.sha256(f"{version('altair')} {version('vl-convert-python')}".encode())
    for pattern in _SOURCES:
        for path in sorted(_WEB.glob(pattern)):
            seen.update(path.read_bytes())
    return seen.hexdigest()


def find(key: str) -> SafeString | None:
    """The drawing kept under ``key``, or None."""
    try:
        return mark_safe(_path(key).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("The drawing %s cannot be read: %s", _path(key), error)
        return None


def keep(key: str, drawing: str) -> None:
    """Keep a drawing under ``key``, whole or not at all; a full disk is logged and costs only the next process time."""
    path = _path(key)
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(drawing, encoding="utf-8")
        made.replace(path)
        _bound(path.parent)
    except OSError as error:
        with suppress(OSError):  # a half-written file is swept away with the oldest
            made.unlink()
        _log.warning("The drawing %s cannot be kept: %s", path, error)


def throw_away() -> None:
    """Remove all drawings: what they show is gone."""
    shutil.rmtree(Path(settings.RONDO_HOME) / "drawings", ignore_errors=True)


def _path(key: str) -> Path:
    return Path(settings.RONDO_HOME) / "drawings" / hashlib.sha256(f"{drawn_by()} {key}".encode()).hexdigest()


def _bound(folder: Path) -> None:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another process gave its file a name meanwhile, or swept it away
                found.append((entry.stat().st_mtime_ns, entry.path))
    for _time, path in sorted(found, reverse=True)[LIMIT:]:
        Path(path).unlink(missing_ok=True)
