"""Consents: a ledger whose last entry holds; noted on the page, taken back, told by rules, API and audit log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rondo.customers.actions import note_consent, take_back_consent
from rondo.customers.consents import ledger, state
from rondo.customers.models import Consent, Customer, Survivor
from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, Load

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Customer:
    row: Customer = Customer.objects.create(name="Ann")
    return row


def test_the_last_entry_holds_and_absent_is_not_known(ann: Customer, alice: Any) -> None:
    who = Actor(alice, "web")
    assert state([ann.pk], "email") == "unknown"
    note_consent(who, ann, "email", "given", source="form", evidence="double opt-in")
    # What was said before, though it is noted later, does not hold.
    note_consent(who, ann, "email", "withdrawn", at=timezone.now() - timedelta(days=9))
    assert (state([ann.pk], "email"), state([ann.pk], "phone"), state([ann.pk], "email", "surveys")) == (
        "given",
        "unknown",
        "unknown",
    )
    last = note_consent(who, ann, "email", "withdrawn")
    assert state([ann.pk], "email") == "withdrawn"
    back = take_back_consent(who, ann, last.pk)
    assert state([ann.pk], "email") == "given" and len(ledger([ann.pk])) == 4
    with pytest.raises(StateError, match="later entry"):
        take_back_consent(who, ann, last.pk)
    only = note_consent(who, ann, "sms", "given")
    take_back_consent(who, ann, only.pk)
    assert state([ann.pk], "sms") == "unknown" and back.customer_id == ann.pk
    told = list(AuditEntry.objects.filter(verb="consent.noted").order_by("pk").values_list("changes", flat=True))
    assert told[0] == {"consent.email.marketing": ["unknown", "given"]}
    assert told[1] == {"consent.email.marketing": ["given", "given"]}


def test_entries_of_merged_records_count_and_hidden_imports_do_not(ann: Customer) -> None:
    other = Customer.objects.create(name="Ann B", is_merged=True)
    Survivor.objects.create(customer=other, survivor=ann)
    gone = Load.objects.create(kind="consents", fingerprint="x", status=Load.Status.UNDONE)
    for who, said, day, load in ((ann, "given", 1, None), (other, "withdrawn", 2, None), (ann, "given", 3, gone)):
        Consent.objects.create(
            customer=who, channel="email", state=said, at=datetime(2024, 1, day, tzinfo=UTC), load=load
        )
    assert state([ann.pk, other.pk], "email") == "withdrawn"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"channel": "fax"}, "“fax” is none of email"),
        ({"given": "unknown"}, "“unknown” is none of given, withdrawn"),
        ({"purpose": "spam"}, "“spam” is none of marketing"),
        ({"at": datetime(2999, 1, 1, tzinfo=UTC)}, "between 1900 and now"),
    ],
)
def test_what_is_no_consent_is_refused(ann: Customer, alice: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        note_consent(Actor(alice, "web"), ann, **{"channel": "email", "given": "given"} | given)
    assert not Consent.objects.exists()


def test_the_page_notes_a_consent_and_takes_it_back(
    signed_in: Any, alice: Any, bob: Any, ann: Customer, installation: Any
) -> None:
    client = signed_in(alice)
    page = f"/customers/{ann.public_id}/"
    assert "None yet: nothing is known" in client.get(page).content.decode()
    sent = {"channel": "email", "purpose": "marketing", "state": "given", "source": "form", "at": "2024-01-05T10:00"}
    assert client.post(f"{page}consents", sent).status_code == 302
    entry = Consent.objects.get()
    assert (entry.state, entry.source, entry.actor) == ("given", "form", alice)
    shown = client.get(page).content.decode()
    assert "None yet" not in shown and f"{page}consents/{entry.pk}/back" in shown  # the message offers to undo
    client.post(f"{page}consents/{entry.pk}/back")
    assert state([ann.pk], "email") == "unknown" and "None yet" in client.get(page).content.decode()
    assert client.post(f"{page}consents", {"channel": "fax"}).status_code == 400
    listed = client.get("/customers/", {"rule": "consent.email is unknown"}).context["rows"]
    assert [row.customer.pk for row in listed] == [ann.pk]


def test_who_may_not_change_or_see_a_customer_notes_nothing(ann: Customer, charlie: Any, alice: Any) -> None:
    with pytest.raises((NotFound, PermissionRefused)):
        note_consent(Actor(charlie, "web"), ann, "email", "given")
    assert not Consent.objects.exists()
