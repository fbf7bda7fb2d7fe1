"""What nobody means to send is refused with its place, and never answered with an error of ours."""

import json
from typing import Any

import pytest
from django.test import Client

from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customer_writing import Call, call, caller
from rondo.customers.actions import define_attribute
from rondo.customers.models import Customer
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import User
from rondo.foundation.rights import RIGHTS
from rondo.lists.actions import save_view
from rondo.lists.states import State

pytestmark = pytest.mark.django_db
__all__ = ["call"]


def test_everybody_can_be_asked_for_two_factors_and_is_told_so(shop: Shop, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="administrator")
    call = caller(User.objects.get(pk=alice.pk), *RIGHTS)
    for who in ("everybody", "nobody"):
        said = call("PUT", "settings/sign-in", {"two_factor": who})
        assert (said.status_code, said.json()["two_factor"]) == (200, who)
        assert call("GET", "settings/sign-in").json() == {"two_factor": who, "roles": []}


def test_views_as_large_as_the_page_keeps_them_are_told(shop: Shop, alice: User) -> None:
    save_view(Actor(alice, "web"), "Long", State(sort="s" * 100, by="b" * 100))
    assert caller(alice, "see")("GET", "views").json()["data"][0]["kept"]["by"] == "b" * 100


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("multi", 5), ("multi", True), ("multi", 1.5), ("multi", {"minor": 1, "currency": "USD"}),
        ("number", "sNaN"), ("money", "1e999999999"), ("money", "-1e-999999999"),
    ],
)  # fmt: skip
def test_values_that_are_none_are_refused(call: Call, shop: Shop, type: str, value: Any) -> None:
    row = shop.customer("Ada")
    choices = [{"value": "a", "en": "A"}] if type == "multi" else []
    define_attribute(system(), "it", label_en="It", type=type, form="behavioural", choices=choices)
    told = call("PATCH", f"customers/{row.public_id}", {"attributes": {"it": value}})
    assert told.status_code == (200 if value == "-1e-999999999" else 422), told.content


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moments_at_the_ends_of_the_calendar_are_refused(call: Call, shop: Shop, at: str) -> None:
    of = {"customer": shop.customer("Ada").public_id, "occurred_at": at}
    order = {"source": "till", "number": "1", "lines": [{"product": "1", "total": 1}]}
    assert call("POST", "interactions", {**of, "kind": "note"}).status_code == 422
    assert call("POST", "orders", {**of, **order}).status_code == 422


def test_days_at_the_ends_of_the_calendar_are_searched(shop: Shop, alice: User) -> None:
    call = caller(alice, *RIGHTS)
    for day in ("0001-01-01", "9999-12-31"):
        for name in ("since", "until"):
            assert call("GET", f"audit?{name}={day}").status_code == 200, (name, day)


def test_bodies_that_are_none_are_refused(shop: Shop, alice: User) -> None:
    token = make_api_token(system(), alice, "odd", scopes=["see", "edit", "import"])
    client = Client(raise_request_exception=False, headers={"authorization": f"Bearer {token}"})
    form, ada = "multipart/form-data", json.dumps({"name": "Ada"})
    key = {"Idempotency-Key": "1"}
    assert client.generic("POST", "/api/v1/customers", ada, form, headers=key).status_code == 400
    assert client.generic("POST", "/api/v1/imports/files", "x", form).status_code == 400
    nested = '{"items": ' + "[" * 480 + "]" * 480 + "}"
    assert client.generic("POST", "/api/v1/customers", nested, "application/json").status_code == 422
    assert client.generic("POST", "/api/v1/customers/bulk", nested, "application/json").json()["refused"] == 1


def test_one_of_many_with_what_no_column_holds_is_refused_alone(call: Call) -> None:
    items = [{"name": "Ada"}, {"name": "\x00"}, {"name": "\ud800"}, {"name": "Bea"}]
    many = call("POST", "customers/bulk", {"items": items}).json()
    assert [one["status"] for one in many["data"]] == [201, 422, 422, 201]
    assert sorted(Customer.objects.values_list("name", flat=True)) == ["Ada", "Bea"]
    assert call("POST", "customers/bulk", {"items": items[:1], "on_missing": "\x00"}).status_code == 422
