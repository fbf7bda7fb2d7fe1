"""``rondo token EMAIL --name NAME``: a bearer token for the REST API."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.errors import InputError
from rondo.foundation.accounts import find_user
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.rights import RIGHTS


class Command(RondoCommand):
    help = gettext_noop("Print a new token for the REST API that acts as a user; it is shown this once.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True, help=_("what the token is for"))
        parser.add_argument("--days", type=int, default=90, help=_("how long it works (default: 90)"))

        parser.add_argument(
            "--scope", action="append", choices=list(RIGHTS), help=_("what it may; repeatable (default: see)")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= 3650:
            raise InputError(_("--days %(days)d: 1 to 3650 is needed.") % {"days": options["days"]})
        user, scopes = find_user(options["email"]), options["scope"] or ["see"]
        self.stdout.write(make_api_token(system(), user, options["name"], options["days"], scopes))
