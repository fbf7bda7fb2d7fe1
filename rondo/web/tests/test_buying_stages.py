"""The pages of buying stages and the panel of a customer, by HTTP."""

import csv
import re
from collections.abc import Callable
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.buying_stages.actions import work_out_stages
from rondo.analysis.models import StageVersion, Study
from rondo.analysis.studies.jobs import study_job
from rondo.analysis.tests.test_buying_stages import COFFEE, world
from rondo.catalogue.models import Category
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Installation, User
from rondo.web.tests.charted import words
from rondo.web.tests.test_cohorts import listed
from rondo.web.tests.test_together import text_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db
PAGE = "/portfolio/stages/"


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    Installation.objects.update(currency="EUR")


@pytest.fixture(scope="module")
def worked_out(module_world: Path) -> dict[str, int]:
    """A base whose buying stages are worked out: the key of each customer."""
    change_installation(system(), currency="EUR", time_zone="America/New_York")
    made = world()
    run_analysis(system())
    work_out_stages(system())
    return {name: one.pk for name, one in made.items()}


@pytest.fixture
def people(worked_out: dict[str, int], world_copy: Path) -> dict[str, Customer]:
    found = Customer.objects.in_bulk(worked_out.values())
    return {name: found[key] for name, key in worked_out.items()}


def test_before_the_analysis_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    assert "Who needs, looks for, compares or has what" in text_of(signed_in(alice), PAGE)


def test_every_number_opens_as_many_customers(people: dict[str, Customer], signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    body = client.get(PAGE).content.decode()
    links = re.findall(r'<a href="([^"]*rule=[^"]*)">([\d,]+)(?: customers?)?</a>', body)
    assert len(links) >= 10
    for url, count in dict(links).items():
        assert listed(client, unescape(url)) == int(count), url
    text = text_of(client, PAGE)
    assert "1 customer is due in at least one category, above all in COFFEE" in text
    assert "names no category, and is left out" in text
    rows = list(csv.reader(StringIO(client.get(f"{PAGE}table.csv").content.decode("utf-8-sig"))))
    assert rows[0][:2] == ["Category", "unaware"]
    assert [COFFEE, "1", "1", "0", "0", "4", "0"] in rows


def test_a_category_has_its_flow_and_the_customers_behind_each_move(
    people: dict[str, Customer], signed_in: SignIn, alice: User
) -> None:
    client = signed_in(alice)
    key = Category.objects.get(path=COFFEE).pk
    address = f"{PAGE}category?category={key}&since=2024-03-24&until=2024-04-10"
    text = text_of(client, address)
    assert "1 of 6 customers of COFFEE stands in another stage" in words(text)
    body = client.get(address).content.decode()
    links = {unescape(link) for link in re.findall(r'href="(/customers/\?rule=did[^"]*)"', body)}
    assert sorted(listed(client, link) for link in links) == [1, 1, 4, 6]
    (moved,) = [link for link in links if "after+%3D+need_recognised" in link]
    assert people["ann"].public_id in client.get(moved).content.decode()
    rows = list(
        csv.reader(StringIO(client.get(address.replace("category?", "category/drawing.csv?")).content.decode()))
    )
    assert ["purchase", "need recognised", "1"] in [row[:3] for row in rows]
    assert "before the second" in text_of(client, f"{address}&since=2024-04-10")
    assert client.get(f"{PAGE}category?category=999999").status_code == 404
    assert client.get(f"{PAGE}category").status_code == 404


def test_the_page_of_a_customer_says_where_they_stand_and_why(
    people: dict[str, Customer], signed_in: SignIn, alice: User, charlie: User
) -> None:
    client = signed_in(alice)
    body = client.get(f"/customers/{people['ann'].public_id}/").content.decode()
    text = text_of(client, f"/customers/{people['ann'].public_id}/")
    assert "A need or more in 1 category." in text
    assert re.search(r"due since 29 Mar 2024 by a rhythm of 10 days, bought last on 21 Mar 2024", text), text
    # What stands in other stages comes when it is opened, and only to who may see the customer.
    part = f"{PAGE}of/{people['ann'].public_id}/need_recognised"
    assert "due since 29 Mar 2024" in text_of(client, part)
    for address in re.findall(r'hx-get="([^"]*/stages/of/[^"]*)"', body):
        assert client.get(address).status_code == 200
    assert client.get(f"{PAGE}of/{people['ann'].public_id}/nowhere").status_code == 404
    assert signed_in(charlie).get(part).status_code == 404


def test_rules_are_tried_then_put_into_force_by_who_may(
    people: dict[str, Customer], signed_in: SignIn, alice: User, make_user: Any
) -> None:
    client = signed_in(alice)
    form = client.get(f"{PAGE}rules").context["form"]
    given = {name: form.initial[name] for name in form.fields} | {"fades_after": 20}
    assert client.post(f"{PAGE}rules", given | {"need_from": 30}).status_code == 400
    assert client.post(f"{PAGE}rules", given).status_code == 302
    study_job.call(Study.objects.get().pk)
    text = text_of(client, f"{PAGE}rules")
    assert "1 of 7 customers would move in some category" in text
    Study.objects.update(run=None)  # as after an analysis that took the place of the one it was tried on
    assert "Try again" in text_of(client, f"{PAGE}rules") and "Put into force" not in text_of(client, f"{PAGE}rules")
    assert client.post(f"{PAGE}rules/again", {"study": Study.objects.get().pk}).status_code == 302
    study_job.call(Study.objects.latest("pk").pk)
    assert "Put into force" in text_of(client, f"{PAGE}rules")
    client.post(f"{PAGE}rules/apply", {"study": Study.objects.latest("pk").pk, "reason": "late"})
    assert StageVersion.objects.get().thresholds["fades_after"] == 20
    assert "Version" in text_of(client, f"{PAGE}rules")
    assert signed_in(make_user("bob", role="marketing")).get(f"{PAGE}rules").status_code == 403


def test_who_sees_some_customers_gets_figures_of_these(
    people: dict[str, Customer], signed_in: SignIn, make_user: Any
) -> None:
    dora = make_user("dora", role="sales", reach="own")
    Customer.objects.filter(pk=people["gus"].pk).update(owner=dora)
    client = signed_in(dora)
    assert "0 customers are due in at least one category, most" in text_of(client, PAGE)
    key = Category.objects.get(path=COFFEE).pk
    assert client.get(f"{PAGE}category?category={key}").status_code == 404
