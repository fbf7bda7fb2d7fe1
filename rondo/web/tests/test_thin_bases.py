"""Bases that are empty or too thin for a model: pages say what is missing, and call nothing worth zero."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.tests.world import customer, purchase
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.web.tests.test_cohorts import text_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")


def words(client: Client, address: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text_of(client, address)).split())


def test_an_empty_base_is_told_what_will_stand_there(signed_in: SignIn, alice: User) -> None:
    run_analysis(system())
    client = signed_in(alice)
    assert "There are no customers yet" in words(client, "/")
    told = words(client, "/portfolio/")
    assert "Your customers as an asset" in told and "found no purchases up to that day" in told
    assert "Where your customers stand" in words(client, "/loyalty/")
    assert "What kind of relationship, and what binds" in words(client, "/loyalty/relationships/")


def test_one_customer_who_bought_on_one_day_is_told_in_the_singular_and_without_worth(
    signed_in: SignIn, alice: User
) -> None:
    purchase(customer("Ann"), "2024-03-01", 1250)
    run_analysis(system())
    client = signed_in(alice)
    assert "1 customer bought for €12 on 1 Mar 2024" in words(client, "/")
    assert "The best 20%" not in words(client, "/portfolio/")
    assert "No cohort has had the time yet" in words(client, "/portfolio/cohorts/")
    assert "It stands here after the next analysis" not in words(client, "/portfolio/cohorts/")


def test_where_no_model_could_be_fitted_customers_are_not_worth_zero(signed_in: SignIn, alice: User) -> None:
    for number in range(12):
        ann = customer(f"C{number}")
        for visit in range(2 + number % 3):
            purchase(ann, date(2024, 1, 1) + timedelta(days=25 * visit + number), 0)
    run = run_analysis(system())
    assert run.results["value"] is None and run.results["activity"]["late"] >= 0
    client = signed_in(alice)
    for address in ("/", "/portfolio/", "/portfolio/movements/", "/loyalty/", "/loyalty/relationships/"):
        told = words(client, address)
        assert "worth €0" not in told, address
    assert "customers buy regularly" in words(client, "/loyalty/")
    told = words(client, "/portfolio/movements/")
    assert "What they are worth is not known" in told
    csv = client.get("/charts/grid.csv").content.decode("utf-8-sig").splitlines()
    assert csv[1].endswith(","), "not known, which is not 0.00"
