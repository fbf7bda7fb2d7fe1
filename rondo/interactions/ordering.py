"""The verb that takes one order: what an import does by the thousand, for a program that brings them as they happen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from rondo.catalogue.models import Product
from rondo.customers.actions.gate import CustomerRef, check_fields, seen
from rondo.customers.models import Source
from rondo.customers.queries import survivor_id, visible
from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation, zone
from rondo.foundation.loads import shown
from rondo.foundation.money import MAX_MINOR
from rondo.foundation.registry import registries
from rondo.interactions.actions import current_transaction, moment
from rondo.interactions.changed import note_interaction
from rondo.interactions.models import Interaction, Order, OrderLine, Retraction

MOST_LINES = 500
MOST_QUANTITY = 10**15


@dataclass(frozen=True)
class Line:
    """One line: the product's number in the source, thousandths of a quantity, and amounts in minor units. ``total`` is
    what was paid, after the discounts."""

    product: str
    total: int
    quantity_milli: int = 1000
    discount: int = 0
    coupon_discount: int = 0
    match_discount: int = 0


class OrderKnown(StateError):
    """The source's order of this number is there already: ``order``; None where the actor may not see whose it is."""

    def __init__(self, order: Order | None, message: object = "") -> None:
        super().__init__(message)
        self.order = order


def take_order(
    actor: Actor,
    customer: CustomerRef,
    source: str,
    number: str,
    lines: Sequence[Line],
    *,
    occurred_at: datetime | None = None,
    store: str = "",
    channel: str = "",
    currency: str = "",
) -> Order:
    """Add an order of a source to a customer's chain, with its lines. A product that nobody has described yet becomes a
    placeholder. ``occurred_at`` is now unless given; ``currency`` the company's.

    The right is to import: orders come from other systems, and are what figures are made of.

    Raises:
        InputError: no lines, or a value that is not usable; OrderKnown: the source's order of this number stands
        already; NotFound: the customer is not there or not the actor's to see.
    """
    actor.require("import")
    kind = registries.interaction_kinds["purchase"]
    if not 0 < len(lines) <= MOST_LINES:
        raise InputError(_("lines: an order has 1 to %(most)d of them.") % {"most": MOST_LINES})
    total = sum(line.total for line in lines)
    _check_amounts(total, lines)
    with transaction.atomic():
        row = seen(actor, customer)
        origin, _made = Source.objects.get_or_create(name=source)
        _refuse_known(actor, origin, number)
        at = moment(occurred_at)
        money = currency or installation().currency
        event = Interaction(
            customer=row,
            kind=kind.key,
            channel=channel or kind.channel,
            direction=kind.direction,
            initiative=kind.initiative,
            medium=kind.medium,
            occurred_at=at,
            business_date=at.astimezone(zone()).date(),
            amount=total,
            currency=money,
            source=origin,
            actor=actor.user,
            load_id=actor.load_id,
            written_in=current_transaction(),
        )
        check_fields(event, {"channel", "currency"})
        order = Order(
            source=origin, number=number, store=store, total=total, currency=money, line_count=len(lines),
            load_id=actor.load_id,
        )  # fmt: skip
        check_fields(order, {"number", *(["store"] if store else [])})
        event.save(force_insert=True)
        order.interaction = event
        order.save(force_insert=True)
        products = _products(origin, [line.product for line in lines])
        OrderLine.objects.bulk_create(
            OrderLine(
                order=order,
                product=products[line.product],
                quantity_milli=line.quantity_milli,
                total=line.total,
                discount=line.discount,
                coupon_discount=line.coupon_discount,
                match_discount=line.match_discount,
            )
            for line in lines
        )
        note_interaction(event.pk)
        told: dict[str, list[Any]] = {"kind": [None, kind.key], "customer": [None, row.pk]}
        audit.record(actor, "interaction.logged", "interaction", event.pk, told)
    return order


def _check_amounts(total: int, lines: Sequence[Line]) -> None:
    for line in lines:
        amounts = (line.total, line.discount, line.coupon_discount, line.match_discount)
        if any(abs(amount) > MAX_MINOR for amount in (*amounts, total)):
            raise InputError(
                _("lines: an amount is beyond %(limit)d minor units, alone or in sum; check it.") % {"limit": MAX_MINOR}
            )
        if min(amounts[1:]) < 0:
            raise InputError(_("lines: discounts are written as positive amounts."))
        if abs(line.quantity_milli) > MOST_QUANTITY:
            raise InputError(_("lines: a quantity is beyond what is taken; check it."))


def _refuse_known(actor: Actor, origin: Source, number: str) -> None:
    """Two that bring the same order at once go one after the other; on SQLite there is one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"order\n{origin.pk}\n{number}"])
    retracted = Retraction.objects.values("interaction_id")
    known = Order.objects.filter(shown(), source=origin, number=number).exclude(pk__in=retracted)
    held = known.select_related("interaction").order_by("pk").first()
    if held is None:
        return
    mine = visible(actor.user).filter(pk=survivor_id(held.interaction.customer_id)).exists()
    raise OrderKnown(
        held if mine else None,
        _("Order %(number)s of %(source)s is there already; retract it first if it was wrong.")
        % {"number": number, "source": origin},
    )


def _products(origin: Source, numbers: Sequence[str]) -> dict[str, Product]:
    """The products of these numbers; of loads taken back, too, since a number is a product's but once."""
    wanted = set(numbers)
    for number in sorted(wanted):
        if not number.strip() or len(number) > 60 or "\x00" in number:
            raise InputError(
                _("lines: product = %(number)r: a number of 1 to 60 characters is needed.") % {"number": number[:60]}
            )
    known = {row.number: row for row in Product.objects.filter(source=origin, number__in=wanted)}
    for number in sorted(wanted - set(known)):
        known[number] = Product.objects.get_or_create(source=origin, number=number, defaults={"is_placeholder": True})[
            0
        ]
    return known
