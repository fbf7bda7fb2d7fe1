"""The page Loyalty by HTTP: what it says, where its figures lead, and what it says before there is anything to say."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Score
from rondo.analysis.tests.world import customer, purchase, seeded_base
from rondo.customers.actions import define_attribute
from rondo.customers.models import AttributeValue, Customer
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.web.tests.charted import words
from rondo.web.tests.sample import store_run

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")  # as the orders of the seeded base


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    body: str = response.content.decode()
    return body


def test_before_an_analysis_that_knows_of_it_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    assert "Where your customers stand" in text_of(client, "/loyalty/")
    store_run(standing=None)  # as if of a time before ladder and life cycle
    assert "Where your customers stand" in text_of(client, "/loyalty/")


def test_each_rung_and_stage_opens_its_customers(signed_in: SignIn, alice: User) -> None:
    seeded_base(customers=40, days=250)
    run = run_analysis(system())
    client = signed_in(alice)
    page = text_of(client, "/loyalty/")
    for field, keys in (("ladder", ("client", "advocate")), ("stage", ("growth", "abstinence"))):
        for key in keys:
            assert f'href="/customers/?f={field}%3Ais%3A{key}"' in page
    assert "No advocates" in page and "No prospects" in page
    assert 'id="chart-stages"' in page and 'id="chart-moves"' in page
    back = run.results["standing"]["came_back"]
    words = f"of {back['presumed']} times that somebody was presumed gone, {back['came']} were followed by a purchase"
    assert back["presumed"] > 1 and words in page and words in text_of(client, "/analysis/models/")
    state = Score.objects.values_list("ladder", flat=True).order_by("ladder")[0]
    named = Customer.objects.filter(score__ladder=state)
    assert named.exists() and all(one.name in text_of(client, f"/customers/?f=ladder:is:{state}") for one in named)
    assert not any(rung["supporters"] for rung in client.get("/loyalty/").context["rungs"])  # nobody was asked
    asked = define_attribute(
        system(), "promoter_score", label_en="Would recommend us", type="number", form="psychographic"
    )
    for one, said in zip(Customer.objects.order_by("score__ladder", "pk"), (9, 10, 8, 9.5, 11), strict=False):
        AttributeValue.objects.create(customer=one, definition=asked, number=said)
    rungs = client.get("/loyalty/").context["rungs"]
    assert sum(rung["supporters"] for rung in rungs) == 3
    for rung in rungs:
        if rung["supporters"]:
            assert len(client.get(rung["supporters_url"]).context["rows"]) == rung["supporters"]
    assert text_of(client, "/charts/stages.csv").startswith("\ufeffDay,before interest,initiation,")
    assert "today" in text_of(client, "/charts/moves.csv")


def test_the_customer_page_says_where_since_when_and_why(signed_in: SignIn, alice: User) -> None:
    ann, base = customer("Ann"), [customer(f"C{n}") for n in range(4)]
    for person in (ann, *base):
        for day in range(0, 200, 10):
            purchase(person, date(2024, 1, 1) + timedelta(days=day))
    run_analysis(system())
    page = text_of(signed_in(alice), f"/customers/{ann.public_id}/")
    assert "Where this customer stands" in page
    assert "Maturity: spends steadily, within the own rhythm." in page
    assert "Client: buys regularly" in page


def test_a_pause_beyond_the_rhythm_is_not_called_within_it(signed_in: SignIn, alice: User) -> None:
    """A stage changes only once its rule has held: until then the page says what is pending, not the contrary."""
    ann, base = customer("Ann"), [customer(f"C{n}") for n in range(4)]
    for person in (ann, *base):
        for day in (*range(0, 190, 10), *([] if person is ann else [190, 193])):
            purchase(person, date(2024, 1, 1) + timedelta(days=day))
    run_analysis(system())
    score = Score.objects.get(customer=ann)
    assert (score.stage, score.ladder, score.activity) == ("maturity", "client", "late")
    page = text_of(signed_in(alice), f"/customers/{ann.public_id}/")
    assert "within the own rhythm" not in page and "moves the stage once it lasts" in page
    assert "moves the rung once it lasts" in page


def test_who_sees_a_part_gets_counts_of_that_part_without_charts(signed_in: SignIn, charlie: User) -> None:
    people = seeded_base(customers=20, days=150)
    Customer.objects.filter(pk=people[0].pk).update(owner=charlie)
    run_analysis(system())
    page = text_of(signed_in(charlie), "/loyalty/")
    assert "of 1 customer" in words(page) and 'id="chart-stages"' not in page
