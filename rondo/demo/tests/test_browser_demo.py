"""The served demo as a newcomer meets it, in Chromium: sign-in link, home, a customer, a call, German, a phone.

Pictures go to ``test-results/`` (kept out of git); ``make screenshot`` takes the README's one from there.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error, expect

from tests.browsing import grave_findings

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

pytestmark = [pytest.mark.browser, pytest.mark.once]
PICTURES = Path("test-results")
PHONE: "ViewportSize" = {"width": 390, "height": 844}


def picture(page: "Page", name: str) -> None:
    """Keep what the page looks like; pictures of one name replace each other."""
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def go(page: "Page", address: str) -> None:
    """Open an address, again where the page before broke it off by loading itself anew: what it waited for was done."""
    for _try in range(3):
        try:
            page.goto(address)
            return
        except Error as error:
            if "ERR_ABORTED" not in error.message:
                raise
    page.goto(address)


def test_a_newcomer_walks_through_the_demo(demo_page: "Page") -> None:
    """One walk, since each step stands on the one before: a call logged here shows in the chain of the next page."""
    page = demo_page
    page.set_viewport_size({"width": 1440, "height": 900})
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text(re.compile(r"worth \$1\.\d+\sm over the next 12 months"))
    expect(page.get_by_text("margin 25%")).to_be_visible()
    assert grave_findings(page) == []
    picture(page, "home")

    page.get_by_role("link", name="Late", exact=False).first.click()
    expect(heading).to_contain_text(re.compile(r"\d+ customers? fit"))
    page.goto(page.url.split("/customers/")[0] + "/customers/?q=7781%200000%200982")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_text("with us at least since Jan 2017")).to_be_visible()
    expect(heading).to_have_text("Sara Hartmann household")
    page.wait_for_load_state("domcontentloaded")  # seen by the test before it takes keys
    page.keyboard.press("c")
    page.keyboard.type("Asked when the store opens")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline .entry").first).to_contain_text("Asked when the store opens")
    expect(page.get_by_text("Call to the customer saved.")).to_be_visible()
    assert grave_findings(page) == []
    picture(page, "customer")

    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator("#palette-input").press_sequentially("ivan tan")
    expect(page.get_by_role("option", name="Ivan Tanaka household")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(heading).to_have_text("Ivan Tanaka household")

    basket = page.locator(".timeline details").first
    basket.locator("summary").click()
    expect(basket.locator("table")).to_be_visible()

    page.set_viewport_size(PHONE)
    for address in ("/", "/customers/", "/portfolio/", "/campaigns/", page.url):
        page.goto(address if address.startswith("http") else re.sub(r"(https?://[^/]+).*", rf"\1{address}", page.url))
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{page.url} is {width} px wide on a phone"
        assert grave_findings(page) == [], page.url
        picture(page, f"phone-{re.sub(r'[^a-z]+', '-', address.split('//')[-1])[-20:]}")

    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.emulate_media(color_scheme="dark")
    page.goto(re.sub(r"(https?://[^/]+).*", r"\1/", page.url))
    expect(heading).to_contain_text("Mio")
    assert grave_findings(page) == []
    picture(page, "home-dark-german")
    page.emulate_media(color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    with page.expect_response(lambda answer: answer.url.endswith("/preferences/theme")):
        page.get_by_role("button", name="Hell oder dunkel").click()
    assert page.evaluate(ground) != light
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


_DEEPER = (
    "/campaigns/who/",
    "/segments/new",
    "/segments/overlap",
    "/segments/groups",
    "/profile/",
    "/customers/new",
    "/customers/?as=board",
    "/customers/?as=chart&by=activity",
    "/customers/bin/",
    "/customers/bin/list",
    "/customers/duplicates/",
    "/customers/duplicates/automatic",
    "/imports/",
    "/settings/demo/",
    "/settings/erasures/",
    "/settings/retention/",
    "/settings/users/",
    "/start/company",
    "/start/import",
    "/start/team",
    "/settings/teams/",
    "/settings/roles/",
    "/settings/roles/sales/",
    "/settings/attributes/",
    "/settings/attributes/new",
    "/settings/attributes/age/",
    "/settings/webhooks/",
    "/settings/webhooks/new",
    "/settings/audit/",
    "/profile/sign-in",
    "/profile/tokens",
    "/settings/invitations",
    "/settings/service-accounts",
    "/settings/sign-in",
    "/portfolio/movements/",
    "/portfolio/movements/?scale=relationship",
    "/portfolio/cohorts/",
    "/portfolio/buying/",
    "/portfolio/stages/",
    "/portfolio/together/",
    "/portfolio/trading-up/",
    "/portfolio/leads/",
    "/analysis/models/",
    "/loyalty/relationships/",
    "/loyalty/rules",
    "/loyalty/reasons/",
    "/loyalty/reasons/price/",
    "/reports/",
    "/reports/new?page=/portfolio/",
)
"""Pages that the navigation leads to by way of others."""
_FOLLOWING = ("/portfolio/stages/", "/portfolio/leads/", "/portfolio/together/", "/portfolio/trading-up/")


@pytest.mark.parametrize(
    ("size", "schemes"),
    [({"width": 1440, "height": 900}, ("light", "dark")), (PHONE, ("dark", "light"))],
    ids=["desk", "phone"],
)
def test_every_page_of_the_navigation_is_accessible(demo_page: "Page", size: Any, schemes: tuple[Any, Any]) -> None:
    """On a desk and on a phone, in the light or dark it was opened in and in the other one: no serious finding of axe,
    and nothing sticks out to the side.
    """
    page = demo_page
    page.set_viewport_size({"width": 1440, "height": 900})
    start = re.sub(r"(https?://[^/]+).*", r"\1", page.url)
    found = page.locator("nav.side a[href^='/']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert {"/", "/customers/", "/portfolio/", "/segments/", "/campaigns/", "/loyalty/", "/settings/"} <= set(found)
    page.set_viewport_size(size)
    for address in _FOLLOWING:  # what follows the analysis is done: until then these load themselves anew
        go(page, start + address)
        expect(page.locator("main .notice progress")).to_have_count(0, timeout=600_000)
    for address in dict.fromkeys([*found, *_DEEPER]):
        page.emulate_media(color_scheme=schemes[0], reduced_motion="reduce")
        go(page, start + address)
        page.locator("h1").first.wait_for()
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], f"{address} is {width} px wide"
            assert grave_findings(page) == [], f"{address}, {scheme}"
