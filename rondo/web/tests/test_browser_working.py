"""A day's work with customers in a real browser: a file brought in, fields changed in their rows by keyboard, a view
kept as a tab, two records merged as chosen, one split, each taken back; and what who only reads is not offered."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from rondo.customers.actions import add_identifier, create_customer
from rondo.customers.models import Customer, Identifier, Merge
from rondo.foundation.actors import system
from rondo.foundation.loads import shown
from rondo.foundation.models import Load, User
from rondo.interactions.importing import choosing
from rondo.interactions.models import ImportFile, Split
from rondo.web.tests.customers_data import make_attributes, make_customer, set_value

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(installation: Any) -> list[Customer]:
    """Three customers with a size."""
    with transaction.atomic():
        size = make_attributes()["size"]
        rows = [make_customer(name) for name in ("Ada Byron", "Bea Stone", "Cleo Marsh")]
        for row in rows:
            set_value(row, size, text="s")
    return rows


def check_width(page: "Page") -> None:
    """Nothing sticks out to the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def press_undo(page: "Page") -> None:
    """Goes to Undo in the last toast by keys alone, and presses it."""
    page.locator("#toasts .undo").last.wait_for()
    for _press in range(80):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('#toasts .undo')"):
            page.keyboard.press("Enter")
            return
    raise AssertionError("the undo cannot be reached by keyboard")


def test_a_field_is_changed_in_its_row_and_put_back_by_keys_and_the_list_kept_as_a_tab(
    people: list[Customer], alice: User, page_of: Callable[[User], "Page"], live_server: Any
) -> None:
    page = page_of(alice)
    page.goto(f"{live_server.url}/customers/?sort=name&cols=owner,attr.size")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.locator("#cell-form select").wait_for()
    page.keyboard.press("Escape")
    page.locator(".list-row", has_text="Ada Byron").locator("td").nth(-1).dblclick()
    page.locator("#cell-form select").select_option("l")
    page.keyboard.press("Enter")
    page.locator(".list-row", has_text="Ada Byron").get_by_text("large").wait_for()
    press_undo(page)
    page.locator(".list-row", has_text="Ada Byron").get_by_text("small").wait_for()
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("attr.size")
    page.locator("#filter-value").get_by_label("small").check()
    page.get_by_role("button", name="Add the filter").click()
    page.get_by_text("3 customers fit").first.wait_for()
    page.get_by_role("button", name="Save as a view").click()
    page.get_by_label("Name of the view").first.fill("Small ones")
    page.get_by_role("button", name="Save the view").click()
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Small ones").wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/customers/")
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Small ones").click()
    page.get_by_text("3 customers fit").first.wait_for()
    check_width(page)


AT_ONCE = """() => new MutationObserver(() => {
  const form = document.getElementById("cell-form");
  if (!form || form.dataset.sent) return;
  form.dataset.sent = "yes";
  form.querySelector("select").value = "l";
  form.requestSubmit();
}).observe(document.body, { childList: true, subtree: true })"""
"""Sends the form in the moment in which it comes into the page, quicker than any hand."""


def test_a_field_that_is_sent_the_moment_it_appears_is_changed_and_the_list_stays(
    people: list[Customer], alice: User, page_of: Callable[[User], "Page"], live_server: Any
) -> None:
    page = page_of(alice)
    page.goto(f"{live_server.url}/customers/?sort=name&cols=owner,attr.size")
    page.evaluate(AT_ONCE)
    page.locator(".list-row", has_text="Ada Byron").locator("td").nth(-1).dblclick()
    page.locator(".list-row", has_text="Ada Byron").get_by_text("large").wait_for()
    assert page.url.endswith("?sort=name&cols=owner,attr.size")


def test_a_slow_double_click_opens_the_field_and_one_click_leaves_nobody_the_list(
    people: list[Customer], alice: User, page_of: Callable[[User], "Page"], live_server: Any
) -> None:
    page = page_of(alice)
    address = f"{live_server.url}/customers/?sort=name&cols=owner,attr.size"
    page.goto(address)
    row = page.locator(".list-row", has_text="Ada Byron")
    row.locator("td").nth(-1).hover()
    for click in (1, 2):
        page.mouse.down(click_count=click)
        page.mouse.up(click_count=click)
        if click == 1:
            page.wait_for_timeout(480)  # systems count a second click within half a second as a double one
            assert row.evaluate("row => row === document.activeElement")
    page.locator("#cell-form select").wait_for()
    assert page.url == address
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customers/{people[0].public_id}/")


def test_who_only_reads_is_offered_no_change(
    people: list[Customer], make_user: Callable[..., User], page_of: Callable[[User], "Page"], live_server: Any
) -> None:
    page = page_of(make_user("rita", role="reader", reach="all"))
    page.goto(f"{live_server.url}/customers/?sort=name&cols=owner,attr.size")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.locator(".list-row").first.get_by_role("link", name="Ada Byron").click()
    page.get_by_role("heading", name="Ada Byron").wait_for()
    page.wait_for_load_state("domcontentloaded")
    for key in ("e", "n", "c"):
        page.keyboard.press(key)
    assert page.locator("#cell-form, .edit-form, #composer").count() == 0
    for name in ("Edit", "Merge…", "Split…", "Link to…"):
        assert page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).count() == 0, name


def test_two_records_become_one_as_chosen_and_one_becomes_two_each_with_undo_on_a_phone_too(
    db: None, installation: Any, alice: User, page_of: Callable[[User], "Page"], live_server: Any
) -> None:
    one = create_customer(system(), given_name="Anna", family_name="Maier", birth_date=date(1980, 5, 1))
    other = create_customer(system(), given_name="Anna", family_name="Huber", birth_date=date(1981, 5, 1))
    add_identifier(system(), other, "card", "7781")
    page = page_of(alice)
    page.goto(f"{live_server.url}/customers/{one.public_id}/merge")
    page.get_by_label("Name, e-mail address").fill("huber")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Anna Huber").click()
    page.get_by_role("heading", name="become one").wait_for()
    page.get_by_role("radio", name="this record stays").first.check()
    page.locator("[name='pick.family_name'][value=right]").check()
    page.locator("[name='pick.birth_date'][value=left]").check()
    page.keyboard.press("m")
    page.get_by_role("heading", level=1, name="Anna Huber").wait_for()
    one.refresh_from_db()
    assert (one.name, one.birth_date) == ("Anna Huber", date(1980, 5, 1))
    press_undo(page)
    page.get_by_text("stands for itself again").wait_for()
    assert Merge.objects.get().undone_at is not None and Customer.objects.get(pk=one.pk).name == "Anna Maier"

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/customers/{other.public_id}/split")
    check_width(page)
    page.get_by_label("Given name").fill("Hanna")
    page.get_by_label("7781").check()
    page.get_by_role("button", name="Try it").click()
    page.get_by_role("heading", name="What would go where").wait_for()
    check_width(page)
    page.get_by_role("button", name="Split the record").click()
    page.get_by_role("heading", level=1, name="Hanna").wait_for()
    assert Identifier.objects.get(value="7781").customer.name.startswith("Hanna")
    press_undo(page)
    page.get_by_role("heading", level=1, name="Anna Huber").wait_for()
    assert Split.objects.get().undone_at is not None
    assert Identifier.objects.get(value="7781").customer_id == other.pk


@contextmanager
def working(row: ImportFile) -> Iterator[None]:
    """A worker takes the file up meanwhile."""

    def run() -> None:
        try:
            choosing.work_on_file.func(row.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join(timeout=60)


def test_a_file_is_tried_imported_and_taken_back(
    installation: Any, alice: User, page_of: Callable[[User], "Page"], live_server: Any, settings: Any, tmp_path: Path
) -> None:
    settings.RONDO_HOME = tmp_path
    path = tmp_path / "people.csv"
    path.write_text("Number,First name,Last name,E-mail\n9001,Ada,Byron,ada@rondo.example.org\n9002,Bea,Stone,no\n")
    page = page_of(alice)
    page.goto(f"{live_server.url}/imports/")
    page.locator("#file").set_input_files(path)
    page.get_by_role("heading", name="What each column is").wait_for()
    page.get_by_role("button", name="Try it").click()
    page.get_by_text("The trial reads every row and writes nothing.").wait_for()
    with working(ImportFile.objects.get()):
        page.get_by_role("heading", level=1, name="1 of 2 rows would go in, 1 is refused").wait_for()
    assert not Customer.objects.exists()
    page.get_by_role("button", name="Import 1 row").click()
    page.get_by_text("You may leave this page.").wait_for()
    page.reload()
    with working(ImportFile.objects.get()):
        page.get_by_role("heading", level=1, name="2 rows of people.csv were read, 1 of them was refused").wait_for()
    assert Customer.objects.get().name == "Ada Byron"
    with page.expect_download() as download:
        page.get_by_role("link", name="File of refused rows").click()
    assert "9002" in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Take it back").click()
    page.get_by_text("Taken back").first.wait_for()
    assert not Customer.objects.filter(shown()).exists() and Load.objects.get().status == Load.Status.UNDONE
