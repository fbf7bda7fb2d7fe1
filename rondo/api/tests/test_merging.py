"""Merging by program: the same actions as the pages, through the door of the API, refused in the same words."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from rondo.api.problems import MEDIA_TYPE
from rondo.api.tests.conftest import Shop
from rondo.api.v1.merging import PAIR
from rondo.customers.actions import add_identifier, change_customer
from rondo.customers.models import Customer
from rondo.duplicates.models import Pair
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.ids import encode
from rondo.foundation.models import AuditEntry, User

pytestmark = pytest.mark.django_db
PRINTS: dict[str, Any] = {"prior": -9.0, "left_print": "", "right_print": ""}


@pytest.fixture
def call(alice: User) -> Callable[..., Any]:
    """Sends a body with a token that may merge."""
    token = make_api_token(system(), alice, "merging", scopes=["see", "merge"])
    client = Client(raise_request_exception=False, headers={"authorization": f"Bearer {token}"})
    return lambda path, body=None: client.post(f"/api/v1/{path}", body, content_type="application/json")


def test_a_merge_shows_what_was_asked_for_and_its_undo_says_what_is_left(shop: Shop, call: Callable[..., Any]) -> None:
    kept, lost = shop.customer("Kept", language="de"), shop.customer("Lost", language="en")
    ids = {"loser": lost.public_id, "winner": kept.public_id}
    made = call("merges", {**ids, "fields": {"language": "loser"}})
    assert made.status_code == 200 and made.json()["winner"] == kept.public_id
    kept.refresh_from_db()
    assert (kept.name, kept.language) == ("Kept", "en")
    assert AuditEntry.objects.get(verb="customer.merged", record_id=kept.pk).door == "api"
    again = call("merges", ids)
    assert (again.status_code, again.headers["Content-Type"]) == (409, MEDIA_TYPE)
    change_customer(system(), kept, expected_version=kept.version, language="fr")
    undone = call(f"merges/{made.json()['id']}/undo")
    assert (undone.json()["customer"], undone.json()["left"]) == (lost.public_id, ["language"])
    assert call(f"merges/{made.json()['id']}/undo").status_code == 409
    assert not Customer.objects.filter(is_merged=True).exists()


def test_a_person_is_not_made_one_with_a_household(shop: Shop, call: Callable[..., Any]) -> None:
    home, ada = shop.customer("Miller household"), shop.customer("Ada Miller", kind="person")
    refused = call("merges", {"loser": ada.public_id, "winner": home.public_id})
    assert refused.status_code == 409 and refused.headers["Content-Type"] == MEDIA_TYPE
    assert "Ada Miller (Person) and Miller household (Household) are not of one kind" in refused.json()["detail"]
    pair = Pair.objects.create(left=home, right=ada, probability=0.9, weight=10.0, **PRINTS)
    assert call(f"duplicates/{encode(PAIR, pair.pk)}/decision", {"decided": "merged"}).status_code == 409
    assert not Customer.objects.filter(is_merged=True).exists()
    browser = shop.customer("", kind="person")
    assert call("merges", {"loser": browser.public_id, "winner": home.public_id}).status_code == 200, "nobody said what"
    change_customer(system(), ada, expected_version=ada.version, kind="household")
    assert call("merges", {"loser": ada.public_id, "winner": home.public_id}).status_code == 200


def test_what_is_not_usable_is_named(shop: Shop, call: Callable[..., Any]) -> None:
    one = shop.customer("One")
    body = {"loser": one.public_id, "winner": "c_none", "shoe": 1, "fields": {"name": "left"}}
    refused = call("merges", body)
    assert refused.status_code == 422
    assert {"body/shoe", "body/fields/name"} == {error["pointer"] for error in refused.json()["errors"]}
    assert call("merges", {"loser": one.public_id, "winner": "c_none"}).status_code == 404
    assert call("merges", {"loser": one.public_id, "winner": one.public_id}).status_code == 409
    assert call("merges", {"loser": "c\x00", "winner": "c_none"}).status_code == 422
    assert call("merges", "[").status_code == 400
    wrong = call("customers/check", {"identifiers": [{"kind": "phone", "value": "+49"}]})
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["body/identifiers/0/value"]


def test_merging_asks_for_its_scope(shop: Shop, client_of: Callable[[User], Client], alice: User) -> None:
    one, other = shop.customer("One"), shop.customer("Other")
    body = {"loser": one.public_id, "winner": other.public_id}
    answer = client_of(alice).post("/api/v1/merges", body, content_type="application/json")
    assert (answer.status_code, answer.json()["scope"]) == (403, "merge")
    assert client_of(alice).get("/api/v1/merges").headers["Allow"] == "POST, OPTIONS"


def test_who_may_be_meant_is_told_at_once(shop: Shop, call: Callable[..., Any]) -> None:
    ada, namesake = shop.customer("Ada King", folded_name="ada king"), shop.customer("ADA KING", folded_name="ada king")
    add_identifier(system(), ada, "email", "ada@rondo.example.org")
    body = {"name": "ada  king", "identifiers": [{"kind": "email", "value": "ADA@rondo.example.org"}]}
    found = call("customers/check", body).json()["data"]
    assert [(one["customer"]["id"], one["why"]) for one in found] == [
        (ada.public_id, "identifier"),
        (namesake.public_id, "name"),
    ]


def test_pairs_are_walked_in_order_and_decided(shop: Shop, call: Callable[..., Any], alice: User) -> None:
    rows = [shop.customer(f"N{n}", language=("de", "en")[n % 2]) for n in range(6)]
    for n, weight in ((0, 7.0), (2, 9.0), (4, 7.0)):
        Pair.objects.create(left=rows[n], right=rows[n + 1], probability=0.99, weight=weight, **PRINTS)
    token = make_api_token(system(), alice, "walk", scopes=["see", "merge"])
    client = Client(headers={"authorization": f"Bearer {token}"})
    seen, address = [], "/api/v1/duplicates?limit=1"
    while address:
        page = client.get(address).json()
        seen += [(one["left"]["name"], one["differing"]) for one in page["data"]]
        address = page["next"]
    assert seen == [(name, ["name", "language"]) for name in ("N2", "N0", "N4")]
    pair = client.get("/api/v1/duplicates").json()["data"][0]
    done = call(f"duplicates/{pair['id']}/decision", {"decided": "merged", "fields": {"name": "right"}}).json()
    assert (done["status"], done["merge"][:3]) == ("merged", "mg_")
    assert Customer.objects.get(pk=rows[2].pk).name == "N3"
    assert call(f"duplicates/{pair['id']}/undo").json()["status"] == "open"
    assert Customer.objects.get(pk=rows[2].pk).name == "N2"


def test_a_record_is_split_after_a_trial_and_the_split_undone(
    shop: Shop, call: Callable[..., Any], alice: User
) -> None:
    row = shop.customer("Mixed")
    order, _other = shop.order(row), shop.interaction(row)
    add_identifier(system(), row, "email", "bea@rondo.example.org")
    body = {
        "name": "Bea",
        "sources": ["till"],
        "identifiers": [{"kind": "email", "value": "Bea@rondo.example.org"}],
    }
    tried = call(f"customers/{row.public_id}/split", {**body, "dry_run": True}).json()
    assert (tried["id"], tried["stays"]["contacts"], tried["goes"]["orders"]) == (None, 1, 1)
    assert tried["goes"]["totals"] == [{"minor": order.total, "currency": "USD"}]
    done = call(f"customers/{row.public_id}/split", body).json()
    assert done["made"]["name"] == "Bea" and done["id"].startswith("sp_")
    client = call(f"splits/{done['id']}/undo")
    assert client.json() == {"customer": row.public_id, "left": 0}
    # What the split leaves is nobody: told of nowhere, and an old id leads to the customer.
    token = make_api_token(system(), alice, "reading", scopes=["see", "merge"])
    reading = Client(headers={"authorization": f"Bearer {token}"})
    assert reading.get(f"/api/v1/customers/{row.public_id}/merges").json() == {"data": []}
    assert [one["name"] for one in reading.get("/api/v1/customers").json()["data"]] == ["Mixed"]
    assert reading.get(f"/api/v1/customers/{done['made']['id']}").json()["id"] == row.public_id
    refused = call(f"customers/{row.public_id}/split", {**body, "sources": ["none"]})
    assert (refused.status_code, "none" in refused.json()["detail"]) == (422, True)
