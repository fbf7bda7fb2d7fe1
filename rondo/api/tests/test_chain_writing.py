"""The chain is written by program, by the verbs of the pages and refused in their words; a rule narrows the list."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customer_writing import Call, call, caller
from rondo.customers.actions import add_identifier
from rondo.foundation.actors import system
from rondo.foundation.models import AuditEntry, User
from rondo.interactions.models import Interaction, Order, OrderLine
from rondo.interactions.queries import standing

pytestmark = pytest.mark.django_db
__all__ = ["call"]
LINES = [{"product": "9", "quantity": 1.5, "total": 300, "discount": 20}, {"product": "1", "total": 150}]


def test_contacts_are_logged_once_a_message_retracted_and_put_back(call: Call, shop: Shop, alice: User) -> None:
    row = shop.customer("Ada")
    add_identifier(system(), row, "card", "4711")
    by_card = {"identifier": {"kind": "card", "value": "4711"}, "kind": "note", "title": "Asked"}
    made = call("POST", "interactions", by_card)
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["customer"], told["channel"], made.headers["Location"]) == (
        row.public_id, "internal", f"/api/v1/interactions/{told['id']}",
    )  # fmt: skip
    visit = {"customer": row.public_id, "kind": "web_visit", "source": "shop", "message_id": "1"}
    items = [visit, visit, {**visit, "source": ""}, {**visit, "kind": "purchase"}, {"kind": "note"}, {"kind": 1}]
    many = call("POST", "interactions/bulk", {"items": items}).json()
    assert [one["status"] for one in many["data"]] == [201, 201, 422, 422, 422, 422]
    assert many["data"][0]["id"] == many["data"][1]["id"]
    hand = caller(alice, "see", "contact")("POST", "interactions", visit)
    assert hand.status_code == 422 and "web_visit" in hand.json()["detail"], "only who may import brings it"
    place = f"interactions/{told['id']}"
    assert call("POST", f"{place}/retract", {"reason": " "}).status_code == 422
    assert call("POST", f"{place}/retract", {"reason": "mistaken"}).json()["reason"] == "mistaken"
    assert call("GET", place).status_code == 404
    back = call("POST", f"{place}/restore")
    assert back.status_code == 201 and back.json()["title"] == "Asked" and back.json()["id"] != told["id"]
    twice = call("POST", f"{place}/restore")
    assert (twice.status_code, twice.json()) == (200, back.json()), "it is told that nothing was added"
    verbs = AuditEntry.objects.filter(record_type="interaction").values_list("verb", "door", "actor")
    assert set(verbs) == {("interaction.logged", "api", alice.pk), ("interaction.retracted", "api", alice.pk)}


def test_an_order_is_taken_once_with_its_lines_and_again_when_it_was_retracted(call: Call, shop: Shop) -> None:
    row = shop.customer("Ada")
    order = {"customer": row.public_id, "source": "till", "number": "77", "lines": LINES}
    made = call("POST", "orders", order)
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["total"], len(told["lines"])) == ({"minor": 450, "currency": "USD"}, 2)
    assert set(OrderLine.objects.values_list("quantity_milli", "total", "discount", "product__is_placeholder")) == {
        (1500, 300, 20, True), (1000, 150, 0, False),
    }  # fmt: skip
    again = call("POST", "orders", order)
    assert again.status_code == 409 and "77" in again.json()["detail"]
    left = call("POST", "orders/bulk", {"items": [order, {**order, "number": "78"}], "on_known": "skip"}).json()
    assert [one["status"] for one in left["data"]] == [200, 201] and left["data"][0]["id"] == told["id"]
    call("POST", f"interactions/{told['interaction']}/retract", {"reason": "wrong total"})
    assert call("POST", "orders", order).status_code == 201
    assert standing().filter(order__number="77").count() == 1 and Order.objects.count() == 3
    large = call("POST", "orders", {**order, "number": "79", "lines": [{"product": "1", "total": 10**15}] * 2})
    assert large.status_code == 422 and Interaction.objects.count() == 3


def test_a_rule_narrows_the_list(call: Call, shop: Shop) -> None:
    shop.customer("House")
    shop.customer("Ada", kind="person")
    assert [one["name"] for one in call("GET", "customers?rule=kind = household").json()["data"]] == ["House"]
    wrong = call("GET", "customers?rule=kindd = household")
    assert wrong.status_code == 422 and "kind" in wrong.json()["detail"]
    assert call("GET", "customers?rule=in segment nowhere").status_code == 422
    assert call("GET", "customers?rule=").status_code == 422, "which is not everybody"


def test_a_rule_over_chains_is_looked_for_once_as_in_lists(
    call: Call, shop: Shop, client_of: Any, alice: User, bob: User
) -> None:
    """The chains are gone through once, not customer by customer; whose page it is, and its order, are as before."""
    rows = [shop.customer(f"C{number}", owner=bob if number % 2 else alice) for number in range(7)]
    for number, row in enumerate(rows):
        shop.order(row, number=f"{number}", lines=number + 1)
    address = "customers?rule=did purchase for at least 4&limit=2"
    seen, asked = [], address
    with CaptureQueriesContext(connection) as context:
        while asked:
            page = call("GET", asked).json()
            seen += [one["name"] for one in page["data"]]
            asked = (page["next"] or "").partition("/api/v1/")[2]
    assert seen == [f"C{number}" for number in range(2, 7)]
    of_chain = [one["sql"] for one in context if "SUM(" in one["sql"].upper()]
    assert of_chain and all("GROUP BY" in sql and "_doer" in sql for sql in of_chain), "gathered for all at once"
    mine = client_of(bob).get("/api/v1/customers", {"rule": "did purchase for at least 4"}).json()["data"]
    assert [one["name"] for one in mine] == ["C3", "C5"]


def test_a_message_that_was_retracted_or_is_not_ones_own_to_see_is_refused_not_told(
    call: Call, shop: Shop, alice: User
) -> None:
    bob = User.objects.create_user("bo@example.org", role="sales", reach="own")
    his, other = shop.customer("His", owner=bob), shop.customer("Other", owner=alice)
    note = {"kind": "note", "title": "x", "source": "desk", "message_id": "1"}
    made = call("POST", "interactions", {**note, "customer": other.public_id}).json()
    bobs = caller(bob, "see", "contact")
    again = bobs("POST", "interactions", {**note, "customer": his.public_id})
    many = bobs("POST", "interactions/bulk", {"items": [{**note, "customer": his.public_id}]})
    assert again.status_code == 409 and many.json()["data"][0]["status"] == 409
    assert made["id"] not in str(again.content) + str(many.content)
    call("POST", f"interactions/{made['id']}/retract", {"reason": "wrong"})
    gone = call("POST", "interactions/bulk", {"items": [{**note, "customer": other.public_id}]}).json()
    assert (gone["data"][0]["status"], gone["data"][0]["id"]) == (409, None)


def test_nobody_takes_the_id_of_what_is_put_back(call: Call, shop: Shop) -> None:
    row, other = shop.customer("Ada"), shop.customer("Other")
    made = call("POST", "interactions", {"customer": row.public_id, "kind": "note", "title": "Kept"}).json()
    taken = {"customer": other.public_id, "kind": "note", "title": "x", "message_id": f"restored:{made['id']}"}
    for source in ("", "rondo"):
        assert call("POST", "interactions", {**taken, "source": source}).status_code == 422
    call("POST", f"interactions/{made['id']}/retract", {"reason": "wrong"})
    back = call("POST", f"interactions/{made['id']}/restore").json()
    assert (back["title"], back["customer"]) == ("Kept", row.public_id)
