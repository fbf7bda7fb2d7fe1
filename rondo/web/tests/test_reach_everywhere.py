"""Walks every page that a person can reach by links, and asserts that nothing of others' customers stands on any.

The base is analysed, with a campaign, segments, notes, links between customers and an import; the walker follows every
link of every page, fragment and download, and finishes with a look into the API.
"""

import html
import re
from collections import deque
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Run
from rondo.analysis.tests.world import START, purchase, seeded_base
from rondo.campaigns.models import Campaign, Exposure
from rondo.customers import actions as customers
from rondo.customers.models import Customer, Source
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Team, User
from rondo.interactions.actions import log_interaction
from rondo.interactions.models import Interaction
from rondo.web import formats

pytestmark = pytest.mark.django_db
ACTOR = system()
LINKS = re.compile(r'\b(?:href|src|hx-get|action|data-url)="([^"]*)"')
LEAVES = ("/accounts/", "/static/", "/reports/page.pdf")
"""What is not walked; a PDF is packed, and test_page_pdf.py reads what stands in one."""
FOREIGN_SPEND = 837_192_640
"""What each foreign customer paid at once, in cents: such digits come from nothing else."""
_QUERIES = 6
"""So many queries of one path are walked: filters and sorting multiply without end."""
_MOST_PAGES = 1500


@pytest.fixture(scope="module")
def analysed(module_world: Path) -> dict[str, list[int]]:
    """The keys of the customers of an analysed base: Charlie's own, Bob's team's, and those of nobody they know."""
    change_installation(ACTOR, company="Corner Stores", currency="EUR", time_zone="America/New_York")
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    charlie = User.objects.create_user("charlie@example.org", name="Charlie", role="reader", reach="own", team=south)
    User.objects.create_user("bob@example.org", name="Bob", role="sales", reach="team", team=north)
    people = seeded_base(customers=45, days=250)
    below = Team.objects.create(name="North-East", parent=north)
    source = Source.objects.create(name="mailing")
    campaign = Campaign.objects.create(
        source=source, number="1", name="Spring", type="A", starts_on=date(2023, 3, 1), ends_on=date(2023, 4, 1)
    )
    groups: dict[str, list[Customer]] = {"own": people[:6], "team": people[6:12], "foreign": people[12:]}
    for group, rows in groups.items():
        for number, row in enumerate(rows):
            row.refresh_from_db()
            name = f"{group.title()}smith Zq{group}{number}"
            customers.change_customer(ACTOR, row, expected_version=row.version, name=name)
            customers.add_identifier(ACTOR, row, "email", f"zq{group}{number}@example.org")
            customers.add_address(ACTOR, row, city=f"Zq{group}town")
            log_interaction(ACTOR, row, "note", title=f"Zq{group} asked {number}")
            contact = Interaction.objects.create(
                customer=row,
                kind="campaign_mail",
                channel="mail",
                direction="outbound",
                initiative="push",
                medium="owned",
                occurred_at=f"2023-03-0{number % 9 + 1}T12:00:00Z",
                business_date=date(2023, 3, number % 9 + 1),
            )
            Exposure.objects.create(campaign=campaign, customer=row, sent_on=contact.business_date, interaction=contact)
    for row in groups["own"]:
        customers.assign_owner(ACTOR, row, charlie)
    for row in groups["team"]:
        customers.assign_team(ACTOR, row, below)
    for number, row in enumerate(groups["foreign"]):
        purchase(row, START + timedelta(days=200 + number % 5), FOREIGN_SPEND + number)
    customers.link(ACTOR, groups["own"][0], groups["foreign"][0], "referred")
    customers.link(ACTOR, groups["team"][0], groups["foreign"][1], "referred")
    run_analysis(ACTOR)
    return {group: [row.pk for row in rows] for group, rows in groups.items()}


@pytest.fixture
def world(analysed: dict[str, list[int]], world_copy: Path) -> dict[str, list[Customer]]:
    return {group: list(Customer.objects.filter(pk__in=keys).order_by("pk")) for group, keys in analysed.items()}


@pytest.fixture
def bob(world: object) -> User:
    return User.objects.get(email="bob@example.org")


@pytest.fixture
def charlie(world: object) -> User:
    return User.objects.get(email="charlie@example.org")


def walk(client: Client, *starts: str, within: str = "") -> dict[str, str]:
    """Every page that links lead to from ``starts``: address → its text."""
    seen: dict[str, str] = {}
    queries: dict[str, int] = {}
    todo = deque(starts)
    asked: set[str] = set(starts)
    while todo:
        address = todo.popleft()
        headers = {"hx-request": "true"} if "/fragment" in address else {}
        response = client.get(address, headers=headers)
        assert response.status_code < 500, address
        if response.status_code in {301, 302}:
            todo_next = [response.headers["Location"]]
        else:
            body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
            seen[address] = body.decode(errors="replace")
            is_page = response.headers.get("Content-Type", "").startswith("text/html")
            todo_next = LINKS.findall(seen[address]) if is_page else []
        for link in todo_next:
            parts = urlsplit(urljoin(address, html.unescape(link)))
            if parts.netloc or parts.scheme or parts.path.startswith(LEAVES):
                continue
            found = parts.path + (f"?{parts.query}" if parts.query else "")
            if not found.startswith(within) or found in asked or queries.get(parts.path, 0) >= _QUERIES:
                continue
            asked.add(found)
            queries[parts.path] = queries.get(parts.path, 0) + 1
            todo.append(found)
        assert len(seen) < _MOST_PAGES, "the walk does not end"
    return seen


def told_of(text: str, rows: list[Customer], words: list[str]) -> list[str]:
    """What of these customers a page tells: names, addresses, public ids, amounts in any form."""
    text = html.unescape(text)
    digits = re.sub(r"(?<=\d)[.,\s\u00a0\u202f'](?=\d)", "", text)
    found = [row.public_id for row in rows if row.public_id in text]
    found += [word for word in words if word.lower() in text.lower()]
    found += [amount for amount in ("83719264", "8371926") if amount in digits]
    return found


STARTS = (
    "/",
    "/customers/",
    "/customers/?sort=-value",
    "/customers/?q=zq",
    "/customers/count",
    "/palette?q=zqforeign",
    "/palette?q=smith",
    "/portfolio/",
    "/portfolio/cohorts/",
    "/loyalty/",
    "/campaigns/",
    "/segments/",
    "/settings/",
    "/profile/",
)


@pytest.mark.parametrize(("who", "group"), [("charlie", "own"), ("bob", "team")])
def test_nothing_of_others_is_told_on_any_page(
    world: dict[str, list[Customer]], signed_in: Callable[[User], Client], request: Any, who: str, group: str
) -> None:
    user: User = request.getfixturevalue(who)
    foreign = [row for key, rows in world.items() if key != group for row in rows]
    words = [f"zq{key}" for key in world if key != group]
    pages = walk(signed_in(user), *STARTS)
    leaks = {
        address: found
        for address, text in pages.items()
        if (found := told_of(text, foreign, [] if "q=zq" in address else words))
    }
    assert leaks == {}
    mine = [
        row for row in world[group] if f"/customers/{row.public_id}/" in pages or f"/customers/{row.public_id}" in pages
    ]
    assert mine == world[group], "the walk reaches the page of every customer of one's own"
    paths = {urlsplit(address).path for address in pages}
    assert {"/", "/customers/", "/portfolio/", "/loyalty/", "/campaigns/", "/segments/"} <= paths
    assert any(path.endswith(".csv") for path in paths), "downloads are walked too"


@pytest.mark.parametrize(("who", "group"), [("charlie", "own"), ("bob", "team")])
def test_nothing_of_others_is_told_at_an_address_that_somebody_knows(
    world: dict[str, list[Customer]], signed_in: Callable[[User], Client], request: Any, who: str, group: str
) -> None:
    """Every address that alice comes by and that names a customer: nothing of theirs is at it for who may not see."""
    user, alice = request.getfixturevalue(who), request.getfixturevalue("alice")
    foreign = world["foreign"]
    page = f"/customers/{foreign[0].public_id}"
    known = walk(signed_in(alice), f"{page}/", within=page)
    ids = {row.public_id for row in foreign}
    client = signed_in(user)
    tried = 0
    for address in known:
        if any(public_id in address for public_id in ids):
            tried += 1
            response = client.get(address)
            assert response.status_code in {403, 404, 405}, address  # 405: takes what is sent to it alone
            assert not told_of(response.content.decode(), [], ["zqforeign"])
    assert tried >= 1


@pytest.mark.parametrize(("who", "group"), [("charlie", "own"), ("bob", "team")])
def test_nothing_of_others_is_told_over_the_api(
    world: dict[str, list[Customer]], request: Any, who: str, group: str
) -> None:
    user = request.getfixturevalue(who)
    client = Client(headers={"authorization": f"Bearer {make_api_token(ACTOR, user, 'walk')}"})
    foreign = [row for key, rows in world.items() if key != group for row in rows]
    words = [f"zq{key}" for key in world if key != group]
    lists = ["customers", "customers/changes", "orders", "orders/changes", "interactions", "interactions/changes"]
    todo = [f"/api/v1/{name}?limit=200" for name in lists]
    for row in world[group]:
        todo += [f"/api/v1/customers/{row.public_id}{part}" for part in ("", "/orders", "/interactions", "/facts")]
    told = 0
    while todo:
        address = todo.pop()
        response = client.get(address)
        assert response.status_code == 200, address
        assert told_of(response.content.decode(), foreign, words) == [], address
        body = response.json()
        told += len(body.get("data") or [])
        if body.get("next"):
            todo.append(body["next"])
    assert told > 3 * len(world[group])
    strangers = Interaction.objects.filter(customer__in=foreign)[:5]
    hidden = [f"interactions/{row.public_id}" for row in strangers]
    hidden += [f"customers/{row.public_id}{part}" for row in foreign[:2] for part in ("", "/orders", "/facts")]
    assert {client.get(f"/api/v1/{address}").status_code for address in hidden} == {404}


def test_the_walker_would_find_it(
    world: dict[str, list[Customer]], signed_in: Callable[[User], Client], alice: User
) -> None:
    """Whoever sees all is told of the foreign customers: by name, by id and by amount."""
    pages = walk(
        signed_in(alice),
        "/customers/?sort=-spend",
        f"/customers/{world['foreign'][0].public_id}/",
        within="/customers/?sort",
    )
    found = {what for text in pages.values() for what in told_of(text, world["foreign"], ["zqforeign"])}
    assert {"zqforeign", "8371926", world["foreign"][0].public_id} <= found


def test_an_analysis_within_the_data_is_shown_with_what_came_later(
    world: dict[str, list[Customer]], signed_in: Callable[[User], Client], alice: User, charlie: User
) -> None:
    """As of a day before the last order: pages look from that day, stay whole, and the chain shows what came after."""
    people = world["own"]
    day = START + timedelta(days=160)
    later = purchase(people[0], START + timedelta(days=240), 4321)
    run = run_analysis(ACTOR, as_of=day)
    assert Run.objects.get(is_current=True).as_of == run.as_of == day
    assert run.results["totals"]["last_day"] <= day.isoformat()
    own = f"/customers/{people[0].public_id}/"
    for user in (alice, charlie):
        pages = walk(signed_in(user), "/", "/portfolio/", "/loyalty/", "/portfolio/cohorts/", own, within="/portfolio")
        assert formats.day(day) in html.unescape(pages["/"] + pages["/portfolio/"])
        assert "43.21" in pages[own], "what came later is on the timeline"
        assert later.pk and all("Traceback" not in page for page in pages.values())
