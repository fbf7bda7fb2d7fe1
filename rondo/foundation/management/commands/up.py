"""``rondo up``: web, worker and scheduler in one."""

from typing import Any

from django.core.management.base import BaseCommand

from rondo.foundation.serving import serve


class Command(BaseCommand):
    help = "Serve: prepares database and static files, then runs web, worker and scheduler until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        serve()
