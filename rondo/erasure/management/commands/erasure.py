"""``rondo erasure``: what an erasure would do, erase a customer, and erase again who is back by a backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from rondo.erasure.actions import erase
from rondo.erasure.actions.again import bring_ledger, erase_again
from rondo.erasure.actions.asking import words
from rondo.erasure.models import Erasure
from rondo.erasure.queries import preview
from rondo.errors import InputError, StateError
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand


class Command(RondoCommand):
    help = gettext_noop("Say what an erasure of a customer would do, do it, or do all of the ledger again.")

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("preview", help=_("what would go and what would stay")).add_argument("customer")
        done = verbs.add_parser("do", help=_("erase a customer for good"))
        done.add_argument("customer")
        done.add_argument("--for-good", action="store_true", help=_("really: it cannot be undone"))
        again = verbs.add_parser("again", help=_("erase again who is back by a backup"))
        again.add_argument("--ledger", metavar="FILE", help=_("ledger of another home to bring along"))

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "again":
            if options["ledger"]:
                bring_ledger(Path(options["ledger"]))
            done = erase_again(system())
            text = ngettext("%(n)d customer record erased again.", "%(n)d customer records erased again.", done)
            self.stdout.write(text % {"n": done})
            return
        found = preview(system(), options["customer"])
        for kind in found.kinds:
            fate = _("goes") if kind.fate == "delete" else _("stays without the person: %(why)s") % {"why": kind.why}
            self.stdout.write(f"{kind.rows:>9,}  {kind.label}: {fate}")
        for kept in found.kept:
            self.stdout.write(
                f"{kept.rows:>9,}  "
                + _("%(kind)s: number and total are kept for %(years)d years, without the person")
                % {"kind": kept.label, "years": kept.years}
            )
        for held in found.held:
            self.stdout.write(_("It cannot be done now: %(why)s") % {"why": words(held)})
        if options["verb"] == "preview":
            return
        if not options["for_good"]:
            raise InputError(_("This cannot be undone; say --for-good where it is meant."))
        row = erase(system(), [options["customer"]])
        if row.status != Erasure.Status.DONE:
            raise StateError(row.error)
        self.stdout.write(_("%(customer)s is erased.") % {"customer": options["customer"]})
