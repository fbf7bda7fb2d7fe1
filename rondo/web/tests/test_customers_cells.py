"""Cells of the list that become fields: saved, taken back, and refused where somebody else was quicker."""

import json
from typing import Any

import pytest

from rondo.customers.actions import change_attribute, change_customer, define_attribute, merge, set_attribute
from rondo.customers.actions.converting import begin_change, carry_out
from rondo.customers.models import AttributeValue, Customer
from rondo.foundation.actors import system
from rondo.foundation.models import AuditEntry
from rondo.web.tests.customers_data import make_attributes, make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who administers and sees everybody."""
    return signed_in(alice)


def save(client: Any, row: Customer, key: str, value: Any, seen: str) -> Any:
    return client.post(f"/customers/{row.public_id}/cells/{key}?cols={key}", {"value": value, "seen": seen})


def undo(client: Any, answer: Any) -> Any:
    """Presses Undo in the toast of a saved cell."""
    return client.post(json.loads(answer["HX-Trigger"])["toast"]["undo"], follow=True)


def test_every_kind_of_field_is_saved_and_taken_back(client: Any, alice: Any, bob: Any) -> None:
    make_attributes()
    row = make_customer("Ada")
    fields: list[tuple[str, Any, str, str]] = [
        ("name", "  Ada  Byron ", "Ada", "Ada Byron"),
        ("known_since", "2017-03-01", "", "1 Mar 2017"),
        ("owner", str(bob.pk), "", str(bob)),
        ("attr.size", "l", "", "large"),
        ("attr.city", "Ulm", "", "Ulm"),
        ("attr.children", "1,204.5", "", "1,204.5"),
        ("attr.moved", "2017-05-31", "", "31 May 2017"),
        ("attr.pets", "1", "", "yes"),
        ("attr.rent", "$900", "", "$900"),
    ]
    for key, value, seen, shown in fields:
        before = AuditEntry.objects.count()
        answer = save(client, row, key, value, seen)
        assert shown in answer.content.decode(), key
        assert 'class="list-row"' in answer.content.decode() and AuditEntry.objects.count() == before + 1
        # Sent again it says nothing new; and what it was comes back.
        assert "HX-Trigger" not in save(client, row, key, value, seen) or key in {"attr.children", "attr.rent"}
        assert "taken back" in undo(client, answer).content.decode()
        form = client.get(f"/customers/{row.public_id}/cells/{key}?cols={key}").content.decode()
        assert f'name="seen" value="{seen}"' in form, key
    assert not AttributeValue.objects.exists()
    row.refresh_from_db()
    assert (row.name, row.known_since, row.owner) == ("Ada", None, None)


def test_who_was_slower_is_refused_and_sees_both_versions(client: Any) -> None:
    make_attributes()
    row = make_customer("Ada")
    set_attribute(system(), row, "size", "s")
    set_attribute(system(), row, "size", "m")  # a colleague, after the list was loaded
    late = save(client, row, "attr.size", "l", "s")
    text = late.content.decode()
    assert late["HX-Retarget"] == "#cell-form" and "HX-Trigger" not in late
    assert "<dd>middle</dd>" in text and "<dd>large</dd>" in text and 'name="seen" value="m"' in text
    assert AttributeValue.objects.get().text == "m"
    # Sent again, with both versions seen, it holds; and an undo that comes too late changes nothing.
    kept = save(client, row, "attr.size", "l", "m")
    assert AttributeValue.objects.get().text == "l"
    set_attribute(system(), row, "size", "s")
    assert "changed again since" in undo(client, kept).content.decode()
    assert AttributeValue.objects.get().text == "s"
    # What somebody else set to the same is no conflict; another field of the customer is none either.
    change_customer(system(), row, expected_version=row.version, name="Ada B")
    assert "HX-Retarget" not in save(client, row, "attr.size", "l", "s")


def test_what_does_not_fit_is_said_beside_what_was_typed(client: Any) -> None:
    make_attributes()
    row = make_customer("Ada")
    answer = save(client, row, "attr.children", "many", "")
    assert "is no number" in answer.content.decode() and 'value="many"' in answer.content.decode()
    assert "future" in save(client, row, "known_since", "2999-01-01", "").content.decode()
    for key in ("value", "kind", "attr.none", "segment"):
        assert client.get(f"/customers/{row.public_id}/cells/{key}").status_code == 404


def test_a_field_is_changed_only_by_who_may_and_sees_the_customer(
    client: Any, bob: Any, charlie: Any, signed_in: Any
) -> None:
    row = make_customer("Ada")
    assert save(signed_in(bob), row, "name", "Eve", "Ada").status_code == 404
    assert save(signed_in(charlie), row, "name", "Eve", "Ada").status_code == 403
    page = signed_in(charlie).get("/customers/").content.decode()
    assert "data-edit" not in page and "data-edit" in client.get("/customers/").content.decode()
    row.refresh_from_db()
    assert row.name == "Ada"


def test_the_value_of_a_merged_record_shows_again(client: Any) -> None:
    make_attributes()
    kept, lost = make_customer("Kept"), make_customer("Lost")
    set_attribute(system(), lost, "city", "Bonn")
    merge(system(), lost, kept)
    answer = save(client, kept, "attr.city", "Ulm", "Bonn")
    assert {v.text for v in AttributeValue.objects.all()} == {"Bonn", "Ulm"}
    undo(client, answer)
    assert AttributeValue.objects.get().customer == lost


def test_what_was_taken_away_comes_back_to_the_records_that_had_it(client: Any) -> None:
    """Of a record merged into the customer, too; and choices that are retired by now."""
    words = [{"value": key, "en": key.upper()} for key in ("vip", "old")]
    define_attribute(system(), "tags", label_en="Tags", type="multi", form="demographic", choices=words)
    kept, lost = make_customer("Kept"), make_customer("Lost")
    set_attribute(system(), lost, "tags", "old")
    merge(system(), lost, kept)
    change_attribute(system(), "tags", choices=[words[0], {**words[1], "retired": True}])
    for value in ([], ["vip", "old"]):
        answer = save(client, kept, "attr.tags", value, "old")
        assert "taken back" in undo(client, answer).content.decode()
        assert list(AttributeValue.objects.values_list("customer", "text")) == [(lost.pk, "|old|")]
    data = {"id": kept.public_id, "field": "attr.tags", "value": "vip", "how": "add"}
    assert "1 customer changed" in client.post("/customers/selected/change", data, follow=True).content.decode()


def test_an_undo_does_not_reach_behind_a_change_of_type(client: Any) -> None:
    make_attributes()
    row = make_customer("Ada")
    set_attribute(system(), row, "city", "Ulm")
    answer = save(client, row, "attr.city", "12", "Ulm")
    carry_out(system(), begin_change(system(), "city", "number")[0].pk)
    assert "changed again since" in undo(client, answer).content.decode()
    assert AttributeValue.objects.get(definition__key="city").number == 12


def test_an_owner_who_is_none_is_refused(client: Any) -> None:
    assert "none of those" in save(client, make_customer("Ada"), "owner", "abc", "").content.decode()
