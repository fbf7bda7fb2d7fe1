"""Movements between two days by HTTP: the same as the run's own matrix, and each opens its customers."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.ruled import STAGE
from rondo.analysis.tests.world import seeded_base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.web.tests.test_cohorts import text_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")


def links_in(page: str, chart: str) -> list[str]:
    """Where the marks of a chart's wide drawing lead."""
    drawing = page.split(f'id="{chart}"')[1].split('<div class="for-desk">')[1].split("</svg>")[0]
    return [unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', drawing)]


def test_before_an_analysis_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    assert "Who moves, where to" in text_of(client, "/portfolio/movements/")
    assert client.get("/portfolio/movements/table.csv").status_code == 404


def test_it_agrees_with_the_matrix_of_the_run_and_opens_who_moved(signed_in: SignIn, alice: User) -> None:
    seeded_base(customers=40, days=250)
    run = run_analysis(system())
    client = signed_in(alice)
    kept = run.results["standing"]["moves"]
    keys = [key for key, _label in STAGE]
    expected = {
        (keys[row], keys[column]): count
        for row, counts in enumerate(kept["customers"])
        for column, count in enumerate(counts)
        if count
    }
    days = f"since={kept['since']}&until={kept['until']}"
    rows = [line.split(",") for line in text_of(client, f"/portfolio/movements/table.csv?{days}").splitlines()[1:]]
    assert {(row[0], row[1]): int(row[2]) for row in rows} == expected
    page = text_of(client, f"/portfolio/movements/?{days}")
    links = links_in(page, "chart-movements")
    assert len(links) == len(expected)
    assert sorted(links_in(page, "chart-flow")) == sorted(links)
    listed = text_of(client, f"/portfolio/movements/table.csv?{days}&drawing=flow").splitlines()[1:]
    assert {tuple(line.split(",")) for line in listed} == {tuple(row[:3]) for row in rows}
    counted = [len(re.findall(r'<li><a href="/customers/c_', text_of(client, link))) for link in links]
    assert sorted(counted) == sorted(expected.values())


def test_a_list_that_ends_early_says_of_how_many(
    signed_in: SignIn, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number that was clicked stands above its list, where the list names those worth most alone."""
    seeded_base(customers=40, days=250)
    run_analysis(system())
    client = signed_in(alice)
    rows = [line.split(",") for line in text_of(client, "/portfolio/movements/table.csv").splitlines()[1:]]
    before, after, count = max(((row[0], row[1], int(row[2])) for row in rows), key=lambda one: one[2])
    address = f"/portfolio/movements/customers?from={before}&to={after}"
    assert count > 1 and "worth most" not in text_of(client, address)
    monkeypatch.setattr("rondo.analysis.movements.LISTED", count - 1)
    monkeypatch.setattr("rondo.web.views.movements.LISTED", count - 1)
    page = text_of(client, address)
    assert f"The {count - 1} worth most of {count}." in page
    assert len(re.findall(r'<li><a href="/customers/c_', page)) == count - 1


def test_days_outside_the_data_are_refused_in_a_sentence(signed_in: SignIn, alice: User) -> None:
    seeded_base(customers=10, days=200)
    run_analysis(system())
    client = signed_in(alice)
    for days, words in (
        ("since=2023-05-01&until=2023-03-01", "has to come before"),
        ("since=1999-01-01", "have to lie in the data"),
        ("since=yesterday", "That is no day"),
    ):
        page = text_of(client, f"/portfolio/movements/?{days}")
        assert words in page and 'id="chart-movements"' in page
        refused = client.get(f"/portfolio/movements/table.csv?{days}")
        assert refused.status_code == 400 and words in refused.content.decode()
    assert client.get("/portfolio/movements/customers?from=nowhere&to=growth").status_code == 404


def test_who_sees_a_part_gets_the_moves_of_that_part(signed_in: SignIn, charlie: User) -> None:
    people = seeded_base(customers=20, days=200)
    Customer.objects.filter(pk__in=[one.pk for one in people[:4]]).update(owner=charlie)
    run_analysis(system())
    client = signed_in(charlie)
    rows = [line.split(",") for line in text_of(client, "/portfolio/movements/table.csv").splitlines()[1:]]
    assert sum(int(row[2]) for row in rows) == 4
