"""What people change on the customer page: contacts logged and taken back, the form, two who change at once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rondo.analysis.models import NextOf
from rondo.catalogue.models import Category
from rondo.customers.actions import change_customer
from rondo.customers.models import AttributeValue, Customer
from rondo.foundation.actors import Actor, system
from rondo.interactions.models import Interaction
from rondo.web.customers.forms import EditForm
from rondo.web.tests.customers_data import address, make_attributes, make_customer, owned, page_of, set_value

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who may do everything."""
    return signed_in(alice)


@pytest.fixture
def miller(installation: Any) -> Customer:
    """The Miller household."""
    return make_customer("Miller household", kind="household", known_since="2017-01-03", known_since_at_least=True)


def test_a_contact_names_the_category_that_it_is_about(client: Any, miller: Customer) -> None:
    Category.objects.create(name="TEA", path="TEA", depth=1)
    NextOf.objects.create(customer=miller, habits='[{"category": "TEA"}]', products="[]")
    assert '<option value="TEA">' in client.get(address(miller)).content.decode()
    answer = client.post(address(miller, "log"), {"kind": "call", "body": "x", "category": "tea"}, headers=HTMX)
    assert "about TEA" in answer.content.decode()
    assert Interaction.objects.get().about.category == Category.objects.get()
    refused = client.post(address(miller, "log"), {"kind": "call", "body": "x", "category": "tee"}, headers=HTMX)
    assert "no category “tee”" in json.loads(refused["HX-Trigger"])["toast"]["text"]
    assert Interaction.objects.count() == 1


def test_a_note_is_logged_shown_and_taken_back(client: Any, miller: Customer, alice: Any) -> None:
    token = "form:" + "a" * 32
    sent = {"kind": "note", "body": "Asked for <b>hours</b>", "message_id": token}
    answer = client.post(address(miller, "log"), sent, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200 and "Asked for &lt;b&gt;hours&lt;/b&gt;" in text
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert toast["text"] == "Note saved."
    client.post(address(miller, "log"), sent, headers=HTMX)
    logged = Interaction.objects.get()
    assert (logged.kind, logged.actor, logged.customer) == ("note", alice, miller)
    undone = client.post(toast["undo"], follow=True)
    assert "Asked for" not in undone.content.decode() and "Taken back." in undone.content.decode()
    client.post(toast["undo"] + "?restore=1", follow=True)
    assert "Asked for" in page_of(client, miller)


def test_a_call_is_logged_with_who_called_and_when(client: Any, miller: Customer) -> None:
    answer = client.post(
        address(miller, "log"), {"kind": "call_in", "body": "Where is the parcel?", "occurred_at": "2017-12-24T09:30"}
    )
    assert answer.status_code == 302
    logged = Interaction.objects.get()
    assert (logged.kind, logged.direction, logged.business_date.isoformat()) == ("call_in", "inbound", "2017-12-24")
    assert logged.occurred_at == datetime(2017, 12, 24, 14, 30, tzinfo=UTC)
    client.post(address(miller, "log"), {"kind": "", "other": "meeting", "body": "At the fair"})
    assert Interaction.objects.order_by("-id")[0].kind == "meeting"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"kind": "note", "body": " "}, "not saved"),
        ({"kind": "purchase", "body": "x"}, "cannot be logged"),
        ({"kind": "note", "body": "x", "occurred_at": "2999-01-01T00:00"}, "has happened"),
        ({"kind": "note", "body": "x", "occurred_at": "yesterday"}, "not saved"),
        ({"body": "x"}, "cannot be logged"),
    ],
)
def test_what_cannot_be_logged_is_explained_and_not_kept(
    client: Any, miller: Customer, sent: dict[str, str], words: str
) -> None:
    answer = client.post(address(miller, "log"), sent, headers=HTMX)
    assert answer.status_code == 400 and words in json.loads(answer["HX-Trigger"])["toast"]["text"]
    assert not Interaction.objects.exists()


def test_readers_see_no_controls_and_may_not_log_or_edit(charlie: Any, signed_in: Any, installation: Any) -> None:
    mine = owned(charlie, "Mine")[0]
    reader = signed_in(charlie)
    text = page_of(reader, mine)
    assert 'id="composer"' not in text and "data-edit" not in text
    assert reader.post(address(mine, "log"), {"kind": "note", "body": "x"}).status_code == 403
    assert reader.get(address(mine, "edit")).status_code == 403


def _edit(client: Any, customer: Customer, **changes: str) -> dict[str, str]:
    """What the browser would send after the changes, from the form as it stands."""
    form = client.get(address(customer, "edit")).context["form"]
    sent = {name: str(form[name].value() if form[name].value() is not None else "") for name in form.fields}
    return sent | changes


def test_name_owner_and_attributes_are_edited(client: Any, miller: Customer, bob: Any, alice: Any) -> None:
    attributes = make_attributes()
    set_value(miller, attributes["city"], text="Ulm")
    changes = {"name": "Müller household", "owner": bob.email, "attr.size": "m", "attr.rent": "1,204.50",
               "attr.city": "", "attr.pets": "1", "attr.moved": "2017-02-03", "attr.children": "2"}  # fmt: skip
    answer = client.post(address(miller, "edit"), _edit(client, miller, **changes), follow=True)
    assert "Saved." in answer.content.decode()
    miller.refresh_from_db()
    assert (miller.name, miller.folded_name, miller.owner) == ("Müller household", "muller household", bob)
    values = {
        v.definition.key: v.text or v.number or v.day for v in AttributeValue.objects.select_related("definition")
    }
    assert values == {"size": "m", "rent": 120450.0, "pets": 1.0, "moved": datetime(2017, 2, 3).date(), "children": 2.0}
    alice.language = "de"
    alice.save(update_fields=["language"])
    client.post(address(miller, "edit"), _edit(client, miller, **{"attr.rent": "1.300,50"}))
    assert AttributeValue.objects.get(definition=attributes["rent"]).number == 130050


def test_a_change_meanwhile_shows_both_versions_and_is_not_lost(client: Any, miller: Customer) -> None:
    attributes = make_attributes()
    set_value(miller, attributes["city"], text="Ulm")
    sent = _edit(client, miller, **{"name": "Mine", "attr.city": "Bonn"})
    change_customer(system(), miller, expected_version=1, name="Theirs")
    AttributeValue.objects.update(text="Köln")
    refused = client.post(address(miller, "edit"), sent)
    text = refused.content.decode()
    assert refused.status_code == 409
    for words in ("Somebody else changed", "Theirs", "Mine", "Köln", "Bonn"):
        assert words in text, words
    miller.refresh_from_db()
    assert miller.name == "Theirs"
    again = {name: str(refused.context["form"][name].value() or "") for name in refused.context["form"].fields}
    assert client.post(address(miller, "edit"), again).status_code == 302
    miller.refresh_from_db()
    assert miller.name == "Mine" and AttributeValue.objects.get().text == "Bonn"


def test_a_wrong_value_is_explained_and_nothing_of_the_form_is_kept(client: Any, miller: Customer) -> None:
    make_attributes()
    sent = _edit(client, miller, **{"name": "Other", "attr.children": "many"})
    text = client.post(address(miller, "edit"), sent, headers=HTMX).content.decode()
    assert "many" in text and "no number" in text
    miller.refresh_from_db()
    assert miller.name == "Miller household"


def test_two_who_save_at_the_same_moment_do_not_overwrite_each_other(client: Any, miller: Customer, alice: Any) -> None:
    set_value(miller, make_attributes()["city"], text="Ulm")
    sent = _edit(client, miller)
    ours, theirs = (EditForm(alice, miller, {**sent, "attr.city": city}) for city in ("Bonn", "Kiel"))
    for form in (ours, theirs):
        assert form.is_valid() and not form.conflicts()
    assert theirs.attempt(Actor(alice, "web")) and not ours.attempt(Actor(alice, "web"))
    assert "was changed at this moment" in str(ours.non_field_errors())
    assert AttributeValue.objects.get(customer=miller).text == "Kiel"


def test_a_number_left_alone_is_not_read_anew(client: Any, alice: Any, miller: Customer) -> None:
    children = make_attributes()["children"]
    set_value(miller, children, number=1.234)
    alice.language = "de"
    alice.save()
    sent = _edit(client, miller, name="Renamed")
    assert sent["attr.children"] == "1.234"
    assert client.post(address(miller, "edit"), sent).status_code == 302
    assert AttributeValue.objects.get(customer=miller, definition=children).number == 1.234
