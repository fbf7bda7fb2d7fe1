"""The customer page: who may see it, what it says and why, the chain, logging and taking back, editing."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from rondo.analysis.models import History, NextFound, NextOf
from rondo.customers.actions import link, merge, unmerge
from rondo.customers.models import Address, Customer, Identifier, Source
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.registry import CustomerPanel, registries
from rondo.interactions.models import Interaction
from rondo.web.customers.sentences import reasons
from rondo.web.tests.customers_data import (
    AS_OF,
    address,
    contact,
    give_score,
    make_attributes,
    make_customer,
    make_run,
    moments,
    owned,
    page_of,
    purchase,
    set_value,
)

pytestmark = pytest.mark.django_db

NOON = datetime(2017, 12, 24, 17, 2, tzinfo=UTC)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who sees and may do everything."""
    return signed_in(alice)


@pytest.fixture
def miller(installation: Any) -> Customer:
    """The Miller household, known from January 2017 at the latest."""
    return make_customer(
        "Miller household", kind="household", known_since="2017-01-03", known_since_at_least=True, is_demo=True
    )


def test_the_page_says_who_the_customer_is(client: Any, miller: Customer, alice: Any) -> None:
    attributes = make_attributes()
    Identifier.objects.create(
        customer=miller, kind="card", value="7781", shown="7781 0000", source=Source.objects.create(name="shop")
    )
    Identifier.objects.create(
        customer=miller, kind="email", value="m@shop.example", shown="m@shop.example", is_demo=True
    )
    Address.objects.create(customer=miller, street="1 Elm Street", city="Cincinnati", postal_code="45202", country="US")
    set_value(miller, attributes["size"], text="l")
    set_value(miller, attributes["rent"], number=850_00)
    link(system(), make_customer("Anna Miller"), miller, "member")
    text = page_of(client, miller)
    for words in (
        "Miller household", "Household", "with us at least since Jan 2017", "demo name", "7781 0000", "m@shop.example",
        "1 Elm Street", "Demographic", "large", "$850", "Anna Miller", "Together",
    ):  # fmt: skip
        assert words in text, words


def test_links_to_customers_out_of_reach_do_not_show(charlie: Any, signed_in: Any, installation: Any) -> None:
    mine = owned(charlie, "Mine")[0]
    link(system(), make_customer("Stranger"), mine, "partner")
    assert "Stranger" not in page_of(signed_in(charlie), mine)


@pytest.mark.parametrize(
    "rest", ["", "chain", "purchases", "purchases.csv", "edit", "baskets/{i}", "log", "retract/{i}"]
)
def test_nothing_of_a_customer_out_of_reach_is_there(bob: Any, signed_in: Any, miller: Customer, rest: str) -> None:
    interaction = purchase(miller, NOON, 100, "1")
    viewer = signed_in(bob)
    target = address(miller, rest.format(i=interaction.public_id))
    send = viewer.post if rest.startswith(("log", "retract")) else viewer.get
    assert send(target, {"kind": "note", "body": "x"}).status_code == 404


@pytest.mark.parametrize("wrong", ["c_", "c_zzzzzzzz", "i_12345678", "nonsense"])
def test_an_address_that_names_nobody_is_not_found(client: Any, wrong: str) -> None:
    assert client.get(f"/customers/{wrong}/").status_code == 404


def test_the_address_of_a_merged_record_leads_to_the_survivor(client: Any, miller: Customer) -> None:
    lost = make_customer("Mller houshold", kind="household")
    contact(lost, "note", NOON, "Wrote under the wrong name", direction="inbound")
    merge(system(), lost, miller)
    response = client.get(address(lost))
    assert response.status_code == 302 and response["Location"] == address(miller)
    assert "Wrote under the wrong name" in page_of(client, miller)


def test_the_page_says_what_the_customer_is_worth_and_why(client: Any, miller: Customer) -> None:
    make_run()
    give_score(
        miller, value=1204_00, value_low=990_00, value_high=1420_00, purchase_days=81, typical_gap_days=4.0,
        average_basket=31_00, recency_days=3, activity="active", expected_purchases=61.2, expected_spend=29_00,
        campaigns_received=4, campaigns_answered=2, favourite_category="GROCERY > COFFEE",
        own_label_share=0.31, orders=85,
    )  # fmt: skip
    text = page_of(client, miller)
    for words in (
        "$1,204", "$990 to $1,420", "Margin of the 12 months after 31 Dec 2017", "a margin of 25%",
        "Buys about every 4 days, $31 a basket.", "Last bought 3 days before 31 Dec 2017, within the usual rhythm.",
        "61 purchase days of about $29 each are expected in the next 12 months.", "Answered 2 of 4 campaigns.",
        "Spends most on COFFEE; own-label products make up 31%.", "Number of orders, whatever their total.",
    ):  # fmt: skip
        assert words in text, words


def test_reasons_speak_of_what_is_known_alone() -> None:
    from rondo.analysis.models import Score

    def said(**facts: Any) -> list[str]:
        return reasons(Score(**facts), AS_OF, "USD", 12)

    assert said(purchase_days=0, orders=0, activity="never") == ["Has not bought anything yet."]
    assert said(purchase_days=1, average_basket=5_00, recency_days=0) == [
        "Bought on one day only, for $5 a basket.",
        "Last bought on 31 Dec 2017, the day this is reckoned from.",
    ]
    assert said(purchase_days=2, average_basket=5_00, recency_days=1, activity="late")[1] == (
        "Last bought 1 day before 31 Dec 2017."
    )
    late = said(
        purchase_days=9, average_basket=5_00, typical_gap_days=1.0, recency_days=40, activity="late", gap_q90_days=12.0
    )
    assert late == [
        "Buys about every day, $5 a basket.",
        "Last bought 40 days before 31 Dec 2017, later than the own rhythm suggests: "
        "nine of ten pauses last at most 12 days.",
    ]
    assert (
        said(purchase_days=5, average_basket=1, campaigns_received=1, campaigns_answered=1)[-1]
        == "Answered the only campaign received."
    )
    assert (
        said(purchase_days=5, average_basket=1, campaigns_received=3)[-1] == "Received 3 campaigns and answered none."
    )


def test_without_an_analysis_the_page_says_what_is_needed(client: Any, miller: Customer) -> None:
    assert "after the first purchase" in page_of(client, miller)
    purchase(miller, NOON, 10_00, "A1")
    text = page_of(client, miller)
    assert "after the next run of the analysis" in text and "To the analysis" in text


def test_the_chain_shows_newest_first_by_day_with_what_answers_what(client: Any, miller: Customer) -> None:
    mail = contact(miller, "campaign_mail", NOON - timedelta(days=12), "Campaign 18")
    purchase(miller, NOON, 37_20, "A1", lines=3)
    contact(
        miller,
        "redemption",
        NOON,
        "Coupon 7",
        direction="inbound",
        initiative="pull",
        channel="store",
        in_response_to=mail,
    )
    text = page_of(client, miller)
    assert text.index("24 Dec 2017") < text.index("Coupon 7") < text.index("12 Dec 2017")
    assert "$37.20" in text and "3 items" in text and "store 12" in text and "12:02" in text
    assert f'?at={mail.public_id}#{mail.public_id}">Campaign 18' in text
    assert "answered by" in text


def test_the_chain_pages_by_key_over_equal_moments(client: Any, miller: Customer) -> None:
    for number in range(95):
        contact(miller, "note", NOON - timedelta(hours=number // 30), f"Entry-{number}")
    seen: list[str] = []
    response = client.get(address(miller))
    while True:
        timeline = response.context["timeline"]
        seen += [entry["title"] for day in timeline.days for entry in day.entries]
        if not timeline.earlier:
            break
        response = client.get(address(miller, f"chain?before={timeline.earlier}"), headers=HTMX)
    wanted = [row.title for row in Interaction.objects.order_by("-occurred_at", "-id")]
    assert seen == wanted


def test_the_chain_filters_by_kind_and_begins_where_asked(client: Any, miller: Customer) -> None:
    contact(miller, "note", NOON, "A note")
    mail = contact(miller, "campaign_mail", NOON - timedelta(days=5), "A campaign")
    contact(miller, "note", NOON - timedelta(days=9), "An old note")
    chain = client.get(address(miller, "chain?kind=note"), headers=HTMX).content.decode()
    assert "A note" in chain and "An old note" in chain and "A campaign" not in chain
    older = client.get(address(miller, f"?at={mail.public_id}"))
    titles = [entry["title"] for day in older.context["timeline"].days for entry in day.entries]
    assert titles == ["A campaign", "An old note"]
    assert client.get(address(miller, "?at=i_wrong")).status_code == 404
    assert client.get(address(miller, "chain?before=i_wrong"), headers=HTMX).status_code == 400


def test_the_kinds_of_a_chain_are_counted_alike_on_one_page_and_over_several(client: Any, miller: Customer) -> None:
    def chips() -> list[tuple[str, int]]:
        return [(kind.key, kind.count) for kind in client.get(address(miller)).context["page"].kinds]

    for kind, count in (("note", 2), ("call", 3), ("visit", 2)):
        for at in moments(count):
            contact(miller, kind, at)
    assert chips() == [("call", 3), ("note", 2), ("visit", 2)]
    for at in moments(50):
        contact(miller, "visit", at)
    assert chips() == [("visit", 52), ("call", 3), ("note", 2)]


def test_a_basket_shows_its_lines(client: Any, miller: Customer) -> None:
    row = purchase(miller, NOON, 9_00, "A1", lines=2)
    text = page_of(client, miller, f"baskets/{row.public_id}")
    assert text.count("Arabica") == 2 and "$4.50" in text and "$0.25" in text
    stranger = purchase(make_customer("Other"), NOON, 5_00, "A2")
    assert client.get(address(miller, f"baskets/{stranger.public_id}")).status_code == 400


def test_purchases_by_month_are_drawn_with_their_table(client: Any, miller: Customer) -> None:
    purchase(miller, NOON, 10_00, "A1")
    purchase(miller, NOON - timedelta(days=70), 20_00, "A2")
    text = page_of(client, miller, "purchases")
    assert "<svg" in text and "2 purchases for $30 since Oct 2017." in text
    table = text[text.index("<tbody>") :]
    assert table.index("Dec 2017") < table.index("Nov 2017") < table.index("Oct 2017")
    assert f'href="{address(miller, "purchases.csv")}"' in text
    lines = client.get(address(miller, "purchases.csv")).content.decode("utf-8-sig").splitlines()
    assert lines == ["Month,Orders,Spend", "2017-12-01,1,10.0", "2017-11-01,0,0.0", "2017-10-01,1,20.0"]
    assert page_of(client, make_customer("Nobody"), "purchases").strip() == ""


def test_purchases_in_another_currency_are_not_added_to_the_companys(client: Any, miller: Customer) -> None:
    purchase(miller, NOON, 10_00, "A1")
    Interaction.objects.filter(pk=purchase(miller, NOON, 700_00, "A2").pk).update(currency="JPY")
    assert "1 purchase of $10 since Dec 2017." in page_of(client, miller, "purchases")


def test_amounts_of_a_currency_without_cents_are_whole_in_the_table_to_take_along(
    client: Any, miller: Customer, installation: Any
) -> None:
    change_installation(system(), currency="JPY")
    Interaction.objects.filter(pk=purchase(miller, NOON, 700, "A1").pk).update(currency="JPY")
    lines = client.get(address(miller, "purchases.csv")).content.decode("utf-8-sig").splitlines()
    assert lines[1] == "2017-12-01,1,700.0"


def test_an_answer_given_while_merged_is_not_shown_to_the_other_after_the_undo(client: Any, miller: Customer) -> None:
    other = make_customer("Bell", kind="household")
    edge = merge(system(), other, miller)
    mail = contact(other, "campaign_mail", NOON - timedelta(days=3), "Letter to Bell")
    contact(miller, "redemption", NOON, "Coupon of Miller", direction="inbound", in_response_to=mail)
    assert "Letter to Bell, " in page_of(client, miller)
    unmerge(system(), edge.pk)
    assert "Letter to Bell" not in page_of(client, miller)
    assert "Coupon of Miller" not in page_of(client, other)


def test_what_the_page_and_its_panels_ask_for_is_read_once(client: Any, miller: Customer) -> None:
    """Facts, histories, attributes, what comes next and the run: one query each, however many panels tell of them."""
    make_run()
    give_score(miller, value=1, relationship="exchange", ladder="customer", stage="growth")
    History.objects.create(customer=miller, stages="2017-03-05 growth", rungs="", types="2017-03-05 exchange")
    NextFound.objects.create(run_id=1, as_of=AS_OF, results={})
    NextOf.objects.create(customer=miller, habits="[]", products="[]")
    set_value(miller, make_attributes()["city"], text="Ulm")
    client.get(address(miller))
    with CaptureQueriesContext(connection) as caught:
        text = page_of(client, miller)
    assert "Ulm" in text and "Growth" in text and "Basic exchange" in text
    tables = [match[1] for query in caught if (match := re.search(r'FROM "(\w+)"', query["sql"]))]
    read = {name: tables.count(name) for name in (
        "analysis_score", "analysis_history", "analysis_next", "analysis_run", "customers_attributevalue"
    )}  # fmt: skip
    assert read == dict.fromkeys(read, 1)


def test_the_number_of_queries_does_not_grow_with_the_chain(client: Any, miller: Customer) -> None:
    make_run()
    give_score(miller, value=1)

    def grow(count: int, prefix: str) -> None:
        for number, at in enumerate(moments(count)):
            purchase(miller, at, 500, f"{prefix}{number}")
            mail = contact(miller, "campaign_mail", at, "Campaign")
            contact(miller, "redemption", at, "Coupon", direction="inbound", in_response_to=mail)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(address(miller))
        return len(caught)

    grow(2, "a")
    client.get(address(miller))
    short = queries()
    grow(30, "b")
    # A chain of several pages has its kinds counted by the database: once, however long it is.
    few = queries()
    grow(60, "c")
    assert queries() == few <= short + 1


def test_the_three_parts_are_tabs_of_a_phone(client: Any, miller: Customer) -> None:
    text = page_of(client, miller)
    assert text.count('role="tab"') == 3
    for part in ("who", "chain", "worth"):
        assert f'aria-controls="{part}"' in text and f'<section id="{part}"' in text


def test_other_rooms_put_panels_into_every_column(
    client: Any, miller: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = {
        f"test_{column}": CustomerPanel(
            f"test_{column}", column, 5, "customers/purchases.html", lambda viewer, reading: {"ids": reading.records}
        )
        for column in ("who", "chain", "worth")
    }
    silent = CustomerPanel("silent", "who", 1, "no/such.html", lambda viewer, reading: None)
    monkeypatch.setattr(registries.customer_panels, "_items", {**added, "silent": silent})
    response = client.get(address(miller))
    panels = response.context["page"].panels
    assert {column: [p.key for p in found] for column, found in panels.items()} == {
        "who": ["test_who"], "chain": ["test_chain"], "worth": ["test_worth"],
    }  # fmt: skip
    assert panels["who"][0].context == {"ids": [miller.pk]}


def test_german_pages_write_numbers_and_days_as_germans_do(client: Any, miller: Customer, alice: Any) -> None:
    alice.language = "de"
    alice.save(update_fields=["language"])
    purchase(miller, NOON, 1037_20, "A1")
    text = page_of(client, miller)
    assert "1.037,20 $" in text and "24. Dez. 2017" in text
    with override("de"):
        assert str(make_attributes()["size"].label) == "Size (de)"
