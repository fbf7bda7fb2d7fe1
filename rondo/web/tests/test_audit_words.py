"""The audit log speaks in words: what the program records has words of its own, and values that are keys are told."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rondo
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, User
from rondo.web.people.entries import shown
from rondo.web.people.records import KINDS
from rondo.web.people.wording import ABOUT, DONE

ROOT = Path(rondo.__file__).parent
APART = {"link.made", "link.used"}
"""Verbs of the sign-in link, which are told as sentences."""


def recorded() -> Iterator[str]:
    """Every verb that stands as a text in a call that writes an entry, anywhere in the program."""
    for path in ROOT.rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            named = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            verb = node.args[1]
            if (
                named in {"record", "entry", "note", "noted"}
                and isinstance(verb, ast.Constant)
                and "." in str(verb.value)
            ):
                yield str(verb.value)


def test_every_verb_has_words() -> None:
    verbs = set(recorded())
    assert {"user.signed_in", "team.deleted", "import.undone", "analysis.run"} <= verbs
    strangers = []
    for verb in sorted(verbs - APART):
        about, _dot, done = verb.partition(".")
        if done not in DONE or (about not in ABOUT and about not in KINDS):
            strangers.append(verb)
    assert not strangers


@pytest.mark.django_db
def test_values_that_are_keys_are_told_in_words(alice: User) -> None:
    audit.record(system("job"), "analysis.leads", "run", 1, {"as_of": [None, "2017-12-31"]})
    audit.record(Actor(alice, "web"), "import.undone", "load", 1, {"status": ["visible", "undone"]})
    audit.record(system("job"), "attribute.set", "customer", 1, {"shoe": ["2024-99-99", "True"]})
    audit.record(system("job"), "consent.noted", "customer", 1, {"consent.sms.surveys": ["unknown", "withdrawn"]})
    told = [
        (entry.verb, [(field.label, field.before, field.after) for field in entry.fields])
        for entry in shown(alice, list(AuditEntry.objects.order_by("-id")[:4]))
    ]
    assert told == [
        ("Consent: noted", [("Text message, Surveys", "not known", "withdrawn")]),
        ("Attribute: set", [("shoe", "2024-99-99", "yes")]),
        ("Import: taken back", [("Status", "finished", "taken back")]),
        ("Analysis: leads and interests worked out", [("As of", "–", "31 Dec 2017")]),
    ]
