"""What the commands of single roles (web, worker, scheduler) have in common."""

import argparse
from abc import ABC, abstractmethod
from typing import Any

from django.core.management.base import CommandParser

from rondo.foundation.management.base import RondoCommand
from rondo.foundation.serving.parents import end_with_parent


class RoleCommand(RondoCommand, ABC):
    """A process that may run on its own, or as a child of ``rondo up``, whose end it then does not outlive."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["parent"]:
            end_with_parent(options["parent"])
        self.work(**options)

    @abstractmethod
    def work(self, **options: Any) -> None:
        """What the role does until it is told to stop."""
