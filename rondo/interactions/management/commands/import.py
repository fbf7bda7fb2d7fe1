"""``rondo import``: load a file, take a run back, list the runs."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.errors import InputError
from rondo.foundation.actors import Actor, system
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.models import Load, User
from rondo.foundation.progress import Report, steps
from rondo.foundation.registry import registries
from rondo.interactions.importing import ImportOptions, Outcome, run, sweep_dead_loads, undo, wording
from rondo.interactions.importing.engine import DEFAULT_SOURCE

_SHOWN = {"rows", "rows_rejected", "rows_held_back"}


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """``field=column`` arguments as a mapping."""
    found: dict[str, str] = {}
    for text in given or []:
        field, mark, column = text.partition("=")
        if not mark or not field.strip() or not column.strip():
            raise InputError(_("%(option)s %(text)r: write it as name=value.") % {"option": option, "text": text})
        if field.strip() in found:
            raise InputError(_("%(option)s: %(field)s is given twice.") % {"option": option, "field": field.strip()})
        found[field.strip()] = column.strip()
    return found


def _in_steps(begin: Callable[[str], Report]) -> Report:
    """Reading, whose end is not known, and writing, whose end is, as two steps of the progress shown."""
    report = begin(_("reading"))
    writing = False

    def progress(done: int, total: int) -> None:
        nonlocal report, writing
        if total and not writing:
            writing, report = True, begin(_("writing"))
        report(done, total)

    return progress


class Command(RondoCommand):
    help = gettext_noop(
        "Load customers, products, orders and contacts from CSV or Parquet; take a run back; list the runs."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = ", ".join(registries.import_kinds.keys())
        parser.add_argument("what", help=_("%(kinds)s; or undo, list") % {"kinds": kinds})
        parser.add_argument("file", nargs="?", help=_("CSV or Parquet file (with undo: the number of the run)"))
        parser.add_argument(
            "--map", nargs="+", action="extend", metavar="FIELD=COLUMN", help=_("which column a field is")
        )
        parser.add_argument(
            "--set", nargs="+", action="extend", metavar="FIELD=VALUE", help=_("one value for every row")
        )
        parser.add_argument(
            "--define", nargs="+", action="extend", metavar="KEY=TYPE:FORM", help=_("make an attribute")
        )
        parser.add_argument("--source", default=DEFAULT_SOURCE, help=_("name of the system the data comes from"))
        parser.add_argument("--dry-run", action="store_true", help=_("read and check, write nothing"))
        parser.add_argument("--strict", action="store_true", help=_("refuse the file if one row is bad"))
        parser.add_argument(
            "--on-match", default="update", metavar="update|skip", help=_("what happens to known records")
        )
        parser.add_argument(
            "--match-by",
            nargs="+",
            action="extend",
            metavar="external|email|phone|card",
            help=_("identifiers that tell who a row of customers is; all of them unless told otherwise"),
        )
        parser.add_argument("--customer-by", default="external", metavar="external|email|phone|card")
        parser.add_argument("--date-format", default="", help=_("such as %%d.%%m.%%Y"))
        parser.add_argument(
            "--time-zone", default="", help=_("of times without one; the company's unless told otherwise")
        )
        parser.add_argument("--decimal", default="", help=_("decimal mark: . or ,"))
        parser.add_argument("--delimiter", default="", help=_("such as ; (tab: \\t)"))
        parser.add_argument("--encoding", default="", help=_("such as cp1252"))
        parser.add_argument(
            "--header-line", type=int, default=0, help=_("the line or row in which the names of the columns stand")
        )
        parser.add_argument("--region", default="", help=_("country of phone numbers without a code, such as DE"))
        parser.add_argument("--user", default="", help=_("e-mail address of the user in whose name it is done"))

    def handle(self, *args: Any, **options: Any) -> None:
        actor = self._actor(options["user"])
        if options["what"] == "list":
            self._list()
        elif options["what"] == "undo":
            self._undo(actor, options["file"])
        else:
            self._load(actor, options)

    def _actor(self, email: str) -> Actor:
        if not email:
            return system("import")
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise InputError(_("There is no user %(email)s.") % {"email": email})
        return Actor(user, "import")

    def _load(self, actor: Actor, options: dict[str, Any]) -> None:
        if not options["file"]:
            raise InputError(_("Name the file: rondo import %(kind)s FILE.") % {"kind": options["what"]})
        define: dict[str, tuple[str, str]] = {}
        for key, text in _pairs(options["define"], "--define").items():
            kind, mark, form = text.partition(":")
            if not mark:
                raise InputError(
                    _("--define %(key)s=%(text)s: write it as key=type:form.") % {"key": key, "text": text}
                )
            define[key] = (kind, form)
        chosen = ImportOptions(
            on_match=options["on_match"],
            strict=options["strict"],
            dry_run=options["dry_run"],
            date_format=options["date_format"],
            decimal=options["decimal"],
            delimiter=options["delimiter"].replace("\\t", "\t"),
            encoding=options["encoding"],
            header_line=options["header_line"],
            time_zone=options["time_zone"],
            region=options["region"],
            constants=_pairs(options["set"], "--set"),
            define=define,
            customer_by=options["customer_by"],
            match_by=tuple(options["match_by"] or ()),
        )
        mapping = _pairs(options["map"], "--map") or None
        with steps() as begin:
            outcome = run(
                actor,
                options["what"],
                options["file"],
                mapping,
                source=options["source"],
                options=chosen,
                progress=_in_steps(begin),
            )
        self._report(outcome, dry=chosen.dry_run)

    def _report(self, outcome: Outcome, *, dry: bool) -> None:
        load = outcome.load
        found = ", ".join(
            f"{wording.found(name)} {wording.found_value(name, value)}" for name, value in outcome.found.items()
        )
        self.stdout.write(_("%(file)s: %(found)s") % {"file": load.file_name, "found": found})
        self.stdout.write("  " + ", ".join(f"{field}={column}" for field, column in outcome.mapping.items()))
        if outcome.repeated:
            self.stdout.write(_("The same file was imported as run %(run)d; nothing changed.") % {"run": load.pk})
            return
        rejected = load.counts.get("rows_rejected", 0)
        self.stdout.write(_("%(count)d rows read, %(bad)d refused") % {"count": load.counts["rows"], "bad": rejected})
        for name, number in load.counts.items():
            if name not in _SHOWN:
                self.stdout.write(f"  {number:>12,} {wording.counted(name, number)}")
        for line, field, value, reason in outcome.first_rejects:
            column = outcome.mapping.get(field, field) if field else "-"
            self.stdout.write(f"  {line}: {column} {value!r} {reason}")
        if load.reject_file:
            self.stdout.write(_("Refused rows with reasons: %(path)s") % {"path": load.reject_file})
        if dry:
            self.stdout.write(_("Dry run: nothing was written."))
        else:
            self.stdout.write(_("Run %(run)d is done; “rondo import undo %(run)d” takes it back.") % {"run": load.pk})

    def _undo(self, actor: Actor, number: str | None) -> None:
        if not number or not number.isdecimal():
            raise InputError(_("Give the number of the run: rondo import undo RUN (see rondo import list)."))
        load = undo(actor, int(number))
        self.stdout.write(_("Run %(run)d is taken back.") % {"run": load.pk})
        for name, count in load.undo["kept"].items():
            self.stdout.write(
                _("  %(count)d %(name)s are kept because later data refers to them")
                % {"count": count, "name": wording.counted(name, count)}
            )
        if load.undo["restored"] or load.undo["left"]:
            self.stdout.write(
                _("  %(restored)d records restored; %(left)d values were changed since and are left as they are")
                % {"restored": load.undo["restored"], "left": load.undo["left"]}
            )

    def _list(self) -> None:
        sweep_dead_loads()
        for load in Load.objects.order_by("-pk")[:100]:
            counts = ", ".join(f"{n:,} {wording.counted(k, n)}" for k, n in load.counts.items())
            self.stdout.write(
                f"{load.pk:>6}  {load.started_at:%Y-%m-%d %H:%M}  {load.get_status_display():<12} {load.kind:<12} "
                f"{load.source:<16} {load.file_name}  {counts}"
            )
