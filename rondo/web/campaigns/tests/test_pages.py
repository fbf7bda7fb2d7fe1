"""The pages of campaigns, as each of the cast sees them."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rondo.analysis.models import Run, Score
from rondo.campaigns.models import Campaign
from rondo.campaigns.tests.conftest import Ledger
from rondo.foundation.models import Load, User
from rondo.foundation.registry import registries
from rondo.web.campaigns.bars import share_bar
from rondo.web.campaigns.registrations import find_campaigns

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


def text(client: Client, address: str) -> str:
    """What a page says, without its tags."""
    response = client.get(address)
    assert response.status_code == 200
    body = response.content.decode()
    assert " style=" not in body and "<script>" not in body
    return " ".join(re.sub(r"<[^>]+>", " ", body[body.index("<main") :]).split())


def address(campaign: Campaign) -> str:
    return reverse("campaign", args=[campaign.public_id])


def test_who_is_not_signed_in_is_sent_to_sign_in(ledger: Ledger) -> None:
    spring = ledger.campaign("1")
    for page in (reverse("campaigns"), address(spring)):
        response = Client().get(page)
        assert response.status_code == 302 and "/accounts/login/" in response.headers["Location"]


def test_before_any_campaign_the_page_says_what_it_needs(signed_in: SignIn, alice: User) -> None:
    assert "rondo import campaigns" in text(signed_in(alice), "/campaigns/")


def test_the_list_begins_with_the_rate_in_words(ledger: Ledger, signed_in: SignIn, alice: User) -> None:
    spring = ledger.campaign("1")
    lines = [ledger.contact(spring, ledger.customer()) for _ in range(4)]
    ledger.answer(lines[0])
    said = text(signed_in(alice), "/campaigns/")
    assert "1 of 4 campaign contacts were answered, 25.0%" in said
    assert "1 campaign, 4 customers reached, 1 reaction." in said
    assert "no effect is claimed" in said
    assert "Counted over the customers you may see" not in said


def test_randomised_campaigns_carry_no_warning(ledger: Ledger, signed_in: SignIn, alice: User) -> None:
    spring = ledger.campaign("1", design="randomised")
    ledger.contact(spring, ledger.customer())
    for page in ("/campaigns/", address(spring)):
        assert "no effect is claimed" not in text(signed_in(alice), page)


def test_a_viewer_of_own_customers_sees_own_figures(ledger: Ledger, signed_in: SignIn, charlie: User) -> None:
    spring = ledger.campaign("1")
    ledger.contact(spring, ledger.customer("own household", owner=charlie))
    ledger.answer(ledger.contact(spring, ledger.customer("strange household")))
    said = text(signed_in(charlie), "/campaigns/")
    assert "0 of 1 campaign contacts were answered" in said
    assert "Counted over the customers you may see" in said
    said = text(signed_in(charlie), address(spring))
    assert "own household" in said and "strange household" not in said


def test_a_campaign_that_reached_nobody_the_viewer_sees_has_a_dash(
    ledger: Ledger, signed_in: SignIn, alice: User, charlie: User
) -> None:
    ledger.contact(ledger.campaign("1"), ledger.customer())
    ledger.campaign("2", "Type B")
    assert "–" in text(signed_in(alice), "/campaigns/")
    assert "No customer you may see received a campaign." in text(signed_in(charlie), "/campaigns/")


def test_the_list_is_sorted_and_filtered_by_type(ledger: Ledger, signed_in: SignIn, alice: User) -> None:
    small, large = ledger.campaign("small"), ledger.campaign("large", "Type B", starts_on="2017-02-01")
    ledger.answer(ledger.contact(small, ledger.customer()))
    for _ in range(3):
        ledger.contact(large, ledger.customer())

    def names(query: str) -> list[str]:
        said = text(signed_in(alice), f"/campaigns/{query}")
        return re.findall(r"Campaign (small|large)", said)

    assert names("") == ["small", "large"]
    assert names("?sort=start") == ["large", "small"]
    assert names("?sort=-contacted") == ["large", "small"]
    assert names("?sort=-rate") == ["small", "large"]
    assert names("?sort=nonsense") == ["small", "large"]
    assert names("?type=Type+B") == ["large"]
    assert names("?type=nonsense") == ["small", "large"]


def test_one_campaign_says_who_answered_and_when(ledger: Ledger, signed_in: SignIn, alice: User) -> None:
    spring = ledger.campaign("1")
    yes, no = ledger.customer("eager household"), ledger.customer("silent household")
    line = ledger.contact(spring, yes)
    ledger.contact(spring, no)
    ledger.answer(line, 8)
    ledger.answer(line, 9)
    client = signed_in(alice)
    said = text(client, address(spring))
    assert "Campaign 1: 1 of 2 customers answered, 50.0%" in said
    assert "Half of the 2 reactions had come by 8 Mar, 7 days after the start." in said
    assert "eager household" in said and "silent household" in said
    assert reverse("customer", args=[yes.public_id]) in client.get(address(spring)).content.decode()
    answered = text(client, address(spring) + "?show=answered")
    assert "eager household" in answered and "silent household" not in answered
    silent = text(client, address(spring) + "?show=silent")
    assert "eager household" not in silent and "silent household" in silent


def test_the_reactions_by_day_are_to_be_had_as_csv(
    ledger: Ledger, signed_in: SignIn, alice: User, charlie: User
) -> None:
    spring = ledger.campaign("1")
    line = ledger.contact(spring, ledger.customer())
    ledger.answer(line, 8)
    ledger.answer(line, 8)
    ledger.answer(line, 10)
    file = reverse("campaign-reactions", args=[spring.public_id])
    client = signed_in(alice)
    assert f'href="{file}"' in client.get(address(spring)).content.decode()
    response = client.get(file)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.content.decode("utf-8-sig").splitlines() == ["Day,Reactions", "2017-03-08,2", "2017-03-10,1"]
    assert signed_in(charlie).get(file).status_code == 404  # none of the customers is Charlie's to see


def test_everybody_is_on_one_of_the_pages(
    ledger: Ledger, signed_in: SignIn, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rondo.web.campaigns.views.PAGE", 3)
    spring = ledger.campaign("1")
    for number in range(7):
        ledger.contact(spring, ledger.customer(f"household {number}"))
    client, following, seen = signed_in(alice), address(spring), []
    while following:
        body = client.get(following).content.decode()
        seen += re.findall(r">(household \d)<", body)
        link = re.search(r'href="(\?[^"]*)#who" rel="next"', body)
        following = address(spring) + link[1].replace("&amp;", "&") if link else ""
    assert seen == [f"household {number}" for number in range(7)]


def test_unknown_and_hidden_campaigns_are_not_found(ledger: Ledger, signed_in: SignIn, alice: User) -> None:
    load = Load.objects.create(kind="campaigns", file_name="c.csv", fingerprint="x", status="undone")
    hidden = ledger.campaign("1", load=load)
    for page in (address(hidden), "/campaigns/m_nothing/", "/campaigns/c_22222222/"):
        assert signed_in(alice).get(page).status_code == 404


def test_a_campaign_that_outlives_the_data_says_so(ledger: Ledger, signed_in: SignIn, alice: User) -> None:
    spring = ledger.campaign("1")
    customer = ledger.customer()
    ledger.contact(spring, customer)
    Run.objects.create(as_of=date(2017, 3, 20), status="done", is_current=True)
    Score.objects.create(customer=customer, value=123_400)
    assert "cut short" in text(signed_in(alice), "/campaigns/")
    said = text(signed_in(alice), address(spring))
    assert "The data ends on 20 Mar 2017" in said
    assert "$1,234" in said
    Run.objects.update(as_of=date(2017, 3, 31))
    assert "cut short" not in text(signed_in(alice), address(spring))


def test_pages_cost_the_same_for_many(ledger: Ledger, signed_in: SignIn, alice: User) -> None:
    spring = ledger.campaign("0")
    ledger.answer(ledger.contact(spring, ledger.customer()))
    client = signed_in(alice)

    def asked(page: str) -> int:
        client.get(page)
        with CaptureQueriesContext(connection) as captured:
            client.get(page)
        return len(captured)

    before = [asked(page) for page in ("/campaigns/", address(spring), "/")]
    for number in range(1, 6):
        ledger.answer(ledger.contact(ledger.campaign(str(number)), ledger.customer()))
        ledger.answer(ledger.contact(spring, ledger.customer()))
    assert [asked(page) for page in ("/campaigns/", address(spring), "/")] == before


def test_the_customer_page_and_home_show_campaigns(ledger: Ledger, signed_in: SignIn, alice: User) -> None:
    row, stranger = ledger.customer("eager household"), ledger.customer("quiet household")
    spring, summer = ledger.campaign("Spring"), ledger.campaign("Summer", ends_on="2017-06-30")
    ledger.answer(ledger.contact(spring, row))
    ledger.contact(summer, row)
    client = signed_in(alice)
    said = text(client, reverse("customer", args=[row.public_id]))
    assert "Answered 1 of 2 campaigns." in said and "Campaign Spring" in said and "no answer" in said
    assert "Answered" not in text(client, reverse("customer", args=[stranger.public_id]))
    home = text(client, "/")
    assert home.index("Campaign Summer") < home.index("Campaign Spring")
    assert "100.0%" in home


def test_the_palette_finds_campaigns_by_beginnings_of_words(ledger: Ledger, alice: User) -> None:
    ledger.campaign("18", name="Spring coupons")
    ledger.campaign("8", "Type B", name="Summer mail")
    assert registries.finders["campaigns"].find is find_campaigns
    assert [hit.title for hit in find_campaigns(alice, "coup spr", 5)] == ["Spring coupons"]
    assert [hit.title for hit in find_campaigns(alice, "type b", 5)] == ["Summer mail"]
    assert find_campaigns(alice, "", 5) == [] and find_campaigns(alice, "ummer", 5) == []
    assert find_campaigns(alice, "s", 1)[0].title == "Summer mail"


def test_a_bar_stays_within_its_width_and_speaks() -> None:
    from rondo.science.proportions import wilson

    bar = share_bar(wilson(1, 2), 0.6)
    assert 'aria-label="50.0%, between' in bar
    assert max(float(x) for x in re.findall(r"M([\d.]+)", bar)) <= 119
    assert share_bar(None, 1) == "" and share_bar(wilson(1, 2), 0) == ""
