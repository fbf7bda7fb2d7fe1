"""``rondo worker``: runs jobs."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.foundation.jobs.worker import Worker, install_signals
from rondo.foundation.management.roles import RoleCommand
from rondo.foundation.serving.manners import give_way


class Command(RoleCommand):
    help = gettext_noop("Run jobs: any number of workers may run, on any number of machines.")

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--until-empty", action="store_true", help=_("end when no job is ready"))

    def work(self, **options: Any) -> None:
        if not options["until_empty"]:
            give_way()
        worker = Worker(until_empty=options["until_empty"])
        install_signals(worker.stop)
        worker.run()
