"""How rows of the chain are told: interactions, and orders with their lines.

They are made without validation: they come from typed columns, and to validate each part of each line of each order
takes several times as long as all the rest. A test holds every answer against the OpenAPI document.
"""

from collections import defaultdict
from collections.abc import Sequence

from rondo.api.v1 import schemas
from rondo.customers.models import Customer, Source
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.interactions.listing import survivors
from rondo.interactions.models import Departure, Interaction, Order, OrderLine
from rondo.interactions.queries import LEAVING, hush


def interactions_of(viewer: User, rows: Sequence[Interaction]) -> list[schemas.Interaction]:
    """Interactions, read with their ``order``, each of the customer who stands for its record."""
    stands_for = survivors({row.customer_id for row in rows})
    wanted = {row.source_id for row in rows if row.source_id is not None}
    sources = dict(Source.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}
    left = [row.pk for row in rows if row.kind in LEAVING]
    reasons = Departure.objects.in_bulk(left) if left else {}
    return [
        _interaction(stands_for.get(row.customer_id, row.customer_id), row, sources, reasons.get(row.pk))
        for row in hush(viewer, rows)
    ]


def orders_of(rows: Sequence[Interaction]) -> list[schemas.Order]:
    """Orders with their lines, each of the customer who stands for its record; ``rows`` are their interactions, read
    with ``order__source``."""
    stands_for = survivors({row.customer_id for row in rows})
    lines = _lines([row.pk for row in rows])
    return [_order(stands_for.get(row.customer_id, row.customer_id), row, lines[row.pk]) for row in rows]


def _interaction(
    customer_id: int, row: Interaction, sources: dict[int, str], why: Departure | None
) -> schemas.Interaction:
    order: Order | None = getattr(row, "order", None)
    return schemas.Interaction.model_construct(
        id=row.public_id,
        customer=ids.encode(Customer.PREFIX, customer_id),
        record=ids.encode(Customer.PREFIX, row.customer_id),
        kind=row.kind,
        channel=row.channel,
        direction=row.direction,
        initiative=row.initiative,
        medium=row.medium,
        occurred_at=row.occurred_at,
        business_date=row.business_date,
        amount=None if row.amount is None else schemas.Money.model_construct(minor=row.amount, currency=row.currency),
        title=row.title,
        body=row.body,
        source=None if row.source_id is None else sources[row.source_id],
        in_response_to=(
            None if row.in_response_to_id is None else ids.encode(Interaction.PREFIX, row.in_response_to_id)
        ),
        order=order.public_id if order else None,
        reason=why.reason if why else None,
        sub_reason=(why.sub_reason or None) if why else None,
    )


def _lines(order_ids: list[int]) -> dict[int, list[OrderLine]]:
    found: dict[int, list[OrderLine]] = defaultdict(list)
    for line in (
        OrderLine.objects.filter(order_id__in=order_ids).select_related("product__category").order_by("order_id", "pk")
    ):
        found[line.order_id].append(line)
    return found


def _order(customer_id: int, row: Interaction, lines: list[OrderLine]) -> schemas.Order:
    order = row.order
    currency = order.currency
    return schemas.Order.model_construct(
        id=order.public_id,
        interaction=row.public_id,
        customer=ids.encode(Customer.PREFIX, customer_id),
        record=ids.encode(Customer.PREFIX, row.customer_id),
        source=order.source.name,
        number=order.number,
        store=order.store,
        ordered_at=row.occurred_at,
        business_date=row.business_date,
        total=schemas.Money.model_construct(minor=order.total, currency=currency),
        lines=[
            schemas.OrderLine.model_construct(
                product=schemas.Product.model_construct(
                    id=line.product.public_id,
                    number=line.product.number,
                    name=line.product.name,
                    brand=line.product.brand,
                    category=line.product.category.path if line.product.category else None,
                    is_placeholder=line.product.is_placeholder,
                ),
                quantity=line.quantity_milli / 1000,
                total=schemas.Money.model_construct(minor=line.total, currency=currency),
                discount=schemas.Money.model_construct(minor=line.discount, currency=currency),
                coupon_discount=schemas.Money.model_construct(minor=line.coupon_discount, currency=currency),
                match_discount=schemas.Money.model_construct(minor=line.match_discount, currency=currency),
            )
            for line in lines
        ],
    )
