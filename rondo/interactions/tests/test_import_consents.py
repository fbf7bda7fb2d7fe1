"""Consents from files: each entry comes in once, by the browser as foretold there, and goes with its run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rondo.customers.actions import note_consent
from rondo.customers.consents import ledger, state
from rondo.customers.models import Consent, Customer, Identifier, Source
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Installation, User
from rondo.interactions.importing import run_import, undo
from rondo.interactions.tests.import_files import load, rejects, write

pytestmark = pytest.mark.django_db

SAID = """customer,channel,state,at,purpose,source,evidence
k1,email,given,2024-03-01 10:00:00,,web form,double opt-in
k1,email,given,2024-03-01 10:00:00,,web form,again
k1,email,withdrawn,2024-03-01 10:00:00,surveys,,
k1,email,given,2024-03-01 10:00:00,surveys,,
k2,SMS,given,2024-03-02,,,
k2,fax,given,2024-03-02,,,
k2,phone,given,2099-03-02,,,
,phone,given,2024-03-02,,,
"""


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    """New York, US dollars."""


@pytest.fixture
def ann() -> Customer:
    """A customer whom the source knows as k1."""
    source, _made = Source.objects.get_or_create(name="shop")
    row: Customer = Customer.objects.create(name="Ann")
    Identifier.objects.create(customer=row, kind="external", source=source, value="k1", shown="k1")
    return row


def test_entries_come_in_once_and_what_is_none_is_refused(tmp_path: Path, ann: Customer, alice: User) -> None:
    note_consent(Actor(alice, "web"), ann, "email", "withdrawn")
    numbered = ann.changed_in
    run = load("consents", write(tmp_path, SAID))
    assert run.counts == {"rows": 8, "rows_rejected": 4, "consents_created": 4, "customers_created": 1}
    assert [(row["column"], row["reason"].split(",")[0]) for row in rejects(run)] == [
        ("at", "stands in the file already"),
        ("channel", "is none of email"),
        ("at", "lies in the future"),
        ("customer", "is missing"),
    ]
    told = {(row.purpose, row.state): row for row in ledger([ann.pk]) if row.load_id}
    first = told["marketing", "given"]
    assert (first.source, first.evidence, first.at) == (
        "web form",
        "double opt-in",
        datetime(2024, 3, 1, 15, tzinfo=UTC),
    )
    # What was said later by hand holds; of one moment, what was withdrawn.
    assert (state([ann.pk], "email"), state([ann.pk], "email", "surveys")) == ("withdrawn", "withdrawn")
    ann.refresh_from_db()
    assert ann.changed_in != numbered
    more = SAID.replace("double", "single") + "k1,phone,given,2024-05-01 10:00:00,,,\n"
    again = load("consents", write(tmp_path, more))
    assert (again.counts["consents_created"], again.counts["consents_skipped"]) == (1, 4)


def test_a_run_taken_back_takes_its_consents_along(tmp_path: Path, ann: Customer) -> None:
    run = load("consents", write(tmp_path, SAID))
    new = Customer.objects.exclude(pk=ann.pk).get()
    ann.refresh_from_db()
    numbered = ann.changed_in
    undo(system("import"), run.pk)
    assert state([ann.pk], "email") == state([new.pk], "sms") == "unknown" and not ledger([ann.pk])
    ann.refresh_from_db()
    assert ann.changed_in > numbered
    assert load("consents", write(tmp_path, SAID)).counts["consents_created"] == 4
    assert (state([ann.pk], "email"), Customer.objects.count()) == ("given", 2)


def test_who_does_not_see_a_customer_says_nothing_of_them(tmp_path: Path, ann: Customer, make_user: Any) -> None:
    dora: User = make_user("dora", role="marketing", reach="own")
    run = run_import(Actor(dora, "import"), "consents", write(tmp_path, SAID), source="shop")
    assert run.counts["consents_created"] == 1 and not ledger([ann.pk])
    assert {row.actor for row in Consent.objects.all()} == {dora}
