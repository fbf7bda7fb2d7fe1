"""What the tests of the customers' pages make their bases of: customers, facts, attributes, a chain."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from rondo.analysis.models import Run, Score
from rondo.catalogue.models import Category, Product
from rondo.customers import names
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer, Source
from rondo.foundation.models import User
from rondo.foundation.search import fold
from rondo.interactions.models import Interaction, Order, OrderLine

AS_OF = date(2017, 12, 31)


def make_customer(name: str, **fields: Any) -> Customer:
    """A person of that name."""
    customer = Customer.objects.create(name=name, folded_name=fold(name), **fields)
    names.add(customer)
    return customer


def give_score(customer: Customer, **facts: Any) -> Score:
    """The customer's facts."""
    return Score.objects.create(customer=customer, **facts)


def make_run() -> Run:
    """A finished analysis, so that pages know what day figures look from."""
    config = {"horizon_months": 12, "discount_rate": 0.1, "margin_rate": 0.25}
    return Run.objects.create(as_of=AS_OF, status="done", is_current=True, config=config, results={"value": config})


def make_attributes() -> dict[str, AttributeDefinition]:
    """One attribute of each type, by key."""
    choices = [
        {"value": v, "en": e, "de": d}
        for v, e, d in (("s", "small", "klein"), ("l", "large", "groß"), ("m", "middle", "mittel"))
    ]
    made = {}
    for order, (key, kind) in enumerate(
        [
            ("size", "choice"),
            ("city", "text"),
            ("children", "number"),
            ("moved", "date"),
            ("pets", "boolean"),
            ("rent", "money"),
        ]
    ):
        made[key] = AttributeDefinition.objects.create(
            key=key, label_en=key.title(), label_de=f"{key.title()} (de)", type=kind, form="demographic", order=order,
            choices=choices if kind == "choice" else [],
        )  # fmt: skip
    return made


def set_value(customer: Customer, definition: AttributeDefinition, **value: Any) -> None:
    """One attribute of one customer."""
    AttributeValue.objects.create(customer=customer, definition=definition, **value)


def purchase(customer: Customer, at: datetime, total: int, number: str, lines: int = 1) -> Interaction:
    """A purchase with ``lines`` lines, in the company's source."""
    source, _made = Source.objects.get_or_create(name="till")
    category, _made = Category.objects.get_or_create(path="FOOD > COFFEE", defaults={"name": "COFFEE", "depth": 2})
    product, _made = Product.objects.get_or_create(
        source=source, number="P1", defaults={"name": "Arabica", "category": category}
    )
    row = Interaction.objects.create(
        customer=customer, kind="purchase", channel="store", direction="inbound", initiative="pull", medium="owned",
        occurred_at=at, business_date=at.date(), amount=total, currency="USD", source=source,
    )  # fmt: skip
    order = Order.objects.create(
        interaction=row, source=source, number=number, store="12", total=total, currency="USD", line_count=lines
    )
    OrderLine.objects.bulk_create(
        OrderLine(order=order, product=product, quantity_milli=1000, total=total // lines, discount=25)
        for _ in range(lines)
    )
    return row


def contact(customer: Customer, kind: str, at: datetime, title: str = "", **fields: Any) -> Interaction:
    """A contact that is no purchase."""
    axes = {"channel": "mail", "direction": "outbound", "initiative": "push", "medium": "owned"} | fields
    return Interaction.objects.create(
        customer=customer, kind=kind, occurred_at=at, business_date=at.date(), title=title, **axes
    )


def moments(count: int) -> list[datetime]:
    """Instants an hour apart, the latest first, all on business days of 2017."""
    start = datetime(2017, 12, 1, 18, tzinfo=UTC)
    return [start - timedelta(hours=hour) for hour in range(count)]


def names_of(client: Any, address: str) -> list[str]:
    """The names on one page of the list, in order."""
    response = client.get(address)
    assert response.status_code == 200, response.content.decode()[:2000]
    return [row.customer.name for row in response.context["rows"]]


def walk(client: Any, address: str, link: str = "more") -> list[str]:
    """The names on all pages of a list, following its links."""
    found: list[str] = []
    while True:
        response = client.get("/customers/" + address)
        names = [row.customer.name for row in response.context["rows"]]
        found = found + names if link == "more" else names + found
        address = response.context[link]
        if not address:
            return found


def owned(user: User, *names: str) -> list[Customer]:
    """Customers that belong to ``user``."""
    return [make_customer(name, owner=user) for name in names]


def address(customer: Customer, rest: str = "") -> str:
    """The address of a customer's page, or of what lies below it."""
    return f"/customers/{customer.public_id}/{rest}"


def page_of(client: Any, customer: Customer, rest: str = "") -> str:
    """What that address answers, in one line."""
    response = client.get(address(customer, rest))
    assert response.status_code == 200, response.content.decode()[:1000]
    return " ".join(response.content.decode().split())
