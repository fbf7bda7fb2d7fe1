"""Every number of customers on the pages of campaigns opens as many, as far as the viewer sees them."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from rondo.campaigns.models import Campaign, Exposure
from rondo.campaigns.tests.conftest import START, Ledger
from rondo.foundation.models import User
from rondo.interactions.models import Interaction
from rondo.web.campaigns import views, who
from rondo.web.tests.charted import charts_of, of_campaigns, opened, told_by

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
_FIGURE = re.compile(r'<td class="num"><a class="plain" href="([^"]+)">(\d+)</a></td>')
_ROW = re.compile(r'<tr>\s*<th scope="row"><a class="plain" href="(/customers/[^"]+)">([^<]+)</a>')


@pytest.fixture
def seen_by(ledger: Ledger, alice: User, charlie: User) -> None:
    """Two types and one without: some answer, one is held back, one was merged, one was contacted twice."""
    first, second = ledger.campaign("1"), ledger.campaign("2")
    other, plain = ledger.campaign("3", "Type B & C"), ledger.campaign("4", "")
    people = [ledger.customer(f"household {number}", owner=charlie if number < 2 else None) for number in range(5)]
    for person in people[:4]:
        ledger.answer(ledger.contact(first, person))
    for campaign in (second, other, plain):
        ledger.contact(campaign, people[0])
        ledger.contact(campaign, people[3])
    ledger.contact(other, people[4], suppressed="frequency")
    ledger.merge(people[2], people[3])


def listed(client: Client, address: str) -> list[str]:
    """The customers of all pages of a list, by name."""
    found: list[str] = []
    while address:
        body = client.get(address).content.decode()
        found += [name for _url, name in _ROW.findall(body)]
        following = re.search(r'href="([^"]+)" rel="next"', body)
        address = re.sub(r"[?#].*", "", address) + unescape(following[1]) if following else ""
    return found


def test_every_number_opens_as_many_customers_as_the_viewer_sees(
    seen_by: None, signed_in: SignIn, alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(who, "PAGE", 2)
    for viewer, most in ((alice, 10), (charlie, 5)):
        client = signed_in(viewer)
        figures = _FIGURE.findall(client.get("/campaigns/").content.decode())
        assert len(figures) == 4 * 3 + 4 * 2, "answered, contacted and customers by type and over all; two a campaign"
        for url, number in figures:
            names = listed(client, unescape(url).partition("#")[0])
            assert len(names) == int(number), (url, number, names)
            if "show=customers" in url:
                assert len(set(names)) == len(names), url
        assert max(int(number) for _url, number in figures) == most
    assert {"household 0", "household 1"} == set(listed(client, "/campaigns/who/"))


def test_the_sentences_and_the_reactions_open_as_many(
    seen_by: None, signed_in: SignIn, alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reactions open those who reacted, with how often each did; a day opens those of that day alone."""
    monkeypatch.setattr(who, "PAGE", 2)
    monkeypatch.setattr(views, "PAGE", 2)
    campaign = Campaign.objects.get(number="1")
    page = f"/campaigns/{campaign.public_id}/"
    line = Exposure.objects.filter(campaign=campaign).order_by("pk")[0]
    for day in (12, 12, 20):
        again(line, day)
    for viewer, said in ((alice, ["10", "4", "3", "7"]), (charlie, ["5", "2", "2", "5"])):
        client = signed_in(viewer)
        body = client.get("/campaigns/").content.decode()
        told = opened(body.partition('<div class="page-head">')[2].partition("</div>")[0])
        assert sorted(str(number) for _url, number in told) == sorted(said)
        for address, number in told:
            assert number in of_campaigns(client, address), (address, number)
        chart = charts_of(client.get(page).content.decode())[0]
        cells = [row[1] for row in chart.rows[1:]]
        assert [cell.text for cell in cells] == [said[1], "2", "1"]
        for cell in cells:
            assert int(cell.text) in of_campaigns(client, cell.url)
        assert listed(client, f"{page}?day=2017-03-12") == ["household 0"]
        assert dict(told_by(chart.drawing)) == {cell.url: int(cell.text) for cell in cells}
        assert opened(client.get(page).content.decode().replace('href="?', f'href="{page}?'))[:3] == [
            (f"{page}?show=answered#who", int(said[1])),
            (f"{page}?#who", int(said[1])),
            (f"{page}?show=answered#who", int(said[3])),
        ]
    assert "household 0" in signed_in(alice).get(f"{page}?day=nonsense").content.decode()


def again(line: Exposure, day: int) -> None:
    assert line.customer is not None
    at = START.replace(day=day)
    Interaction.objects.create(
        customer=line.customer, kind="redemption", occurred_at=at, business_date=at.date(),
        channel="store", direction="inbound", initiative="pull", medium="owned", in_response_to=line.interaction,
    )  # fmt: skip


def test_the_tabs_tell_how_many_there_are_and_unknown_types_are_not_found(
    seen_by: None, signed_in: SignIn, alice: User
) -> None:
    client = signed_in(alice)
    body = client.get("/campaigns/who/?type=Type+A&show=answered").content.decode()
    tabs = re.findall(r'<a href="\?([^"]+)"(?: aria-current="page")?>[^<]+<span class="faint num">(\d+)</span>', body)
    assert [(len(listed(client, f"/campaigns/who/?{unescape(query)}")), int(count)) for query, count in tabs] == [
        (3, 3), (6, 6), (4, 4), (2, 2),
    ]  # fmt: skip
    assert client.get("/campaigns/who/?type=none+such").status_code == 404
    assert client.get("/campaigns/who/?show=nonsense&after=nonsense").status_code == 200
