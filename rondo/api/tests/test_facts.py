"""Facts over the API: definitions as registered, values with run, day, unit and interval."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.test import Client

from rondo.analysis.models import LeadFound, LeadOf, NextFound, NextOf, Run, Score
from rondo.analysis.scores_beside import facts_beside
from rondo.api.tests.conftest import Shop
from rondo.foundation.models import User
from rondo.foundation.registry import registries

pytestmark = pytest.mark.django_db
Clients = Callable[[User], Client]


def test_every_registered_fact_is_defined(client_of: Clients, alice: User) -> None:
    found = client_of(alice).get("/api/v1/facts").json()["data"]
    following = [fact.key for fact in facts_beside()]
    assert [row["key"] for row in found] == [*registries.facts.keys(), *following]
    text = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text.split("## Facts")[1], re.MULTILINE) == following
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
    assert all(fact["run"] is None for fact in body["facts"])
    late = client_of(alice).get(f"/api/v1/customers/{fresh.public_id}/facts").json()
    assert late["run"] is not None and late["facts"] == []


def test_what_is_worked_out_after_a_run_has_its_own_run_and_the_same_rights(
    shop: Shop, client_of: Clients, alice: User, charlie: User
) -> None:
    """Until it is worked out anew, it is of the run before; what was never worked out is left out."""
    row, other = shop.customer(), shop.customer("another")
    run = Run.objects.create(
        as_of=date(2017, 12, 31), status="done", is_current=True, results={"totals": {"currency": "USD"}}
    )
    for one in (row, other):
        Score.objects.create(customer=one)
    NextFound.objects.create(run_id=run.pk - 1, as_of=date(2017, 12, 24), results={})
    NextOf.objects.create(
        customer=row, next_category="COFFEE", next_due=date(2018, 1, 3), next_chance=0.5, upsell_gain=125,
        habits="[]", products="[]",
    )  # fmt: skip
    address = f"/api/v1/customers/{row.public_id}/facts"
    body = client_of(alice).get(address).json()
    told = {fact["key"]: fact for fact in body["facts"] if fact["run"]}
    assert set(told) == {fact.key for fact in facts_beside() if fact.model is NextOf}
    assert told["next_due"]["value"] == "2018-01-03" and told["next_due"]["run"]["as_of"] == "2017-12-24"
    assert told["next_due"]["run"]["id"] != body["run"]["id"]
    assert told["upsell_gain"]["value"] == {"minor": 125, "currency": "USD"}
    assert told["upsell_category"]["value"] is None

    LeadFound.objects.create(run_id=run.pk, as_of=run.as_of, results={})
    LeadOf.objects.create(customer=other, lead_chance=0.25, lead_reason="kind.web_visit", reasons="")
    keys = "key=lead_chance&key=next_chance&key=interest_chance"
    found = client_of(alice).get(f"/api/v1/customers/{other.public_id}/facts?{keys}").json()["facts"]
    assert {fact["key"]: fact["value"] for fact in found} == {
        "lead_chance": 0.25,
        "next_chance": None,
        "interest_chance": None,
    }
    assert client_of(charlie).get(address).status_code == 404
    assert client_of(alice).get(f"{address}?key=habits").status_code == 422
