"""Triangles are what docs/cohorts.md says, hold all revenue of buyers, know nothing of later days, and open their
customers; parts of the customers add up to the whole."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.facts import past
from rondo.analysis.models import Run, RunPart
from rondo.analysis.parts.cohorts import cohorts
from rondo.analysis.parts.shapes import Cohorts
from rondo.analysis.queries import part
from rondo.analysis.tests.world import START, customer, purchase, seeded_base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db
TEXT = (Path(__file__).parents[4] / "docs" / "cohorts.md").read_text(encoding="utf-8")


def counted(as_of: date) -> Cohorts:
    refresh()
    with open_tables() as tables:
        return cohorts(tables, past(tables, as_of, "EUR"))


def numbers(text: str) -> list[int]:
    return [] if text == "none" else [int(word) for word in text.split(", ")]


def test_the_worked_table() -> None:
    for name, orders in re.findall(r"^\| ([A-Z][a-z]+) \| (.+) \|$", TEXT, re.MULTILINE):
        person = customer(name)
        for day, total in re.findall(r"(\d{4}-\S+) (-?\d+)", orders):
            purchase(person, day, 100 * int(total))
    found = counted(date(2024, 4, 30))
    said = re.findall(r"^\| (2024-\d\d) \| (\d+) \| (.+) \| (.+) \| (.+) \|$", TEXT, re.MULTILINE)
    assert len(said) == 4
    assert [
        (row["start"][:7], row["customers"], row["active"], row["revenue"], row["again"])
        for row in found["month"]["rows"]
    ] == [
        (cohort, int(customers), numbers(active), [100 * euros for euros in numbers(revenue)], numbers(again))
        for cohort, customers, active, revenue, again in said
    ]
    assert found["month"]["complete"] and not found["quarter"]["complete"]
    assert found["cut_until"] == ""


def test_quarters_hold_their_months_and_all_revenue() -> None:
    people = seeded_base(customers=40, days=300)
    purchase(people[0], START, -70)  # a return on the first day of all, before anything was bought
    found = counted(START + timedelta(days=299))
    months, quarters = found["month"]["rows"], found["quarter"]["rows"]
    for rows in (months, quarters):
        assert sum(row["customers"] for row in rows) == 40
    revenue = [sum(sum(row["revenue"]) for row in rows) for rows in (months, quarters)]
    with open_tables() as tables:
        known = past(tables, START + timedelta(days=299), "EUR")
        assert revenue == [tables.arrow(known.orders.total.sum()).as_py()] * 2
    for quarter in quarters:
        inside = [month for month in months if quarter["start"] <= month["start"] <= quarter["end"]]
        assert quarter["customers"] == sum(month["customers"] for month in inside)
        assert quarter["active"][0] == quarter["customers"]
        assert quarter["again"] == sorted(quarter["again"])  # whoever came back within 90 days did so within 180


def test_later_days_move_nothing() -> None:
    people = seeded_base(customers=15, days=200)
    day = START + timedelta(days=120)
    before = counted(day)
    for person in people:
        purchase(person, day + timedelta(days=1), 5)
    purchase(customer("Later"), day + timedelta(days=2), 9)
    assert counted(day) == before


def test_data_that_begin_later_than_the_relationships_say_so() -> None:
    for number in range(10):
        person = customer(f"C{number}")
        purchase(person, START + timedelta(days=number))
        purchase(person, START + timedelta(days=200 + number))
    purchase(customer("New"), START + timedelta(days=90))
    found = counted(START + timedelta(days=210))
    assert found["cut_until"] == (START + timedelta(days=30)).isoformat() and found["cut"] == 10


def test_the_run_keeps_them_and_two_owners_share_the_whole(make_user: Callable[..., User], alice: User) -> None:
    people = seeded_base(customers=30, days=200)
    dora, emil = (make_user(name, role="sales", reach="own") for name in ("dora", "emil"))
    Customer.objects.filter(pk__in=[one.pk for one in people[:10]]).update(owner=dora)
    Customer.objects.filter(pk__in=[one.pk for one in people[10:]]).update(owner=emil)
    run = run_analysis(system())
    whole, one, other = (part(viewer, run.pk, "cohorts") for viewer in (alice, dora, emil))
    assert whole == RunPart.objects.get(run=run, name="cohorts").figures
    for number, row in enumerate(whole["month"]["rows"]):
        shares = [
            found["month"]["rows"][number - len(whole["month"]["rows"]) + len(found["month"]["rows"])]
            for found in (one, other)
            if number >= len(whole["month"]["rows"]) - len(found["month"]["rows"])
        ]
        assert sum(share["customers"] for share in shares) == row["customers"]
        assert [sum(figures) for figures in zip(*(share["revenue"] for share in shares), strict=True)] == row["revenue"]
        assert [sum(figures) for figures in zip(*(share["again"] for share in shares), strict=True)] == row["again"]
    assert one["cut_until"] == other["cut_until"] == whole["cut_until"]


def test_who_owns_nobody_sees_empty_triangles_and_an_older_run_has_none(charlie: User) -> None:
    seeded_base(customers=5, days=60)
    run = run_analysis(system())
    found = part(charlie, run.pk, "cohorts")
    assert found["month"]["rows"] == [] and found["cut"] == 0
    RunPart.objects.all().delete()
    assert part(charlie, run.pk, "cohorts") is None
    assert Run.objects.count() == 1
