"""Buying patterns are what docs/buying.md says, know nothing of later days, and parts of the customers add up."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.facts import past
from rondo.analysis.parts.buying import LONGEST_GAP, buying
from rondo.analysis.parts.shapes import Buying
from rondo.analysis.queries import part
from rondo.analysis.tests.world import START, customer, product, purchase, seeded_base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.interactions.models import Interaction
from rondo.interactions.ruled import WEEKDAYS
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db
TEXT = (Path(__file__).parents[4] / "docs" / "buying.md").read_text(encoding="utf-8")


def counted(as_of: date) -> Buying:
    refresh()
    with open_tables() as tables:
        return buying(tables, past(tables, as_of, "EUR"))


def table(width: int, after: str) -> list[list[str]]:
    lines = TEXT.split(after)[1].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in rows[1:] if len(row) == width]


def test_the_worked_table(db: None) -> None:
    change_installation(system(), time_zone="America/New_York", currency="EUR")
    people: dict[str, Customer] = {}
    for name, moment, lines in table(3, "| customer | moment (UTC) | lines |"):
        person = people.setdefault(name, customer(name) if name not in people else people[name])
        at = datetime.strptime(moment, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        bought = [
            (product(path.strip(), path.strip()), 100 * int(euros), 0)
            for path, euros in re.findall(r"([A-Z][a-z]+ > [A-Z][a-z]+) (-?\d+)", lines)
        ]
        order = purchase(
            person, at.astimezone(ZoneInfo("America/New_York")).date(), sum(b[1] for b in bought), lines=bought
        )
        Interaction.objects.filter(pk=order.interaction_id).update(occurred_at=at)
    found = counted(date(2024, 12, 31))
    assert [
        (" > ".join(row["names"]), row["buyers"], row["repeaters"], row["revenue"]) for row in found["categories"]
    ] == [
        (path, int(buyers), int(again), 100 * int(revenue))
        for path, buyers, again, revenue in table(4, "| category | buyers | bought again | revenue |")
    ]
    weekdays = [str(label) for _key, label in WEEKDAYS]
    assert {
        (weekdays[day], hour): n for day, hours in enumerate(found["hours"]) for hour, n in enumerate(hours) if n
    } == {(day, int(hour)): int(n) for day, hour, n in table(3, "| weekday | hour | orders |")}
    assert (found["orders"], found["returns"], found["buyers"]) == (4, 1, 2)
    assert found["median_gap"] == pytest.approx(94.5)  # Ann's pauses of 6 and of 183 days


def test_every_order_and_every_pause_is_counted_once() -> None:
    people = seeded_base(customers=30, days=250)
    purchase(people[0], START + timedelta(days=249), -5)
    found = counted(START + timedelta(days=249))
    assert found["returns"] == 1
    assert sum(band["orders"] for band in found["values"]) == found["orders"]
    assert sum(band["orders"] for band in found["sizes"]) == found["orders"]
    assert sum(sum(day) for day in found["hours"]) == found["orders"]
    assert sum(day["orders"] for day in found["weekdays"]) == found["orders"]
    with open_tables() as tables:
        days = tables.arrow(past(tables, START + timedelta(days=249), "EUR").purchase_days).num_rows
    assert sum(found["gaps"]) + found["longer"] == days - 30
    assert len(found["gaps"]) == LONGEST_GAP


def test_later_days_move_nothing() -> None:
    people = seeded_base(customers=10, days=100)
    day = START + timedelta(days=80)
    before = counted(day)
    for person in people:
        purchase(person, day + timedelta(days=1), 77_000)
    assert counted(day) == before


def test_two_owners_share_the_whole(make_user: Callable[..., User], alice: User, installation: Installation) -> None:
    Installation.objects.update(currency="EUR")
    people = seeded_base(customers=20, days=120)
    dora, emil = (make_user(name, role="sales", reach="own") for name in ("dora", "emil"))
    Customer.objects.filter(pk__in=[one.pk for one in people[:8]]).update(owner=dora)
    Customer.objects.filter(pk__in=[one.pk for one in people[8:]]).update(owner=emil)
    run = run_analysis(system())
    whole, one, other = (part(viewer, run.pk, "buying") for viewer in (alice, dora, emil))
    for name in ("buyers", "orders", "longer"):
        assert one[name] + other[name] == whole[name], name
    assert [a + b for a, b in zip(one["gaps"], other["gaps"], strict=True)] == whole["gaps"]
    for number, band in enumerate(whole["values"]):
        assert one["values"][number]["low"] == band["low"]
        assert one["values"][number]["orders"] + other["values"][number]["orders"] == band["orders"]


def test_before_anybody_bought_there_is_nothing_to_see() -> None:
    customer("Ann")
    found = counted(date(2024, 1, 1))
    assert found["orders"] == 0 and found["categories"] == [] and found["median_value"] is None


def test_half_of_all_orders_is_half_of_those_that_are_counted_free_ones_too() -> None:
    ann = customer("Ann")
    for day, total in enumerate([0, 0, 300, 500, 900]):
        purchase(ann, START + timedelta(days=day), total)
    found = counted(START + timedelta(days=30))
    assert (found["orders"], found["median_value"]) == (5, 300)
