"""``flush`` empties every table, the audit too, which otherwise only grows."""

from typing import Any

from django.core.management.commands import flush
from django.utils.translation import gettext_noop

from rondo.foundation import audit
from rondo.foundation.management.base import RondoCommand


class Command(RondoCommand, flush.Command):
    help = gettext_noop("Empty every table, audit entries included. Nothing can be brought back.")

    def handle(self, **options: Any) -> None:
        with audit.door_opened("flush"):
            super().handle(**options)
