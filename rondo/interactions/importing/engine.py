"""Runs an import: read, stage, plan, write in chunks, and make everything visible in one transaction."""

import errno
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers.models import Source as SourceRow
from rondo.customers.queries import scope_key, sees_all
from rondo.errors import InputError, Overtaken, RondoError, StateError
from rondo.foundation import audit, change_numbers
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation, zone
from rondo.foundation.loading.columns import Context
from rondo.foundation.loading.fields import Field, ImportOptions
from rondo.foundation.loading.job import LEASE, Loader, LoadJob, Progress
from rondo.foundation.models import Load
from rondo.foundation.registry import registries
from rondo.interactions.changed import note_load
from rondo.interactions.importing import foretelling
from rondo.interactions.importing.locking import exclusive
from rondo.interactions.importing.reading import Reader, Source, open_source
from rondo.interactions.importing.rejects import write_rejects
from rondo.interactions.importing.staging import detect, open_staging, resolve_mapping, stage
from rondo.interactions.importing.sweeping import clean, sweep_locked

DEFAULT_SOURCE = "import"
_GROUPS = {"orders": "order"}
_DISK_FULL = "53100"  # SQLSTATE, whatever language the server speaks
_ATTEMPTS = 3
_FULL_WORDS = ("disk is full", "no space left", "disk i/o error", "file too large")


class StorageFull(RondoError):
    """The disk, or the database's place on it, is full; what stood there before still stands."""


@dataclass
class Outcome:
    """What a run came to: the load, whether the same file was in already, what was detected, refused rows to show, and
    how many rows come to each outcome, where a dry run was asked to tell of each."""

    load: Load
    repeated: bool = False
    found: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)
    first_rejects: list[tuple[int, str, str, str]] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)


def _loader(kind: str) -> type[Loader]:
    known = registries.import_kinds.get(kind)
    if known is None:
        raise InputError(
            _("%(kind)r cannot be imported; one of %(kinds)s is needed.")
            % {"kind": kind, "kinds": ", ".join(registries.import_kinds.keys())}
        )
    return known.loader


def _zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            _("time zone %(zone)r is not known; one such as Europe/Berlin is needed.") % {"zone": name}
        ) from error


def _fingerprint(
    actor: Actor, reader: Reader, kind: str, mapping: Mapping[str, str], source: str, options: ImportOptions
) -> str:
    parts = [reader.digest, kind, dict(sorted(mapping.items())), source, options.meaning()]
    if not sees_all(actor.user):  # of the same file, others may take rows that were refused to this one
        parts.append(scope_key(actor.user))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _before(fingerprint: str, options: ImportOptions, plain: str) -> Load | None:
    """The load that the same file became. ``plain``: its fingerprint where nobody says the decimal mark, which that of
    a first file is found to be and that of the next one is said to be."""
    for load in Load.objects.filter(fingerprint__in={fingerprint, plain}, status=Load.Status.VISIBLE):
        if load.fingerprint == fingerprint or load.options.get("found", {}).get("decimals") == options.decimal:
            return load
    return None


def _storage_error(error: BaseException) -> StorageFull | None:
    """A full disk, whoever reports it (SQLite, PostgreSQL, the operating system), as a clear error."""
    current: BaseException | None = error
    while current is not None:
        text = str(current).lower()
        full = isinstance(current, OSError) and current.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        full |= getattr(current, "sqlstate", None) == _DISK_FULL
        if full or any(words in text for words in _FULL_WORDS):
            return StorageFull(
                _("There is no room left on the disk (%(error)s). Nothing was imported; make room and run it again.")
                % {"error": str(current).splitlines()[0]}
            )
        current = current.__cause__ or current.__context__
    return None


def run_import(
    actor: Actor,
    kind: str,
    source_file: Source,
    mapping: Mapping[str, str] | None = None,
    *,
    source: str = DEFAULT_SOURCE,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> Load:
    """Import a CSV or Parquet path, an Arrow table or a record batch reader; the load it became.

    Args:
        actor: needs the right ``import``.
        kind: key of a registered import kind (customers, consents, products, orders, interactions, campaigns,
            exposures).
        source_file: what to read.
        mapping: field → column; None maps columns that are called like fields.
        source: name of the system the data comes from; external ids, order numbers and message ids are unique in it.
        options: see :class:`~rondo.foundation.loading.fields.ImportOptions`.
        progress: called with (rows done, rows to do); 0 to do while reading.

    Returns:
        The visible load; of the same file imported before, the load of then; of a dry run, an unsaved one.

    Raises:
        InputError: the file or the arguments cannot be used (with ``strict``: any bad row).
        StateError: another import is running. StorageFull: no room left. PermissionRefused: not the actor's to do.
    """
    return run(actor, kind, source_file, mapping, source=source, options=options, progress=progress).load


def run(
    actor: Actor,
    kind: str,
    source_file: Source,
    mapping: Mapping[str, str] | None = None,
    *,
    source: str = DEFAULT_SOURCE,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
    report: Path | None = None,
) -> Outcome:
    """As :func:`run_import`, with all there is to tell about the run. ``report``: where a dry run writes down what
    would become of every row (see :mod:`rondo.interactions.importing.foretelling`)."""
    actor.require("import")
    options = options or ImportOptions()
    if not source.strip() or len(source) > 60:
        raise InputError(_("source=%(source)r: a name of 1 to 60 characters is needed.") % {"source": source})
    loader = _loader(kind)
    fields = loader.available(options)
    try:
        reader = open_source(source_file, options)
        chosen = resolve_mapping(reader, fields, mapping, options)
        # PostgreSQL keeps JSON in an order of its own; a trial and a run tell of the columns in that of the file.
        chosen = dict(sorted(chosen.items(), key=lambda pair: reader.columns.index(pair[1])))
        company = installation()
        naive = _zone_of(options.time_zone) if options.time_zone else zone()
        context = Context(company.currency, zone(), naive)
        detect(reader, fields, chosen, options, context)
        fingerprint = _fingerprint(actor, reader, kind, chosen, source, options)
        plain = _fingerprint(actor, reader, kind, chosen, source, replace(options, decimal=""))

        def task() -> _Task:
            load = Load(
                kind=kind,
                source=source,
                file_name=reader.name[:255],
                fingerprint=fingerprint,
                options={"mapping": chosen, "found": reader.found, **options.meaning(), "strict": options.strict},
                actor=actor.user,
            )
            return _Task(actor, loader, fields, reader, chosen, options, context, load, progress, report)

        if options.dry_run:
            return task().dry_run()
        with exclusive():
            before = _before(fingerprint, options, plain)
            if before is not None:
                return Outcome(before, repeated=True, found=reader.found, mapping=chosen)
            sweep_locked()
            outcome = _until_nobody_is_quicker(task)
    except (DatabaseError, OSError) as error:
        if (full := _storage_error(error)) is not None:
            raise full from error
        raise
    for hook in registries.after_load:
        hook(actor)
    return outcome


def _until_nobody_is_quicker(task: "Callable[[], _Task]") -> Outcome:
    """Load all, and begin anew where somebody wrote meanwhile what the file brings, such as an e-mail address that was
    nobody's when it was read.

    Raises:
        StateError: that happened again and again.
    """
    for _attempt in range(_ATTEMPTS):
        try:
            return task().load_all()
        except (IntegrityError, Overtaken) as error:
            last = error
    raise StateError(
        _("Others changed the same records again and again while the file came in. Nothing was imported; run it again.")
    ) from last


@dataclass
class _Task:
    """One run's parts, so that they need not be handed from step to step."""

    actor: Actor
    loader: type[Loader]
    fields: dict[str, Field]
    reader: Reader
    mapping: dict[str, str]
    options: ImportOptions
    context: Context
    load: Load
    progress: Progress | None
    report: Path | None = None

    def dry_run(self) -> Outcome:
        """Read and plan; write nothing but the reject file."""
        known = SourceRow.objects.filter(name=self.load.source).first()
        return self._with_staging(known.pk if known else None, write=False)

    def load_all(self) -> Outcome:
        """Read, plan, write, publish; what fails leaves nothing behind."""
        load = self.load
        with transaction.atomic():
            source, _created = SourceRow.objects.get_or_create(name=load.source)
            load.lease_until = timezone.now() + LEASE
            load.change = change_numbers.draw()
            load.save(force_insert=True)
        self.actor = Actor(self.actor.user, self.actor.door, load_id=load.pk)
        try:
            return self._with_staging(source.pk, write=True)
        except BaseException:
            clean(load, Load.Status.FAILED)
            raise

    def _with_staging(self, source_id: int | None, *, write: bool) -> Outcome:
        staging, folder = open_staging()
        try:
            with folder:
                return self._steps(staging, source_id, write=write)
        finally:
            staging.close()

    def _steps(self, staging: "object", source_id: int | None, *, write: bool) -> Outcome:
        import duckdb

        assert isinstance(staging, duckdb.DuckDBPyConnection)
        load = self.load
        group = _GROUPS.get(load.kind, "")
        read = stage(self.reader, self.fields, self.mapping, self.options, self.context, staging, group, self.progress)
        if read == 0:
            raise InputError(
                _("%(file)s has a first line with names but no rows; nothing to import.") % {"file": self.reader.name}
            )
        columns = [*self.mapping, *self.options.constants]
        job = LoadJob(self.actor, load, source_id, self.options, self.context, staging, columns, self.progress, group)
        plan = self.loader(job)
        if self.report is not None:
            foretelling.begin(job)
        plan.plan()
        rejected = job.number("SELECT count(DISTINCT line) FROM rejected")
        job.rows_total = job.number("SELECT count(*) FROM staged")
        self._settle(job, read, rejected, write=write)
        first = staging.sql(
            "SELECT line, any_value(field), any_value(value), any_value(reason) FROM rejected GROUP BY line "
            "ORDER BY line LIMIT 5"
        ).fetchall()
        outcome = Outcome(load, found=self.reader.found, mapping=self.mapping, first_rejects=first)
        if self.report is not None:
            outcome.outcomes = foretelling.write(job, plan, self.fields, self.report)
        if rejected and (self.options.strict or rejected == read) and self.report is None:
            raise InputError(self._refusal(first, rejected, strict=rejected < read))
        if not write:
            load.counts = job.counts
            return outcome
        plan.write()
        self._publish(plan, job)
        return outcome

    def _settle(self, job: LoadJob, read: int, rejected: int, *, write: bool) -> None:
        """Note the figures known before writing, and write the reject file."""
        job.count("rows", read)
        job.count("rows_rejected", rejected)
        stem = f"{self.load.kind}-run-{self.load.pk}" if write else f"{self.load.kind}-dry-run"
        if self.report is None:
            path = write_rejects(self.reader, self.mapping, job.staging, stem)
        else:
            refused = foretelling.Refused(job, self.reader.columns, self.mapping)
            stem = self.report.name.partition(".")[0]
            path = write_rejects(self.reader, self.mapping, job.staging, stem, refused.take)
            refused.flush()
        self.load.reject_file = str(path) if path else ""
        if write and path:
            Load.objects.filter(pk=self.load.pk).update(reject_file=self.load.reject_file)

    def _refusal(self, first: list[tuple[int, str, str, str]], rejected: int, *, strict: bool) -> str:
        line, name, value, reason = first[0]
        what = (
            _("%(file)s: %(count)d rows are bad, and --strict refuses the file.")
            if strict
            else _("%(file)s: all rows are bad (%(count)d); nothing was imported.")
        )
        more = _("First: %(unit)s %(line)d, %(column)s: %(value)r %(reason)s. All of them: %(path)s")
        return f"{what} {more}" % {
            "file": self.reader.name,
            "count": rejected,
            "unit": self.reader.unit,
            "line": line,
            "column": self.mapping.get(name, name),
            "value": value,
            "reason": reason,
            "path": Path(self.load.reject_file),
        }

    def _publish(self, plan: Loader, job: LoadJob) -> None:
        load = self.load
        with transaction.atomic():
            plan.publish()
            load.counts = job.counts
            load.finished_at = timezone.now()
            changed = Load.objects.filter(pk=load.pk, status=Load.Status.LOADING).update(
                status=Load.Status.VISIBLE,
                counts=load.counts,
                spans=load.spans,
                finished_at=load.finished_at,
                lease_until=None,
            )
            if not changed:
                raise StateError(_("Import %(run)d was ended by another process; start it again.") % {"run": load.pk})
            assert load.change is not None
            change_numbers.published(load.change)
            note_load(load, load.change)
            audit.record(self.actor, "import.published", "load", load.pk, {"status": ["loading", "visible"]})
        load.status = Load.Status.VISIBLE
        load.lease_until = None
