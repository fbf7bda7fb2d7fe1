"""What every command of Rondo shares: it tells what it is for in the installation's language."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext


class RondoCommand(BaseCommand):
    """A command whose ``help`` is marked for translation (``gettext_noop``) and said when it is asked for."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """The parser of the command line, with ``help`` in the language in force."""
        self.help = gettext(type(self).help)
        return super().create_parser(prog_name, subcommand, **kwargs)
