"""Whom a split parted from another: what was written before it lies with the other, and is theirs all the same."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from rondo.catalogue.models import Product
from rondo.customers.actions import create_customer, unmerge
from rondo.customers.models import Customer, Merge, Source
from rondo.erasure.actions import erase
from rondo.erasure.bundle import make_bundle
from rondo.erasure.queries import preview
from rondo.foundation.actors import Actor
from rondo.foundation.models import User
from rondo.interactions.actions import log_interaction
from rondo.interactions.models import Interaction, Moved, Order, OrderLine, Retraction, Split
from rondo.interactions.splitting.choosing import Choice
from rondo.interactions.splitting.splitting import split, take_back_split
from rondo.warehouse.check import compare
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_HOME = tmp_path / "home"
    settings.RONDO_WAREHOUSE = tmp_path / "home" / "warehouse"
    settings.RONDO_HOME.mkdir()
    return tmp_path / "home"


@pytest.fixture
def who(home: Path, installation: Any, alice: User) -> Actor:
    return Actor(alice, "web")


@pytest.fixture
def ada(who: Actor) -> Customer:
    """Ada, in whose record Bea's contacts and an order of hers stand, and Cleo's."""
    row = create_customer(who, name="Ada One")
    product = Product.objects.create(source=Source.objects.create(name="shop"), number="P")
    for body in ("of ada", "of bea", "of cleo"):
        made = log_interaction(who, row, "note", body=body)
        order = Order.objects.create(
            interaction=made, source=product.source, number=body, total=1, currency="EUR", line_count=1
        )
        order.lines.create(product=product, quantity_milli=1000, total=1)
    return row


def parted(who: Actor, customer: Customer, name: str, *bodies: str) -> Customer:
    """A record of its own for the standing contacts that say this."""
    going = Interaction.objects.filter(customer=customer, body__in=bodies, retraction=None)
    return split(who, customer, Choice(single=frozenset(going.values_list("pk", flat=True))), name=name).made


def bodies() -> list[str]:
    return sorted(Interaction.objects.values_list("body", flat=True))


def told(who: Actor, customer: Customer) -> dict[str, Any]:
    with ZipFile(BytesIO(b"".join(make_bundle(who, customer).blocks))) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}


def test_who_was_parted_off_is_erased_where_they_were_too(who: Actor, ada: Customer) -> None:
    bea = parted(who, ada, "Bea Two", "of bea", "of cleo")
    cleo = parted(who, bea, "Cleo Three", "of cleo")
    refresh()
    assert next(kind.rows for kind in preview(who, cleo).kinds if kind.key == "orders") == 3
    erase(who, [cleo])
    assert bodies() == ["of ada", "of bea", "of bea"]
    assert sorted(Order.objects.values_list("number", flat=True)) == bodies()
    assert OrderLine.objects.count() == 3 and Retraction.objects.count() == Moved.objects.count() == 1
    with open_tables() as tables:
        for name in ("interactions", "orders", "order_lines"):
            assert tables.rows(f"SELECT count(*) FROM raw_{name}") == [(3,)], name
    refresh()
    assert [one for one in compare() if not one.same] == []
    erase(who, [ada])
    assert bodies() == ["of bea"] and Interaction.objects.get().customer == bea


def test_what_a_split_left_when_it_was_taken_back_goes_with_whom_it_is_of(who: Actor, ada: Customer) -> None:
    bea = parted(who, ada, "Bea Two", "of bea")
    log_interaction(who, bea, "note", body="of bea later")
    take_back_split(who, Split.objects.get().pk)
    unmerge(who, Merge.objects.get(loser=bea).pk)
    assert bodies() == ["of ada", "of bea", "of bea", "of bea later", "of cleo"]
    erase(who, [ada])
    assert bodies() == ["of bea later"]


def test_data_about_one_tell_nothing_of_whom_a_split_parted_off(who: Actor, ada: Customer) -> None:
    bea = parted(who, ada, "Bea Two", "of bea", "of cleo")
    hers, theirs = told(who, ada), told(who, bea)
    assert [row["body"] for row in hers["interactions.json"]] == ["of ada"]
    assert [row["number"] for row in hers["orders.json"]] == ["of ada"] and len(hers["order_lines.json"]) == 1
    assert hers["retractions.json"] == []
    assert [row["body"] for row in theirs["interactions.json"]] == ["of bea", "of cleo"]
    assert {row["customer_id"] for row in theirs["interactions.json"]} == {bea.public_id}
    assert [row["number"] for row in theirs["orders.json"]] == ["of bea", "of cleo"]
