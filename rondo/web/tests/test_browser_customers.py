"""The customers' pages in a real browser: find, log a call by keyboard, filter, a phone's width, accessibility."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from playwright.sync_api import expect

from rondo.analysis.models import Score
from rondo.customers.models import Customer
from rondo.interactions.models import Interaction
from rondo.web.tests.customers_data import (
    contact,
    give_score,
    make_attributes,
    make_customer,
    make_run,
    purchase,
    set_value,
)
from tests.browsing import grave_findings

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NOON = datetime(2017, 12, 24, 17, 2, tzinfo=UTC)


@pytest.fixture
def opened(installation: Any, alice: Any, page_of: Any) -> "Page":
    """Alice's browser, over a base of sixty customers of which the first has a chain."""
    with transaction.atomic():
        make_run()
        size = make_attributes()["size"]
        for number in range(60):
            customer = make_customer(f"Miller {number:02d}", kind="household")
            give_score(
                customer, value=(60 - number) * 1000, value_low=(60 - number) * 800, value_high=(60 - number) * 1300,
                activity=("active", "late", "asleep")[number % 3], orders=number, purchase_days=5, typical_gap_days=7.0,
                average_basket=31_00, recency_days=3, expected_purchases=12.0, expected_spend=30_00,
                spend_365=number * 100, last_purchase="2017-12-24",
            )  # fmt: skip
            set_value(customer, size, text="l")
            if number == 0:
                mail = contact(customer, "campaign_mail", NOON - timedelta(days=3), "Campaign 18")
                contact(customer, "redemption", NOON, "Coupon", direction="inbound", in_response_to=mail)
                for hour in range(50):
                    purchase(customer, NOON - timedelta(hours=hour), 500 + hour, f"A{hour}", lines=2)
    page: Page = page_of(alice)
    return page


def check_accessible(page: "Page", name: str) -> None:
    """No serious or critical violation of the rules that axe knows."""
    assert grave_findings(page) == [], name


def check_light_and_dark(page: "Page", name: str) -> None:
    """Accessible in either; colours that fade would be measured half way."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        check_accessible(page, f"{name} in {scheme}")


def check_width(page: "Page") -> None:
    """Nothing sticks out to the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_going_back_to_a_search_shows_the_whole_page(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/")
    page.locator("#q").fill("Miller 07")
    page.wait_for_url("**/customers/?q=Miller*")
    page.get_by_role("link", name="Miller 07").click()
    page.wait_for_selector("#composer")
    page.go_back()
    page.wait_for_selector(".list-row")
    assert page.locator("nav.side").count() == 1
    assert page.locator("#q").input_value() == "Miller 07"


def test_find_a_customer_and_log_a_call_by_keyboard_alone(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/")
    page.get_by_role("heading", level=1).filter(has_text="60 customers, together worth").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("miller 00")
    page.get_by_text("1 customer fits").wait_for()
    page.wait_for_url("**/customers/?q=miller*")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Miller 00").wait_for()
    page.wait_for_load_state("domcontentloaded")  # seen by the test before it is painted for a person
    page.keyboard.press("c")
    page.keyboard.type("Asked for the opening hours")
    page.keyboard.press("Control+Enter")
    page.get_by_text("We called saved.").or_(page.get_by_text("Call to the customer saved.")).wait_for()
    assert page.locator(".timeline .entry").first.inner_text().count("Asked for the opening hours") == 1
    assert page.locator("#composer-body").input_value() == ""
    assert Interaction.objects.get(kind="call").body == "Asked for the opening hours"
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Taken back.").wait_for()
    assert page.get_by_text("Asked for the opening hours").count() == 0


def test_filters_columns_and_selection(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/")
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("activity")
    page.locator("#filter-value").get_by_label("late").check()
    page.get_by_role("button", name="Add the filter").click()
    page.get_by_text("20 customers fit").wait_for()
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("value")
    page.locator("#filter-operator").select_option("between")
    page.get_by_label("Value", exact=True).fill("$300")
    page.get_by_label("to", exact=True).fill("500")
    page.get_by_role("button", name="Add the filter").click()
    page.get_by_text("Customer value $300 to $500").first.wait_for()
    page.get_by_text("7 customers fit").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("#selected [data-count]").inner_text() == "2"
    assert (page.locator("#export-selected a").first.get_attribute("href") or "").count("id=c_") == 2
    page.get_by_label("Remove the filter Activity: late").click()
    page.get_by_text("21 customers fit").wait_for()


def test_many_are_selected_at_once_and_none_unseen(opened: "Page", live_server: Any) -> None:
    """All rows shown by one click, a range with Shift; who leaves the sight stays selected, and the bar says so."""
    page = opened
    page.goto(f"{live_server.url}/customers/")
    bar, rows = page.locator("#selected"), page.locator(".list-row")
    every = page.get_by_label("Select all rows shown")
    every.check()
    shown = rows.count()
    assert bar.locator("[data-count]").inner_text() == str(shown) and not bar.locator("[data-away]").is_visible()
    assert page.locator(".list-row[aria-selected=true]").count() == shown
    every.uncheck()
    assert not bar.is_visible()
    rows.nth(1).locator("input").click()
    rows.nth(4).locator("input").click(modifiers=["Shift"])
    assert bar.locator("[data-count]").inner_text() == "4" and every.evaluate("box => box.indeterminate")
    for _row in range(2):
        page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    assert page.locator(".list-row[aria-selected=true]").count() == 6
    name = rows.nth(2).locator(".who a").inner_text()
    page.locator("#q").fill(name)
    page.get_by_text("5 of them not in sight").wait_for()
    assert bar.locator("[data-count]").inner_text() == "6"


def test_a_rule_narrows_the_list_and_becomes_a_segment(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/?f=activity:is:late")
    page.keyboard.press("f")
    page.get_by_role("button", name="Conditions with and, or, not").click()
    dialog = page.get_by_role("dialog", name="Whom the list shows")
    dialog.get_by_role("button", name="Change what is asked: Activity").wait_for()
    dialog.get_by_role("button", name="Text", exact=True).click()
    rule = dialog.locator("#rule")
    rule.fill("activity = late and valeu >= 300")
    dialog.get_by_text("Did you mean “value”?").wait_for()
    assert dialog.locator("#conditions-answer mark").inner_text() == "valeu"
    rule.fill("activity = late and (value >= 300 or value < 0) and orders > 0")
    dialog.get_by_role("button", name="Conditions", exact=True).click()
    dialog.get_by_role("button", name="Take the conditions out of the group").wait_for()
    check_accessible(page, "builder of the list")
    dialog.get_by_role("button", name="Show the customers").click()
    page.get_by_text("10 customers fit").wait_for()
    # A part of the rule is a chip that opens the builder at its place; what a filter can say has become one.
    assert page.url.partition("?")[2].count("f=") == 2
    page.get_by_role("button", name="Customer value at least $300 or Customer value less than $0").click()
    dialog.get_by_role("button", name="Take the conditions out of the group").wait_for()
    assert page.evaluate("document.activeElement.closest('[data-row]').dataset.row").startswith("all/2/any/0")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    check_accessible(page, "list with a rule")
    page.get_by_role("link", name="Make a segment").click()
    text = page.locator("#rule")
    assert text.input_value() == "activity = late and orders > 0 and (value >= 300.00 or value < 0.00)"
    page.get_by_label("Name", exact=True).fill("Late and worth it")
    page.get_by_role("button", name="Make the segment").click()
    page.get_by_role("heading", level=1).filter(has_text="Late and worth it").wait_for()
    check_accessible(page, "segment")


def test_more_rows_come_below(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/")
    assert page.locator(".list-row").count() == 50
    page.get_by_role("link", name="Show more").click()
    page.locator(".list-row").nth(59).wait_for()
    assert page.locator(".list-row").count() == 60


def test_the_chain_opens_baskets_and_earlier_pages(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/?sort=name")
    page.get_by_role("link", name="Miller 00").click()
    page.locator(".basket summary").first.click()
    page.get_by_text("Arabica").first.wait_for()
    page.locator(".purchases svg.drawing").wait_for()
    before = page.locator(".timeline .entry").count()
    page.get_by_role("link", name="Show earlier").click()
    page.locator(".timeline .entry").nth(before).wait_for()
    page.locator(".kind-chips").get_by_role("link", name="Campaign mail").click()
    page.locator(".timeline .basket").first.wait_for(state="detached")
    assert page.locator(".timeline .entry").count() == 1


def test_a_phone_shows_cards_and_three_tabs(opened: "Page", live_server: Any) -> None:
    page = opened
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/customers/?f=activity:is:late&f=value:between:0..50000")
    page.get_by_text("customers fit").first.wait_for()
    check_width(page)
    check_accessible(page, "list on a phone")
    page.get_by_role("link", name="Miller 10").click()
    page.get_by_role("tab", name="Chain").wait_for()
    for tab in ("Who", "Worth", "Chain"):
        page.get_by_role("tab", name=tab).click()
        assert page.locator(f"#{tab.lower()}").is_visible()
        assert page.locator(".customer-columns > section:visible").count() == 1
        check_width(page)
        check_accessible(page, f"{tab} on a phone")


def test_two_versions_stand_within_their_column(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/?sort=name")
    page.get_by_role("link", name="Miller 00").click()
    page.get_by_role("heading", name="Miller 00").wait_for()
    page.wait_for_load_state("domcontentloaded")  # seen by the test before it is painted for a person
    page.keyboard.press("e")
    page.get_by_label("Name", exact=True).fill("Miller and Sons, Wholesale Bakers of Lindenport")
    Customer.objects.filter(name="Miller 00").update(
        name="The Miller household of Quarry Road", version=F("version") + 1
    )
    page.get_by_role("button", name="Save").first.click()
    page.get_by_text("Somebody else changed this customer").wait_for()
    check_accessible(page, "conflict")
    form, chain = page.evaluate(
        """() => [document.querySelector(".edit-form").getBoundingClientRect().right,
            document.querySelector("#chain").getBoundingClientRect().left]"""
    )
    assert form <= chain
    assert page.locator(".versions").inner_text().split("\n") == [
        "Now", "The Miller household of Quarry Road", "Yours", "Miller and Sons, Wholesale Bakers of Lindenport"
    ]  # fmt: skip


def test_a_cell_left_after_a_conflict_shows_what_stands_there_now(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/?sort=name")
    cell = page.locator(".list-row .who").filter(has_text="Miller 00")
    room = cell.bounding_box()
    assert room
    cell.dblclick(position={"x": room["width"] - 4, "y": room["height"] / 2})
    page.locator("#cell-form [name=value]").fill("Miller Mine")
    Customer.objects.filter(name="Miller 00").update(name="Miller Theirs", version=F("version") + 1)
    page.keyboard.press("Enter")
    page.get_by_text("Somebody else changed this meanwhile").wait_for()
    page.keyboard.press("Escape")
    page.locator(".list-row").get_by_text("Miller Theirs").wait_for()
    assert page.get_by_text("Miller 00").count() == 0
    assert Customer.objects.filter(name="Miller Mine").count() == 0


def test_a_command_is_copied(installation: Any, alice: Any, page_of: Any, live_server: Any) -> None:
    page = page_of(alice)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_server.url}/customers/")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("rondo import customers customers.csv")


def test_pages_are_accessible(opened: "Page", live_server: Any) -> None:
    page = opened
    page.goto(f"{live_server.url}/customers/?f=activity:is:late&f=value:min:x")
    check_light_and_dark(page, "list with an error")
    page.goto(f"{live_server.url}/customers/?f=activity:is:late")
    page.get_by_text("customers fit").first.wait_for()
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("value")
    page.locator("#filter-operator").wait_for()
    check_light_and_dark(page, "list")
    page.goto(f"{live_server.url}/customers/?sort=name")
    page.get_by_role("link", name="Miller 00").click()
    page.locator(".purchases svg.drawing").wait_for()
    page.locator(".basket summary").first.click()
    page.get_by_text("Arabica").first.wait_for()
    page.locator(".all-facts > summary").filter(has_text="All facts").click()
    check_light_and_dark(page, "customer")
    page.keyboard.press("e")
    page.get_by_role("heading", name="Edit").wait_for()
    check_light_and_dark(page, "edit form")


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_list_fits_a_small_desk_with_all_its_usual_columns(
    opened: "Page", live_server: Any, alice: Any, make_user: Any, language: str
) -> None:
    """Long names, dear customers and owners, at 1280 px: no column hides behind a scroll of the table."""
    page = opened
    owner = make_user("Bartholomew")
    owner.name = "Maximiliane Oberhuber"
    owner.save()
    with transaction.atomic():
        alice.language = language
        alice.save()
        Customer.objects.update(name="Friederike Wolkenstein-Hohenburg", owner=owner)
        Score.objects.update(
            value=12_345_00,
            value_low=10_345_00,
            value_high=15_345_00,
            orders=1234,
            spend_365=22_345_67,
            risk="elevated",
        )
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(live_server.url + "/customers/")
    widths = page.eval_on_selector(".table-wrap:has(.list-table)", "e => [e.scrollWidth, e.clientWidth]")
    assert widths[0] <= widths[1]
    assert page.eval_on_selector(".list-table thead th", "e => e.offsetHeight") <= 40, "headings of two lines at most"


def test_what_was_typed_outlives_the_session(opened: "Page", live_server: Any, alice: Any) -> None:
    """A session that ended (elsewhere, or by time) loses no note: who signs in anew in another tab sends it then."""
    alice.set_password("a long password of alice")
    alice.save(update_fields=["password"])

    def sign_in(tab: "Page") -> None:
        tab.get_by_label("E-mail address").fill(alice.email)
        tab.get_by_label("Password").fill("a long password of alice")
        tab.get_by_role("button", name="Sign in", exact=True).click()

    page = opened
    page.goto(f"{live_server.url}/customers/")
    sign_in(page)
    page.locator(".list-row .who a").first.click()
    page.locator("#composer-body").fill("Wants a call on Monday")
    Session.objects.all().delete()
    save = page.locator("#composer button.primary")
    save.click()
    told = page.locator("#toasts")
    expect(told).to_contain_text("You are no longer signed in")
    expect(told.get_by_text("That did not work")).to_have_count(0)
    expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)
    assert page.locator("#composer-body").input_value() == "Wants a call on Monday"
    with page.context.expect_page() as opening:
        told.get_by_role("link", name="Sign in").click()
    other = opening.value
    sign_in(other)
    other.wait_for_url(page.url)
    save.click()
    expect(told).to_contain_text("Send it once more")
    save.click()
    expect(page.locator("#composer-body")).to_have_value("")
    assert Interaction.objects.filter(body="Wants a call on Monday").count() == 1
