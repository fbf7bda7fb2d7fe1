"""``rondo translations``: extract, compile and check the catalogues; needs no gettext programs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from rondo.errors import InputError, StateError
from rondo.foundation import catalogues


class Command(BaseCommand):
    help = "Work on the translations: extract strings, compile catalogues, check that they are complete."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "step",
            choices=["extract", "compile", "check"],
            help="extract: bring the catalogues to the strings of today; compile: write what the program reads; "
            "check: fail if a string is untranslated, doubtful or no longer used, or if placeholders differ",
        )
        parser.add_argument("--language", help="one language only, such as de")

    def handle(self, *args: Any, **options: Any) -> None:
        known = catalogues.languages()
        chosen = [options["language"]] if options["language"] else known
        if not set(chosen) <= set(known):
            raise InputError(f"--language {options['language']}: there are catalogues for {', '.join(known)}.")
        getattr(self, options["step"])(chosen)

    def extract(self, languages: list[str]) -> None:
        for language in languages:
            total, open_ = catalogues.update(language)
            self.stdout.write(f"{language}: {total} strings, {open_} to translate")

    def compile(self, languages: list[str]) -> None:
        for language in languages:
            self.stdout.write(f"{language}: {catalogues.compile_catalogue(language)}")

    def check(self, languages: list[str]) -> None:  # type: ignore[override]
        flaws = [flaw for language in languages for flaw in catalogues.flaws(language)]
        for flaw in flaws:
            self.stderr.write(str(flaw))
        if flaws:
            raise StateError(
                f"{len(flaws)} flaws in the translations, listed above; mend rondo/locale/*/LC_MESSAGES/django.po."
            )
        self.stdout.write(f"Complete: {', '.join(languages)}")
