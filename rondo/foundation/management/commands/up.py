"""``rondo up``: web, worker and scheduler in one."""

from typing import Any

from django.utils.translation import gettext_noop

from rondo.foundation.management.base import RondoCommand
from rondo.foundation.serving import serve


class Command(RondoCommand):
    help = gettext_noop("Serve: prepares database and static files, then runs web, worker and scheduler until Ctrl-C.")
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        serve()
