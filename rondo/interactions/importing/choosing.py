"""Files that come in by the browser: taken in, read as a person chooses, tried, imported, or put away.

The file lies under ``RONDO_HOME/uploads`` until it is imported or put away, at most a week; what was chosen for a
source and kind is what the next file of both begins with. Trials and imports are jobs; how far one is stands in its
row.
"""

import contextlib
import secrets
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from rondo.customers.definitions import hidden_from
from rondo.customers.models import Source
from rondo.customers.queries import sees_all
from rondo.errors import InputError, NotFound, RondoError, StateError
from rondo.foundation import audit, ids
from rondo.foundation.actors import Actor
from rondo.foundation.jobs import enqueue_after_commit, task
from rondo.foundation.loading.fields import Field, ImportOptions
from rondo.foundation.loading.job import Loader
from rondo.foundation.long_work import Progress
from rondo.foundation.models import Load, User
from rondo.foundation.registry import registries
from rondo.foundation.rights import owned
from rondo.interactions.importing import guessing
from rondo.interactions.importing.choices import Choice
from rondo.interactions.importing.decimals import MARKS
from rondo.interactions.importing.engine import DEFAULT_SOURCE, Outcome, run
from rondo.interactions.importing.locking import Busy
from rondo.interactions.importing.reading import Reader, open_source, texts
from rondo.interactions.importing.sniffing import EncodingUnknown
from rondo.interactions.models import ImportFile, ImportMapping

ROOM = "imports"
"""The room of rights that files and runs are in."""
FOLDER = "uploads"
KEPT_FOR = timedelta(days=7)
_AGAIN_AFTER = timedelta(seconds=5)
_LOOKED_AT = 100
"""So many of a person's last files tell where the next one comes from."""
ATTRIBUTE = "attribute:"
"""How the names of fields begin that are attributes."""


@dataclass(frozen=True)
class Preview:
    """The first rows of a file: names of the columns, (line, cells) of each row, and what was detected."""

    columns: list[str]
    rows: list[tuple[int, list[str]]]
    found: dict[str, str]

    def cells(self, name: str) -> tuple[str, ...]:
        """The cells of one column."""
        place = self.columns.index(name)
        return tuple(cells[place] for _line, cells in self.rows)


def folder() -> Path:
    """Where uploaded files lie; made if it is not there, for nobody else to read."""
    path = Path(settings.RONDO_HOME) / FOLDER
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(row: ImportFile) -> Path:
    """The uploaded file itself: under its own name, which errors and the run tell, in a folder of its own."""
    return folder() / row.stored_as / row.file_name


def report_of(row: ImportFile) -> Path:
    """What the last trial foretold of every row (see :mod:`rondo.interactions.importing.foretelling`)."""
    return folder() / row.stored_as / f"{row.public_id}.trial.parquet"


# Reads


def files(viewer: User) -> list[ImportFile]:
    """Files still on their way in, as far as the viewer sees imports, newest first."""
    rows = ImportFile.objects.filter(owned(viewer, ROOM, "user")).exclude(status=ImportFile.Status.DONE)
    return list(rows.select_related("user").order_by("-id")[:100])


def loads(viewer: User, limit: int = 200) -> list[Load]:
    """Import runs as far as the viewer sees imports, newest first."""
    return list(runs(viewer).order_by("-id")[:limit])


def runs(viewer: User) -> QuerySet[Load]:
    """All of them, in no order."""
    return Load.objects.filter(owned(viewer, ROOM, "actor")).select_related("actor")


def get_load(viewer: User, key: int) -> Load:
    """An import run that ``viewer`` may see; raises NotFound."""
    row = runs(viewer).filter(pk=key).first()
    if row is None:
        raise NotFound(_("There is no import run %(run)s that you may see.") % {"run": key})
    return row


def get_file(viewer: User, public_id: str) -> ImportFile:
    """A file on its way in that ``viewer`` may see; raises NotFound."""
    key = ids.decode(ImportFile.PREFIX, public_id)
    rows = ImportFile.objects.filter(owned(viewer, ROOM, "user")).select_related("user", "load")
    row = rows.filter(pk=key).first() if key else None
    if row is None:
        raise NotFound(_("This file is not there any more; bring it in again."))
    return row


def fields_of(kind: str) -> dict[str, Field]:
    """The fields of an import kind, defined attributes among them."""
    loader: type[Loader] = registries.import_kinds[kind].loader
    return loader.available(ImportOptions())


def fields_for(viewer: User, kind: str) -> dict[str, Field]:
    """The fields of an import kind that ``viewer`` may give: an attribute that they do not see is not among them."""
    hidden = {f"{ATTRIBUTE}{key}" for key in hidden_from(viewer)}
    return {name: spec for name, spec in fields_of(kind).items() if name not in hidden}


def lacking(kind: str, choice: Choice) -> list[str]:
    """The fields that files of a kind need and that neither a column nor one value for every row gives."""
    given = {*choice.mapping, *choice.constants}
    return [name for name, spec in fields_of(kind).items() if spec.required and name not in given]


def owners(viewer: User) -> list[User]:
    """Who may own the customers that the file creates: anybody, or oneself alone."""
    if not sees_all(viewer):
        return [viewer]
    return list(User.objects.filter(is_active=True, is_service=False).order_by("name", "email"))


def pace(row: ImportFile) -> tuple[int, int | None]:
    """Rows a second of the work under way, and the seconds left by that rate (None: not known yet)."""
    elapsed = (timezone.now() - row.started_at).total_seconds() if row.started_at else 0.0
    rate = row.done / elapsed if elapsed > 0.5 and row.done else 0.0
    return round(rate), round((row.total - row.done) / rate) if rate and row.total > row.done else None


def rejects_of(row: Load) -> Path | None:
    """The reject file of a run, if it lies where reject files lie."""
    if not row.reject_file:
        return None
    path = Path(row.reject_file).resolve()
    return path if path.is_relative_to((Path(settings.RONDO_HOME) / "rejects").resolve()) and path.is_file() else None


def preview(row: ImportFile, choice: Choice | None = None) -> Preview:
    """The first rows of a file, read as ``choice`` says; raises InputError where it cannot be read."""
    options = (choice or Choice.of(row.choice)).options(dry_run=True)
    reader = _reader(row, options)
    rows: list[tuple[int, list[str]]] = []
    with closing(reader.batches(reader.columns)) as batches:
        for lines, batch in batches:
            part = batch.slice(0, guessing.PREVIEW)
            cells = [texts(column) for column in part.columns]
            for line, *values in zip(lines[: len(part)].tolist(), *cells, strict=True):
                rows.append((line, ["" if value is None else value for value in values]))
            if len(rows) >= guessing.PREVIEW:
                break
    return Preview(reader.columns, rows[: guessing.PREVIEW], reader.found)


def _reader(row: ImportFile, options: ImportOptions) -> Reader:
    return open_source(_file(row), options)


def known_mapping(source: str, kind: str, columns: Sequence[str]) -> Choice | None:
    """How files of a source and kind were read last, if this one has all the columns it names."""
    row = ImportMapping.objects.filter(source=source, kind=kind).first()
    if row is None:
        return None
    choice = Choice.of(row.choice)
    return choice if choice.mapping and set(choice.mapping.values()) <= set(columns) else None


# Verbs


def place_for(file_name: str) -> Path:
    """Where a file of that name is to be laid before :func:`take`: a folder of its own in that of uploads. What is no
    character of a name is left out of it."""
    kept = "".join(c for c in Path(file_name.replace("\\", "/")).name if c.isprintable() and c not in '/:*?"<>|').strip(
        " ."
    )
    stem, mark, ending = kept.rpartition(".")
    name = f"{stem[:100]}.{ending[:20]}" if mark else kept[:100]
    place = folder() / secrets.token_hex(12) / (name or "file")
    place.parent.mkdir(mode=0o700)
    return place


def take(actor: Actor, path: Path, source: str = "") -> ImportFile:
    """A file that was laid where :func:`place_for` said becomes one on its way in, with a guess at what it is. One that
    cannot be read at all is removed again; one whose encoding cannot be told stays, without a kind, until somebody says
    it (see :func:`take_encoding`).

    Without a ``source`` it is of the one whose last file had these columns. Where there is none such, the person is
    asked: numbers are unique within a source, and another's would be taken for its own.

    Raises:
        PermissionRefused: the actor may not import. InputError: the file cannot be read.
    """
    actor.require("import")
    if actor.user is None:
        raise InputError(_("A file is brought in by a person; the system uses rondo import."))
    row = ImportFile(user=actor.user, file_name=path.name, stored_as=path.parent.name, size=path.stat().st_size)
    try:
        row.kind, row.source, choice = _guessed(row, Choice(), source)
        row.choice = asdict(choice)
    except EncodingUnknown as error:  # nothing is known of it before they say
        row.source, row.error, row.choice = source, str(error), asdict(Choice())
    except BaseException:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    with transaction.atomic():
        row.save(force_insert=True)
        audit.record(actor, "import_file.taken", "import_file", row.pk, {"file": [None, row.file_name]})
    return row


def _guessed(row: ImportFile, as_if: Choice, source: str) -> tuple[str, str, Choice]:
    """Kind, source and choice that a file most likely has, read ``as_if``."""
    seen = preview(row, as_if)
    kind, mapping = guessing.kind_of([guessing.Column(name, seen.cells(name)) for name in seen.columns])
    source = source or _usual_source(row.user, kind, seen.columns)
    known = known_mapping(source, kind, seen.columns)
    choice = known or Choice(mapping=mapping)
    # The columns are those of the file as it was read here; a line or a mark said of an older one holds for that alone.
    choice = replace(choice, delimiter=as_if.delimiter, header_line=as_if.header_line)
    # Nor does an encoding where the file says its own: text that is UTF-8 from end to end is nothing else.
    kept = "" if seen.found.get("encoding", "").startswith("utf") else choice.encoding
    return kind, source, replace(choice, encoding=as_if.encoding or kept)


def take_encoding(actor: Actor, row: ImportFile, encoding: str) -> ImportFile:
    """Say the encoding of a file whose own could not be told; then it is guessed what it is.

    Raises:
        InputError: it cannot be read with that either. StateError: work is under way.
    """
    kind, source, choice = _guessed(row, Choice(encoding=encoding), row.source)
    return choose(actor, row, kind=kind, source=source, choice=choice)


def take_upload(actor: Actor, given: TemporaryUploadedFile) -> ImportFile:
    """An upload becomes a file on its way in, as by :func:`take`; it is not copied."""
    actor.require("import")
    place = place_for(given.name or "file")
    place.hardlink_to(given.temporary_file_path())  # the first name goes with the request
    return take(actor, place)


def take_rejects(actor: Actor, row: Load) -> ImportFile:
    """Bring the refused rows of a run in again, as a file of their own.

    Raises:
        NotFound: no row was refused, or their file is gone.
    """
    actor.require("import")
    path = rejects_of(row)
    if path is None:
        raise NotFound(_("There is no file of refused rows of this run."))
    place = place_for(path.name)
    shutil.copyfile(path, place)
    file = take(actor, place, row.source)
    choice = Choice.of(file.choice)
    known = fields_for(file.user, file.kind) if file.kind == row.kind else {}
    given = {field: value for field, value in row.options.get("constants", {}).items() if field in known}
    constants = choice.constants | {field: value for field, value in given.items() if field not in choice.mapping}
    # It is UTF-8, whatever the file was; and its rows get what all rows of the run were given.
    choice = replace(choice, encoding="", constants=constants)
    return choose(actor, file, kind=file.kind, source=file.source, choice=choice)


def take_for(actor: Actor, row: ImportFile, kind: str, as_if: Choice | None = None) -> ImportFile:
    """Take a file for another kind: its columns are read as those of the last file of its source and kind, or guessed.
    ``as_if``: how the file itself is read, where that was said.

    Raises:
        InputError: no such kind. StateError: work is under way.
    """
    told = as_if or Choice.of(row.choice)
    plain = Choice(encoding=told.encoding, delimiter=told.delimiter, header_line=told.header_line)
    seen = preview(row, plain)
    known, mapping, source = None, {}, row.source
    if kind in registries.import_kinds:
        source = source or _usual_source(row.user, kind, seen.columns)
        mapping = guessing.mapping_of(kind, [guessing.Column(name, seen.cells(name)) for name in seen.columns])
        known = known_mapping(source, kind, seen.columns)
    chosen = known or Choice(mapping=mapping)
    chosen = replace(
        chosen,
        encoding=plain.encoding or chosen.encoding,
        delimiter=plain.delimiter,
        header_line=plain.header_line,
    )
    return choose(actor, row, kind=kind, source=source, choice=chosen)


def _usual_source(user: User, kind: str, columns: Sequence[str]) -> str:
    """The source that the person's last file of a kind with these columns came from; ``import`` if nothing ever came
    in, and nothing where it is not known."""
    told = ImportFile.objects.filter(user=user, kind=kind).exclude(source="").order_by("-id")
    for source in dict.fromkeys(told.values_list("source", flat=True)[:_LOOKED_AT]):
        if known_mapping(source, kind, columns) is not None:
            return source
    return "" if Source.objects.exists() else DEFAULT_SOURCE


def choose(actor: Actor, row: ImportFile, *, kind: str, source: str, choice: Choice) -> ImportFile:
    """Say what a file is and how it is read; a trial of before counts no longer.

    Raises:
        InputError: no such kind, no source, or a choice that the file does not bear. StateError: work is under way.
    """
    _own(actor, row)
    if kind not in registries.import_kinds:
        raise InputError(
            _("%(kind)r cannot be imported; one of %(kinds)s is needed.")
            % {"kind": kind, "kinds": ", ".join(registries.import_kinds.keys())}
        )
    if (row.source and not source.strip()) or len(source) > 60:  # one that nobody named yet may be named later
        raise InputError(_("source=%(source)r: a name of 1 to 60 characters is needed.") % {"source": source})
    choice.options(dry_run=True)
    with transaction.atomic():
        free = ImportFile.objects.filter(pk=row.pk).exclude(status__in=_BOUND)
        if not free.update(
            kind=kind,
            source=source.strip(),
            choice=asdict(choice),
            status=ImportFile.Status.CHOSEN,
            trial={},
            error="",
        ):
            raise _bound(row)
    row.refresh_from_db()
    return row


_BOUND = (ImportFile.Status.QUEUED, ImportFile.Status.RUNNING, ImportFile.Status.DONE)


def _bound(row: ImportFile) -> StateError:
    return StateError(
        _("%(file)s is being worked on, or in already; wait, or bring it in anew.") % {"file": row.file_name}
    )


def _own(actor: Actor, row: ImportFile) -> None:
    actor.require("import")
    if actor.user is not None and not ImportFile.objects.filter(owned(actor.user, ROOM, "user"), pk=row.pk).exists():
        raise NotFound(_("This file is not there any more; bring it in again."))


def request(actor: Actor, row: ImportFile, work: str) -> ImportFile:
    """Ask for the trial or the import of a file; a job does it. Asked twice, it is done once.

    Raises:
        InputError: nobody said which system the file comes from. StateError: work is under way, or the file is in
            already.
    """
    _own(actor, row)
    if not row.source:
        raise InputError(
            _("Say which system %(file)s comes from: no file with these columns came in before.")
            % {"file": row.file_name}
        )
    with transaction.atomic():
        free = ImportFile.objects.filter(pk=row.pk).exclude(status__in=_BOUND)
        if not free.update(
            status=ImportFile.Status.QUEUED, work=work, done=0, total=0, error="", started_at=None, finished_at=None
        ):
            raise _bound(row)
        if work == ImportFile.Work.IMPORT:
            ImportMapping.objects.update_or_create(
                source=row.source,
                kind=row.kind,
                defaults={"choice": _lasting(row.choice), "user": actor.user, "changed_at": timezone.now()},
            )
            told = {"file": [None, row.file_name], "kind": [None, row.kind], "source": [None, row.source]}
            audit.record(actor, "import_file.asked", "import_file", row.pk, told)
        enqueue_after_commit(work_on_file, row.pk, translation.get_language() or "")
    row.refresh_from_db()
    return row


def discard(actor: Actor, row: ImportFile) -> None:
    """Put a file away that is not being worked on; what was imported stays."""
    _own(actor, row)
    with transaction.atomic():
        gone = ImportFile.objects.filter(pk=row.pk).exclude(status__in=_BOUND[:2]).delete()[0]
        if not gone:
            raise _bound(row)
        audit.record(actor, "import_file.discarded", "import_file", row.pk, {"file": [row.file_name, None]})
    _remove(row)


def _remove(row: ImportFile) -> None:
    shutil.rmtree(folder() / row.stored_as, ignore_errors=True)


def forget_old(actor: Actor) -> int:
    """Remove uploaded files that nobody came back to for a week, and stray ones; how many."""
    count = 0
    for row in ImportFile.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).exclude(status__in=_BOUND):
        with contextlib.suppress(StateError):
            discard(actor, row)
            count += 1
    named = set(ImportFile.objects.values_list("stored_as", flat=True))
    for path in folder().iterdir():
        old = path.stat().st_mtime < (timezone.now() - KEPT_FOR).timestamp()
        if old and path.name not in named:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            count += 1
    return count


# The job


@task()
def work_on_file(key: int, language: str = "") -> str:
    """Try or import a file; how it ended. Safe to run twice: the same file changes nothing. Reasons are written in the
    ``language`` that the person asked in, which their browser may have chosen."""
    row = ImportFile.objects.select_related("user").filter(pk=key).first()
    if row is None or not row.under_way:
        return "gone"
    ImportFile.objects.filter(pk=key).update(status=ImportFile.Status.RUNNING, started_at=timezone.now())
    with translation.override(language or row.user.language or settings.LANGUAGE_CODE):
        try:
            _work(row)
        except Busy:
            with transaction.atomic():
                ImportFile.objects.filter(pk=key).update(status=ImportFile.Status.QUEUED)
                work_on_file.using(run_after=timezone.now() + _AGAIN_AFTER).enqueue(key, language)
            return "waiting"
        except Exception as error:
            known = isinstance(error, RondoError)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            _end(key, status=ImportFile.Status.FAILED, error=reason[:4000])
            if not known:
                raise
    return str(ImportFile.objects.values_list("status", flat=True).get(pk=key))


def _end(key: int, **columns: Any) -> None:
    ImportFile.objects.filter(pk=key).update(finished_at=timezone.now(), **columns)


def _work(row: ImportFile) -> None:
    choice = Choice.of(row.choice)
    trial = row.work == ImportFile.Work.TRIAL
    outcome = run(
        Actor(row.user, "import"),
        row.kind,
        _file(row),
        choice.mapping,
        source=row.source,
        options=choice.options(dry_run=trial),
        progress=Progress(row).rows,
        report=report_of(row) if trial else None,
    )
    if trial:
        _end(row.pk, status=ImportFile.Status.TRIED, trial=_told(outcome))
        return
    _keep_mark(row, choice, outcome.found.get("decimals", ""))
    _end(row.pk, status=ImportFile.Status.DONE, load=outcome.load, trial={"repeated": outcome.repeated})
    _remove(row)


def _keep_mark(row: ImportFile, choice: Choice, mark: str) -> None:
    """The decimal mark that the file was found to have is that of the next one of its source and kind, too."""
    if mark in MARKS and not choice.decimal:
        kept = ImportMapping.objects.filter(source=row.source, kind=row.kind).first()
        if kept is not None and kept.choice == _lasting(row.choice):
            ImportMapping.objects.filter(pk=kept.pk).update(choice=kept.choice | {"decimal": mark})


def _lasting(choice: dict[str, Any]) -> dict[str, Any]:
    """What the next file of a source begins with: tags and the like are said of one file; a channel, say, of all."""
    kept = {name: value for name, value in choice.get("constants", {}).items() if not name.startswith(ATTRIBUTE)}
    return choice | {"constants": kept}


def _file(row: ImportFile) -> Path:
    path = path_of(row)
    if not path.exists():
        raise InputError(_("%(file)s is no longer there; bring it in again.") % {"file": row.file_name})
    return path


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "counts": outcome.load.counts,
        "outcomes": outcome.outcomes,
        "found": outcome.found,
        "rejects": outcome.load.reject_file,
    }
