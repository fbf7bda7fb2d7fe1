"""The page of what is bought together and the panel of what comes next, by HTTP."""

import csv
import re
from collections.abc import Callable
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from django.test import Client
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import NextFound
from rondo.analysis.next.actions import work_out_next
from rondo.analysis.next.jobs import request_next
from rondo.analysis.tests.test_next import base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.web.tests.test_cohorts import listed
from rondo.web.tests.test_cohorts import text_of as body_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db
PAGE = "/portfolio/together/"


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")


def text_of(client: Client, address: str) -> str:
    """What a page says, without its marks."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", body_of(client, address))).split()).replace(" .", ".")


@pytest.fixture(scope="module")
def worked_out(module_world: Path) -> None:
    """A base whose next purchases are worked out."""
    change_installation(system(), currency="EUR", time_zone="America/New_York")
    base()
    run_analysis(system())
    work_out_next(system())


@pytest.fixture
def people(worked_out: None, world_copy: Path) -> list[Customer]:
    return list(Customer.objects.order_by("pk"))


def test_before_the_analysis_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    assert "some minutes after each analysis" in text_of(signed_in(alice), PAGE)


def test_pairs_stand_with_interval_and_open_as_many_customers(
    people: list[Customer], signed_in: SignIn, alice: User
) -> None:
    client = signed_in(alice)
    text = text_of(client, PAGE)
    assert re.search(r"(COFFEE and MILK|MILK and COFFEE) are in one basket [1-9]", text)
    assert "Analyse now" not in text
    body = client.get(PAGE).content.decode()
    links = re.findall(r'<a href="([^"]*rule=[^"]*)">([\d,]+)</a></td>', body)
    assert links
    for url, count in links[:4]:
        assert listed(client, unescape(url)) == int(count.replace(",", ""))
    due = re.search(r'<a href="([^"]*next_due[^"]*)">(\d+) customers?</a>', body)
    assert due is not None and "next_due within next 7 days" in unquote_plus(due[1])
    assert listed(client, unescape(due[1])) == int(due[2])


def test_the_table_is_to_be_had_as_csv(people: list[Customer], signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    rows = list(csv.DictReader(StringIO(client.get(f"{PAGE}categories.csv").content.decode("utf-8-sig"))))
    assert {rows[0]["First"], rows[0]["Second"]} == {"COFFEE", "MILK"}
    assert float(rows[0]["Low"]) < float(rows[0]["Lift"]) < float(rows[0]["High"])
    assert client.get(f"{PAGE}shops.csv").status_code == 404


def test_who_sees_only_some_customers_gets_no_figures_of_all(
    people: list[Customer], signed_in: SignIn, bob: User
) -> None:
    client = signed_in(bob)
    assert "you may see only some" in text_of(client, PAGE)
    assert client.get(f"{PAGE}categories.csv").status_code == 404


def test_the_customer_page_says_what_is_next_and_why(people: list[Customer], signed_in: SignIn, alice: User) -> None:
    text = text_of(signed_in(alice), f"/customers/{people[0].public_id}/")
    assert re.search(r"(COFFEE|MILK|BREAD|TEA|SOAP|FISH) due in \d+ days?\.", text)
    assert re.search(r"bought on \d+ days, mostly every (day|\d+ days), last on \d+ \w+ 2023", text)
    assert "Likely again in the next order" in text
    assert re.search(r"(Coffee|Milk) [01] bought \d+ times, last on", text)


def test_the_category_that_is_due_is_a_rule(people: list[Customer], signed_in: SignIn, alice: User) -> None:
    from rondo.analysis.models import NextOf

    client = signed_in(alice)
    wanted = NextOf.objects.filter(next_category="COFFEE").count()
    assert wanted > 0
    assert listed(client, '/customers/?rule=next_category+%3D+"COFFEE"') == wanted


def test_on_its_way_failed_and_standing_are_told_apart(people: list[Customer], signed_in: SignIn, alice: User) -> None:
    """After an analysis and before its follow-up the page says that it is on its way, or that it failed; it stops
    saying so, and loads itself again, once it stands."""
    client = signed_in(alice)
    NextFound.objects.all().delete()
    DBTaskResult.objects.all().delete()
    request_next()
    assert "is being worked out from it right now" in text_of(client, PAGE)
    asked = client.get("/analyse/progress/next")
    assert "HX-Refresh" not in asked and "right now" in asked.content.decode()
    DBTaskResult.objects.update(status=TaskResultStatus.FAILED)
    assert "failed; the log of the worker tells why" in text_of(client, PAGE)
    work_out_next(system())
    assert "right now" not in text_of(client, PAGE) and "tells why" not in text_of(client, PAGE)
    assert client.get("/analyse/progress/next")["HX-Refresh"] == "true"
    assert client.get("/analyse/progress/nothing").status_code == 404
