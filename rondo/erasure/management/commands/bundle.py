"""``rondo bundle CUSTOMER [FILE]``: all that is held about a person, in one archive."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.erasure.bundle import make_bundle
from rondo.errors import InputError
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand


class Command(RondoCommand):
    help = gettext_noop("Write all that is held about a customer into one archive.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help=_("id of the customer, such as c_8fk2m9xq"))
        parser.add_argument("file", nargs="?", help=_("the archive (default: rondo-data-CUSTOMER.zip in this folder)"))

    def handle(self, *args: Any, **options: Any) -> None:
        made = make_bundle(system(), options["customer"])
        path = Path(options["file"] or made.name)
        try:
            out = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        except FileExistsError as error:
            raise InputError(_("%(path)s is there already; name another file.") % {"path": path}) from error
        with out:
            for block in made.blocks:
                out.write(block)
        self.stdout.write(
            _("%(path)s: all that is held about %(customer)s.") % {"path": path, "customer": options["customer"]}
        )
