"""``flush`` empties every table, the audit too, which otherwise only grows."""

from typing import Any

from django.core.management.commands import flush

from rondo.foundation import audit


class Command(flush.Command):
    help = "Empty every table, audit entries included. Nothing can be brought back."

    def handle(self, **options: Any) -> None:
        with audit.door_opened("flush"):
            super().handle(**options)
