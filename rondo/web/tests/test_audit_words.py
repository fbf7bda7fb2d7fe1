"""The audit log speaks in words: what the program records has words of its own, and values that are keys are told."""

import ast
import re
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
KNOWN = {*ABOUT, *KINDS}
SURE = KNOWN - {"analysis", "customers"}
"""Those that are not the name of a room, too, with which keys of locks and tables begin."""
_VERB = re.compile(r"[a-z_]+\.[a-z_]+")
APART = {"link.made", "link.used"} | {"import.finished", "erasure.erasure"}
"""Verbs of the sign-in link, which are told as sentences; then what only reads like a verb: a kind of event, and a
table."""


def recorded() -> Iterator[str]:
    """Every text in a call below the pages that reads as a verb about something that the log knows."""
    for path in ROOT.rglob("*.py"):
        if {"tests", "web", "api"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            for given in (*node.args, *(keyword.value for keyword in node.keywords)):
                text = given.value if isinstance(given, ast.Constant) else None
                if isinstance(text, str) and _VERB.fullmatch(text) and text.partition(".")[0] in SURE:
                    yield text


def test_every_verb_has_words() -> None:
    verbs = set(recorded())
    assert {"user.signed_in", "team.deleted", "import.undone", "customer.assigned"} <= verbs
    assert not sorted(verb for verb in verbs - APART if verb.partition(".")[2] not in DONE)


def test_every_kind_of_record_of_an_entry_has_words() -> None:
    """What is written about directly: the second part of ``audit.record(actor, "segment.changed", …)``."""
    strangers = set()
    for path in ROOT.rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
                verb = node.args[1] if len(node.args) > 2 else None
                if isinstance(verb, ast.Constant) and "." in str(verb.value):
                    about, _dot, done = str(verb.value).partition(".")
                    strangers |= ({about} - KNOWN) | ({done} - set(DONE))
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
