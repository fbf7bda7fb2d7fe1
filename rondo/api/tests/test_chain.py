"""Interactions and orders of a customer: order, pages over ties, what is left out, cost."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customers import merge, walk
from rondo.foundation import ids
from rondo.foundation.models import Load, User
from rondo.interactions.models import Retraction

pytestmark = pytest.mark.django_db
Clients = Callable[[User], Client]
Days = Callable[[int], datetime]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_pages_over_ties_hold_everything_once_newest_first(
    shop: Shop, client_of: Clients, alice: User, days: Days, limit: int
) -> None:
    row = shop.customer()
    made = [shop.interaction(row, days(day)).public_id for day in (0, 1, 1, 1, 1, 2)]
    orders = [shop.order(row, days(1)).public_id for _ in range(3)]
    found = walk(client_of(alice), f"/api/v1/customers/{row.public_id}/interactions?limit={limit}&kind=note")
    assert [item["id"] for item in found] == list(reversed(made))
    bought = walk(client_of(alice), f"/api/v1/customers/{row.public_id}/orders?limit={limit}")
    assert [item["id"] for item in bought] == list(reversed(orders))


def test_an_interaction_says_everything(shop: Shop, client_of: Clients, alice: User, days: Days) -> None:
    row = shop.customer()
    mail = shop.interaction(row, days(0), "campaign_mail", direction="outbound", initiative="push", title="Spring")
    answer = shop.interaction(row, days(3), "redemption", in_response_to=mail, body="coupon 5")
    order = shop.order(row, days(5), lines=2)
    found = client_of(alice).get(f"/api/v1/customers/{row.public_id}/interactions").json()["data"]
    assert [item["kind"] for item in found] == ["purchase", "redemption", "campaign_mail"]
    assert found[0]["order"] == order.public_id
    assert found[0]["amount"] == {"minor": 300, "currency": "USD"}
    assert found[1] == {
        "id": answer.public_id,
        "customer": row.public_id,
        "record": row.public_id,
        "kind": "redemption",
        "channel": "store",
        "direction": "inbound",
        "initiative": "pull",
        "medium": "owned",
        "occurred_at": "2017-06-04T16:00:00Z",
        "business_date": "2017-06-04",
        "amount": None,
        "title": "",
        "body": "coupon 5",
        "reason": None,
        "sub_reason": None,
        "source": None,
        "in_response_to": mail.public_id,
        "order": None,
    }
    only = client_of(alice).get(f"/api/v1/customers/{row.public_id}/interactions?kind=redemption&kind=purchase").json()
    assert [item["kind"] for item in only["data"]] == ["purchase", "redemption"]


def test_an_order_comes_with_its_lines(shop: Shop, client_of: Clients, alice: User) -> None:
    row = shop.customer()
    order = shop.order(row, lines=2, number="B-1")
    (found,) = client_of(alice).get(f"/api/v1/customers/{row.public_id}/orders").json()["data"]
    assert (found["number"], found["source"], found["store"]) == ("B-1", "till", "446")
    assert found["total"] == {"minor": 300, "currency": "USD"}
    assert found["interaction"] == order.interaction.public_id
    first, second = found["lines"]
    assert first["product"]["category"] == "DRINKS > COFFEE"
    assert (first["quantity"], first["discount"]["minor"]) == (1.5, 20)
    assert (second["product"]["is_placeholder"], second["product"]["category"]) == (True, None)


def test_retracted_and_hidden_are_left_out(shop: Shop, client_of: Clients, alice: User, days: Days) -> None:
    row = shop.customer()
    kept = shop.order(row, days(0))
    wrong = shop.order(row, days(1))
    Retraction.objects.create(interaction=wrong.interaction, reason="keyed twice")
    load = Load.objects.create(kind="orders", file_name="o.csv", fingerprint="x", status="undone")
    shop.interaction(row, days(2), load=load)
    client = client_of(alice)
    for part in ("orders", "interactions"):
        found = client.get(f"/api/v1/customers/{row.public_id}/{part}").json()["data"]
        assert len(found) == 1
    assert found[0]["order"] == kept.public_id


def test_the_chain_runs_over_merged_records(shop: Shop, client_of: Clients, alice: User, days: Days) -> None:
    winner, loser = shop.customer("winner"), shop.customer("loser")
    shop.interaction(winner, days(0))
    shop.order(loser, days(1))
    merge(loser, winner)
    found = client_of(alice).get(f"/api/v1/customers/{winner.public_id}/interactions").json()["data"]
    assert [(item["customer"], item["record"]) for item in found] == [
        (winner.public_id, loser.public_id),
        (winner.public_id, winner.public_id),
    ]


@pytest.mark.parametrize("part", ["orders", "interactions"])
def test_a_longer_page_asks_the_database_no_more_often(
    shop: Shop, client_of: Clients, alice: User, days: Days, part: str
) -> None:
    row = shop.customer()
    for day in range(12):
        shop.order(row, days(day), lines=3)
    client = client_of(alice)
    client.get(f"/api/v1/customers/{row.public_id}/{part}")

    def asked(limit: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            body = client.get(f"/api/v1/customers/{row.public_id}/{part}?limit={limit}").json()
        assert len(body["data"]) == limit
        return len(queries)

    assert asked(12) == asked(2)


def test_a_made_up_cursor_is_refused(shop: Shop, client_of: Clients, alice: User) -> None:
    row = shop.customer()
    made_up = ["x", ids.encode("k", 5), f"{ids.encode('t', 2**62)}.{ids.encode('k', 5)}", f"{ids.encode('t', 5)}.", "."]
    for part in ("orders", "interactions"):
        for cursor in made_up:
            response = client_of(alice).get(f"/api/v1/customers/{row.public_id}/{part}", {"cursor": cursor})
            assert response.status_code == 422, cursor


def test_what_no_parameter_can_be_is_refused(shop: Shop, client_of: Clients, alice: User) -> None:
    row, client = shop.customer(), client_of(alice)
    for query, status in (("kind=%00", 422), ("&".join(["a=1"] * 5001), 400)):
        answer = client.get(f"/api/v1/customers/{row.public_id}/interactions?{query}")
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
