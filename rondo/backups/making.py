"""Making a backup: one consistent state of the database, and the files of the home that nothing makes anew."""

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo import __version__
from rondo.backups.archive import FORMAT, Writer, written
from rondo.backups.states import models_at, seen
from rondo.backups.tables import LEFT_OUT, read_as, sequences, tables_of
from rondo.errors import StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation
from rondo.foundation.serving.prepare import open_migrations
from rondo.warehouse.extract import arrow_schema, batches, read_transaction

Begin = Callable[[str], Callable[[int, int], None]]
"""Opens a step of the work by name; see :func:`rondo.foundation.progress.steps`."""

MADE_ANEW = ("static", "warehouse", "drawings", "spark")
"""Folders of the home that are made anew from what a backup holds."""


@dataclass(frozen=True)
class Backup:
    """What a backup came to: ``rows`` in ``tables``, ``files`` of the home, and its size in bytes. ``erased``: records
    that a restore erased again."""

    path: Path
    tables: int
    rows: int
    files: int
    size: int
    erased: int = 0


def make_backup(actor: Actor, path: Path, begin: Begin) -> Backup:
    """Write everything that cannot be worked out anew into one archive at ``path``; others go on working meanwhile.

    The archive is there whole or not at all. It holds what the database holds, addresses and digests of passwords
    included, and the secret key where the home keeps it: keep it like a key.

    Raises:
        InputError: there is a file of that name, or it cannot be written. StateError: the database has no tables.
        PermissionRefused: the actor may not administer.
    """
    actor.require("administer")
    nodes = seen()
    if not nodes:
        raise StateError(_("The database has no tables yet, so there is nothing to back up; rondo setup prepares it."))
    models = tables_of(models_at(nodes))
    tables: list[dict[str, Any]] = []
    with written(path) as archive:
        report = begin(_("Tables"))
        with read_transaction():
            for place, model in enumerate(models):
                table = read_as(model)
                tables.append(archive.table(table.key, arrow_schema(table), batches(table, "")))
                report(place + 1, len(models))
            last = sequences(models)
        files = _files(archive, path, begin)
        archive.manifest(
            {
                "format": FORMAT,
                "rondo": __version__,
                "made_at": timezone.now().isoformat(),
                "database": connection.vendor,
                "migrations": [list(node) for node in nodes],
                "tables": tables,
                "sequences": last,
                "files": files,
                "left_out": LEFT_OUT,
            }
        )
    found = Backup(path, len(tables), sum(one["rows"] for one in tables), len(files), path.stat().st_size)
    if not open_migrations():  # before an upgrade the log is not to be written by this version yet
        audit.record(actor, "backup.made", "installation", installation().pk, {"file": [None, path.name]})
    return found


def _files(archive: Writer, path: Path, begin: Begin) -> list[dict[str, Any]]:
    report = begin(_("Files"))
    kept = list(home_files(path))
    told = []
    for place, (name, source) in enumerate(kept):
        try:
            told.append(archive.file(name, source))
        except FileNotFoundError:  # an upload that was put away meanwhile
            continue
        report(place + 1, len(kept))
    return told


def home_files(apart_from: Path) -> Iterator[tuple[str, Path]]:
    """The files of the home that a backup holds, by their name in it.

    Left out: the database, also one that was used before, what is made anew, locks, half-written files, other backups,
    and links out of the home.
    """
    home = settings.RONDO_HOME
    anew = {*(home / name for name in MADE_ANEW), settings.RONDO_WAREHOUSE.absolute()}
    for folder, names, files in os.walk(home):
        names[:] = sorted(name for name in names if Path(folder, name) not in anew)
        for name in sorted(files):
            file = Path(folder, name)
            if file.is_symlink() or not file.is_file() or file == apart_from.absolute():
                continue
            if name.endswith((".part", "-lock", ".lock", ".pid")) or of_database(file):
                continue
            if file.suffix == ".zip" and _is_backup(file):
                continue
            yield file.relative_to(home).as_posix(), file


def of_database(file: Path) -> bool:
    """Whether a file of the home is one of SQLite's: of the database that is served, or of the one that is served where
    no other is named, which an installation that moved to PostgreSQL left behind."""
    databases = [settings.RONDO_HOME / "rondo.sqlite3"]
    if connection.vendor == "sqlite":
        databases.append(Path(settings.DATABASES["default"]["NAME"]))
    return any(file.parent == one.parent.resolve() and file.name.startswith(one.name) for one in databases)


def _is_backup(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return {"manifest.json", "manifest.sha256"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
