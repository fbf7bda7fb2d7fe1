"""``rondo backup [FILE]``: everything that cannot be worked out anew, in one archive."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.backups.making import make_backup
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.progress import steps


class Command(RondoCommand):
    help = gettext_noop("Write database and files into one archive, which rondo restore takes; work goes on meanwhile.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help=_("the archive (default: rondo-DATE-TIME.zip in this folder)"))

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"] or f"rondo-{timezone.localtime():%Y%m%d-%H%M%S}.zip"
        with steps() as begin:
            made = make_backup(system(), Path(name), begin)
        self.stdout.write(
            _("%(path)s: %(rows)s rows of %(tables)d tables, %(files)d files, %(size)s MB. Keep it like a key.")
            % {
                "path": made.path,
                "rows": f"{made.rows:,}",
                "tables": made.tables,
                "files": made.files,
                "size": f"{made.size / 1e6:.1f}",
            }
        )
