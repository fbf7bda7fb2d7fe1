"""``rondo link EMAIL``: a one-time sign-in link, for whoever has the database at hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from rondo.errors import StateError
from rondo.foundation.accounts import find_user, make_login_link
from rondo.foundation.actors import system


class Command(BaseCommand):
    help = "Print a link that signs a user in once, within the hour."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["email"])
        if not user.is_active:
            raise StateError(f"{user.email} is off; rondo user change {user.email} --on gives access back.")
        self.stdout.write(make_login_link(system(), user))
