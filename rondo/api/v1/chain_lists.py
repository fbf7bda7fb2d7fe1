"""The chain over all customers: interactions and orders, and one of each."""

from dataclasses import replace
from datetime import date
from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Query, Router, Status

from rondo.api import paging, parameters
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.api.v1.chain_rows import interactions_of, orders_of
from rondo.api.v1.chain_writing import BRINGING, LOGGING, InteractionIn, OrderIn, log, take, told, told_order
from rondo.api.writing import TELLS
from rondo.customers.models import Customer, Source
from rondo.customers.queries import get_visible, record_ids
from rondo.errors import InputError, NotFound
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.interactions.listing import Filters, Listed, listed, numbered, one
from rondo.interactions.models import Interaction, Order

router = Router(tags=["chain"])

OfCustomer = Annotated[
    str | None,
    Query(
        max_length=80,
        description=gettext_noop("Only of this customer, over all records merged into them."),
        examples=["c_8fk2m9xq"],
    ),
]
DateFrom = Annotated[
    date | None, Query(description=gettext_noop("Only from this business date on."), examples=["2017-12-01"])
]
DateTo = Annotated[
    date | None,
    Query(description=gettext_noop("Only up to this business date, itself included."), examples=["2017-12-31"]),
]
FromSource = Annotated[
    str | None,
    Query(max_length=60, description=gettext_noop("Only what this source system brought."), examples=["till"]),
]
Kinds = Annotated[
    list[str],
    Query(max_length=20, description=gettext_noop("Only these kinds; may be repeated."), examples=["purchase"]),
]
Channels = Annotated[
    list[str],
    Query(max_length=20, description=gettext_noop("Only these channels; may be repeated."), examples=["store"]),
]


@router.get(
    "/interactions",
    response=schemas.InteractionPage,
    summary=gettext_noop("List interactions"),
    operation_id="listAllInteractions",
    description=gettext_noop(
        "The chain of all customers that the token's user may see, newest first; what was retracted is left out. To "
        "keep a copy, follow the changes."
    ),
)
def list_interactions(
    request: HttpRequest,
    customer: OfCustomer = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    kind: Kinds = [],  # noqa: B006 - read as the default by ninja, never changed
    channel: Channels = [],  # noqa: B006
    source: FromSource = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> schemas.InteractionPage:
    user = viewer(request)
    filters = _filters(user, customer, date_from, date_to, channel, source, kind)
    page = listed(user, filters, limit, after=paging.decode_moment(cursor))
    return schemas.InteractionPage.model_construct(data=interactions_of(user, page.rows), next=_next(request, page))


@router.get(
    "/orders",
    response=schemas.OrderPage,
    summary=gettext_noop("List orders"),
    operation_id="listAllOrders",
    description=gettext_noop(
        "Orders with their lines, of all customers that the token's user may see, newest first; what was retracted is "
        "left out. To keep a copy, follow the changes."
    ),
)
def list_orders(
    request: HttpRequest,
    customer: OfCustomer = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    channel: Channels = [],  # noqa: B006 - read as the default by ninja, never changed
    source: FromSource = None,
    number: Annotated[
        str | None,
        Query(min_length=1, max_length=60, description=gettext_noop("Only of this number."), examples=["2026-4711"]),
    ] = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> schemas.OrderPage:
    user = viewer(request)
    filters = _filters(user, customer, date_from, date_to, channel, source)
    if number is not None:
        parameters.check_texts("number", [number])
        if not number.strip():
            raise InputError(_("number: write the number of an order."))
        filters = replace(filters, keys=numbered(number.strip(), filters.source))
    page = listed(user, filters, limit, after=paging.decode_moment(cursor), orders=True)
    return schemas.OrderPage.model_construct(data=orders_of(page.rows), next=_next(request, page))


@router.post(
    "/interactions",
    auth=LOGGING,
    response={201: schemas.Interaction},
    summary=gettext_noop("Log a contact"),
    operation_id="logInteraction",
    description=gettext_noop("Adds one contact to a customer's chain, which is only ever added to."),
    openapi_extra=TELLS,
)
def log_interaction(request: HttpRequest, body: InteractionIn) -> Status[schemas.Interaction]:
    return Status(201, told(request, log(request, body)))


@router.post(
    "/orders",
    auth=BRINGING,
    response={201: schemas.Order},
    summary=gettext_noop("Take an order"),
    operation_id="takeOrder",
    description=gettext_noop(
        "Adds an order to a customer's chain. One of this number and source that stands already is a 409; retract it "
        "first if it was wrong."
    ),
    openapi_extra=TELLS,
)
def take_order(request: HttpRequest, body: OrderIn) -> Status[schemas.Order]:
    return Status(201, told_order(request, take(request, body)))


@router.get(
    "/interactions/{interaction_id}",
    response=schemas.Interaction,
    summary=gettext_noop("One interaction"),
    operation_id="getInteraction",
    description=gettext_noop("One interaction that stands; what was retracted is not found."),
)
def get_interaction(request: HttpRequest, interaction_id: str) -> schemas.Interaction:
    return interactions_of(viewer(request), [_one(viewer(request), Interaction.PREFIX, interaction_id)])[0]


@router.get(
    "/orders/{order_id}",
    response=schemas.Order,
    summary=gettext_noop("One order"),
    operation_id="getOrder",
    description=gettext_noop("One order that stands, with its lines; what was retracted is not found."),
)
def get_order(request: HttpRequest, order_id: str) -> schemas.Order:
    return orders_of([_one(viewer(request), Order.PREFIX, order_id)])[0]


def _filters(
    user: User,
    customer: str | None,
    date_from: date | None,
    date_to: date | None,
    channels: list[str],
    source: str | None,
    kinds: list[str] | None = None,
) -> Filters:
    """The filters of a request.

    Raises:
        InputError: a customer or a source that is not there, days in the wrong order, or a text that is none.
    """
    parameters.check_texts("kind", kinds or [])
    parameters.check_texts("channel", channels)
    parameters.check_texts("source", [source or ""])
    if date_from is not None and date_to is not None and date_from > date_to:
        raise InputError(
            _("date_from=%(first)s lies after date_to=%(last)s; exchange them.") % {"first": date_from, "last": date_to}
        )
    records: list[int] = []
    if customer is not None:
        try:
            records = record_ids(get_visible(user, customer).pk)
        except Customer.DoesNotExist as error:
            raise InputError(
                _("customer=%(id)s: there is no such customer, or it is not yours to see; take an id of the list.")
                % {"id": customer}
            ) from error
    source_id: int | None = None
    if source is not None:
        source_id = Source.objects.filter(name=source).values_list("pk", flat=True).first()
        if source_id is None:
            raise InputError(
                _("source=%(name)s: there is no such source; orders and interactions tell theirs.") % {"name": source}
            )
    return Filters(records, kinds or [], channels, source_id, date_from, date_to)


def _one(user: User, prefix: str, public_id: str) -> Interaction:
    key = ids.decode(prefix, public_id)
    row = None if key is None else one(user, key, order=prefix == Order.PREFIX)
    if row is None:
        raise NotFound(public_id)
    return row


def _next(request: HttpRequest, page: Listed) -> str | None:
    return None if page.after is None else paging.next_link(request, paging.encode_moment(*page.after))
