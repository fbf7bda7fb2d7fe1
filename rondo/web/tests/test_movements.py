"""Movements between two days by HTTP: the same as the run's own matrix, and each opens its customers."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import Count
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Run, Score, Segment
from rondo.analysis.ruled import STAGE
from rondo.analysis.segments.refreshing import refresh_segment
from rondo.analysis.tests.world import START, seeded_base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.interactions.models import Interaction
from rondo.web.charts.scales import SCALES
from rondo.web.tests.test_cohorts import listed, text_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    Installation.objects.update(currency="EUR")


@pytest.fixture(scope="module")
def analysed(module_world: Path) -> None:
    """An analysed base, three customers of which write again and again and become buddies."""
    change_installation(system(), currency="EUR", time_zone="America/New_York")
    people = seeded_base(customers=40, days=250)
    for number, day in enumerate((100, 110, 120) * 3):
        when = START + timedelta(days=day + 60)
        Interaction.objects.create(
            customer=people[number // 3],
            kind="email_in",
            channel="email",
            direction="inbound",
            initiative="pull",
            medium="owned",
            occurred_at=f"{when}T10:00:00Z",
            business_date=when,
        )
    run_analysis(system())


@pytest.fixture
def run(analysed: None, world_copy: Path) -> Run:
    return Run.objects.get(is_current=True)


def links_in(page: str, chart: str) -> list[str]:
    """Where the marks of a chart's wide drawing lead."""
    drawing = page.split(f'id="{chart}"')[1].split('<div class="for-desk">')[1].split("</svg>")[0]
    return [unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', drawing)]


def test_before_an_analysis_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    assert "Who moves, where to" in text_of(client, "/portfolio/movements/")
    assert client.get("/portfolio/movements/table.csv").status_code == 404


@pytest.mark.parametrize("scale", ["stage", "ladder", "relationship"])
def test_each_scale_agrees_with_the_ledger_and_opens_who_moved(
    run: Run, signed_in: SignIn, alice: User, scale: str
) -> None:
    client = signed_in(alice)
    kept = run.results["standing"]["moves"]
    days = f"scale={scale}&since={kept['since']}&until={kept['until']}"
    rows = [line.split(",") for line in text_of(client, f"/portfolio/movements/table.csv?{days}").splitlines()[1:]]
    keys_of = {str(label): key for key, label in SCALES[scale].labels.items()}
    found = {(keys_of[row[0]], keys_of[row[1]]): int(row[2]) for row in rows}
    if scale == "stage":
        keys = [key for key, _label in STAGE]
        cells = [(row, column) for row in range(len(keys)) for column in range(len(keys))]
        counts = {(keys[row], keys[column]): kept["customers"][row][column] for row, column in cells}
        assert found == {pair: count for pair, count in counts.items() if count}
    now = dict(Score.objects.values_list(scale).annotate(n=Count("pk")))
    assert {after: sum(n for (_b, a), n in found.items() if a == after) for _before, after in found} == now
    if scale == "relationship":
        assert found["unknown", "buddies"] == 3
    page = text_of(client, f"/portfolio/movements/?{days}")
    links = links_in(page, "chart-movements")
    assert len(links) == len(found)
    assert sorted(links_in(page, "chart-flow")) == sorted(links)
    drawn = text_of(client, f"/portfolio/movements/table.csv?{days}&drawing=flow").splitlines()[1:]
    assert {tuple(line.split(",")) for line in drawn} == {tuple(row[:3]) for row in rows}
    assert sorted(listed(client, link) for link in links) == sorted(found.values())
    assert client.get(f"/portfolio/movements/table.csv?{days}&drawing=flow&as=png").content[:4] == b"\x89PNG"


def test_who_moved_can_be_taken_away_and_kept(run: Run, signed_in: SignIn, alice: User) -> None:
    """Who is behind a move is a list like any other: as many in the CSV, and as many in a segment of its rule."""
    client = signed_in(alice)
    links = links_in(text_of(client, "/portfolio/movements/"), "chart-movements")
    rows = [line.split(",") for line in text_of(client, "/portfolio/movements/table.csv").splitlines()[1:]]
    (_before, _after, count, *_value), link = max(zip(rows, links, strict=True), key=lambda pair: int(pair[0][2]))
    taken = client.get(link.replace("/customers/?", "/customers/export.csv?"))
    body = b"".join(taken.streaming_content)  # type: ignore[attr-defined]
    assert len(body.decode("utf-8-sig").splitlines()) - 1 == int(count)
    rule = parse_qs(urlsplit(link).query)["rule"][0]
    assert client.post("/segments/new", {"kind": "rule", "name": "Moved", "text": rule}).status_code == 302
    assert refresh_segment(system(), Segment.objects.get().key).size == int(count)


def test_days_outside_the_data_are_refused_in_a_sentence(run: Run, signed_in: SignIn, alice: User) -> None:
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
    assert client.get("/portfolio/movements/?scale=nowhere").status_code == 404


def test_who_sees_a_part_gets_the_moves_of_that_part(run: Run, signed_in: SignIn, charlie: User) -> None:
    some = Customer.objects.order_by("pk").values_list("pk", flat=True)[:4]
    Customer.objects.filter(pk__in=list(some)).update(owner=charlie)
    client = signed_in(charlie)
    rows = [line.split(",") for line in text_of(client, "/portfolio/movements/table.csv").splitlines()[1:]]
    assert sum(int(row[2]) for row in rows) == 4
