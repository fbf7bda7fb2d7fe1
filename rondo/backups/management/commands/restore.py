"""``rondo restore FILE``: a backup into an empty installation."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from rondo.backups.restoring import check_backup, restore_backup
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.progress import steps


class Command(RondoCommand):
    help = gettext_noop("Put a backup into an empty installation, on SQLite or PostgreSQL, whichever it was made on.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help=_("an archive that rondo backup wrote"))
        parser.add_argument(
            "--erasures", metavar="FILE", help=_("ledger of erasures (erasures.jsonl) of the home that is restored")
        )
        parser.add_argument("--check", action="store_true", help=_("compare the checksums only; nothing is restored"))

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        if options["check"]:
            with steps() as begin:
                manifest = check_backup(path, begin)
            self.stdout.write(
                _("%(path)s is whole: Rondo %(version)s, %(at)s, %(rows)s rows of %(tables)d tables.")
                % {
                    "path": path,
                    "version": manifest["rondo"],
                    "at": manifest["made_at"],
                    "rows": f"{sum(one['rows'] for one in manifest['tables']):,}",
                    "tables": len(manifest["tables"]),
                }
            )
            return
        with steps() as begin:
            put = restore_backup(system(), path, begin, Path(options["erasures"]) if options["erasures"] else None)
        self.stdout.write(
            _("%(rows)s rows of %(tables)d tables and %(files)d files are back. rondo up serves them.")
            % {"rows": f"{put.rows:,}", "tables": put.tables, "files": put.files}
        )
        if put.erased:
            self.stdout.write(
                ngettext(
                    "%(n)d customer record that was erased since the backup was erased again.",
                    "%(n)d customer records that were erased since the backup were erased again.",
                    put.erased,
                )
                % {"n": put.erased}
            )
