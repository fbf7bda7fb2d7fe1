"""``rondo demo``: load the Complete Journey, analyse it, say what was found, and serve it; or clear it again."""

import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.demo.actions.asking import request_clearing, there_is_demo
from rondo.demo.actions.clearing import clear_demo
from rondo.demo.actions.loading import demo_user, load_demo
from rondo.demo.models import Clearing
from rondo.demo.queries import preview
from rondo.demo.summary import lines
from rondo.demo.words import GOES, STAYS, STEPS
from rondo.errors import InputError, StateError
from rondo.foundation.accounts import make_login_link
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.progress import Report, steps
from rondo.foundation.serving.prepare import check_port


class Command(RondoCommand):
    help = gettext_noop("Load the demo data (once), analyse it and serve it; or clear it again.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help=_("load and analyse only"))
        parser.add_argument("--clear", action="store_true", help=_("say what would go and what would stay, then clear"))
        parser.add_argument("--yes", action="store_true", help=_("clear without asking"))

    def handle(self, *args: Any, **options: Any) -> None:
        if options["clear"]:
            self._clear(sure=options["yes"])
            return
        if not options["no_serve"]:
            check_port(settings.RONDO_HOST, settings.RONDO_PORT)  # before the minute that the load takes
        call_command("migrate", verbosity=0)
        with steps() as begin:
            report = load_demo(begin)
        for line in lines(report):
            self.stdout.write(line)
        if options["no_serve"]:
            return
        from rondo.foundation.serving import serve

        serve(make_login_link(system(), demo_user()))

    def _clear(self, *, sure: bool) -> None:
        """Say what goes and what stays, ask, and clear.

        Raises:
            StateError: there is no demo, or the removal failed; InputError: nobody is there to be asked.
        """
        call_command("migrate", verbosity=0)
        if not there_is_demo():
            raise StateError(_("There is no demo here; nothing was removed."))
        found = preview()
        for title, counts, words in ((_("Goes"), found.goes, GOES), (_("Stays"), found.stays, STAYS)):
            self.stdout.write(f"{title}:")
            for name, count in counts.items():
                if count:
                    self.stdout.write(f"{count:>12,}  {words[name]}")
        if not sure:
            if not sys.stdin.isatty():
                raise InputError(_("Nothing was removed: nobody can be asked here. Say --yes if it is meant."))
            if input(_("Type “clear” to clear the demo:") + " ").strip() not in {"clear", _("clear")}:
                self.stdout.write(_("Nothing was removed."))
                return
        row = request_clearing(system())  # a worker goes on with it where this is killed
        with steps() as begin:
            shown: dict[str, Report] = {}

            def report(step: str, done: int, total: int) -> None:
                if step not in shown:
                    shown[step] = begin(str(STEPS[step]))
                shown[step](done, total)

            row = clear_demo(row.pk, report)
        if row.status != Clearing.Status.DONE:
            raise StateError(row.error)
        self.stdout.write(_("The demo is cleared; “rondo up” leads through the first steps."))
