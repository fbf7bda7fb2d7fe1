"""``rondo web``: the web server alone, for installations that run each role by itself."""

from typing import Any

from django.utils.translation import gettext_noop

from rondo.foundation.management.roles import RoleCommand
from rondo.foundation.serving.web import run_web


class Command(RoleCommand):
    help = gettext_noop("Run the web server alone (rondo up runs it with worker and scheduler).")

    def work(self, **options: Any) -> None:
        run_web()
