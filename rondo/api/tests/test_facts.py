"""Facts over the API: definitions as registered, values with run, day, unit and interval."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from rondo.analysis.models import Run, Score
from rondo.api.tests.conftest import Shop
from rondo.foundation.models import User
from rondo.foundation.registry import registries

pytestmark = pytest.mark.django_db
Clients = Callable[[User], Client]


def test_every_registered_fact_is_defined(client_of: Clients, alice: User) -> None:
    found = client_of(alice).get("/api/v1/facts").json()["data"]
    assert [row["key"] for row in found] == registries.facts.keys()
    assert all(row["label"] and row["definition"] and row["unit"] and row["type"] for row in found)
    assert all(row["low"] and row["high"] for row in found if row["key"] == "value")


def test_before_the_first_analysis_there_are_none(shop: Shop, client_of: Clients, alice: User) -> None:
    row = shop.customer()
    body = client_of(alice).get(f"/api/v1/customers/{row.public_id}/facts").json()
    assert body == {"customer": row.public_id, "run": None, "facts": []}


def test_values_come_with_run_unit_and_interval(shop: Shop, client_of: Clients, alice: User) -> None:
    row, fresh = shop.customer(), shop.customer("came after the analysis")
    Run.objects.create(as_of=date(2016, 12, 31), status="done", is_current=False)
    run = Run.objects.create(
        as_of=date(2017, 12, 31), status="done", is_current=True, results={"totals": {"currency": "USD"}}
    )
    Score.objects.create(
        customer=row,
        value=120_400,
        value_low=99_000,
        value_high=142_000,
        purchase_days=81,
        last_purchase=date(2017, 12, 29),
        own_label_share=0.25,
        favourite_category="COFFEE",
    )
    body = client_of(alice).get(f"/api/v1/customers/{row.public_id}/facts").json()
    assert body["run"]["as_of"] == "2017-12-31" and body["run"]["id"].startswith("r_")
    assert str(run.pk) != body["run"]["id"]
    values = {fact["key"]: fact for fact in body["facts"]}
    assert list(values) == registries.facts.keys()
    assert values["value"]["value"] == {"minor": 120_400, "currency": "USD"}
    assert values["value"]["low"] == {"minor": 99_000, "currency": "USD"}
    assert values["value"]["high"] == {"minor": 142_000, "currency": "USD"}
    assert values["purchase_days"]["value"] == 81
    assert values["last_purchase"]["value"] == "2017-12-29"
    assert values["own_label_share"]["value"] == 0.25
    assert values["favourite_category"]["value"] == "COFFEE"
    assert values["spend"]["value"] is None
    assert all(fact["unit"] for fact in body["facts"])
    late = client_of(alice).get(f"/api/v1/customers/{fresh.public_id}/facts").json()
    assert late["run"] is not None and late["facts"] == []
