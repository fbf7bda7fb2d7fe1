"""Restoring a backup into an empty installation, on either kind of database, whatever kind it was made on."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from rondo.backups.archive import Reader
from rondo.backups.making import Backup, Begin, of_database
from rondo.backups.states import Node, bring_to, models_at, seen, unknown
from rondo.backups.tables import Model, put_sequences, tables_of
from rondo.erasure.actions import ledger
from rondo.erasure.actions.again import bring_ledger, erase_again
from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import forget, installation
from rondo.foundation.loading import bulk

_TELLING = ("foundation_user", "customers_customer", "foundation_auditentry")
"""Tables that are empty as long as nobody works with an installation."""


def check_backup(path: Path, begin: Begin) -> dict[str, Any]:
    """Compare every part of an archive with its checksum; returns the manifest.

    Raises:
        InputError: it is no backup, of another format, or damaged.
    """
    with Reader(path) as archive:
        archive.check(begin(_("Checksums")))
        return archive.manifest


def restore_backup(actor: Actor, path: Path, begin: Begin, erasures: Path | None = None) -> Backup:
    """Put a backup into this installation, which nobody has worked with yet; then bring its tables to this version.

    The checksums are compared first; then all rows go in in one transaction, which ends when the files are back, so
    that a restore that is stopped leaves an empty installation, and can be made again; stopped later, it is there, and
    what is still to do is done by the next start and the next night. Scores come along; the columnar copy is worked out
    anew by the next refresh.

    Who was erased since the backup is erased again: by the ledger of this home, which a restore adds to and never
    replaces, by that of the backup, and by ``erasures``, the ledger of another home.

    Raises:
        InputError: no backup or ledger, damaged, or with rows that this database does not take. StateError: the
        installation is in use, or the backup was made by a later version of Rondo. PermissionRefused: the actor may not
        administer.
    """
    actor.require("administer")
    manifest = check_backup(path, begin)
    nodes: list[Node] = [(app, name) for app, name in manifest["migrations"]]
    if later := unknown(nodes):
        raise StateError(
            _("%(path)s was made by a later version of Rondo (it has %(names)s); restore it with that version.")
            % {"path": path, "names": ", ".join(f"{app}.{name}" for app, name in later[:3])}
        )
    places = {one["file"]: _inside(one["file"]) for one in manifest["files"]}
    files = {name: to for name, to in places.items() if not of_database(to) and to != ledger.path().resolve()}
    if erasures is not None:
        if not erasures.exists():
            raise InputError(
                _("%(path)s is not there; name the ledger of erasures to bring along.") % {"path": erasures}
            )
        bring_ledger(erasures)
    _refuse_used(nodes)
    bring_to(nodes)
    models = tables_of(models_at(nodes))
    told = {one["table"]: one for one in manifest["tables"]}
    with Reader(path) as archive:
        report = begin(_("Tables"))
        done, total = 0, sum(one["rows"] for one in told.values())
        with transaction.atomic(), _checked(path):
            _empty(models)
            for model in models:
                name = model._meta.db_table
                if name not in told:
                    continue
                with _named(path, name):
                    for batch in archive.table(name):
                        _check_columns(path, model, batch.schema.names)
                        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                        bulk.insert(model, columns, batch.num_rows)
                        done += batch.num_rows
                        report(done, total)
            put_sequences(models, manifest["sequences"])
            report = begin(_("Files"))
            if ledger.FILE in places:
                _bring(archive)
            for place, (name, to) in enumerate(files.items()):
                _put(archive, name, to)
                report(place + 1, len(files))
    forget()  # the alphabet of the marks is that of the backup
    call_command("migrate", verbosity=0, interactive=False)
    audit.record(actor, "backup.restored", "installation", installation().pk, {"file": [None, path.name]})
    try:
        erased = erase_again(actor)
    except StateError as error:
        raise StateError(
            _(
                "%(path)s is back. Who was erased since that backup is out of sight, but not erased again yet: "
                "%(reason)s The next night goes on with it."
            )
            % {"path": path, "reason": error}
        ) from error
    return Backup(path, len(told), done, len(files), path.stat().st_size, erased)


def _bring(archive: Reader) -> None:
    """Add the ledger of erasures of a backup to that of this home."""
    to = ledger.path().with_name(f"{ledger.FILE}.restored")
    try:
        _put(archive, ledger.FILE, to)
        bring_ledger(to)
    finally:
        to.unlink(missing_ok=True)


def _refuse_used(nodes: list[Node]) -> None:
    there = set(connection.introspection.table_names())
    if not there:
        return
    with connection.cursor() as cursor:
        for table in there.intersection(_TELLING):
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")
            if cursor.fetchone():
                raise StateError(
                    _(
                        "This installation is in use: %(table)s has rows. A backup goes into an empty one; name "
                        "another by RONDO_HOME or RONDO_DATABASE_URL."
                    )
                    % {"table": table}
                )
    if ahead := sorted(set(seen()) - set(nodes)):
        raise StateError(
            _(
                "The tables here are newer than the backup (%(names)s); it goes into a database without tables: name "
                "another by RONDO_HOME or RONDO_DATABASE_URL."
            )
            % {"names": ", ".join(f"{app}.{name}" for app, name in ahead[:3])}
        )


def _empty(models: list[Model]) -> None:
    """Take out what migrations put into the tables: the backup has it, as people changed it since."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for model in reversed(models):
            table = model._meta.db_table
            cursor.execute(f"SELECT 1 FROM {quote(table)} LIMIT 1")
            if cursor.fetchone() is None:
                continue
            with audit.door_opened("restore") if table == "foundation_auditentry" else nullcontext():
                cursor.execute(f"DELETE FROM {quote(table)}")


@contextmanager
def _checked(path: Path) -> Iterator[None]:
    """Foreign keys: on PostgreSQL table by table, so that no list of rows to check grows in memory; then once more."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    yield
    with _named(path, _("as a whole")):
        connection.check_constraints()


@contextmanager
def _named(path: Path, table: str) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise InputError(
            _("%(path)s, table %(table)s: this database does not take its rows (%(reason)s). Nothing was restored.")
            % {"path": path, "table": table, "reason": str(error).strip().splitlines()[0]}
        ) from error


def _check_columns(path: Path, model: Model, names: list[str]) -> None:
    known = {field.column for field in model._meta.concrete_fields}
    foreign = sorted(name for name in names if name not in known or names.count(name) > 1)
    if foreign:
        raise InputError(
            _(
                "%(path)s, table %(table)s: its columns are not those of the table (%(names)s). Nothing was restored; "
                "take a file that `rondo backup` made."
            )
            % {"path": path, "table": model._meta.db_table, "names": ", ".join(foreign[:3])}
        )


def _put(archive: Reader, name: str, to: Path) -> None:
    try:
        archive.file(name, to)
    except OSError as error:
        raise InputError(
            _("%(path)s cannot be written: %(reason)s.") % {"path": to, "reason": error.strerror}
        ) from error


def _inside(name: str) -> Path:
    home = settings.RONDO_HOME.resolve()
    to = (home / name).resolve()
    if not to.is_relative_to(home):
        raise InputError(_("The backup names a file outside of the home: %(name)s.") % {"name": name})
    return to
