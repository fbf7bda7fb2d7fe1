"""What comes next, from the chain to the open tables and the rows that pages read."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection

from rondo.analysis import scores
from rondo.analysis.actions import run_analysis
from rondo.analysis.models import NextFound, NextOf, Run, Score
from rondo.analysis.next.actions import TABLES, work_out_next
from rondo.analysis.next.jobs import next_job
from rondo.analysis.next.queries import found_for, next_of
from rondo.analysis.scores_beside import BESIDE
from rondo.analysis.tests.world import customer, product, purchase, purchases
from rondo.catalogue.models import Product
from rondo.customers.models import Customer
from rondo.errors import PermissionRefused
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db

START = date(2023, 1, 1)
SHELVES = ("COFFEE", "MILK", "BREAD", "TEA", "SOAP", "FISH")


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    Installation.objects.update(currency="EUR")


@pytest.fixture(scope="module")
def worked_out(module_world: Path) -> None:
    """A base whose next purchases are worked out."""
    change_installation(system(), currency="EUR", time_zone="America/New_York")
    base()
    run_analysis(system())
    work_out_next(system())


@pytest.fixture
def people(worked_out: None, world_copy: Path) -> list[Customer]:
    return list(Customer.objects.order_by("pk"))


def goods() -> list[Product]:
    """Two products in each of six categories."""
    made = [product(f"{shelf}-{number}", f"FOOD > {shelf}") for shelf in SHELVES for number in range(2)]
    for one in made:
        Product.objects.filter(pk=one.pk).update(name=one.number.replace("-", " ").capitalize())
    return made


def base(customers: int = 40, days: int = 140, seed: int = 3) -> list[Customer]:
    """Households that buy coffee and milk together every week, and other things as chance will have it."""
    rng = np.random.default_rng(seed)
    things = goods()
    people = []
    bought_by: list[tuple[Customer, date, list[tuple[Product, int, int]]]] = []
    for number in range(customers):
        who = customer(f"C{number}")
        people.append(who)
        brand = int(rng.integers(0, 2))
        day = int(rng.integers(0, 7))
        while day < days:
            bought = {4 + int(rng.integers(0, 8))}
            if rng.random() < 0.6:
                bought |= {brand, 2 + brand}
            chosen = [things[place] for place in sorted(bought)]
            bought_by.append((who, START + timedelta(days=day), [(one, 200, 0) for one in chosen]))
            day += 5 + int(rng.integers(0, 5))
    purchases(bought_by)
    return people


def test_the_open_tables_and_the_pages_say_what_comes_next(people: list[Customer]) -> None:
    results = NextFound.objects.get().results
    assert results["reason"] == ""
    assert results["customers"] == len(people)
    with open_tables() as tables:
        # With two products of one price per category nothing is graded.
        written = [name for name in TABLES if name not in ("price_tiers", "product_tiers", "trading_up")]
        assert set(written) <= set(tables.names)
        counts = {name: tables.arrow(getattr(tables, name).count().as_table())[0][0].as_py() for name in written}
        again = tables.arrow(tables.next_products.filter(tables.next_products.is_new == False))  # noqa: E712
        kinds = tables.arrow(tables.next_categories).to_pylist()
        pairs = tables.arrow(tables.pairs).to_pylist()
    assert counts["next_due"] == len(people)
    assert set(again["customer_id"].to_pylist()) == {one.pk for one in people}
    timed = [kind for kind in kinds if kind["due"] is not None]
    assert timed
    as_of = Run.objects.get(is_current=True).as_of
    for kind in timed:
        assert as_of < kind["due_low"] <= kind["due"] <= (kind["due_high"] or date.max)
        assert 0 <= kind["chance_7"] <= kind["chance_28"] <= 1
    churn = dict(Score.objects.values_list("pk", "churn"))
    assert all(kind["chance_28"] <= 1 - (churn[kind["customer_id"]] or 0.0) + 1e-9 for kind in timed)
    best = max((pair for pair in pairs if pair["level"] == "category"), key=lambda pair: float(pair["low"]))
    assert {best["one"], best["other"]} == {"FOOD > COFFEE", "FOOD > MILK"}
    first = results["categories"]["pairs"][0]
    assert {first["one"], first["other"]} == {"COFFEE", "MILK"}


def test_no_category_is_likelier_than_any_purchase_at_all(
    worked_out: None, world_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the risk of silence says: nothing of a category contradicts it, and who is likely to be gone has nothing
    due."""
    ids = sorted(Customer.objects.values_list("pk", flat=True))
    buys = dict(zip(ids, np.random.default_rng(4).random(len(ids)).tolist(), strict=True))
    monkeypatch.setattr(
        "rondo.analysis.next.actions._buys",
        lambda _tables, lines: np.array([buys[one] for one in lines.customers.tolist()]),
    )
    NextFound.objects.all().delete()
    work_out_next(system())
    as_of = Run.objects.get(is_current=True).as_of
    with open_tables() as tables:
        kinds = tables.arrow(tables.next_categories.filter(tables.next_categories.chance_28.notnull())).to_pylist()
    assert kinds
    for kind in kinds:
        assert kind["chance_7"] <= kind["chance_28"] <= buys[kind["customer_id"]] + 1e-9
        if kind["due"] is not None and kind["due"] <= as_of + timedelta(days=91):
            assert buys[kind["customer_id"]] >= 0.5
    shown = NextOf.objects.exclude(next_due=None)
    assert shown.exists() and all(buys[one.pk] >= 0.5 for one in shown)
    assert NextOf.objects.filter(next_due=None).exists()


def test_one_customer_hears_of_own_habits_and_of_new_things_alike(people: list[Customer]) -> None:
    found = next_of(people[0].pk)
    assert found is not None
    assert {one.row["new"] for one in found.again} == {False}
    assert found.again[0].name in {"Coffee 0", "Coffee 1", "Milk 0", "Milk 1"}
    assert all(one.row["count"] > 0 and one.row["last"] for one in found.again)
    assert all(one.row["new"] and not one.row["count"] for one in found.new)
    names = [habit["category"] for habit in found.habits]
    assert set(names) <= set(SHELVES) and len(names) == len(set(names))
    row = NextOf.objects.get(pk=people[0].pk)
    assert row.next_category == names[0]
    assert row.next_due is not None and row.next_due.isoformat() == found.habits[0]["due"]
    assert next_of(customer("nobody").pk) is None


def test_it_is_worked_out_once_a_run_and_anew_for_the_next() -> None:
    base(12, 90)
    assert work_out_next(system()) is None
    assert next_job.call() == 0
    run_analysis(system())
    first = work_out_next(system())
    with connection.cursor() as cursor:
        indexed = {
            one["columns"][0] for one in connection.introspection.get_constraints(cursor, "analysis_next").values()
        }
    assert set(BESIDE[NextOf]) <= indexed
    again = work_out_next(system())
    assert first is not None and again is not None and first.made_at == again.made_at
    run = run_analysis(system())
    assert next_job.call() == run.pk
    assert NextFound.objects.get().run_id == run.pk
    assert scores.leftovers(NextOf) == []


def test_what_comes_after_the_day_changes_nothing() -> None:
    people = base(40, 120)
    as_of = START + timedelta(days=119)
    found = []
    for later in (False, True):
        if later:
            thing = Product.objects.order_by("-pk")[0]
            for who in people:
                purchase(who, as_of + timedelta(days=3), 900, lines=[(thing, 900, 0)])
        run_analysis(system(), as_of=as_of)
        work_out_next(system())
        found.append(
            (NextFound.objects.get().results, list(NextOf.objects.order_by("pk").values_list("products", "habits")))
        )
    assert found[0] == found[1]


def test_a_short_log_says_why_there_is_no_ranking() -> None:
    base(3, 20)
    run_analysis(system())
    row = work_out_next(system())
    assert row is not None
    assert "are needed" in row.results["reason"]
    assert row.results["categories"]["pairs"] == []


def test_who_may_not_analyse_is_refused_and_who_sees_some_gets_no_figures_of_all(
    people: list[Customer], make_user: Any
) -> None:
    dora: User = make_user("dora", role="sales", reach="own")
    with pytest.raises(PermissionRefused):
        work_out_next(Actor(dora, "web"))
    assert found_for(dora) is None
    assert found_for(None) is not None
