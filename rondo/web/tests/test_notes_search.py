"""Notes are found by their words in the one box, as far as the viewer may see them, and no longer when they went."""

from typing import Any

import pytest
from django.db import connection

from rondo.customers.actions import merge, put_into_bin
from rondo.customers.models import Customer
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Load
from rondo.foundation.roles import change_role
from rondo.interactions import wording
from rondo.interactions.actions import log_interaction, retract
from rondo.interactions.models import Interaction
from rondo.web.tests.customers_data import make_customer

pytestmark = pytest.mark.django_db


def notes(client: Any, text: str) -> list[str]:
    """The titles of the group of notes."""
    groups = client.get("/palette", {"q": text}).context["groups"]
    return [hit.title for group in groups if group["key"] == "notes" for hit in group["hits"]]


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who sees everybody."""
    return signed_in(alice)


def note(actor: Any, customer: Customer, body: str, **more: Any) -> Interaction:
    return log_interaction(Actor(actor, "web"), customer, "note", body=body, **more)


def test_words_in_any_case_and_spelling_find_a_note_and_lead_to_its_place(client: Any, alice: Any) -> None:
    ada, bea = make_customer("Ada"), make_customer("Bea")
    merge(system(), bea, ada)
    row = note(alice, bea, "Asked whether Frau Müller still\nwants the Straßenschuhe from Ålesund, size 38")
    note(alice, ada, "Something else", title="Sizes")
    for text in ("muller", "MUELLER", "Müll", "strassen mueller", "alesund", "SIZE 38"):
        assert len(notes(client, text)) == 1, text
    for text in ("uller", "mü", "muller shoes", "", "'", '"x" OR', "size* 3", "--", "a:b & c"):
        notes(client, text)  # no text is a command to the index
    assert notes(client, "mu") == notes(client, "muller shoes") == []
    (hit,) = [h for g in client.get("/palette?q=alesund").context["groups"] if g["key"] == "notes" for h in g["hits"]]
    assert hit.title.startswith("…") and "Ålesund, size 38" in hit.title
    assert hit.url == f"/customers/{ada.public_id}/?at={row.public_id}" and hit.detail.startswith("Ada · ")
    assert client.get(hit.url).status_code == 200


def test_only_of_customers_whom_one_may_see_and_not_where_notes_are_masked(
    client: Any, alice: Any, charlie: Any, signed_in: Any
) -> None:
    mine, other = make_customer("Mine"), make_customer("Other")
    Customer.objects.filter(pk=mine.pk).update(owner=charlie)
    for customer in (mine, other):
        note(alice, customer, "Wants a refund of the parcel")
    assert len(notes(client, "refund")) == 2
    his = signed_in(charlie)
    assert len(notes(his, "refund")) == 1
    change_role(system(), "reader", masked=["notes"])
    assert notes(his, "refund") == []


def test_notes_of_who_is_in_the_bin_or_of_an_import_taken_back_are_found_by_nobody(client: Any, alice: Any) -> None:
    kept, binned, undone = make_customer("Kept"), make_customer("Binned"), make_customer("Undone")
    for customer in (kept, binned, undone):
        note(alice, customer, "Parcel arrived broken")
    put_into_bin(system(), [binned])
    load = Load.objects.create(kind="customers", source="x", fingerprint="x", status=Load.Status.UNDONE)
    Customer.objects.filter(pk=undone.pk).update(load=load)
    assert len(notes(client, "broken")) == 1


def test_what_is_retracted_hidden_changed_or_deleted_is_found_no_more(client: Any, alice: Any) -> None:
    ada = make_customer("Ada")
    kept, wrong, hidden, erased = (note(alice, ada, f"Parcel {n} arrived broken") for n in range(4))
    retract(Actor(alice, "web"), wrong, reason="mistaken")
    load = Load.objects.create(kind="interactions", source="x", fingerprint="x", status=Load.Status.UNDONE)
    Interaction.objects.filter(pk=hidden.pk).update(load=load)
    Interaction.objects.filter(pk=erased.pk).update(body="")
    assert len(notes(client, "broken parcel")) == 1
    Interaction.objects.filter(pk=kept.pk).update(body="Parcel came whole")
    assert notes(client, "broken") == [] and len(notes(client, "whole")) == 1
    Interaction.objects.filter(pk=kept.pk).delete()
    assert notes(client, "whole") == []
    wording.sweep()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT block FROM interactions_words_data")
            held = b"".join(bytes(block) for (block,) in cursor.fetchall())
        assert b"whole" not in held and b"arrived" in held
