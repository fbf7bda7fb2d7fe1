"""The chain of one customer: interactions, and orders with their lines."""

from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Query, Router

from rondo.api import paging, parameters
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.api.v1.chain_rows import interactions_of, orders_of
from rondo.customers import queries
from rondo.interactions.models import Interaction
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
    parameters.check_texts("kind", kind)
    found = chain(queries.record_ids(customer.pk), kinds=kind, before=paging.decode_moment(cursor), limit=limit + 1)
    page, last = paging.split(found, limit)
    return schemas.InteractionPage.model_construct(
        data=interactions_of(viewer(request), page), next=_next(request, last) if last else None
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
    return schemas.OrderPage.model_construct(data=orders_of(page), next=_next(request, last) if last else None)


def _next(request: HttpRequest, last: Interaction) -> str:
    return paging.next_link(request, paging.encode_moment(last.occurred_at, last.pk))
