"""``rondo demo``: load the Complete Journey, analyse it, say what was found, and serve it."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.demo.actions import demo_user, load_demo
from rondo.demo.summary import lines
from rondo.foundation.accounts import make_login_link
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.progress import steps
from rondo.foundation.serving.prepare import check_port


class Command(RondoCommand):
    help = gettext_noop("Load the demo data (once), analyse it and serve it.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help=_("load and analyse only"))

    def handle(self, *args: Any, **options: Any) -> None:
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
