"""What the tests of the import share: small files, the runner, and the state of the database as one comparable
value."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rondo.campaigns.models import Campaign, Exposure
from rondo.catalogue.models import Product
from rondo.customers.models import Address, AttributeValue, Customer, Identifier
from rondo.foundation.actors import system
from rondo.foundation.loads import shown
from rondo.foundation.models import Load
from rondo.interactions.importing import ImportOptions, run_import
from rondo.interactions.models import OrderLine
from rondo.interactions.queries import standing

ORDERS = """order,customer,product,occurred_at,quantity,total,discount,store
b1,h1,p1,2017-03-04 10:00:00,2,3.50,0.50,s1
b2,h2,p2,2017-03-05 11:30:00,1,1.25,0,s2
b1,h1,p2,2017-03-04 10:00:00,1,1.25,0,s1
b3,h1,p3,2017-03-06 23:59:59,0.5,10.00,0,s1
"""


def write(folder: Path, text: str | bytes, name: str = "file.csv") -> Path:
    """A file with the given content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(
    kind: str, path: Any, mapping: Mapping[str, str] | None = None, *, source: str = "shop", **options: Any
) -> Load:
    """Import as the system, from the source ``shop``."""
    return run_import(system("import"), kind, path, mapping, source=source, options=ImportOptions(**options))


def rejects(run: Load) -> list[dict[str, str]]:
    """The rows of a run's reject file."""
    import csv

    if not run.reject_file:
        return []
    with Path(run.reject_file).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def state() -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a reader sees, by names and numbers instead of keys, sorted."""

    def rows(values: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return sorted((tuple(map(str, row)) for row in values), key=str)

    seen = standing()
    return {
        "customers": rows(
            Customer.objects.filter(shown()).values_list("kind", "name", "birth_date", "identifiers__value")
        ),
        "identifiers": rows(Identifier.objects.filter(shown()).values_list("kind", "source__name", "value", "shown")),
        "addresses": rows(Address.objects.filter(shown()).values_list("street", "city", "country")),
        "attributes": rows(
            AttributeValue.objects.filter(shown()).values_list("definition__key", "text", "number", "day")
        ),
        "products": rows(
            Product.objects.filter(shown()).values_list(
                "number", "name", "category__path", "brand", "own_label", "price", "currency", "is_placeholder"
            )
        ),
        "interactions": rows(
            seen.values_list(
                "customer__identifiers__value",
                "kind",
                "channel",
                "direction",
                "occurred_at",
                "business_date",
                "amount",
                "title",
                "body",
                "message_id",
                "in_response_to__message_id",
            )
        ),
        "orders": rows(
            seen.filter(order__isnull=False).values_list(
                "order__number", "order__store", "order__total", "order__line_count"
            )
        ),
        "lines": rows(
            OrderLine.objects.filter(shown("order__")).values_list(
                "order__number",
                "product__number",
                "quantity_milli",
                "total",
                "discount",
                "coupon_discount",
                "match_discount",
            )
        ),
        "campaigns": rows(
            Campaign.objects.filter(shown()).values_list("number", "name", "type", "starts_on", "ends_on")
        ),
        "exposures": rows(
            Exposure.objects.filter(shown()).values_list("campaign__number", "sent_on", "interaction__message_id")
        ),
    }
