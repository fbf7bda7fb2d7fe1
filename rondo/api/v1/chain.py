"""The chain of one customer: interactions, and orders with their lines."""

from collections import defaultdict
from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Query, Router

from rondo.api import paging
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.customers import queries
from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.interactions.models import Interaction, Order, OrderLine
from rondo.interactions.queries import chain, standing

router = Router(tags=["chain"])


@router.get(
    "/customers/{customer_id}/interactions",
    response=schemas.InteractionPage,
    summary=gettext_noop("A customer's interactions"),
    operation_id="listInteractions",
    description=gettext_noop(
        "The customer's chain, newest first, over all records merged into them; retracted interactions are left out."
    ),
)
def list_interactions(
    request: HttpRequest,
    customer_id: str,
    kind: Annotated[
        list[str], Query(max_length=20, description=gettext_noop("Only these kinds; may be repeated."))
    ] = [],  # noqa: B006 - read as the default by ninja, never changed
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> schemas.InteractionPage:
    customer = queries.get_visible(viewer(request), customer_id)
    if any("\x00" in key for key in kind):
        raise InputError(_("kind: a NUL is no text; remove it."))
    found = chain(queries.record_ids(customer.pk), kinds=kind, before=paging.decode_moment(cursor), limit=limit + 1)
    page, last = paging.split(found, limit)
    return schemas.InteractionPage(
        data=[_interaction(customer, row) for row in page], next=_next(request, last) if last else None
    )


@router.get(
    "/customers/{customer_id}/orders",
    response=schemas.OrderPage,
    summary=gettext_noop("A customer's orders"),
    operation_id="listOrders",
    description=gettext_noop(
        "The customer's orders with their lines, newest first, over all records merged into them."
    ),
)
def list_orders(
    request: HttpRequest,
    customer_id: str,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> schemas.OrderPage:
    customer = queries.get_visible(viewer(request), customer_id)
    rows = standing().filter(customer_id__in=queries.record_ids(customer.pk), order__isnull=False)
    if (before := paging.decode_moment(cursor)) is not None:
        at, key = before
        rows = rows.filter(occurred_at__lte=at).exclude(occurred_at=at, pk__gte=key)
    found = list(rows.select_related("order__source").order_by("-occurred_at", "-pk")[: limit + 1])
    page, last = paging.split(found, limit)
    lines = _lines([row.pk for row in page])
    return schemas.OrderPage(
        data=[_order(customer, row, lines[row.pk]) for row in page], next=_next(request, last) if last else None
    )


def _next(request: HttpRequest, last: Interaction) -> str:
    return paging.next_link(request, paging.encode_moment(last.occurred_at, last.pk))


def _interaction(customer: Customer, row: Interaction) -> schemas.Interaction:
    order: Order | None = getattr(row, "order", None)
    return schemas.Interaction(
        id=row.public_id,
        customer=customer.public_id,
        record=ids.encode(Customer.PREFIX, row.customer_id),
        kind=row.kind,
        channel=row.channel,
        direction=row.direction,
        initiative=row.initiative,
        medium=row.medium,
        occurred_at=row.occurred_at,
        business_date=row.business_date,
        amount=None if row.amount is None else schemas.Money(minor=row.amount, currency=row.currency),
        title=row.title,
        body=row.body,
        in_response_to=(
            None if row.in_response_to_id is None else ids.encode(Interaction.PREFIX, row.in_response_to_id)
        ),
        order=order.public_id if order else None,
    )


def _lines(order_ids: list[int]) -> dict[int, list[OrderLine]]:
    found: dict[int, list[OrderLine]] = defaultdict(list)
    for line in (
        OrderLine.objects.filter(order_id__in=order_ids).select_related("product__category").order_by("order_id", "pk")
    ):
        found[line.order_id].append(line)
    return found


def _order(customer: Customer, row: Interaction, lines: list[OrderLine]) -> schemas.Order:
    order = row.order
    currency = order.currency
    return schemas.Order(
        id=order.public_id,
        interaction=row.public_id,
        customer=customer.public_id,
        record=ids.encode(Customer.PREFIX, row.customer_id),
        source=order.source.name,
        number=order.number,
        store=order.store,
        ordered_at=row.occurred_at,
        business_date=row.business_date,
        total=schemas.Money(minor=order.total, currency=currency),
        lines=[
            schemas.OrderLine(
                product=schemas.Product(
                    id=line.product.public_id,
                    number=line.product.number,
                    name=line.product.name,
                    brand=line.product.brand,
                    category=line.product.category.path if line.product.category else None,
                    is_placeholder=line.product.is_placeholder,
                ),
                quantity=line.quantity_milli / 1000,
                total=schemas.Money(minor=line.total, currency=currency),
                discount=schemas.Money(minor=line.discount, currency=currency),
                coupon_discount=schemas.Money(minor=line.coupon_discount, currency=currency),
                match_discount=schemas.Money(minor=line.match_discount, currency=currency),
            )
            for line in lines
        ],
    )
