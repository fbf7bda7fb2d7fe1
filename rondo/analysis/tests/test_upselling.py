"""Trading up, from orders to the open tables, the rows that pages read and the rules."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import NextFound, NextOf
from rondo.analysis.next.actions import work_out_next
from rondo.analysis.next.queries import found_for, next_of
from rondo.analysis.tests.world import customer, product, purchase, purchases
from rondo.catalogue.models import Product
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.science.tests.planted_tiers import Shop, shop
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db
START = date(2023, 1, 1)


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")


def planted_orders(made: Shop | None = None) -> list[Customer]:
    """The planted shop as orders of one unit a line."""
    made = made or shop(120, kinds=4, days=180)
    things = []
    for number, path in enumerate(made.goods.paths):
        thing = product(f"P{number}", path)
        tier = ("Plain", "Good", "Finest")[int(made.tier[number])]
        thing.name, thing.brand = f"{tier} {number}", f"M{made.goods.brands[number]}"
        thing.size = f"{int(made.goods.sizes.amount[number])} g"
        things.append(thing)
    Product.objects.bulk_update(things, ["name", "brand", "size"])
    people = [customer(f"C{number}") for number in range(int(made.paid.customer.max()) + 1)]
    paid = made.paid
    days = np.unique(paid.customer * 1000 + paid.day, return_inverse=True)[1]
    rows = []
    for lines in np.split(np.argsort(days, kind="stable"), np.cumsum(np.bincount(days))[:-1]):
        each = [
            (things[int(paid.product[at])], int(1000 * paid.paid[at] // paid.units[at]), int(paid.saved[at]))
            for at in lines
        ]
        rows.append((people[int(paid.customer[lines[0]])], START + timedelta(days=int(paid.day[lines[0]])), each))
    purchases(rows)
    return people


def test_the_tables_the_pages_and_the_rules_say_who_may_trade_up(make_user: Any) -> None:
    people = planted_orders()
    as_of = START + timedelta(days=179)
    run_analysis(system(), as_of=as_of)
    row = work_out_next(system())
    assert row is not None
    trading = row.results["trading"]
    assert trading["reason"] == ""
    assert trading["held"] == trading["graded"] == trading["by_size"] == 4
    best = trading["categories"][0]
    assert [tier["tier"] for tier in best["tiers"]] == ["low", "middle", "high"]
    assert best["tiers"][0]["price"] < best["tiers"][1]["start"] <= best["tiers"][1]["price"]
    assert (best["usual"], best["unit"], best["level"]) == (500.0, "g", 2)
    assert all(name.startswith("Finest") for name in best["tiers"][2]["examples"])
    assert sum(tier["share"] for tier in best["tiers"]) == pytest.approx(1, abs=1e-5)
    served = NextOf.objects.exclude(upsell_category=None)
    assert sum(one["candidates"] for one in trading["categories"]) == trading["candidates"] == served.count() > 20
    with open_tables() as tables:
        graded = tables.arrow(tables.product_tiers).to_pylist()
        up = tables.arrow(tables.trading_up).to_pylist()
        copied = tables.arrow(tables.next_due).to_pylist()
        edges = tables.arrow(tables.price_tiers).to_pylist()
    assert len(graded) == 36 and len(edges) == 12 and all(edge["held"] for edge in edges)
    chances = {(one["customer_id"], one["category"]): one for one in up if one["chance"] is not None}
    for one in chances.values():
        assert one["chance_low"] <= one["chance"] <= one["chance_high"]
        assert one["gain_low"] <= one["gain"] <= one["gain_high"]
        assert one["usual_tier"] != "high" and one["days_low"] + one["days_middle"] + one["days_high"] >= 2
    first = served.order_by("pk")[0]
    named = chances[first.pk, f"FOOD > {first.upsell_category}"]
    assert (named["gain"], round(named["chance"], 6)) == (first.upsell_gain, first.upsell_chance)
    assert {one["customer_id"]: one["upsell_gain"] for one in copied}[first.pk] == first.upsell_gain
    shown = next_of(first.pk)
    assert shown is not None and shown.upsells[0]["category"] == first.upsell_category
    # Again, with orders after the day: the same to the last figure.
    before = (row.results, list(NextOf.objects.order_by("pk").values()))
    dear = Product.objects.filter(name__startswith="Finest")[0]
    for who in people[:20]:
        purchase(who, as_of + timedelta(days=2), 9900, lines=[(dear, 9900, 0)])
    refresh()
    NextFound.objects.all().delete()
    work_out_next(system())
    assert (NextFound.objects.get().results, list(NextOf.objects.order_by("pk").values())) == before
    dora: User = make_user("dora", role="sales", reach="own")
    assert found_for(dora) is None
