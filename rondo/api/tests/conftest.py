"""A few people, customers and their chain, and clients that carry a token."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from rondo.catalogue.models import Category, Product
from rondo.customers.models import Customer, Source
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import Installation, User
from rondo.interactions.models import Interaction, Order, OrderLine

NOON = datetime(2017, 6, 1, 16, 0, tzinfo=UTC)


@dataclass
class Shop:
    """Makes customers and what they did, straight into the tables: the API only reads."""

    source: Source
    products: list[Product] = field(default_factory=list)

    def customer(self, name: str = "Miller household", **fields: object) -> Customer:
        """A household, of nobody unless ``owner`` or ``team`` say so."""
        return Customer.objects.create(**({"kind": "household", "name": name} | fields))

    def interaction(self, customer: Customer, at: datetime = NOON, kind: str = "note", **fields: object) -> Interaction:
        """One interaction of ``customer``."""
        given = {
            "channel": "store",
            "direction": "inbound",
            "initiative": "pull",
            "medium": "owned",
            "business_date": at.date(),
        }
        return Interaction.objects.create(customer=customer, kind=kind, occurred_at=at, **(given | fields))

    def order(self, customer: Customer, at: datetime = NOON, lines: int = 2, number: str = "") -> Order:
        """A purchase with so many lines of 1.50 each."""
        row = self.interaction(customer, at, "purchase", amount=150 * lines, currency="USD", source=self.source)
        order = Order.objects.create(
            interaction=row,
            source=self.source,
            number=number or str(row.pk),
            store="446",
            total=150 * lines,
            currency="USD",
            line_count=lines,
        )
        for position in range(lines):
            OrderLine.objects.create(
                order=order,
                product=self.products[position % len(self.products)],
                quantity_milli=1500,
                total=150,
                discount=20,
            )
        return order


@pytest.fixture
def shop(installation: Installation) -> Shop:
    source = Source.objects.create(name="till")
    drinks = Category.objects.create(name="DRINKS", path="DRINKS", depth=0)
    coffee = Category.objects.create(name="COFFEE", path="DRINKS > COFFEE", depth=1, parent=drinks)
    products = [
        Product.objects.create(source=source, number="1", name="Beans", category=coffee, brand="National"),
        Product.objects.create(source=source, number="2", is_placeholder=True),
    ]
    return Shop(source, products)


@pytest.fixture
def token_of() -> Callable[[User], str]:
    """A fresh token of a user."""
    return lambda user: make_api_token(system(), user, "test")


@pytest.fixture
def client_of(token_of: Callable[[User], str]) -> Callable[[User], Client]:
    """A client that sends a token of the user and lets errors come as answers."""

    def make(user: User) -> Client:
        return Client(raise_request_exception=False, headers={"authorization": f"Bearer {token_of(user)}"})

    return make


@pytest.fixture
def days() -> Callable[[int], datetime]:
    """Noon in New York, so many days after 1 June 2017."""
    return lambda count: NOON + timedelta(days=count)


@pytest.fixture
def first_of_june() -> date:
    return NOON.date()
