"""The page of trading up and the panel of a customer, by HTTP."""

import csv
import re
from collections.abc import Callable
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import NextOf
from rondo.analysis.next.actions import work_out_next
from rondo.analysis.tests.test_upselling import planted_orders
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.web.tests.charted import words
from rondo.web.tests.test_cohorts import listed
from rondo.web.tests.test_together import text_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db
PAGE = "/portfolio/trading-up/"


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")


@pytest.fixture(scope="module")
def worked_out(module_world: Path) -> None:
    """The planted shop, worked out."""
    change_installation(system(), currency="EUR", time_zone="America/New_York")
    planted_orders()
    run_analysis(system())
    work_out_next(system())


@pytest.fixture
def shopped(worked_out: None, world_copy: Path) -> None:
    pass


def test_before_the_analysis_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    assert "orders with lines (product, quantity, amount paid)" in text_of(signed_in(alice), PAGE)


def test_tiers_stand_with_edges_and_whom_to_address_opens_as_many(
    shopped: None, signed_in: SignIn, alice: User
) -> None:
    client = signed_in(alice)
    text = text_of(client, PAGE)
    assert re.search(
        r"\d+ customers may trade up, which is expected to bring €[\d,.]+ at their next purchases", words(text)
    )
    assert "counted in one category: the one that brings most, those with known sizes before all others" in text
    assert "Categories with known sizes first, then where most is expected" in text and "price of 500 g" in text
    assert re.search(r"low tier below €2\.\d\d · \d+%", text)
    body = client.get(PAGE).content.decode()
    links = re.findall(r'<a href="([^"]*upsell_category\+%3D[^"]*)">(\d+)</a></td>', body)
    assert len(links) == 4
    for url, count in links:
        assert listed(client, unescape(url)) == int(count)
    rows = list(csv.DictReader(StringIO(client.get(f"{PAGE}tiers.csv").content.decode("utf-8-sig"))))
    assert len(rows) == 12 and {row["Tier"] for row in rows} == {"low tier", "middle tier", "high tier"}
    assert float(rows[0]["Low"]) <= float(rows[0]["Expected"]) <= float(rows[0]["High"])
    # Amounts are those of the page, in major units.
    assert re.search(rf"below €{float(rows[1]['From']):.2f} ", text), rows[1]
    total = re.search(r"expected to bring €([\d,]+)", words(text))
    assert total is not None and float(rows[0]["Expected"]) <= float(total[1].replace(",", "")) + 1


def test_the_customer_page_says_which_tier_and_what_may_come(shopped: None, signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    one = NextOf.objects.exclude(upsell_category=None).order_by("-upsell_chance")[0]
    text = text_of(client, f"/customers/{Customer.objects.get(pk=one.pk).public_id}/")
    assert re.search(
        r"May trade up .*K\d buys the (low|middle) price tier; \d+% chance that the next purchase is", text
    )
    assert re.search(r"(took a|never took a) higher tier on ", text)
    assert listed(client, f"/customers/?rule=upsell_chance+>%3D+{one.upsell_chance}") >= 1


def test_who_sees_only_some_customers_gets_no_figures_of_all(shopped: None, signed_in: SignIn, bob: User) -> None:
    client = signed_in(bob)
    assert "you may see only some" in text_of(client, PAGE)
    assert client.get(f"{PAGE}tiers.csv").status_code == 404
