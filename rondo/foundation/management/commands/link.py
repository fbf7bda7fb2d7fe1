"""``rondo link [EMAIL]``: a one-time sign-in link, for whoever has the database at hand."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.errors import StateError
from rondo.foundation.accounts import find_user, make_login_link, only_administrator
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand


class Command(RondoCommand):
    help = gettext_noop("Print a link that signs a user in once, within the hour.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", help=_("whose (default: the only administrator's)"))

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["email"]) if options["email"] else only_administrator()
        if not user.is_active:
            raise StateError(
                _("%(email)s is off; “rondo user change %(email)s --on” gives access back.") % {"email": user.email}
            )
        self.stdout.write(make_login_link(system(), user))
