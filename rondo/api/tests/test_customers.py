"""Customers over the API: the gate, the pages, the filters and what one record says."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rondo.api.tests.conftest import Shop
from rondo.customers import actions
from rondo.customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    Customer,
    Identifier,
    Link,
    Merge,
    Survivor,
)
from rondo.foundation.actors import system
from rondo.foundation.models import Load, Team, User

pytestmark = pytest.mark.django_db
Clients = Callable[[User], Client]


def names(client: Client, **query: str) -> list[str]:
    response = client.get("/api/v1/customers", query)
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["data"]]


def walk(client: Client, address: str) -> list[dict[str, object]]:
    """All rows of a list, page after page, by the links given."""
    rows: list[dict[str, object]] = []
    following: str | None = address
    while following:
        body = client.get(following).json()
        rows += body["data"]
        following = body["next"]
    return rows


def merge(loser: Customer, winner: Customer) -> None:
    Merge.objects.create(loser=loser, winner=winner)
    Survivor.objects.create(customer=loser, survivor=winner)
    Customer.objects.filter(pk=loser.pk).update(is_merged=True)


def test_reach_decides_what_is_listed_and_what_is_found(
    shop: Shop, client_of: Clients, alice: User, bob: User, charlie: User
) -> None:
    below = Team.objects.create(name="North-East", parent=bob.team)
    hers = shop.customer("of bob's branch", team=below)
    his = shop.customer("of charlie", owner=charlie)
    shop.customer("of nobody")
    assert names(client_of(alice)) == ["of bob's branch", "of charlie", "of nobody"]
    assert names(client_of(bob)) == ["of bob's branch"]
    assert names(client_of(charlie)) == ["of charlie"]
    assert client_of(bob).get(f"/api/v1/customers/{hers.public_id}").status_code == 200
    for part in ("", "/interactions", "/orders", "/facts"):
        response = client_of(bob).get(f"/api/v1/customers/{his.public_id}{part}")
        assert response.status_code == 404
        assert "charlie" not in response.content.decode()


@pytest.mark.parametrize("public_id", ["c_nothing1", "1", "i_22222222", "c_", "c_ü", "c_" + "2" * 300])
def test_what_is_no_customer_is_not_found(client_of: Clients, alice: User, public_id: str) -> None:
    assert client_of(alice).get(f"/api/v1/customers/{public_id}").status_code == 404


def test_pages_hold_everyone_once_and_end(shop: Shop, client_of: Clients, alice: User) -> None:
    for number in range(7):
        shop.customer(f"household {number}")
    rows = walk(client_of(alice), "/api/v1/customers?limit=3")
    assert [row["name"] for row in rows] == [f"household {number}" for number in range(7)]
    exact = client_of(alice).get("/api/v1/customers?limit=7").json()
    assert exact["next"] is None


def test_the_link_to_the_next_page_keeps_the_filter(shop: Shop, client_of: Clients, alice: User) -> None:
    for number in range(4):
        shop.customer(f"household {number}")
        shop.customer(f"person {number}", kind="person")
    rows = walk(client_of(alice), "/api/v1/customers?limit=2&kind=person")
    assert [row["name"] for row in rows] == [f"person {number}" for number in range(4)]


def test_filters_by_time(shop: Shop, client_of: Clients, alice: User) -> None:
    now = timezone.now()
    old = shop.customer("old", created_at=now - timedelta(days=9))
    shop.customer("untouched", created_at=now - timedelta(days=9))
    shop.customer("new", created_at=now)
    actions.add_address(system(), old, city="Albany")
    yesterday = (now - timedelta(days=1)).isoformat()
    assert names(client_of(alice), created_since=yesterday) == ["new"]
    assert names(client_of(alice), changed_since=yesterday) == ["old", "new"]


def test_rows_of_a_hidden_load_are_not_there(shop: Shop, client_of: Clients, alice: User) -> None:
    load = Load.objects.create(kind="customers", file_name="c.csv", fingerprint="x", status="loading")
    hidden = shop.customer("hidden", load=load)
    assert names(client_of(alice)) == []
    assert client_of(alice).get(f"/api/v1/customers/{hidden.public_id}").status_code == 404
    Load.objects.update(status="visible")
    assert names(client_of(alice)) == ["hidden"]


def test_one_customer_says_who_they_are(shop: Shop, client_of: Clients, alice: User) -> None:
    row = shop.customer(owner=alice, known_since=date(2017, 1, 3), known_since_at_least=True, birth_date=None)
    Identifier.objects.create(customer=row, kind="external", source=shop.source, value="712", shown="712")
    Identifier.objects.create(customer=row, kind="card", value="9912345", shown="99 12345")
    Address.objects.create(customer=row, street="1 Main St", city="Albany", country="US")
    values: list[tuple[str, str, dict[str, Any]]] = [
        ("age", "choice", {"text": "45-54"}),
        ("children", "number", {"number": 2}),
        ("owner", "boolean", {"number": 1}),
        ("income", "money", {"number": 5_000_000}),
        ("moved", "date", {"day": date(2016, 5, 1)}),
    ]
    for order, (key, kind, value) in enumerate(values):
        definition = AttributeDefinition.objects.create(
            key=key, label_en=key.title(), label_de=key.upper(), type=kind, form="demographic", order=order
        )
        AttributeValue.objects.create(customer=row, definition=definition, **value)
    body = client_of(alice).get(f"/api/v1/customers/{row.public_id}").json()
    assert body["id"] == row.public_id
    assert body["owner"] == {"email": "alice@example.org", "name": "Alice"}
    assert (body["known_since"], body["known_since_at_least"]) == ("2017-01-03", True)
    assert body["created_at"].endswith("Z")
    assert {(found["kind"], found["value"], found["source"]) for found in body["identifiers"]} == {
        ("card", "9912345", None),
        ("external", "712", "till"),
    }
    assert body["addresses"][0]["city"] == "Albany"
    assert [(found["key"], found["value"]) for found in body["attributes"]] == [
        ("age", "45-54"),
        ("children", 2.0),
        ("owner", True),
        ("income", {"minor": 5_000_000, "currency": "USD"}),
        ("moved", "2016-05-01"),
    ]
    german = client_of(alice).get(f"/api/v1/customers/{row.public_id}", headers={"accept-language": "de"}).json()
    assert german["attributes"][0]["label"] == "AGE"


def test_a_merged_record_answers_with_its_survivor(shop: Shop, client_of: Clients, alice: User) -> None:
    winner, loser = shop.customer("winner"), shop.customer("loser")
    Identifier.objects.create(customer=loser, kind="card", value="77", shown="77")
    merge(loser, winner)
    body = client_of(alice).get(f"/api/v1/customers/{loser.public_id}").json()
    assert (body["id"], body["merged"]) == (winner.public_id, [loser.public_id])
    assert body["identifiers"][0]["value"] == "77"
    assert names(client_of(alice)) == ["winner"]


def test_links_lead_only_to_customers_one_may_see(shop: Shop, client_of: Clients, alice: User, charlie: User) -> None:
    own = shop.customer("own", owner=charlie)
    friend = shop.customer("friend", owner=charlie)
    stranger = shop.customer("stranger")
    Link.objects.create(subject=own, object=friend, role="referred")
    Link.objects.create(subject=stranger, object=own, role="partner")
    (seen,) = client_of(charlie).get(f"/api/v1/customers/{own.public_id}").json()["links"]
    link = {"role": "referred", "direction": "out", "customer": friend.public_id, "name": "friend"}
    assert seen.pop("id").startswith("ln_") and seen == {**link, "position": "", "since": None}
    assert len(client_of(alice).get(f"/api/v1/customers/{own.public_id}").json()["links"]) == 2


def test_a_longer_page_asks_the_database_no_more_often(shop: Shop, client_of: Clients, alice: User, bob: User) -> None:
    for number in range(30):
        shop.customer(f"household {number}", owner=alice, team=bob.team)
    client = client_of(alice)
    client.get("/api/v1/customers")

    def asked(limit: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get(f"/api/v1/customers?{urlencode({'limit': limit})}").json()["data"]) == limit
        return len(queries)

    assert asked(30) == asked(2)
