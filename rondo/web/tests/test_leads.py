"""Leads and interests from the chain to tables, rules and pages, on a base whose effects are planted."""

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from rondo.analysis import scores
from rondo.analysis.actions import run_analysis
from rondo.analysis.leads.actions import TABLES, work_out_leads
from rondo.analysis.leads.jobs import leads_job
from rondo.analysis.leads.queries import best_leads, found_for, likely_of
from rondo.analysis.leads.texts import interests, reasons
from rondo.analysis.models import InterestOf, LeadFound, LeadOf, Run
from rondo.analysis.tests.world import customer, product, purchase, purchases
from rondo.customers.models import Customer, Link
from rondo.customers.queries import visible
from rondo.errors import PermissionRefused
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.interactions.models import About, Interaction, OrderLine
from rondo.rules import Context, compile_ibis, compile_q, evaluate, load_record, parse, schema
from rondo.science.interest import InterestConfig
from rondo.science.leads import NEVER, LeadConfig
from rondo.science.tests.lead_worlds import CHANNELS, KINDS, lead_world
from rondo.warehouse.tables import open_tables
from rondo.web.tests.charted import assert_whole, charts_of
from rondo.web.tests.test_cohorts import listed
from rondo.web.tests.test_cohorts import text_of as body_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db
PAGE = "/portfolio/leads/"
START, DAYS = date(2024, 1, 1), 200
LEADS = LeadConfig(horizons=(28,), landmarks=4, penalties=(0.03,), sure=0.9)
INTEREST = InterestConfig(firsts=30, sure=0.6)
SHELVES = ("COFFEE", "MILK", "BREAD", "TEA", "SOAP", "FISH")


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")


def base() -> None:
    """Seven hundred people of the planted world; who bought goes on buying by one of two tastes."""
    log = lead_world(700, DAYS, seed=3, effect=1.5, base=-6.8).log
    people = [
        customer(f"P{number}", known_since=START + timedelta(days=int(day))) for number, day in enumerate(log.known)
    ]
    rows = zip(log.person.tolist(), log.day.tolist(), log.kind.tolist(), strict=True)
    contacts = [
        Interaction(
            customer=people[who], kind=KINDS[kind], channel=CHANNELS[log.channel[at]],
            direction="inbound" if log.inbound[at] else "outbound", initiative="pull" if log.pull[at] else "push",
            medium="owned", business_date=START + timedelta(days=int(day)),
            occurred_at=datetime.combine(START + timedelta(days=int(day)), time(9), UTC),
        )
        for at, (who, day, kind) in enumerate(rows)
    ]  # fmt: skip
    goods = [product(f"{shelf}-1", f"FOOD > {shelf}") for shelf in SHELVES]
    kept = Interaction.objects.bulk_create(contacts)
    About.objects.bulk_create(
        About(interaction=row, category=goods[number % 6].category)
        for number, row in enumerate(one for one in kept if one.kind == "web_visit")
    )
    # A purchase in another currency is one, too: this one is no lead.
    purchase(customer("Abroad", known_since=START), START + timedelta(days=50), 500, currency="CHF")
    friend = customer("Friend")
    Link.objects.bulk_create(
        Link(subject=friend, object=people[who], role="referred",
             created_at=datetime.combine(START + timedelta(days=int(day)), time(9), UTC))
        for who, day in zip(log.link_person.tolist(), log.link_day.tolist(), strict=True)
    )  # fmt: skip
    rng = np.random.default_rng(4)
    orders: list[tuple[Customer, date, list[tuple[Any, int, int]]]] = []
    for who in np.flatnonzero(log.bought < NEVER).tolist():
        for day in range(int(log.bought[who]), DAYS, 9):
            likes = goods[who % 2 :: 2] if rng.random() < 0.9 else goods
            orders.append(
                (people[who], START + timedelta(days=day), [(likes[int(rng.integers(0, len(likes)))], 500, 0)])
            )
    purchases(orders)


@pytest.fixture(scope="module")
def scored(module_world: Path) -> None:
    change_installation(system(), currency="EUR", time_zone="UTC")
    base()
    run_analysis(system(), as_of=START + timedelta(days=DAYS - 1))
    work_out_leads(system(), LEADS, INTEREST)


@pytest.fixture
def world(scored: None, world_copy: Path) -> LeadFound:
    return LeadFound.objects.get()


def words(client: Client, address: str = PAGE) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", body_of(client, address))).split())


def test_before_the_analysis_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    assert "some minutes after each analysis" in words(signed_in(alice))
    assert work_out_leads(system()) is None and leads_job.call() == 0


def test_a_base_of_buyers_is_told_what_is_missing(signed_in: SignIn, alice: User) -> None:
    people = [customer(f"C{number}", known_since=START) for number in range(3)]
    purchases((one, START + timedelta(days=day), 500) for one in people for day in (0, 20, 40))
    run_analysis(system())
    work_out_leads(system())
    text = words(signed_in(alice))
    assert "All 3 customers of the data appear with their first purchase" in text
    assert "rondo import interactions" in text
    assert LeadOf.objects.count() == 0


def test_tables_rows_and_rules_tell_the_same(world: LeadFound) -> None:
    results = world.results
    assert results["leads"]["reason"] == results["interest"]["reason"] == ""
    buyers = set(Interaction.objects.filter(kind="purchase").values_list("customer_id", flat=True))
    never = Customer.objects.exclude(pk__in=buyers)
    # Of the one who recommends no day is known: neither bought, nor a lead.
    assert set(LeadOf.objects.values_list("pk", flat=True)) == set(
        never.exclude(name="Friend").values_list("pk", flat=True)
    )
    assert (results["leads"]["people"], results["leads"]["undated"]) == (never.count(), 1)
    assert sum(results["leads"]["bands"]) == LeadOf.objects.count()
    kind = next(one for one in results["interest"]["categories"] if one["likely"])
    row = InterestOf.objects.order_by("-interest_chance")[0]
    known, context = schema(), Context(world.as_of)
    rules = {
        "lead_chance >= 20%": None,
        'lead_reason = "kind.web_visit"': None,
        f"`interest.{kind['path']}` >= {100 * kind['from_chance']:.2f}%": kind["likely"],
        f"not `interest.{kind['path']}` >= 5% and lead_chance is unknown": None,
        f'interest_category = "{row.interest_category}" and interest_chance >= {100 * row.interest_chance:.2f}%': None,
    }
    with open_tables() as tables:
        assert set(TABLES) <= set(tables.names)
        assert tables.arrow(tables.leads)["customer_id"].to_pylist() == sorted(
            LeadOf.objects.values_list("pk", flat=True)
        )
        for text, count in rules.items():
            rule = parse(text, known)
            listed_ = set(visible(None).filter(compile_q(rule, known, context)).values_list("pk", flat=True))
            copied = set(tables.arrow(compile_ibis(rule, known, context, tables))["customer_id"].to_pylist())
            assert listed_ == copied and listed_, text
            assert count is None or len(listed_) == count
            for one in [*sorted(listed_)[:3], *sorted(set(never.values_list("pk", flat=True)) - listed_)[:3]]:
                held = evaluate(rule, load_record([one], rule, known, context), known, context).holds
                assert held == (one in listed_), text


def test_one_lead_hears_why_and_one_buyer_what_is_new(world: LeadFound) -> None:
    best = best_leads(None, 5)
    assert [one.chance for one in best] == sorted((one.chance for one in best), reverse=True)
    assert best[0].times > 1.5 and best[0].reasons[0].effect > 0
    row = LeadOf.objects.get(pk=best[0].customer)
    assert reasons(row.reasons)[0].theme == row.lead_reason
    bought = Interaction.objects.filter(kind="purchase").values_list("customer_id", flat=True)[0]
    found = likely_of(bought)
    assert found is not None and found.lead is None and found.interests
    lines = OrderLine.objects.filter(order__interaction__customer_id=bought)
    had = set(lines.values_list("product__category_id", flat=True))
    assert not had & {one.entry.category for one in found.interests}
    assert likely_of(customer("nobody").pk) is None


def test_twice_is_once_and_two_runs_agree(world: LeadFound) -> None:
    def everything() -> str:
        told = [list(model.objects.order_by("pk").values_list()) for model in (LeadOf, InterestOf)]
        return json.dumps([told, LeadFound.objects.get().results], sort_keys=True)

    before = everything()
    again = work_out_leads(system())
    assert again is not None and again.made_at == world.made_at
    LeadFound.objects.update(run_id=0)  # as if there had been a run since
    work_out_leads(system(), LEADS, INTEREST)
    assert LeadFound.objects.get().run_id == Run.objects.get(is_current=True).pk == world.run_id
    assert everything() == before
    assert scores.leftovers(LeadOf, InterestOf) == []


def test_the_page_tells_opens_and_downloads(world: LeadFound, signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    text = words(client)
    people = world.results["leads"]["people"]
    assert f"{people} customers have never bought" in text
    assert "The likeliest leads" in text and "Interest by category" in text and "How far to trust" in text
    for address in re.findall(r'href="(/customers/\?[^"]+)"', body_of(client, PAGE))[:6]:
        assert listed(client, unescape(address)) > 0
    body = body_of(client, PAGE)
    counted = re.findall(r'<td class="num"><a href="([^"]+)">(\d+)</a></td></tr>', body.split('id="h-bands"')[1])
    assert counted and all(listed(client, unescape(address)) == int(count) for address, count in counted[:3])
    for which, head in (("leads", "Leads"), ("interest", "Customers × categories"), ("categories", "Category")):
        rows = list(csv.reader(StringIO(client.get(f"{PAGE}{which}.csv").content.decode("utf-8-sig"))))
        assert rows[0][0] == head and len(rows) > 2
    drawn = charts_of(body)
    assert {chart.csv_url for chart in drawn} == {f"{PAGE}leads.csv", f"{PAGE}interest.csv"}
    for chart in drawn:
        assert_whole(client, chart)
    assert client.get(f"{PAGE}nothing.csv").status_code == 404
    best = Customer.objects.get(pk=best_leads(None, 1)[0].customer)
    panel = words(client, f"/customers/{best.public_id}/")
    assert "Likely to buy for the first time" in panel and "speaks for it" in panel


def test_who_sees_some_customers_gets_figures_of_theirs_alone(
    world: LeadFound, make_user: Any, signed_in: SignIn
) -> None:
    dora: User = make_user("dora", role="sales", reach="own")
    mine = list(LeadOf.objects.order_by("pk").values_list("pk", flat=True)[:7])
    Customer.objects.filter(pk__in=mine).update(owner=dora)
    found = found_for(dora)
    assert found is not None and not found.whole
    assert (found.results["leads"]["people"], sum(found.results["leads"]["bands"])) == (7, 7)
    assert found.results["leads"]["judged"] is None and found.results["interest"]["judged"] is None
    assert {one.customer for one in best_leads(dora, 50)} == set(mine)
    told = [one.category for text in InterestOf.objects.filter(pk__in=mine).values_list("interests", flat=True)
            for one in interests(text)]  # fmt: skip
    assert {one["category"] for one in found.results["interest"]["categories"]} <= set(told)
    text = words(signed_in(dora))
    assert "7 customers have never bought" in text and "How far to trust the score" not in text
    assert signed_in(dora).get(f"{PAGE}leads.csv").status_code == 404
    # What is counted over all customers is no more in the file than on the page.
    head = signed_in(dora).get(f"{PAGE}categories.csv").content.decode("utf-8-sig").splitlines()[0]
    assert head == "Category,Twice as likely,from a chance of"
    with pytest.raises(PermissionRefused):
        work_out_leads(Actor(dora, "web"))
