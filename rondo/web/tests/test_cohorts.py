"""The page Cohorts by HTTP: what it says, where its figures lead, and what it says before there is anything to say."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import RunPart
from rondo.analysis.tests.world import START, purchase, seeded_base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.web.charts.cohorts import returned
from rondo.web.tests.sample import parts, store_run

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")  # as the orders of the seeded base


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    body: str = response.content.decode()
    return body


def listed(client: Client, address: str) -> int:
    """How many customers the list behind an address holds, by its own sentence."""
    path, _mark, query = address.partition("?")
    found = re.search(r"(\d+) customer|(No) customer", text_of(client, f"{path}count?{query}"))
    assert found, address
    return int(found.group(1) or 0)


def test_before_an_analysis_that_knows_of_them_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    assert "Who comes back" in text_of(client, "/portfolio/cohorts/")
    store_run()
    RunPart.objects.all().delete()  # as if of a time before cohorts
    assert "Who comes back" in text_of(client, "/portfolio/cohorts/")
    assert client.get("/charts/cohorts-again-month.csv").status_code == 404


def test_each_cell_opens_as_many_customers_as_it_counts(signed_in: SignIn, alice: User) -> None:
    people = seeded_base(customers=25, days=160)
    purchase(people[3], START + timedelta(days=150), -50)  # a return is no purchase
    run = run_analysis(system())
    client = signed_in(alice)
    found = RunPart.objects.get(run=run, name="cohorts").figures["month"]["rows"]
    counts = {
        "again": [count for row in found if row["customers"] for count in row["again"]],
        "active": [count for row in found for count in row["active"][1:] if row["customers"]],
    }
    for measure, expected in counts.items():
        page = text_of(client, f"/portfolio/cohorts/?show={measure}&by=month")
        drawing = page.split('<div class="for-desk">')[1].split("</svg>")[0]
        links = [unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', drawing)]
        assert len(links) == len(expected) > 5
        assert [listed(client, link) for link in links] == expected, measure


def test_every_measure_and_length_has_its_drawing_and_its_csv(signed_in: SignIn, alice: User) -> None:
    store_run()
    client = signed_in(alice)
    for measure in ("again", "active", "revenue", "each"):
        for by in ("month", "quarter"):
            page = text_of(client, f"/portfolio/cohorts/?show={measure}&by={by}")
            assert f'id="chart-cohorts-{measure}-{by}"' in page
            assert text_of(client, f"/charts/cohorts-{measure}-{by}.csv").startswith("\ufeffFirst bought,Customers,")
    page = text_of(client, "/portfolio/cohorts/")
    assert "Of those who first bought in Sept 2017, 55% bought again within 90 days" in page
    assert "40 customers</a> are first seen by 31 Jan 2017" in page and "Jan 2017*" in page
    assert "Feb 2017*" not in page
    lines = text_of(client, "/charts/cohorts-each-quarter.csv").splitlines()
    assert lines[1].startswith("2017-01-01,40,22.50,")  # 90,000 cents by 40 customers


def test_a_cohort_that_began_before_the_data_is_named_last() -> None:
    found = parts()["cohorts"]["month"]
    fresh = returned(found, "2017-01-31")
    assert fresh and (fresh.name, fresh.returned, fresh.days, fresh.cut) == ("Sept 2017", 22, 90, False)
    found["rows"] = found["rows"][:1]
    old = returned(found, "2017-01-31")
    assert old and old.cut and old.before == ""
    found["rows"][0]["again"] = [20]
    young = returned(found, "")
    assert young and (young.days, young.returned) == (30, 20)
    found["rows"][0]["again"] = []
    assert returned(found, "") is None


def test_a_cohort_of_a_few_is_no_headline() -> None:
    found = parts()["cohorts"]["month"]
    found["rows"] = found["rows"][-1:]
    found["rows"][0] |= {"customers": 9, "again": [9]}
    assert returned(found, "2017-01-31") is None
    found["rows"][0] |= {"customers": 10}
    told = returned(found, "2017-01-31")
    assert told and (told.customers, told.returned) == (10, 9)


def test_who_sees_a_part_gets_cohorts_of_that_part(signed_in: SignIn, charlie: User) -> None:
    people = seeded_base(customers=20, days=150)
    Customer.objects.filter(pk__in=[one.pk for one in people[:3]]).update(owner=charlie)
    run_analysis(system())
    client = signed_in(charlie)
    rows = text_of(client, "/charts/cohorts-revenue-quarter.csv").splitlines()[1:]
    assert sum(int(row.split(",")[1]) for row in rows) == 3
