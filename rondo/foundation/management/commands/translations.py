"""``rondo translations``: extract, compile and check the catalogues; needs no gettext programs."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.errors import InputError, StateError
from rondo.foundation import catalogues
from rondo.foundation.management.base import RondoCommand


class Command(RondoCommand):
    help = gettext_noop("Work on the translations: extract strings, compile catalogues, check that they are complete.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "step",
            choices=["extract", "compile", "check"],
            help=_(
                "extract: bring the catalogues to the strings of today; compile: write what the program reads; "
                "check: fail if a string is untranslated, doubtful or no longer used, or if placeholders differ"
            ),
        )
        parser.add_argument("--language", help=_("one language only, such as de"))

    def handle(self, *args: Any, **options: Any) -> None:
        known = catalogues.languages()
        chosen = [options["language"]] if options["language"] else known
        if not set(chosen) <= set(known):
            raise InputError(
                _("--language %(language)s: there are catalogues for %(known)s.")
                % {"language": options["language"], "known": ", ".join(known)}
            )
        getattr(self, options["step"])(chosen)

    def extract(self, languages: list[str]) -> None:
        for language in languages:
            total, open_ = catalogues.update(language)
            self.stdout.write(
                _("%(language)s: %(total)d strings, %(open)d to translate")
                % {"language": language, "total": total, "open": open_}
            )

    def compile(self, languages: list[str]) -> None:
        for language in languages:
            self.stdout.write(f"{language}: {catalogues.compile_catalogue(language)}")

    def check(self, languages: list[str]) -> None:  # type: ignore[override]
        flaws = [flaw for language in languages for flaw in catalogues.flaws(language)]
        for flaw in flaws:
            self.stderr.write(str(flaw))
        if flaws:
            raise StateError(
                _("%(count)d flaws in the translations, listed above; mend rondo/locale/*/LC_MESSAGES/django.po.")
                % {"count": len(flaws)}
            )
        self.stdout.write(_("Complete: %(languages)s") % {"languages": ", ".join(languages)})
