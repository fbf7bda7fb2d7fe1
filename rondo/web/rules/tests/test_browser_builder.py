"""The builder in a real browser: a rule put together by clicking, seen as text and counted, and every kind of row."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

from rondo.analysis.segments.models import Segment
from rondo.foundation.models import User
from rondo.rules import format_rule, parse, schema
from rondo.web.tests.customers_data import make_attributes, make_customer, make_run, purchase
from tests.browsing import grave_findings

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NOON = datetime(2017, 12, 31, 17, tzinfo=UTC)
EVERYTHING = (
    "not value >= 500.5 and (discount_share between 12.5% and 25% or activity in (late, asleep) or city = Bonn) "
    "and not (owner = me or pets = yes) and not (in segment x and rent > 3) and last_purchase before 2 weeks ago and "
    'moved since 2017-02-01 and name starts with "Mi" and not in segment x and linked by member (kind = person) and '
    "not linked any and did purchase where (category = COFFEE and amount > 3) exactly 2 times for at most 9 between "
    "2017-01-01 and today and did visit within 90 days then purchase then not complaint within 2 weeks and orders in "
    "(1, 2) and children is unknown and birth_date anniversary within next 7 days"
)


@pytest.fixture
def opened(installation: Any, make_user: Any, page_of: Any) -> "Page":
    """A marketer with three customers: one who fell silent, one who goes on buying coffee, one who bought it once."""
    dora = make_user("dora", role="marketing", reach="own")
    with transaction.atomic():
        make_run()
        make_attributes()
        for name, ages in (("Silent", (60, 50)), ("Loyal", (60, 10)), ("Once", (60,))):
            customer = make_customer(name, owner=dora)
            for age in ages:
                purchase(customer, NOON - timedelta(days=age), 500, f"{name}{age}")
    page: Page = page_of(dora)
    return page


def test_a_rule_is_put_together_by_clicking_and_is_the_text(opened: "Page", live_server: Any) -> None:
    from playwright.sync_api import expect

    page = opened
    page.goto(f"{live_server.url}/segments/new")
    page.get_by_role("button", name="Add condition").click()
    page.get_by_role("combobox", name="What the condition is about").fill("purch")
    page.get_by_role("option", name="Purchase", exact=True).click()
    first = page.get_by_role("group", name="Condition 1")
    assert first.evaluate("row => row.contains(document.activeElement)")
    first.get_by_role("button", name="Where …").click()
    first.get_by_label("Detail", exact=True).select_option(label="Category")
    expect(first.get_by_text("A value is missing here.")).to_be_visible()
    first.get_by_label("Category: Value", exact=True).fill("COFFEE")
    first.get_by_role("button", name="How often").click()
    first.get_by_role("button", name="Duplicate").click()
    second = page.get_by_role("group", name="Condition 2")
    second.get_by_label("did", exact=True).select_option("not")
    second.get_by_role("button", name="Remove: How often").click()
    second.get_by_label("Period: Value, Length of time").fill("30")
    wanted = (
        "did purchase where category = COFFEE at least 2 times within 90 days "
        "and did not purchase where category = COFFEE within 30 days"
    )
    expect(page.locator("#rule")).to_have_value(wanted)
    expect(page.locator("#check")).to_contain_text("1 customer")
    expect(page.locator("#check")).to_contain_text("Silent")

    # What is moved keeps the focus, and one step back is one change.
    second.get_by_role("button", name="Move up").press("Alt+ArrowUp")
    expect(page.locator("#rule")).to_have_value(" and ".join(reversed(wanted.split(" and "))))
    assert page.evaluate("document.activeElement.closest('[data-row]').dataset.row") == "all/0"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#rule")).to_have_value(wanted)

    # A form with a condition that is not finished is not sent; the focus goes to what is missing.
    second.get_by_label("Category: Value", exact=True).fill("")
    page.get_by_label("Name", exact=True).fill("Fell silent")
    page.get_by_role("button", name="Make the segment").click()
    expect(second.get_by_label("Category: Value", exact=True)).to_be_focused()
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator("#rule")).to_be_visible()
    assert page.locator("#rule").input_value() == wanted.replace("COFFEE within 30", '"" within 30')
    page.get_by_role("button", name="Conditions", exact=True).click()
    second.get_by_label("Category: Value", exact=True).fill("COFFEE")
    page.get_by_role("button", name="Make the segment").click()
    page.wait_for_url("**/segments/fell-silent/")
    assert Segment.objects.get().text == wanted


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("de", {"1204,5": "1204.50", "1.204": "1204.00", "1.204,75": "1204.75", "0,001": "", "-3": "-3.00"}),
        ("en", {"1204.5": "1204.50", "1,204": "1204.00", "1,204.75": "1204.75", "0.001": "", "-3": "-3.00"}),
    ],
)
def test_a_number_is_read_as_people_of_the_language_write_it(
    opened: "Page", live_server: Any, language: str, written: dict[str, str]
) -> None:
    from playwright.sync_api import expect

    User.objects.filter(email="dora@example.org").update(language=language)
    page = opened
    page.goto(f"{live_server.url}/segments/new?text=value+%3E%3D+1234.5")
    field = page.locator('[data-at="all/0/values/0"]')
    expect(field).to_have_value("1234,5" if language == "de" else "1234.5")
    for text, meant in written.items():
        field.fill(text)
        if meant:
            expect(page.locator("#rule")).to_have_value(f"value >= {meant}")
        else:
            expect(page.locator(".rule-body .error")).to_be_visible()
            expect(field).to_have_value(text)


def test_every_kind_of_row_says_what_the_text_says(opened: "Page", live_server: Any) -> None:
    from playwright.sync_api import expect

    page = opened
    page.goto(f"{live_server.url}/segments/new")
    page.get_by_role("button", name="Text", exact=True).click()
    page.locator("#rule").fill("(")
    page.get_by_role("button", name="Conditions", exact=True).click()
    expect(page.locator(".rules-open")).to_contain_text("Mend the text first: line 1")
    page.locator("#rule").fill(EVERYTHING)
    page.get_by_role("button", name="Conditions", exact=True).click()
    page.get_by_role("group", name="Condition 1", exact=True).first.get_by_role("button", name="Duplicate").click()
    page.get_by_role("button", name="Undo").click()
    known = schema()
    expect(page.locator("#rule")).to_have_value(format_rule(parse(EVERYTHING, known), known))
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert grave_findings(page) == []
