"""The chain is added to by program: contacts and orders, one or a thousand in a call; what was wrong is retracted."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema, Status
from pydantic import AwareDatetime

from rondo.api import bulk
from rondo.api.auth import TokenAuth, viewer
from rondo.api.v1 import schemas
from rondo.api.v1.chain_rows import interactions_of, orders_of
from rondo.api.v1.customer_bodies import IdentifierIn
from rondo.api.v1.said import Amount, Currency, Source
from rondo.api.writing import TELLS, Body, actor, say
from rondo.customers.actions import holder_of
from rondo.customers.models import Customer
from rondo.errors import InputError, NotFound
from rondo.foundation import ids
from rondo.foundation.money import MAX_MINOR
from rondo.interactions.actions import is_put_back, log_interaction, restore, retract
from rondo.interactions.listing import one
from rondo.interactions.models import Interaction, Order
from rondo.interactions.ordering import MOST_LINES, Line, OrderKnown, take_order

router = Router(tags=["chain"])
LOGGING = TokenAuth("contact")
BRINGING = TokenAuth("import")
Minor = Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]
Discount = Annotated[int, Field(ge=0, le=MAX_MINOR)]


class OfCustomer(Body):
    __doc__ = gettext_noop("Whose it is: a customer by `customer`, or whoever has the `identifier`.")

    customer: str | None = Field(None, max_length=30, examples=["c_8fk2m9xq"])
    identifier: IdentifierIn | None = None

    def whose(self, request: HttpRequest) -> int | str:
        """The customer meant.

        Raises:
            InputError: neither is given, or both; NotFound: nobody has the identifier whom the user may see.
        """
        if (self.customer is None) == (self.identifier is None):
            raise InputError(_("Say whose it is: by customer or by identifier, one of both."))
        if self.identifier is None:
            return self.customer or ""
        return holder_of(actor(request), self.identifier.given()).pk


class InteractionIn(OfCustomer):
    __doc__ = gettext_noop(
        "A contact to log. Channel, direction, initiative and medium are those of the kind unless given; `occurred_at` "
        "is now. With a `source` and a `message_id` the same message is taken once. Who may import brings kinds that "
        "people do not log by hand, too, and says from which `source`."
    )

    kind: str = Field(..., min_length=1, max_length=24, examples=["note"])
    title: str = Field("", max_length=200, examples=["Asked for a catalogue"])
    body: str = Field("", max_length=100_000)
    occurred_at: AwareDatetime | None = Field(None, examples=["2026-11-22T10:00:00Z"])
    channel: str = Field("", max_length=16, examples=["phone"])
    direction: Literal["", "inbound", "outbound"] = ""
    initiative: Literal["", "push", "pull"] = ""
    medium: Literal["", "owned", "paid", "earned"] = ""
    amount: Amount | None = None
    in_response_to: str | None = Field(None, max_length=30, examples=["i_4m2kq8xw"])
    source: Source = Field("", max_length=60, examples=["shop"])
    message_id: str | None = Field(None, min_length=1, max_length=120)
    category: str | None = Field(None, max_length=400)
    product: str | None = Field(None, max_length=60)
    reason: str = Field("", max_length=40, description=gettext_noop("Of a cancellation or notice: why."))
    sub_reason: str = Field("", max_length=40)


class LineIn(Body):
    __doc__ = gettext_noop("A line: the number of the product, and amounts in minor units; `total` is what was paid.")

    product: str = Field(..., min_length=1, max_length=60, examples=["1029743"])
    quantity: float = Field(1, ge=-1_000_000_000, le=1_000_000_000)
    total: Minor = Field(..., examples=[1250])
    discount: Discount = 0
    coupon_discount: Discount = 0
    match_discount: Discount = 0


class OrderIn(OfCustomer):
    __doc__ = gettext_noop(
        "An order of a `source` by its number there, with its lines. Products that nobody has described yet become "
        "placeholders. `occurred_at` is now, `currency` the company's."
    )

    source: Source = Field(..., min_length=1, max_length=60, examples=["shop"])
    number: str = Field(..., min_length=1, max_length=60, examples=["2026-4711"])
    occurred_at: AwareDatetime | None = Field(None, examples=["2026-11-22T10:00:00Z"])
    store: str = Field("", max_length=40)
    channel: str = Field("", max_length=16, examples=["web"])
    currency: Currency = Field("", pattern="^([A-Z]{3})?$", max_length=3, examples=["USD"])
    lines: list[LineIn] = Field(..., min_length=1, max_length=MOST_LINES)


class RetractionBody(Body):
    __doc__ = gettext_noop("Why it was wrong, for others to read.")

    reason: str = Field(..., min_length=1, max_length=200, examples=["Logged with the wrong customer"])


class Retracted(Schema):
    __doc__ = gettext_noop("A contact that was retracted: every read leaves it out.")

    interaction: str
    at: datetime
    reason: str


class InteractionsBody(bulk.BulkBody):
    __doc__ = gettext_noop("Contacts to log.")

    items: list[Annotated[InteractionIn, bulk.Lenient]] = bulk.Counted


class OrdersBody(bulk.BulkBody):
    __doc__ = gettext_noop(
        "Orders to take. Of one that is there already, `on_known` says whether it is refused (409) or left (`skip`, "
        "200)."
    )

    items: list[Annotated[OrderIn, bulk.Lenient]] = bulk.Counted
    on_known: Literal["refuse", "skip"] = "refuse"


def log(request: HttpRequest, body: InteractionIn) -> Interaction:
    """Log a contact as the page does."""
    given: dict[str, Any] = body.model_dump(exclude={"customer", "identifier", "amount", "kind"})
    if body.amount is not None:
        given |= {"amount": body.amount.minor, "currency": body.amount.currency}
    return log_interaction(actor(request), body.whose(request), body.kind, **given)


def take(request: HttpRequest, body: OrderIn) -> Order:
    """Take an order."""
    lines = [
        Line(one.product, one.total, round(one.quantity * 1000), one.discount, one.coupon_discount, one.match_discount)
        for one in body.lines
    ]
    given = body.model_dump(include={"occurred_at", "store", "channel", "currency"})
    return take_order(actor(request), body.whose(request), body.source, body.number, lines, **given)


@router.post(
    "/interactions/bulk",
    auth=LOGGING,
    response=bulk.BulkResult,
    summary=gettext_noop("Log many contacts"),
    operation_id="logInteractions",
    description=gettext_noop("Up to 1,000 in the order given, each with a result of its own."),
)
def log_interactions(request: HttpRequest, body: InteractionsBody) -> bulk.BulkResult:
    return bulk.each(request, body.items, lambda item: (201, log(request, item).public_id))


@router.post(
    "/orders/bulk",
    auth=BRINGING,
    response=bulk.BulkResult,
    summary=gettext_noop("Take many orders"),
    operation_id="takeOrders",
    description=gettext_noop("Up to 1,000 in the order given, each with a result of its own."),
)
def take_orders(request: HttpRequest, body: OrdersBody) -> bulk.BulkResult:
    def each(item: OrderIn) -> bulk.Done:
        try:
            return 201, take(request, item).public_id
        except OrderKnown as error:
            if body.on_known == "refuse" or error.order is None:
                raise
            return 200, error.order.public_id

    return bulk.each(request, body.items, each)


@router.post(
    "/interactions/{interaction_id}/retract",
    auth=LOGGING,
    response=Retracted,
    summary=gettext_noop("Retract a contact"),
    operation_id="retractInteraction",
    description=gettext_noop(
        "Says that it was wrong, or that an order was: every read leaves it out. Whoever logged it needs the scope "
        "contact, others need edit, too."
    ),
)
def retract_interaction(request: HttpRequest, interaction_id: str, body: RetractionBody) -> Retracted:
    made = retract(actor(request), interaction_id, body.reason)
    return Retracted(interaction=ids.encode(Interaction.PREFIX, made.interaction_id), at=made.at, reason=made.reason)


@router.post(
    "/interactions/{interaction_id}/restore",
    auth=LOGGING,
    response={200: schemas.Interaction, 201: schemas.Interaction},
    summary=gettext_noop("Put a retracted contact back"),
    operation_id="restoreInteraction",
    description=gettext_noop(
        "It is added once more (201), with its own moment, and says so. Where it was put back already, nothing is "
        "done, and the answer is that contact (200)."
    ),
    openapi_extra=TELLS,
)
def restore_interaction(request: HttpRequest, interaction_id: str) -> Status[schemas.Interaction]:
    with transaction.atomic():
        there = is_put_back(actor(request), interaction_id)
        return Status(200 if there else 201, told(request, restore(actor(request), interaction_id)))


def told(request: HttpRequest, row: Interaction) -> schemas.Interaction:
    """A contact that was added, with its address."""
    say(request, location=f"/api/v1/interactions/{row.public_id}")
    return interactions_of(viewer(request), [_read(request, row.pk, order=False)])[0]


def told_order(request: HttpRequest, row: Order) -> schemas.Order:
    """An order that was added, with its address."""
    say(request, location=f"/api/v1/orders/{row.public_id}")
    return orders_of([_read(request, row.pk, order=True)])[0]


def _read(request: HttpRequest, key: int, *, order: bool) -> Interaction:
    found = one(viewer(request), key, order=order)
    if found is None:
        raise NotFound(ids.encode(Customer.PREFIX, key))
    return found
