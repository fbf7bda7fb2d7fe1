"""The page on funnel and buying patterns by HTTP: what it says, and that its figures open as many customers."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import RunPart
from rondo.analysis.tests.world import START, product, purchase, seeded_base
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.web.tests.sample import store_run
from rondo.web.tests.test_cohorts import listed, text_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")


def test_before_an_analysis_that_knows_of_them_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    assert "What, how much, how often and when" in text_of(client, "/portfolio/buying/")
    store_run()
    RunPart.objects.filter(name="buying").delete()
    assert "What, how much, how often and when" in text_of(client, "/portfolio/buying/")


def test_the_page_says_what_the_run_found(signed_in: SignIn, alice: User) -> None:
    store_run()
    Installation.objects.update(currency="USD")
    page = text_of(signed_in(alice), "/portfolio/buying/")
    assert "Half of all orders come to at most $17.61; half of all pauses last at most 3 days" in page
    assert "BREAD reaches most: 79% of buyers, and 60% of them bought it again." in page
    assert "Most orders come on Sunday, and from 23:00 to 24:00 (time in America/New_York)." in page
    assert "2 orders below 0 are returns" in page


def test_files_hold_words_and_amounts_as_the_page_has_them(signed_in: SignIn, alice: User) -> None:
    store_run()
    alice.language = "de"
    alice.save(update_fields=["language"])
    client = signed_in(alice)
    body = client.get("/charts/baskets.csv").content
    assert body.startswith(b"\xef\xbb\xbf"), "spreadsheets read UTF-8 as such"
    values = [line.partition(",")[0].replace("\xa0", " ") for line in body.decode("utf-8-sig").splitlines()[1:]]
    assert values[0] == "0 $ bis 10 $", "not in cents, beside revenue in dollars"
    days = client.get("/charts/hours.csv").content.decode("utf-8-sig").splitlines()[1:]
    assert [day.partition(",")[0] for day in days][:2] == ["Montag", "Dienstag"]


def test_orders_without_a_time_are_not_taken_for_midday_business(signed_in: SignIn, alice: User) -> None:
    seeded_base(customers=5, days=60)  # every order is at noon
    run_analysis(system())
    assert "the data hold days, but no times" in text_of(signed_in(alice), "/portfolio/buying/")


def test_each_figure_opens_as_many_customers_as_it_counts(signed_in: SignIn, alice: User) -> None:
    people = seeded_base(customers=12, days=120)
    milk = product("milk", 'Food > "Milk" & more')
    for number, person in enumerate(people[:7]):
        for time in range(1 + number % 2):
            purchase(person, START + timedelta(days=100 + time), 1000 + 100 * number, lines=[(milk, 900, 0)])
    purchase(people[8], START + timedelta(days=110), -100, lines=[(milk, -100, 0)])
    run = run_analysis(system())
    client = signed_in(alice)
    part = RunPart.objects.get(run=run, name="buying").figures
    page = unescape(text_of(client, "/portfolio/buying/"))
    links = set(re.findall(r'href="(/customers/\?[^"]+)"', page))

    def counts(fragment: str) -> list[int]:
        found = [link for link in links if fragment in link]
        assert found, fragment
        return sorted(listed(client, link) for link in found)

    milks = next(row for row in part["categories"] if "Milk" in row["names"][1])
    assert (milks["buyers"], milks["repeaters"]) == (7, 3)
    assert counts("Milk") == [3, 7]
    assert counts("weekday") == sorted(day["customers"] for day in part["weekdays"])
    assert counts("typical_gap_days") == sorted(gap["customers"] for gap in part["typical"])
    assert counts("ladder%3Ais%3Asuspect") == [12]
