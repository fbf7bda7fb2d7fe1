"""``rondo setup``: prepare the database and say what the company is and assumes."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.serving.prepare import migrate

FIELDS = ("company", "language", "currency", "time_zone", "margin_rate", "discount_rate", "horizon_months")


class Command(RondoCommand):
    help = gettext_noop(
        "Prepare the database and set what the company is and assumes; what is not given stays as it is."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", help=_("name of the company"))
        parser.add_argument("--language", help=_("language of mails to people who chose none: en or de"))
        parser.add_argument("--currency", help=_("currency that everything is reckoned in, such as EUR"))
        parser.add_argument("--time-zone", help=_("zone that says what a day is, such as Europe/Berlin"))
        parser.add_argument(
            "--margin-rate", help=_("margin as a share of spend, where cost is not known, such as 0.25")
        )
        parser.add_argument("--discount-rate", help=_("yearly rate at which coming margin is discounted, such as 0.10"))
        parser.add_argument("--horizon-months", help=_("months that customer value looks ahead, 1 to 60"))

    def handle(self, *args: Any, **options: Any) -> None:
        migrate(self.stdout.write)
        given = {name: options[name] for name in FIELDS if options[name] is not None}
        row = change_installation(system(), **given) if given else installation()
        for name in FIELDS:
            self.stdout.write(f"{name}: {getattr(row, name)}")
        if not row.company:
            self.stdout.write(_("The company has no name yet: rondo setup --company NAME sets it."))
