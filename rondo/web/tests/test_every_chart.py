"""Every chart of every page has its table, its CSV and its PNG, and every number of customers opens as many.

The pages are those of docs/rights.md and the charts those of their markup, so that a new one is walked from its first
day; and every place of the source that makes a chart has to have made one that was met.
"""

import ast
import re
import sys
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo import web
from rondo.analysis.actions import run_analysis
from rondo.analysis.buying_stages.actions import work_out_stages
from rondo.analysis.models import Membership
from rondo.analysis.next.actions import work_out_next
from rondo.analysis.segments.actions import add_members, create_segment
from rondo.analysis.segments.refreshing import refresh_segment
from rondo.analysis.studies import groups
from rondo.analysis.studies.actions import answer_study, request_study
from rondo.analysis.studies.tests.test_groups import shoppers
from rondo.analysis.tests.world import START, purchases
from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.actions.merging import merge
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import User
from rondo.interactions.models import Interaction
from rondo.science.clusters import ClusterConfig
from rondo.warehouse.tests.world import source
from rondo.web.charts.chart import Chart
from rondo.web.tests.charted import (
    FIGURE,
    Shown,
    assert_whole,
    charts_of,
    of_campaigns,
    opened,
    told_by,
    unopened,
    words,
)
from rondo.web.tests.test_cohorts import listed
from rondo.web.tests.test_relationships import give
from rondo.web.tests.test_rights import PAGES

pytestmark = pytest.mark.django_db
ACTOR = system()


@pytest.fixture(scope="module")
def made(module_world: Path) -> dict[str, str]:
    """A base of two kinds of buyers, with what follows an analysis, a campaign, segments and their studies.

    Handed on is room for its pages, which the first test reads."""
    change_installation(ACTOR, company="Corner Stores", currency="EUR", time_zone="America/New_York")
    people = shoppers(50, 70)
    campaign = Campaign.objects.create(
        source=source(), number="1", name="Spring", type="A", starts_on=date(2023, 3, 1), ends_on=date(2023, 4, 1)
    )
    for number, row in enumerate(people[:40]):
        sent = contact(row, "campaign_mail", date(2023, 3, 2), direction="outbound", initiative="push")
        Exposure.objects.create(campaign=campaign, customer=row, sent_on=sent.business_date, interaction=sent)
        if number % 4 == 0:
            contact(row, "redemption", date(2023, 3, 4 + number % 9), in_response_to=sent)
    # So long a log that what was said of silence is checked by 91 days.
    purchases(
        (row, START + timedelta(days=day), 700)
        for number, row in enumerate(people[:40])
        for day in range(205 + number % 14, 290, 14)
    )
    give(people[0], "relationship_survey", "choice", text="fling")
    give(people[0], "commitment", "number", number=2.0)
    run_analysis(ACTOR)
    work_out_stages(ACTOR)
    work_out_next(ACTOR)
    for name, text in (("Often", "purchase_days >= 10"), ("Active", "activity = active")):
        refresh_segment(ACTOR, create_segment(ACTOR, name=name, text=text).key)
    kept = create_segment(ACTOR, name="Regulars", kind="static")
    add_members(ACTOR, kept.key, [row.public_id for row in people[:50:2]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "ClusterConfig", lambda: ClusterConfig(sizes=(2, 3)))
        answer_study(request_study(ACTOR, "groups").pk)
    answer_study(request_study(ACTOR, "twins", segment=kept).pk)
    return {}


def contact(who: Customer, kind: str, day: date, **fields: Any) -> Interaction:
    given = {"channel": "mail", "direction": "inbound", "initiative": "pull", "medium": "owned"} | fields
    return Interaction.objects.create(
        customer=who, kind=kind, occurred_at=f"{day}T12:00:00Z", business_date=day, **given
    )


@pytest.fixture
def client(made: dict[str, str], world_copy: Path, alice: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(alice)


LISTS = (
    "/customers/groups?as=chart&by=activity",
    "/portfolio/movements/?scale=ladder",
    "/portfolio/movements/?scale=relationship",
    *(f"/portfolio/cohorts/?show={show}&by=quarter" for show in ("again", "active", "revenue")),
    "/segments/often/",
    "/segments/regulars/",
    "/segments/regulars/twins",
)
"""Pages that need more than their bare address to draw."""
ELSEWHERE = {
    ("leads/charts.py", "calibration"): "rondo/web/tests/test_leads.py, whose base has leads",
    (
        "campaigns/charts.py",
        "calibration",
    ): "rondo/web/campaigns/tests/test_likely_chart.py, whose campaigns were answered",
}
"""Charts that need a base of their own, and who asks the same of them there."""

PEOPLE = {"Customers", "Buyers"}
"""Headings of columns that number customers."""
NOBODY = {"", "0", "–", "0.0%", "€0"}
OTHERS = {"Orders"}
"""Headings of columns that number something else of the customers whom they open."""
EARLIER = {
    ("deciles", "Customers"): "tenths of a forecast made on an earlier day, whose ranks nothing keeps",
    (
        "silence",
        "Customers",
    ): "tenths of that day too; a dot opens those whose risk is like that today, as the page says",
    ("sizes", "Customers"): "members at an earlier computation; who came and went by each opens beside it",
}
"""Numbers of customers of an earlier day that do not open them, and why."""
SENTENCE = re.compile(r'<h1 class="sentence">.*?</h1>|<p class="(?:card-)?lead">.*?</p>', re.DOTALL)
UNOPENED = {
    "All # customers go into the bin": "what a click is about to do; the list is the one it was asked from",
}
"""Beginnings of sentences that number customers and open none, and why."""
KEPT = re.compile(r"rule=(?:counted\.(?:\w+_\d+_)?(\w+)\+|(average_basket)\+is\+known)")
COUNTED = {"judged", "left_out", "tried", "checked", "members", "outside", "without", "average_basket"}
"""Numbers that no fact tells, or that are of an earlier day: their customers are kept, and each has to be met."""


@pytest.fixture
def pages(made: dict[str, str], client: Client) -> dict[str, str]:
    if not made:
        made |= read(client)
    return made


def read(client: Client) -> dict[str, str]:
    """Every page that is read by its address, as it stands: what takes a record gets the first there is."""
    records = {
        "campaign": Campaign.objects.get().public_id,
        "customer": Customer.objects.filter(interactions__kind="purchase").order_by("pk")[0].public_id,
    }
    todo = [*LISTS]
    for name, (method, address, _right, _room) in PAGES.items():
        if method == "GET" and not re.search(r"progress|\.\w+$|^/(in|api|health|palette|changes)", address):
            for kind, public_id in records.items():
                if name.startswith(kind):
                    address = re.sub("<str:public_id>", public_id, address)
            if "<" not in address:
                todo.append(address)
    found: dict[str, str] = {}
    while todo:
        address = todo.pop()
        answer = client.get(address)
        if answer.status_code == 200 and address not in found:
            path = address.partition("?")[0] if address.startswith("/campaigns/") else ""
            found[address] = answer.content.decode().replace('href="?', f'href="{path}?')
            todo += [
                unescape(link) for link in re.findall(r'href="(/portfolio/stages/category[^"]*)"', found[address])[:1]
            ]
    return found


def sites() -> set[tuple[str, str]]:
    """The functions of the product that make a chart: file and name."""
    root = Path(web.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        if "tests" in path.parts or "Chart(" not in (text := path.read_text(encoding="utf-8")):
            continue
        for one in ast.walk(ast.parse(text)):
            if isinstance(one, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Chart"
                for call in ast.walk(one)
            ):
                found.add((str(path.relative_to(root)), one.name))
    return found


def test_every_chart_has_its_table_its_csv_and_its_png(
    client: Client, pages: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, met, plain = Path(web.__file__).parent, dict[str, tuple[str, str]](), Chart.__init__

    def noted(self: Chart, *args: Any, **fields: Any) -> None:
        plain(self, *args, **fields)
        code = sys._getframe(1).f_code
        met[self.key] = (str(Path(code.co_filename).relative_to(root)), code.co_name)

    monkeypatch.setattr(Chart, "__init__", noted)
    shown: dict[str, Shown] = {}
    for body in pages.values():
        for one in charts_of(body):
            shown.setdefault(one.csv_url, one)
    for one in shown.values():
        assert_whole(client, one)
    assert {met[one.key] for one in shown.values()} == sites() - set(ELSEWHERE)


def test_every_number_of_customers_opens_as_many(client: Client, pages: dict[str, str]) -> None:
    """Of each table, drawing and page some numbers, from its beginning, middle and end; and no column that leads to
    customers has a number that does not."""
    told: dict[str, tuple[int, str]] = {}
    closed, plain = set(), set[str]()
    for address, body in pages.items():
        for one in charts_of(body):
            cells = [(head, cell) for row in one.rows[1:] for head, cell in zip(one.head, row, strict=True)]
            open_ones = [(head, cell) for head, cell in cells if cell.url.startswith(("/customers/", "/campaigns/"))]
            leading = {head for head, _cell in open_ones} | PEOPLE
            closed |= {
                (one.key, head) for head, cell in cells if head in leading and not cell.url and cell.text not in NOBODY
            }
            numbers = [
                (cell.url, int(cell.text)) for head, cell in open_ones if cell.text.isdigit() and head not in OTHERS
            ]
            drawn = [] if one.key in {key for key, _head in EARLIER} else told_by(one.drawing)
            for url, number in [*some(numbers), *some(drawn)]:
                told[url] = number, f"{address}: {one.key}"
        for url, number in some(opened(FIGURE.sub("", body))):
            told[url] = number, address
        plain |= unopened(FIGURE.sub("", body))
        told |= {url: (number, address) for url, number in opened("".join(SENTENCE.findall(body)))}
        told |= {url: (number, address) for url, number in opened(body) if KEPT.search(url)}
    assert closed == set(EARLIER), closed ^ set(EARLIER)
    unknown = {said for said in plain if not any(one in said for one in UNOPENED)}
    assert not unknown, "\n".join(sorted(unknown))
    assert {one for one in UNOPENED if not any(one in said for said in plain)} == set()
    assert {where.partition(":")[0] for url, (_number, where) in told.items() if url.startswith("/campaigns/")} > {
        "/campaigns/"
    }
    assert {next(filter(None, kept.groups())) for url in told if (kept := KEPT.search(url))} == COUNTED
    assert len(told) > 90
    wrong = {
        (where, url): (number, found)
        for url, (number, where) in told.items()
        if number not in (found := behind(client, url))
    }
    assert wrong == {}


def behind(client: Client, url: str) -> set[int]:
    """How many the list behind a number has."""
    return of_campaigns(client, url) if url.startswith("/campaigns/") else {listed(client, url)}


def some(numbers: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The first, the middle and the last."""
    return [numbers[place] for place in sorted({0, len(numbers) // 2, len(numbers) - 1})] if numbers else []


def test_a_page_says_who_of_those_counted_has_gone(client: Client, made: dict[str, str]) -> None:
    counted = client.get("/segments/regulars/twins").content.decode()
    members = next((url, number) for url, number in opened(counted) if KEPT.search(url) and "members" in url)
    one, other = Customer.objects.filter(
        pk__in=Membership.objects.filter(segment__key="regulars").values("customer")
    ).order_by("pk")[:2]
    merge(ACTOR, one, other)
    later = client.get("/segments/regulars/twins").content.decode()
    assert "1 of them has been merged into another" in words(later)
    assert dict(opened(later))[members[0]] == members[1] - 1 == listed(client, members[0])
