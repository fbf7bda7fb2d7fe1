"""How contacts go from one customer to another without being changed: they are retracted, and written anew."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers.models import Customer
from rondo.foundation.actors import Actor
from rondo.foundation.models import Load
from rondo.interactions.actions import current_transaction
from rondo.interactions.changed import note_interactions
from rondo.interactions.models import About, Departure, Interaction, Moved, Order, OrderLine, Retraction, Split

_BATCH = 500
_SAME = (
    "kind", "channel", "direction", "initiative", "medium", "occurred_at", "business_date", "amount", "currency",
    "title", "body", "details", "source_id", "actor_id",
)  # fmt: skip


def move(actor: Actor, split: Split, keys: Sequence[int], to: Customer) -> None:
    """Retract the interactions and write them for ``to``, with what belongs to them. They answer the copy of what they
    answered; nothing where that stays, since an answer stays within one chain."""
    copies: dict[int, int] = {}
    for start in range(0, len(keys), _BATCH):
        copies |= _copied(Interaction.objects.filter(pk__in=keys[start : start + _BATCH]), to)
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        _with_it(some, copies)
        Moved.objects.bulk_create(Moved(split=split, original_id=key, copy_id=copies[key]) for key in some)
        why = _("belongs to another customer; the record was split")[:200]
        Retraction.objects.bulk_create(Retraction(interaction_id=key, by=actor.user, reason=why) for key in some)
    answers = Interaction.objects.filter(pk__in=keys, in_response_to__in=keys).values_list("pk", "in_response_to_id")
    for key, answered in answers:
        Interaction.objects.filter(pk=copies[key]).update(in_response_to=copies[answered or 0])
    note_interactions([*copies, *copies.values()])


def move_back(actor: Actor, split: Split) -> None:
    """The originals stand again, and the copies do not. What was retracted for the other customer since stays so."""
    pairs = list(split.moved.order_by("pk").values_list("original_id", "copy_id"))
    for start in range(0, len(pairs), _BATCH):
        some = pairs[start : start + _BATCH]
        gone = set(Retraction.objects.filter(interaction__in=[c for _o, c in some]).values_list("pk", flat=True))
        back = [(original, copy) for original, copy in some if copy not in gone]
        Retraction.objects.filter(interaction__in=[original for original, _copy in back]).delete()
        why = _("the split was taken back")[:200]
        Retraction.objects.bulk_create(Retraction(interaction_id=copy, by=actor.user, reason=why) for _o, copy in back)
    note_interactions(key for pair in pairs for key in pair)


def retract_moved(actor: Actor, load: Load) -> None:
    """What an import brought and a split wrote anew goes when the import is taken back."""
    standing = ~Exists(Retraction.objects.filter(interaction=OuterRef("copy")))
    keys = list(Moved.objects.filter(standing, original__load=load).values_list("copy_id", flat=True))
    why = _("the import was taken back")[:200]
    now = timezone.now()
    Retraction.objects.bulk_create(
        (Retraction(interaction_id=key, by=actor.user, reason=why, at=now) for key in keys), batch_size=_BATCH
    )
    note_interactions(keys)


def _copied(rows: QuerySet[Interaction], to: Customer) -> dict[int, int]:
    written = current_transaction()
    originals = list(rows.order_by("pk"))
    made = [
        Interaction(
            customer=to,
            written_in=written,
            **{name: getattr(row, name) for name in _SAME},
        )
        for row in originals
    ]
    Interaction.objects.bulk_create(made)
    return {row.pk: copy.pk for row, copy in zip(originals, made, strict=True)}


def _with_it(keys: Sequence[int], copies: dict[int, int]) -> None:
    orders = list(Order.objects.filter(pk__in=keys))
    Order.objects.bulk_create(
        Order(
            interaction_id=copies[row.pk],
            source_id=row.source_id,
            number=row.number,
            store=row.store,
            total=row.total,
            currency=row.currency,
            line_count=row.line_count,
        )
        for row in orders
    )
    lines = OrderLine.objects.filter(order__in=keys).order_by("pk")
    OrderLine.objects.bulk_create(
        OrderLine(
            order_id=copies[row.order_id],
            product_id=row.product_id,
            quantity_milli=row.quantity_milli,
            total=row.total,
            discount=row.discount,
            coupon_discount=row.coupon_discount,
            match_discount=row.match_discount,
        )
        for row in lines
    )
    About.objects.bulk_create(
        About(interaction_id=copies[row.pk], category_id=row.category_id, product_id=row.product_id)
        for row in About.objects.filter(pk__in=keys)
    )
    Departure.objects.bulk_create(
        Departure(interaction_id=copies[row.pk], reason=row.reason, sub_reason=row.sub_reason)
        for row in Departure.objects.filter(pk__in=keys)
    )
