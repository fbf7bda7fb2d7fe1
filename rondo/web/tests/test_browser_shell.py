"""What a person sees of the shell, in Chromium: signing in, the palette, languages, dark mode, a phone, and axe."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from rondo.foundation.accounts import make_login_link
from rondo.foundation.actors import system
from rondo.foundation.models import ApiToken, Installation, User
from rondo.web.tests.customers_data import make_customer
from rondo.web.tests.sample import store_run
from tests.browsing import grave_findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PageOf = Callable[[User], Page]
PHONE = {"width": 390, "height": 844}
PAGES = ("/", "/portfolio/", "/settings/", "/profile/")


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    store_run()


def test_a_sign_in_link_opens_the_home_page(page: Page, live_server: LiveServer, alice: User) -> None:
    alice.set_password("a long password of alice")  # who has none is asked for one first
    alice.save(update_fields=["password"])
    token = make_login_link(system(), alice).rpartition("/")[2]
    page.goto(f"{live_server.url}/in/{token}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your customer base is worth")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_palette_finds_by_keys_alone(live_server: LiveServer, page_of: PageOf, alice: User) -> None:
    make_customer("Anna Müller")
    page = page_of(alice)
    page.goto(f"{live_server.url}/")
    page.keyboard.press("Control+k")
    search = page.get_by_role("combobox")
    expect(search).to_be_focused()
    search.press_sequentially("anna mu")
    option = page.get_by_role("option", name="Anna Müller")
    expect(option).to_have_attribute("aria-selected", "true")
    assert search.get_attribute("aria-activedescendant") == option.get_attribute("id")
    page.keyboard.press("Escape")
    expect(search).to_be_hidden()
    page.keyboard.press("/")
    page.get_by_role("combobox").press_sequentially("portf")
    expect(page.get_by_role("option", name="Portfolio")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/portfolio/")


def test_keys_show_their_list_and_go_to_pages(live_server: LiveServer, page_of: PageOf, alice: User) -> None:
    page = page_of(alice)
    page.goto(f"{live_server.url}/")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page).to_have_url(f"{live_server.url}/portfolio/")


def test_the_language_switches_and_stays(live_server: LiveServer, page_of: PageOf, alice: User) -> None:
    page = page_of(alice)
    page.goto(f"{live_server.url}/portfolio/")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page).to_have_url(f"{live_server.url}/portfolio/")
    expect(page.locator("#h-grid")).to_be_visible()
    expect(page.locator(".page-head")).to_contain_text("55\u00a0%")
    alice.refresh_from_db()
    assert alice.language == "de"


def test_dark_mode_changes_at_once_and_stays(live_server: LiveServer, page_of: PageOf, alice: User) -> None:
    page = page_of(alice)
    page.emulate_media(color_scheme="light")
    page.goto(f"{live_server.url}/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    with page.expect_response(lambda answer: answer.url.endswith("/preferences/theme")):
        page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) != light
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(ground) != light
    mark = page.locator("#chart-revenue .for-desk path[stroke]").last
    assert "var(--chart" in str(mark.get_attribute("stroke"))


def test_a_chart_speaks_to_pointer_and_keyboard_and_shows_its_table(
    live_server: LiveServer, page_of: PageOf, alice: User
) -> None:
    page = page_of(alice)
    page.goto(f"{live_server.url}/")
    mark = page.locator("#chart-revenue .for-desk .marked").first
    mark.hover()
    expect(page.locator(".chart-tip")).to_contain_text("Week from 4 Dec 2017: $9,040 in 90 orders by 70 buyers")
    page.mouse.move(0, 0)
    expect(page.locator(".chart-tip")).to_have_count(0)
    mark.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".chart-tip")).to_contain_text("Week from 11 Dec 2017")
    page.get_by_role("button", name="Table Revenue by week").click()
    expect(page.get_by_role("cell", name="$9,040")).to_be_visible()
    expect(mark).to_be_hidden()


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_phone_scrolls_down_only(live_server: LiveServer, page_of: PageOf, alice: User, language: str) -> None:
    User.objects.filter(pk=alice.pk).update(language=language)
    page = page_of(alice)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for path in PAGES:
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, .button, .foot-nav a, select, .input")]
                .filter((e) => e.checkVisibility() && (e.getBoundingClientRect().height < 40))
                .map((e) => e.outerHTML.slice(0, 120))"""
        )
        assert small == [], path


def test_a_double_click_does_it_once(live_server: LiveServer, page_of: PageOf, alice: User) -> None:
    """Else a second token was made, whose text nobody ever saw."""
    page = page_of(alice)
    page.goto(f"{live_server.url}/profile/tokens")
    page.get_by_label("What it is for").fill("shop")
    sent: list[Route] = []

    def hold(route: Route) -> None:  # the first answer takes its time
        sent.append(route)
        if len(sent) > 1:
            route.continue_()

    page.route("**/profile/tokens", hold)
    box = page.get_by_role("button", name="Make a token").bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    with page.expect_request("**/profile/tokens"):
        page.mouse.click(*middle)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    sent[0].continue_()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    assert (len(sent), ApiToken.objects.count()) == (1, 1)


@pytest.mark.parametrize("width", [1280, 1440])
def test_the_tabs_of_the_settings_are_all_in_sight_on_a_desk(
    live_server: LiveServer, page_of: PageOf, alice: User, width: int
) -> None:
    User.objects.filter(pk=alice.pk).update(language="de")
    page = page_of(alice)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/settings/")
    rows, hidden = page.evaluate(
        """() => { const row = document.querySelector("nav.tabs"), box = row.getBoundingClientRect();
            const tabs = [...row.children].map((e) => e.getBoundingClientRect());
            return [new Set(tabs.map((e) => e.top)).size, tabs.filter((e) => e.right > box.right + 1).length]; }"""
    )
    assert (rows <= 2, hidden) == (True, 0)


def test_axe_finds_nothing_serious(live_server: LiveServer, page_of: PageOf, alice: User) -> None:
    page = page_of(alice)
    for path in PAGES:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(f"{live_server.url}{path}")
        assert grave_findings(page) == [], path
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        assert grave_findings(page) == [], f"{path} in the dark"


def test_axe_finds_nothing_serious_in_what_opens(live_server: LiveServer, page_of: PageOf, alice: User) -> None:
    page = page_of(alice)
    page.goto(f"{live_server.url}/accounts/login/")
    assert grave_findings(page) == []
    page.goto(f"{live_server.url}/")
    page.get_by_role("button", name="Your account").click()
    assert grave_findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Portfolio")).to_be_visible()
    assert grave_findings(page) == []
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert grave_findings(page) == []
