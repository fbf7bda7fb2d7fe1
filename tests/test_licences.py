"""Proves that what Rondo installs may be used under Apache-2.0."""

import re
from importlib.metadata import Distribution, distribution

import pytest

from tests.tree import text_of

pytestmark = pytest.mark.once

# Weak copyleft that allows use as a separate, replaceable library; docs/decisions/licences.md says why each is fine.
ALLOWED = {
    "psycopg": "LGPL, used as a library",
    "psycopg-binary": "LGPL, used as a library",
}
COPYLEFT = re.compile(
    r"\bA?L?GPL|GNU (?:Affero |Lesser |Library )?General Public|\bEUPL\b|\bSSPL\b|Business Source", re.I
)


def runtime() -> list[Distribution]:
    """The installed distributions that requirements.lock names (those for other systems are not installed)."""
    found = []
    for line in re.findall(r"^([\w.-]+==\S+)(.*)", text_of("requirements.lock"), re.MULTILINE):
        name = line[0].split("==")[0]
        try:
            found.append(distribution(name))
        except ModuleNotFoundError:
            assert ";" in line[1], f"{name} is in the lock and not installed"
    return found


def licence_of(package: Distribution) -> str:
    """What the package says of its licence: SPDX expression, else classifiers, else the head of the free text."""
    meta = package.metadata
    if "License-Expression" in meta:
        return meta["License-Expression"]
    classifiers = [text for text in meta.get_all("Classifier") or [] if text.startswith("License")]
    return "; ".join(classifiers) or (meta["License"][:200] if "License" in meta else "")


def test_no_runtime_dependency_has_a_licence_that_does_not_fit() -> None:
    packages = runtime()
    assert len(packages) > 40
    unfit = {}
    for package in packages:
        licence = licence_of(package)
        choices = re.split(r"\s+OR\s+", licence)
        if package.name.lower() not in ALLOWED and all(COPYLEFT.search(choice) for choice in choices):
            unfit[package.name] = licence
    assert not unfit


def test_every_exception_is_still_needed_and_explained() -> None:
    explained = text_of("docs", "decisions", "licences.md")
    for name in ALLOWED:
        assert COPYLEFT.search(licence_of(distribution(name)))
        assert f"`{name}`" in explained
