"""Proves that the documents and the program say the same: settings, commands, facts, the README."""

import argparse
import re

import pytest
from django.core.management import get_commands, load_command_class

from rondo.env import SETTINGS
from rondo.foundation.registry import registries
from tests.tree import ROOT, files, text_of

pytestmark = pytest.mark.once

SETTING_ROW = re.compile(r"^\| `(RONDO_\w+)`( \(secret\))? \| (?:`([^`]*)`|empty) \| (.*) \|$", re.MULTILINE)


def test_every_setting_is_documented_as_it_is() -> None:
    documented = {
        name: (default, bool(secret), meaning)
        for name, secret, default, meaning in SETTING_ROW.findall(text_of("docs", "settings.md"))
    }
    declared = {item.name: (item.default, item.secret, item.meaning) for item in SETTINGS.values()}
    assert documented == declared


def test_every_setting_the_program_reads_is_declared() -> None:
    """Nobody reads the environment behind the back of the declared list."""
    named = {
        name
        for path in files()
        if path.suffix == ".py" and path.is_relative_to(ROOT / "rondo") and "tests" not in path.parts
        for name in re.findall(
            r"(?:environ(?:\.get)?|getenv|env\.read(?:_int)?)[\[(]\s*[\"'](RONDO_\w+)", path.read_text()
        )
    }
    assert named
    assert named <= set(SETTINGS)


def sections() -> dict[str, str]:
    """The sections of docs/commands.md by the name of their command."""
    parts = re.split(r"^## `rondo ([\w-]+)`$", text_of("docs", "commands.md"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def own_commands() -> dict[str, str]:
    """The commands that Rondo adds to Django's, each with the room it is in."""
    return {name: app for name, app in get_commands().items() if isinstance(app, str) and app.startswith("rondo.")}


def parser_of(name: str) -> argparse.ArgumentParser:
    return load_command_class(own_commands()[name], name).create_parser("rondo", name)


def words(parser: argparse.ArgumentParser) -> set[str]:
    """Options and sub-commands of a parser, without those that every Django command has."""
    common = {"-h", "--help", "--version", "-v", "--verbosity", "--settings", "--pythonpath", "--traceback"}
    common |= {"--no-color", "--force-color", "--skip-checks"}
    found: set[str] = set()
    for action in parser._actions:
        if action.help is argparse.SUPPRESS:
            continue
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                found |= {name} | words(inner)
        else:
            found |= {option for option in action.option_strings if option.startswith("--")} - common
            if not action.option_strings and action.choices:
                found |= {str(choice) for choice in action.choices}
    return found


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    assert set(sections()) == set(own_commands())


@pytest.mark.parametrize("name", sorted(own_commands()))
def test_every_option_of_a_command_is_documented(name: str) -> None:
    text, known = sections()[name], words(parser_of(name))
    missing = {word for word in known if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)}
    assert not missing
    unknown = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text)) - known
    assert not unknown


def test_every_fact_is_documented_and_every_documented_one_exists() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", text_of("docs", "facts.md"), re.MULTILINE))
    assert documented == set(registries.facts.keys())


def test_the_commands_of_the_readme_exist() -> None:
    readme, makefile = text_of("README.md"), text_of("Makefile")
    shown = set(re.findall(r"\bmake ([a-z]+)", readme))
    assert {"demo", "test"} <= shown
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert shown <= targets
    assert {"setup", "demo", "run", "test", "lint", "bench", "lock"} <= targets
    assert set(re.findall(r"rondo ([a-z]+)", "\n".join(re.findall(r"`rondo [^`]*`|bin/rondo .*", readme)))) <= set(
        own_commands()
    )


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in files()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert not broken


def test_every_complaint_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| ([\w ]+) \| (.+) \| (.+) \| (`.+`|–) \|$", text_of("docs", "complaints.md"), re.MULTILINE)
    assert {area for area, *_rest in rows} >= {"Import", "Merge", "Mail", "Segments", "Permissions", "Speed", "Results"}
    for _area, complaint, here, named in rows:
        tests = re.findall(r"`([^`]+)::(\w+)`", named)
        assert tests or (here.startswith("no ") and here.endswith(" yet")), complaint
        for path, test in tests:
            assert re.search(rf"^( {{4}})?def {test}\(", text_of(*path.split("/")), re.MULTILINE), f"{path}::{test}"


def test_every_decision_says_what_was_weighed() -> None:
    notes = [path for path in files() if path.parent == ROOT / "docs" / "decisions"]
    assert notes
    for path in notes:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# "), path.name
        assert len(text.splitlines()) <= 60, f"{path.name} is longer than a page"
