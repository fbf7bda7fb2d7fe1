"""What a hybrid is offered beside purchases: figures of a day, nothing after it, and a run that tries and takes it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rondo
from rondo.analysis import modelling
from rondo.analysis.actions import run_analysis
from rondo.analysis.facts import past
from rondo.analysis.models import Run
from rondo.analysis.tests.world import START, customer, product, purchase, purchases
from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import source

pytestmark = pytest.mark.django_db

DAY = date(2024, 6, 30)


@pytest.fixture(autouse=True)
def warehouse(settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"


def sent(who: Customer, number: str, day: date) -> None:
    campaign = Campaign.objects.create(
        source=source(), number=number, name=number, type="A", starts_on=day, ends_on=day
    )
    Exposure.objects.create(campaign=campaign, customer=who, sent_on=day)


def offered(day: date, run: date | None = None, learnt: list[int] | None = None) -> dict[str, dict[str, list[float]]]:
    """Columns of each group on a day, in the order of the customers' keys, as offered to a run of that day or later,
    which learns from customers of those keys (None: all)."""
    refresh()
    as_of = run or day
    with open_tables() as tables:
        log = modelling.purchase_log(tables.arrow(past(tables, as_of, "EUR").purchase_days))
    keys = None if learnt is None else np.array(learnt, np.int64)
    with modelling.Offer(log, modelling.day_number(as_of), "EUR", keys) as offer:
        found = {name: group(modelling.day_number(day)) for name, group in offer.groups().items()}
    return {name: dict(zip(one.names, one.values.round(3).T.tolist(), strict=True)) for name, one in found.items()}


def test_the_last_91_days_are_told_and_nothing_else() -> None:
    ann, bob = customer("Ann"), customer("Bob")
    tea, bread = product("tea", "Drinks > Tea"), product("rye", "Food > Bread")
    juice = product("juice", "Drinks > Juice")
    purchase(
        ann, "2024-01-02", 300, lines=[(tea, 300, 0)]
    )  # the first sixth of the log tells which categories are large
    purchase(bob, "2024-01-02", 500, lines=[(tea, 300, 0), (bread, 200, 0)])
    purchase(ann, "2024-03-31", 300, lines=[(juice, 300, 0)])  # one day too early
    purchase(ann, "2024-04-01", 900, lines=[(tea, 300, 0), (juice, 300, 0), (bread, 300, 0), (juice, 300, 0)])
    assert set(offered(DAY)) == {"mix"}
    sent(ann, "1", date(2024, 3, 31))
    sent(ann, "2", date(2024, 4, 1))
    sent(ann, "3", date(2024, 6, 30))
    sent(bob, "4", date(2024, 5, 1))
    told = offered(DAY)
    assert told == {
        "campaigns": {"received_91": [2, 1], "nearness_91": [91, 31]},
        "mix": {"kinds_91": [3, 0], "lines_91": [4, 0], "share:Drinks": [0.75, 0], "share:Food": [0.25, 0]},
    }
    sent(bob, "5", DAY + timedelta(days=1))
    purchase(bob, DAY + timedelta(days=1), 300, lines=[(bread, 300, 0)])
    assert offered(DAY) == told
    # A later run, which reads the rows of all days at once, says the same of the day; of Bob too, asked alone.
    later = DAY + timedelta(days=9)
    assert offered(DAY, run=later) == told
    assert offered(DAY, run=later, learnt=[bob.pk])["mix"]["lines_91"] == [0, 0]
    assert offered(DAY, run=later, learnt=[bob.pk])["campaigns"]["nearness_91"] == [0, 31]


def test_where_all_goods_are_of_one_category_its_parts_are_told() -> None:
    ann = customer("Ann")
    tea, juice = product("tea", "Goods > Tea > Green"), product("juice", "Goods > Juice")
    for day in ("2024-06-28", "2024-06-29"):
        purchase(ann, day, 900, lines=[(tea, 300, 0), (juice, 300, 0), (tea, 300, 0)])
    told = offered(date(2024, 6, 29))["mix"]
    assert told == {"kinds_91": [2], "lines_91": [6], "share:Goods > Tea": [0.667], "share:Goods > Juice": [0.333]}


def test_a_run_takes_the_mix_that_foretells_who_comes_back_and_a_notebook_knows_it() -> None:
    """Who buys tea comes four times as often from one quarter to the next as who buys bread, whatever they did before:
    all switch every 60 days, half of them at a time."""
    rng = np.random.default_rng(3)
    tea, bread = product("tea", "Drinks > Tea"), product("rye", "Food > Bread")
    people = Customer.objects.bulk_create([Customer(name=f"C{number}") for number in range(400)])
    rows: list[Any] = []
    for number, who in enumerate(people):
        rows.append((who, START, [(bread, 500, 0)]))
        for day in range(1, 360):
            eager = (day // 120 + number) % 2 == 0
            # What is bought tells what comes in the next quarter: tea before eager days.
            goods = tea if ((day + 70) // 120 + number) % 2 == 0 else bread
            if rng.random() < (0.09 if eager else 0.03):
                rows.append((who, START + timedelta(days=day), [(goods, 500, 0)]))
    purchases(rows)
    run = run_analysis(system(), model="hybrid")
    (tried,) = run.models_json["cards"]["purchases"]["tried"]
    assert tried["name"] == "mix"
    assert tried["taken"], tried
    names = {one["name"] for one in run.models_json["cards"]["purchases"]["effects"]}
    assert {"share:Drinks", "share:Food", "kinds_91"} <= names
    with rondo.tables() as tables:
        fitted = rondo.models()
        histories = fitted.histories(tables)
        expected = fitted.expected_purchases(histories, run.config["horizon_months"] * 365.25 / 12 / 7)
    assert Run.objects.count() == 1
    assert expected.sum() == pytest.approx(run.models_json["intervals"]["purchases"]["expected"])
    tilt = histories["tilt"].to_numpy()
    assert tilt.std() > 0.1
