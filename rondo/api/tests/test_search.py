"""The one box of the pages by program: the same hits for the same people, each with its id; orders by their number."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from rondo.api.paging import encode_number
from rondo.api.tests.conftest import NOON, Shop
from rondo.campaigns.models import Campaign
from rondo.customers import names
from rondo.customers.models import Customer, Source
from rondo.foundation.actors import Actor
from rondo.foundation.models import User
from rondo.interactions.actions import log_interaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(shop: Shop, bob: User) -> Customer:
    row = shop.customer("Ada King", kind="person", folded_name="ada king", owner=bob, team=bob.team)
    names.add(row)
    shop.order(row, number="4711-A")
    log_interaction(Actor(bob, "web"), row, "note", title="Asked for a catalogue")
    return row


def hits(client: Client, q: str, **more: Any) -> dict[str, list[dict[str, Any]]]:
    told = client.get("/api/v1/search", {"q": q, **more}).json()
    return {group["key"]: group["hits"] for group in told["data"]}


def test_it_finds_what_the_box_finds(ada: Customer, client_of: Any, signed_in: Any, bob: User, charlie: User) -> None:
    client = client_of(bob)
    for text in ("ada", "4711-A", "catalogue", "portf", ada.public_id):
        found = hits(client, text)
        page = signed_in(bob).get("/palette", {"q": text})
        groups = page.context["groups"]
        shown = {one["key"]: [(hit.title, hit.detail, hit.url) for hit in one["hits"]] for one in groups}
        told = {key: [(hit["title"], hit["detail"], hit["url"]) for hit in of] for key, of in found.items()}
        assert found and told == shown, text
    assert hits(client, "ada", key="customers")["customers"][0]["id"] == ada.public_id
    order = hits(client, "4711-A")["orders"][0]["id"]
    assert client.get(f"/api/v1/orders/{order}").json()["number"] == "4711-A"
    note = hits(client, "catalogue")["notes"][0]["id"]
    assert client.get(f"/api/v1/interactions/{note}").json()["title"] == "Asked for a catalogue"
    assert hits(client_of(charlie), "ada", key="customers") == {}, "she is not his to see"


def test_a_sort_that_is_none_and_a_search_for_nothing_are_refused(ada: Customer, client_of: Any, bob: User) -> None:
    client = client_of(bob)
    assert list(hits(client, "ada", key=["customers", "orders"])) == ["customers"]
    refused = client.get("/api/v1/search", {"q": "ada", "key": "shoes"})
    assert refused.status_code == 422 and "customers" in refused.json()["detail"]
    assert client.get("/api/v1/search").status_code == 422
    assert client.get("/api/v1/search", {"q": "a\x00"}).status_code == 422


def test_pages_give_the_next_of_each_sort_until_there_is_no_more(
    ada: Customer, shop: Shop, client_of: Any, bob: User, alice: User
) -> None:
    """Together they are what one page of them all is, and each result has its id; who sees less is given less."""
    for number in range(5):
        row = shop.customer(f"Ada {number}", kind="person", folded_name=f"ada {number}", owner=bob, team=bob.team)
        names.add(row)
    log_interaction(Actor(bob, "web"), ada, "note", title="Ada asked again")
    Campaign.objects.create(source=shop.source, name="Ada spring", starts_on=date(2017, 3, 1), ends_on=date(2017, 3, 8))
    client = client_of(alice)
    whole = hits(client, "ada", limit=50)
    assert len(whole["customers"]) == 6 and whole["campaigns"][0]["id"] == Campaign.objects.get().public_id
    assert all(one["id"] and one["url"] for one in whole["customers"] + whole["notes"] + whole["campaigns"])
    found: dict[str, list[dict[str, Any]]] = {}
    address, pages = "/api/v1/search?q=ada&limit=2", 0
    while address:
        page = client.get(address).json()
        pages += 1
        for group in page["data"]:
            assert 1 <= len(group["hits"]) <= 2
            found.setdefault(group["key"], []).extend(group["hits"])
        address = page["next"] or ""
    assert (pages, found) == (3, whole)
    assert client.get("/api/v1/search", {"q": "ada", "cursor": "k_2222"}).status_code == 422
    last = client.get("/api/v1/search", {"q": "ada", "limit": 50, "cursor": encode_number(990)}).json()
    assert last == {"data": [], "next": None}


def test_orders_of_a_number_are_found_in_all_sources_or_in_one(
    ada: Customer, shop: Shop, client_of: Any, alice: User, charlie: User
) -> None:
    shop.order(ada, number="4712")
    shop.source = Source.objects.create(name="web")
    shop.order(shop.customer("Other"), at=NOON, number="4711-A")

    def found(client: Client, **asked: Any) -> list[tuple[str, str]]:
        rows = client.get("/api/v1/orders", asked).json()["data"]
        return [(row["number"], row["source"]) for row in rows]

    client = client_of(alice)
    assert found(client, number="4711-A") == [("4711-A", "web"), ("4711-A", "till")]
    assert found(client, number="4711-A", source="till") == [("4711-A", "till")]
    assert found(client, number="4711-A", customer=ada.public_id) == [("4711-A", "till")]
    assert found(client, number="4711") == []
    assert found(client_of(charlie), number="4711-A") == []
    first = client.get("/api/v1/orders", {"number": "4711-A", "limit": 1}).json()
    assert len(first["data"]) == 1 and "number=4711-A" in first["next"]
