"""Proves that every string has its German, and that the check notices what is missing."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.utils import translation

from rondo.foundation import catalogues
from rondo.foundation.catalogues import placeholders

pytestmark = pytest.mark.once


def test_the_german_catalogue_is_complete() -> None:
    assert [str(flaw) for flaw in catalogues.flaws("de")] == []


def test_strings_are_read_from_python_and_from_templates() -> None:
    places = {place for message in catalogues.extracted() for place, _ in message.locations}
    assert any(place.endswith(".py") for place in places)
    assert any(place.endswith(".html") for place in places)


def test_the_compiled_catalogue_is_what_pages_show() -> None:
    with translation.override("de"):
        assert translation.gettext("Administrator") == "Administrator"
        assert translation.gettext("All customers") == "Alle Kunden"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one module, one template and no catalogue."""
    package = tmp_path / "shop"
    (package / "templates").mkdir(parents=True)
    (package / "text.py").write_text(
        "from django.utils.translation import gettext as _, ngettext\n"
        "a = _('Save %(name)s')\nb = ngettext('%(count)d row', '%(count)d rows', 2)\n"
    )
    (package / "templates" / "page.html").write_text(
        "  {% load i18n %}\n      <p>{% translate 'Back' %}</p>\n"
        "{% blocktranslate trimmed %}\n    Hello\n    {{ name }}\n{% endblocktranslate %}\n"
    )
    monkeypatch.setattr(catalogues, "PACKAGE", package)
    monkeypatch.setattr(catalogues, "LOCALE", package / "locale")
    return package


def translate(**strings: str | tuple[str, str]) -> None:
    """Fills the catalogue of the small package: all its strings, of which ``strings`` may change some."""
    texts: dict[str, str | tuple[str, str]] = {
        "Save %(name)s": "%(name)s speichern",
        "%(count)d row": ("%(count)d Zeile", "%(count)d Zeilen"),
        "Back": "Zurück",
        "Hello %(name)s": "Hallo %(name)s",
    }
    texts.update(strings)
    catalogue: Catalog = catalogues.read("de")
    for message in catalogue:
        if message.id:
            key = message.id[0] if isinstance(message.id, tuple) else message.id
            message.string = texts[str(key)]
    catalogues._write(catalogues.catalogue_path("de"), catalogue)


def test_a_complete_catalogue_has_no_flaw(small: Path) -> None:
    assert catalogues.update("de") == (4, 4)
    translate()
    assert catalogues.flaws("de") == []
    assert catalogues.update("de") == (4, 0)


def test_a_missing_translation_is_a_flaw(small: Path) -> None:
    catalogues.update("de")
    translate(Back="")
    assert [(flaw.text, flaw.reason) for flaw in catalogues.flaws("de")] == [("Back", "not translated")]


def test_a_placeholder_that_got_lost_is_a_flaw(small: Path) -> None:
    catalogues.update("de")
    translate(**{"Save %(name)s": "Speichern"})
    assert [flaw.text for flaw in catalogues.flaws("de")] == ["Save %(name)s"]


def test_new_and_unused_strings_are_flaws(small: Path) -> None:
    catalogues.update("de")
    translate()
    (small / "text.py").write_text("from django.utils.translation import gettext as _\na = _('Delete')\n")
    reasons = {flaw.text: flaw.reason.split(" (")[0] for flaw in catalogues.flaws("de")}
    assert reasons == {
        "Delete": "not in the catalogue",
        "Save %(name)s": "no longer used",
        "%(count)d row": "no longer used",
    }


def test_compiling_follows_the_newer_catalogue(small: Path) -> None:
    catalogues.update("de")
    translate()
    assert catalogues.compile_stale() == ["de"]
    assert catalogues.compile_stale() == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain 100 % sure", []),
        ("%(a)s of %(b)d", ["%(a)s", "%(b)d"]),
        ("100 %% of %(a).1f", ["%(a).1f"]),
        ("{name} has {count:,}", ["{count:,}", "{name}"]),
        ("line %s", ["%s"]),
    ],
)
def test_placeholders_are_found(text: str, found: list[str]) -> None:
    assert placeholders(text) == found
