"""docs/import.md names every field of every import kind, every kind of contact and every option of the command."""

from importlib import import_module
from pathlib import Path

import pytest
from django.core.management.base import CommandParser

from rondo.foundation.registry import registries

_TEXT = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [kind.key for kind in registries.import_kinds])
def test_every_field_is_documented_with_its_meaning(kind: str) -> None:
    section = _TEXT.partition(f"### {kind}\n")[2].partition("\n### ")[0]
    rows = {line.split("|")[1].strip(): line for line in section.splitlines() if line.startswith("| `")}
    for name, field in registries.import_kinds[kind].loader.fields.items():
        assert f"`{name}`" in rows, name
        row = rows[f"`{name}`"]
        assert str(field.meaning) in row
        assert ("yes" in row.split("|")[3]) == field.required
    strangers = set(rows) - {f"`{name}`" for name in registries.import_kinds[kind].loader.fields} - {"`attribute:KEY`"}
    assert not strangers


def test_every_kind_of_contact_is_documented() -> None:
    for kind in registries.interaction_kinds:
        assert f"`{kind.key}`" in _TEXT or kind.key == "purchase"


def test_every_option_is_documented() -> None:
    parser = CommandParser()
    import_module("rondo.interactions.management.commands.import").Command().add_arguments(parser)
    for action in parser._actions:
        for option in action.option_strings:
            assert f"`{option}" in _TEXT or option in {"-h", "--help"}, option
