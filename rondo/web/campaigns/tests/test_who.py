"""Every number of customers on the pages of campaigns opens as many, as far as the viewer sees them."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from rondo.campaigns.tests.conftest import Ledger
from rondo.foundation.models import User
from rondo.web.campaigns import who

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
