"""``rondo warehouse refresh|rebuild|check``: keep the columnar copy up to date, make it anew, compare it."""

import sys
import time
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.foundation.management.base import RondoCommand
from rondo.warehouse.check import compare
from rondo.warehouse.refresh import refresh


class Command(RondoCommand):
    requires_system_checks: list[str] = []
    help = gettext_noop(
        "Keep the columnar copy (Delta tables) up to date, make it anew, or compare it with the operational store."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["refresh", "rebuild", "check"])

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        if verb == "check":
            self._check()
            return
        started = time.monotonic()
        for done in refresh(rebuild=verb == "rebuild"):
            state = _("changed") if done.changed else _("as before")
            self.stdout.write(f"{done.table:<14} {done.rows:>12,}  {state}")
        self.stdout.write(_("%(seconds).1f s") % {"seconds": time.monotonic() - started})

    def _check(self) -> None:
        comparisons = compare()
        self.stdout.write(f"{_('table'):<14} {_('figure'):<22} {_('store'):>24} {_('copy'):>24}")
        for line in comparisons:
            mark = "" if line.same else "  " + _("differs")
            self.stdout.write(f"{line.table:<14} {line.figure:<22} {line.store:>24,} {line.copy:>24,}{mark}")
        if not all(line.same for line in comparisons):
            self.stderr.write(
                _("The copy differs from the store: run `rondo warehouse refresh`, else `rondo warehouse rebuild`.")
            )
            sys.exit(1)
        self.stdout.write(_("The copy agrees with the store."))
