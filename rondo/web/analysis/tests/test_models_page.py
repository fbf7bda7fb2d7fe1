"""The page Models by HTTP: what it says of a run, where its figures lead, who may choose, and what it says before."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from rondo.analysis.actions import run_analysis
from rondo.analysis.facts import past
from rondo.analysis.modelling import covariates, day_number, fit, purchase_log
from rondo.analysis.models import Run
from rondo.analysis.pins import pinned_model
from rondo.analysis.tests.world import purchase, seeded_base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.science.clv import ValueConfig
from rondo.science.hybrid.history import WINDOWS
from rondo.science.hybrid.history import names as hybrid_names
from rondo.science.models import CANDIDATES, WARNINGS
from rondo.science.selection import REASONS
from rondo.warehouse.tables import open_tables
from rondo.web.analysis import cards
from rondo.web.tests.sample import store_run

SignIn = Callable[[User], Client]
PAGE = "/analysis/models/"


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    Installation.objects.update(currency="EUR")  # as the orders of the seeded base


@pytest.fixture(scope="module")
def analysed(module_world: Path) -> None:
    """A base that was analysed once."""
    change_installation(system(), currency="EUR", time_zone="America/New_York")
    seeded_base(customers=60, days=280)
    run_analysis(system())


@pytest.fixture
def run(analysed: None, world_copy: Path) -> Run:
    return Run.objects.get(is_current=True)


def fit_anew(run: Run, key: str) -> None:
    """Puts the fit of one model into the run's place, as an analysis that uses it would; what it found stays."""
    with open_tables() as tables:
        log = purchase_log(tables.arrow(past(tables, run.as_of, "EUR").purchase_days.order_by("customer_id", "day")))
    config = ValueConfig(
        months=run.config["horizon_months"],
        annual_discount_rate=run.config["discount_rate"],
        margin_rate=run.config["margin_rate"],
    )
    run.models_json = fit(log, day_number(run.as_of), config, pinned=key).describe()
    run.save()


def text_of(client: Client, address: str = PAGE) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    body: str = response.content.decode()
    return body


@pytest.mark.django_db
def test_before_an_analysis_that_chose_a_model_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    assert "How the figures are made" in text_of(client)
    store_run()  # its figures, but no fitted models
    assert "How the figures are made" in text_of(client)


@pytest.mark.django_db
def test_who_does_not_see_all_customers_is_told_why_there_is_nothing(
    run: Run, signed_in: SignIn, charlie: User
) -> None:
    page = text_of(signed_in(charlie))
    assert "This page is for those who see all customers." in page and "h-candidates" not in page


@pytest.mark.django_db
def test_the_page_shows_the_run_and_leads_to_its_customers(run: Run, signed_in: SignIn, alice: User) -> None:
    client, results = signed_in(alice), run.results
    page = text_of(client)
    card = run.models_json["cards"]["purchases"]
    assert f"{card['model']} forecasts how often your customers buy" in page
    for one in results["selection"]["candidates"]:
        assert one["title"] in page and f"{one['mae']:.3f}" in page
    assert "There is no earlier run to compare with." in page
    assert all(f'id="chart-{key}"' in page for key in ("candidates", "silence", "deciles"))
    assert 'href="/customers/?f=risk%3Ais%3Ahigh"' in page and 'href="/customers/?f=purchase_days%3Amin%3A1"' in page
    assert text_of(client, "/charts/candidates.csv").startswith("\ufeffModel,Mean absolute error,")
    rows = text_of(client, "/charts/silence.csv").splitlines()
    assert len(rows) == 1 + len(results["churn"]["check"]["paths"][0]["bins"])


@pytest.mark.django_db
def test_the_unit_of_time_is_a_word_and_no_key(run: Run) -> None:
    card = cards.model_card(run, None, "purchases")
    assert card is not None and card.details["time_unit"] in ("week", "day")
    with translation.override("de"):
        assert card.unit == {"week": "Woche", "day": "Tag"}[card.details["time_unit"]]


@pytest.mark.django_db
def test_what_moved_since_the_run_before_is_said(run: Run, signed_in: SignIn, alice: User) -> None:
    run_analysis(system())
    client = signed_in(alice)
    assert "The data are those of run" in text_of(client)
    purchase(Customer.objects.order_by("pk")[0], "2023-09-05", 1234)
    run_analysis(system())
    assert "The data changed since run" in text_of(client)
    run_analysis(system(), model="paretonbd")
    assert "Pareto/NBD now." in text_of(client)
    run = Run.objects.get(is_current=True)
    old = cards.previous_run(run)
    assert old is not None
    found = cards.drift(run, old)
    assert found is not None and not found.same_model and found.same_data and found.moved == []
    old.models_json["cards"]["spend"]["parameters"]["p"] *= 9
    found = cards.drift(run, old)
    assert found is not None and found.moved == ["p"]


@pytest.mark.django_db
def test_an_analyst_pins_a_model_and_lifts_the_pin(
    run: Run, signed_in: SignIn, make_user: Callable[..., User], charlie: User
) -> None:
    client = signed_in(make_user("ann", role="analyst", reach="all"))
    answer = client.post(f"{PAGE}choose", {"model": "bgbb", "reason": "Weekly rounds"}, follow=True)
    assert pinned_model() == "bgbb" and "Pinned. The next analysis uses this model." in answer.content.decode()
    assert "pinned bgbb" in text_of(client) and 'value="Weekly rounds"' in text_of(client)
    answer = client.post(f"{PAGE}choose", {"model": "nbd"}, follow=True)
    assert pinned_model() == "bgbb" and "unknown; choose one of" in answer.content.decode()
    client.post(f"{PAGE}choose", {"model": ""})
    assert pinned_model() == ""
    assert signed_in(charlie).post(f"{PAGE}choose", {"model": "bgbb"}).status_code == 403
    assert pinned_model() == "" and client.get(f"{PAGE}choose").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("key", CANDIDATES)
def test_each_model_has_a_card(run: Run, signed_in: SignIn, alice: User, key: str) -> None:
    fit_anew(run, key)
    page = text_of(signed_in(alice))
    card = cards.model_card(run, None, "purchases")
    assert card is not None and card.title in page
    assert {name for names, _says in card.meanings for name in names.split(", ")} == {
        row.name for row in card.parameters
    }


@pytest.mark.django_db
def test_a_hybrid_shows_what_it_adds(run: Run, signed_in: SignIn, alice: User) -> None:
    fit_anew(run, "hybrid")
    client = signed_in(alice)
    assert "There was too little past to learn from" in text_of(client)
    learnt = [{"name": name, "weight": 0.1 * place, "error": 0.02} for place, name in enumerate(cards.EFFECTS)]
    run.models_json["cards"]["purchases"] |= {"effects": learnt, "origins": [17_000, 17_014], "days": 70}
    run.save()
    page = text_of(client)
    assert "Learnt at 2 earlier dates" in page and "What else it weighs" in page
    assert all(str(label) in page for label in cards.EFFECTS.values())
    assert "What it was offered" not in page
    offered = [("campaigns", False, -0.002, 0.001), ("mix", True, 0.012, 0.004), ("more", False, None, None)]
    tried = [dict(zip(("name", "taken", "gain", "error"), one, strict=True)) for one in offered]
    added = [{"name": name, "weight": 0.1, "error": 0.02} for name in ("share:TEA & COFFEE", *cards.COVARIATES)]
    run.models_json["cards"]["purchases"] |= {"effects": added, "tried": tried}
    at = run.results["selection"]["candidates"][-1]["trials"][-1]
    at["taken"] = ["mix"]
    run.save()
    page = text_of(client)
    assert "the hybrid also used: Mix of categories." in page
    assert all(str(label) in page for label in (*cards.COVARIATES.values(), *cards.OFFERED.values()))
    assert "share of TEA &amp; COFFEE" in page and "+1.20%" in page and "too little past to try it" in page


def test_every_code_of_the_science_floor_has_its_words() -> None:
    assert set(cards.EFFECTS) == {"rate", *hybrid_names(WINDOWS)}
    assert set(cards.OFFERED) == set(covariates.GROUPS)
    assert set(cards.COVARIATES) == {*covariates.CAMPAIGNS, *covariates.MIX}
    assert cards.SHARE == covariates.SHARE
    assert set(cards.REASONS) == set(REASONS)
    assert set(cards.WARNINGS) == set(WARNINGS) - {"dropout_not_identified"}


def test_intervals_of_totals_and_of_single_customers_are_told_apart(run: Run, signed_in: SignIn, alice: User) -> None:
    found = run.results["holdout"]["singles"]
    held = [one["held"] for one in found["tenths"]]
    page = " ".join(signed_in(alice).get(PAGE).content.decode().split())
    assert "The 90% intervals of what a tenth of customers buys together" in page
    assert f"Of them, {found['held']:.0%} bought as often as it had said; in single tenths" in page
    assert f"{min(held):.0%} to {max(held):.0%}." in page and f"without that it is {found['randomised']:.0%}" in page
    assert f"{found['tenths'][0]['low']:.1f}–{found['tenths'][0]['high']:.1f}</td>" in page
    del run.results["holdout"]["singles"]  # a run of an earlier version
    Run.objects.filter(pk=run.pk).update(results=run.results)
    page = signed_in(alice).get(PAGE).content.decode()
    assert "And of one customer?" not in page and "what a tenth of customers buys together" in page
