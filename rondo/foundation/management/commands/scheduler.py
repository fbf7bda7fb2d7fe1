"""``rondo scheduler``: hands periodic jobs to the workers when they are due."""

from typing import Any

from django.utils.translation import gettext_noop

from rondo.foundation.jobs.scheduler import Scheduler
from rondo.foundation.jobs.worker import install_signals
from rondo.foundation.management.roles import RoleCommand


class Command(RoleCommand):
    help = gettext_noop("Enqueue periodic jobs when they are due; a second scheduler does no harm.")

    def work(self, **options: Any) -> None:
        scheduler = Scheduler()
        install_signals(scheduler.stop)
        scheduler.run()
