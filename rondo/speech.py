"""The installation's language, and sentences in it before Django can translate: while it reads the settings."""

import gettext as catalogues
import os
from functools import lru_cache
from pathlib import Path

from rondo import errors

LANGUAGES = ("en", "de")
_LOCALE = Path(__file__).parent / "locale"


def language() -> str:
    """``RONDO_LANGUAGE`` if it is one of ours, else German where the process speaks German (``LC_ALL``,
    ``LC_MESSAGES``, ``LANG``: the first that is set counts), else English."""
    if (chosen := os.environ.get("RONDO_LANGUAGE")) in LANGUAGES:
        return str(chosen)
    spoken = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "de" if spoken.partition("_")[0].partition(".")[0].lower() == "de" else "en"


@lru_cache(maxsize=2)
def _catalogue(chosen: str) -> "dict[str, str] | catalogues.NullTranslations":
    folder = _LOCALE / chosen / "LC_MESSAGES"
    if chosen == "en" or not (folder / "django.po").exists():
        return {}
    if (folder / "django.mo").exists():
        return catalogues.translation("django", _LOCALE, [chosen])
    from babel.messages.pofile import read_po

    with (folder / "django.po").open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file) if isinstance(each.id, str) and each.string}


def gettext(message: str) -> str:
    """``message`` in the language in force: Django's where it is up, else the installation's."""
    from django.apps import apps
    from django.conf import settings

    if settings.configured and apps.ready:
        from django.utils.translation import gettext as django_gettext

        return django_gettext(message)
    found = _catalogue(language())
    return found.get(message, message) if isinstance(found, dict) else found.gettext(message)


def gettext_noop(message: str) -> str:
    """Marks a sentence for translation that is said later; Django's own asks for the settings first."""
    return message


errors.translate = gettext
