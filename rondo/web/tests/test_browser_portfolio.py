"""Portfolio and reports in a real browser: the map opens its customers by pointer and by keys, a phone scrolls down
only, the page is to be had as PDF in both languages, and set up there it comes by mail from a real server."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.utils import timezone
from pypdf import PdfReader

from rondo.analysis.actions import run_analysis
from rondo.analysis.tests.world import seeded_base
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.reports.models import Report
from rondo.web.reports.mailing import send_due
from rondo.web.tests.sample import store_run
from rondo.web.tests.test_page_pdf import bare, text_of
from rondo.web.tests.test_reports_mail import Mailbox, mailbox, words

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    PageOf = Callable[[User], Page]

__all__ = ["mailbox"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def analysed(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")
    with transaction.atomic():
        seeded_base(customers=40, days=200)
    run_analysis(system())


def in_list(page: "Page") -> int:
    """How many customers the list that is open holds, by its heading."""
    from playwright.sync_api import expect

    page.wait_for_url("**/customers/**")
    said = re.compile(r"([\d,]+) customers? fit")
    expect(page.locator("h1").first).to_contain_text(said)
    found = said.search(page.locator("h1").first.inner_text())
    assert found
    return int(found[1].replace(",", ""))


def told(label: str | None) -> int:
    """The number of customers that a mark speaks of."""
    found = re.search(r"([\d,]+) customer", label or "")
    assert found, label
    return int(found[1].replace(",", ""))


def test_the_map_opens_its_customers_by_pointer_and_by_keys_and_a_phone_scrolls_down_only(
    live_server: "LiveServer", page_of: "PageOf", alice: User, analysed: None
) -> None:
    page = page_of(alice)
    page.goto(f"{live_server.url}/portfolio/")
    areas = page.locator("#chart-worth-map .for-desk .marked")
    largest = max(range(areas.count()), key=lambda place: told(areas.nth(place).get_attribute("aria-label")))
    wanted = told(areas.nth(largest).get_attribute("aria-label"))
    areas.nth(largest).click(timeout=30_000)
    assert in_list(page) == wanted > 0

    page.goto(f"{live_server.url}/portfolio/")
    page.locator("#chart-worth-map .for-desk [data-stop]").first.focus()
    page.keyboard.press("ArrowRight")
    wanted = told(areas.nth(1).get_attribute("aria-label"))
    page.wait_for_function("document.activeElement.closest('#chart-worth-map')")
    page.keyboard.press("Enter")
    assert in_list(page) == wanted

    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for address in ("/portfolio/", "/portfolio/cohorts/", "/portfolio/buying/", "/portfolio/movements/", "/loyalty/"):
        page.goto(live_server.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], address
    page.goto(f"{live_server.url}/portfolio/")
    area = page.locator("#chart-worth-map .for-phone .marked").nth(largest)
    wanted = told(area.get_attribute("aria-label"))
    area.click(timeout=30_000)
    assert in_list(page) == wanted


def test_a_page_comes_as_pdf_and_by_mail_in_the_readers_language(
    live_server: "LiveServer", page_of: "PageOf", alice: User, make_user: Any, mailbox: Mailbox
) -> None:
    with transaction.atomic():
        store_run()
    page = page_of(alice)
    heads = []
    for language in ("English", "Deutsch"):
        page.goto(f"{live_server.url}/portfolio/")
        if language == "Deutsch":
            page.get_by_role("button", name=language).click()
            page.locator("html[lang=de]").wait_for()
        heads.append(bare(page.locator("h1").inner_text()))
        with page.expect_download() as download:
            page.locator(".page-tools a[download]").click()
        pdf = Path(download.value.path()).read_bytes()
        assert download.value.suggested_filename.startswith("rondo-portfolio-")
        assert len(PdfReader(BytesIO(pdf)).pages) > 0 and heads[-1] in bare(text_of(pdf))
    assert heads[0] != heads[1]

    page.get_by_role("button", name="English").click()
    page.locator("html[lang=en]").wait_for()
    make_user("dora", role="administrator", language="de")
    page.goto(f"{live_server.url}/portfolio/")
    page.get_by_role("link", name="Send this page by mail").click()
    page.get_by_label("Name", exact=True).fill("Monday")
    page.get_by_label("Sent").select_option("daily")
    for name in ("Alice", "Dora"):
        page.get_by_role("group", name="Recipients").get_by_label(name).check()
    page.get_by_role("button", name="Set up the report").click()
    page.get_by_text("next on").first.wait_for()
    row = Report.objects.get()
    assert (row.rhythm, row.recipients.count()) == ("daily", 2)
    assert send_due(system("job")) == {"planned": 0}, "not before its hour"
    Report.objects.update(counted_from=timezone.now() - timedelta(days=2))
    assert send_due(system("job")) == {"planned": 2, "sent": 2}
    received = {str(mail["To"]): bare(words(mail)) for mail in mailbox.mails}
    assert heads[0] in received["alice@example.org"] and heads[1] in received["dora@example.org"]
