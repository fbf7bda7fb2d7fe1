"""The portfolio's map and its list of customers most worth saving, by HTTP."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Run, RunPart, Score
from rondo.analysis.tests.world import seeded_base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.web.charts.worth import worth_map
from rondo.web.tests.sample import parts, store_run
from rondo.web.tests.test_cohorts import listed, text_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    Installation.objects.update(currency="EUR")


@pytest.fixture(scope="module")
def analysed(module_world: Path) -> None:
    change_installation(system(), currency="EUR", time_zone="America/New_York")
    seeded_base(customers=40, days=250)
    run_analysis(system())


@pytest.fixture
def run(analysed: None, world_copy: Path) -> Run:
    return Run.objects.get(is_current=True)


def test_every_area_is_its_share_of_the_money() -> None:
    cells = parts()["worth"]["cells"]
    chart = worth_map(cells, "USD", "s")
    assert chart is not None
    drawn = chart.build((1000, 300)).to_dict()
    data = drawn["datasets"][drawn["layer"][0]["data"]["name"]]
    whole = sum(cell["value"] for cell in cells)
    areas = [(one["x2"] - one["x"]) * (one["y2"] - one["y"]) for one in data]
    assert areas == pytest.approx([cell["value"] / whole for cell in cells])
    assert worth_map([], "USD", "s") is None


def test_areas_and_the_four_fifths_open_their_customers(run: Run, signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    page = text_of(client, "/portfolio/")
    part = RunPart.objects.get(run=run, name="worth").figures
    drawing = page.split('id="chart-worth-map"')[1].split('<div class="for-desk">')[1].split("</svg>")[0]
    counts = sorted(cell["customers"] for cell in part["cells"] if cell["value"])
    links = [unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', drawing)]
    assert sorted(listed(client, link) for link in links) == counts
    spend = re.search(r'href="(/customers/\?f=spend[^"]+)"', page)
    assert spend and listed(client, unescape(spend.group(1))) == part["carrying"]["customers"]


def test_the_list_says_who_and_why_and_keeps_to_what_is_seen(
    run: Run, signed_in: SignIn, alice: User, charlie: User
) -> None:
    people = list(Customer.objects.order_by("pk"))
    Customer.objects.filter(pk=people[0].pk).update(owner=charlie)
    saving = RunPart.objects.get(run=run, name="worth").figures["saving"]
    names = {one.pk: one.name for one in people}
    page = text_of(signed_in(alice), "/portfolio/")
    listed_names = re.findall(r'<span class="strong">(C\d+)</span>', page)
    assert listed_names == [names[one["customer"]] for one in saving]
    first = Score.objects.get(pk=saving[0]["customer"])
    assert f"silent for {first.recency_days} days" in page
    theirs = re.findall(r'<span class="strong">(C\d+)</span>', text_of(signed_in(charlie), "/portfolio/"))
    assert set(theirs) <= {people[0].name}


def test_a_run_without_it_shows_the_rest(signed_in: SignIn, alice: User) -> None:
    store_run()
    RunPart.objects.all().delete()
    page = text_of(signed_in(alice), "/portfolio/")
    assert 'id="chart-grid"' in page and "chart-worth-map" not in page


def test_the_number_of_those_at_stake_opens_them_where_scores_tell_it(run: Run, signed_in: SignIn, alice: User) -> None:
    client, in_danger = signed_in(alice), RunPart.objects.get(run=run, name="worth").figures["in_danger"]
    link = re.search(r'href="(/customers/\?f=at_stake[^"]+)"', text_of(client, "/portfolio/"))
    assert link and listed(client, unescape(link.group(1))) == in_danger > 0
    Score.objects.update(at_stake=None)  # as a run of an earlier version left them
    page = text_of(client, "/portfolio/")
    assert f"at stake, of {in_danger} customers" in page and "f=at_stake" not in page
