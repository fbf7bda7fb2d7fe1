"""Relationships by HTTP: types with their contracts, bonds, what is missing; the customer's panel; who sees what."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Score
from rondo.analysis.tests.world import START, customer, purchase, seeded_base
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.web.tests.charted import words
from rondo.web.tests.sample import store_run
from rondo.web.tests.test_cohorts import text_of

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db
PAGE = "/loyalty/relationships/"


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")


def give(who: Customer, key: str, kind: str, **value: Any) -> None:
    definition, _made = AttributeDefinition.objects.get_or_create(
        key=key, defaults={"label_en": key, "type": kind, "form": "behavioural"}
    )
    AttributeValue.objects.create(customer=who, definition=definition, **value)


def test_before_an_analysis_that_knows_of_it_the_page_teaches(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    assert "What kind of relationship, and what binds" in text_of(client, PAGE)
    store_run()  # of a time before types and bonds
    assert "What kind of relationship, and what binds" in text_of(client, PAGE)


def test_every_number_opens_its_customers_and_what_is_missing_is_said(
    signed_in: SignIn, alice: User, charlie: User
) -> None:
    people = seeded_base(customers=20, days=250)
    give(people[0], "relationship_survey", "choice", text="fling")
    give(people[0], "commitment", "number", number=2.0)
    give(people[0], "contract_end", "date", day=START + timedelta(days=2000))
    give(people[1], "notice_months", "text", text="three")
    Customer.objects.filter(pk=people[0].pk).update(owner=charlie)
    run_analysis(system())
    page = text_of(signed_in(alice), PAGE)
    known = Score.objects.exclude(relationship="unknown").count()
    assert 0 < known < 20 and f"The data tell the kind of {known} of 20 relationships" in words(page)
    assert 'href="/customers/?f=relationship%3Ais%3Afling"' in page
    assert 'href="/customers/?f=attachment%3Ais%3Abound"' in page
    assert 'href="/customers/?f=bond_contractual%3Amin%3A0.6"' in page
    assert "Subscriptions, loyalty appeals" in page and "connected_products" in page
    assert "The attribute notice_months is of the type “Text” and therefore not read." in page
    assert people[0].name in text_of(signed_in(alice), "/customers/?f=bond_contractual:min:0.9")
    rows = text_of(signed_in(alice), "/charts/bonds.csv").splitlines()
    assert rows[0] == "\ufeffBond,Score,Customers" and "contractual,0.9,1" in rows and "emotional,0.1,1" in rows
    own = text_of(signed_in(charlie), PAGE)
    assert "of 1 of 1 relationship" in words(own)
    other = Score.objects.get(pk=people[1].pk)
    assert other.relationship == "unknown" and other.bond_contractual is None


def test_the_customer_page_says_type_evidence_contract_and_bonds(signed_in: SignIn, alice: User) -> None:
    ann = customer("Ann")
    for day in range(0, 100, 10):
        purchase(ann, START + timedelta(days=day), store="s1" if day < 80 else "s2")
    give(ann, "relationship_survey", "choice", text="buddies")
    give(ann, "relationship_survey_on", "date", day=START + timedelta(days=30))
    give(ann, "commitment", "number", number=7.0)
    give(ann, "connected_products", "number", number=2.0)
    client = signed_in(alice)
    address = f"/customers/{ann.public_id}/"
    assert "What binds this customer" not in text_of(client, address)
    run_analysis(system())
    page = text_of(client, address)
    assert "Buddies since" in page and "confidence high" in page
    assert "10 purchase days, no contact of their own, an answer to the survey" in page
    assert "Pressure, deadlines, contracts, asking for commitment." in page
    assert "8 of 10 purchase days at the same store" in page and "strong · 80%" in page
    assert "Commitment 7.0 on a scale from 1 to 7." in page and "2 connected products." in page
    assert "Contracts are not recorded." in page and "Attached: stays because they want to." in page
