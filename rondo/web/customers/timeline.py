"""The chain of one customer as a timeline: entries grouped by day, newest first, paged by key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from django.db.models import Count
from django.utils.translation import gettext as _

from rondo.catalogue.models import Product
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.foundation.installation import business_now, zone
from rondo.foundation.registry import registries
from rondo.interactions.models import Interaction, OrderLine
from rondo.interactions.queries import chain, standing
from rondo.web import formats

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

PAGE_SIZE = 40


@dataclass(frozen=True)
class KindChip:
    """A kind of interaction that this customer has, and how many of it."""

    key: str
    label: "_StrOrPromise"
    icon: str
    count: int


@dataclass(frozen=True)
class Reference:
    """Another entry of the chain that this one answers, or is answered by."""

    id: str
    title: str
    day: date


@dataclass
class Entry:
    """One interaction as the timeline shows it."""

    interaction: Interaction
    label: "_StrOrPromise"
    icon: str
    title: str
    answers: Reference | None = None
    answered: list[Reference] = field(default_factory=list)
    by_hand: bool = False

    @property
    def id(self) -> str:
        """The public id of the interaction."""
        return self.interaction.public_id

    @property
    def moment(self) -> datetime | None:
        """When it happened; None where only the day is known (it stands at the day's first moment)."""
        at = self.interaction.occurred_at
        return None if at.astimezone(zone()).time() == time.min else at

    @property
    def lines(self) -> int:
        """How many lines the basket has; 0 if it is no purchase."""
        order = getattr(self.interaction, "order", None)
        return 0 if order is None else order.line_count

    @property
    def store(self) -> str:
        """The place of the purchase."""
        order = getattr(self.interaction, "order", None)
        return "" if order is None else order.store


@dataclass(frozen=True)
class Day:
    """The entries of one business day; ``near`` names today and yesterday."""

    day: date
    near: str
    entries: list[Entry]


@dataclass(frozen=True)
class Timeline:
    """One page of the chain. ``earlier`` is the id that the next page comes before, if there is one."""

    days: list[Day]
    kinds: tuple[str, ...] = ()
    earlier: str = ""
    begins_at: str = ""


def kind_label(key: str) -> "_StrOrPromise":
    """What a kind is called; a kind that no room registers is called by its key."""
    kind = registries.interaction_kinds.get(key)
    return kind.label if kind is not None else key.replace("_", " ")


def kind_icon(key: str) -> str:
    """The icon of a kind."""
    kind = registries.interaction_kinds.get(key)
    return kind.icon if kind is not None else "circle-dot"


def kinds_of(records: Sequence[int]) -> list[KindChip]:
    """The kinds in a customer's chain, most frequent first."""
    counted = (
        standing().filter(customer_id__in=records).values("kind").annotate(count=Count("pk")).order_by("-count", "kind")
    )
    return [KindChip(row["kind"], kind_label(row["kind"]), kind_icon(row["kind"]), row["count"]) for row in counted]


def read_timeline(
    records: Sequence[int], *, kinds: Iterable[str] = (), before: str = "", beginning: str = ""
) -> Timeline:
    """The page of the chain before the interaction ``before`` (a public id), or from ``beginning`` on, or the newest.

    Raises:
        InputError: no such interaction in this customer's chain.
    """
    wanted = tuple(kinds)
    key = None
    if anchor := before or beginning:
        row = one(records, anchor)
        key = (row.occurred_at, row.pk if before else row.pk + 1)
    rows = chain(records, kinds=wanted, before=key, limit=PAGE_SIZE + 1)
    shown = rows[:PAGE_SIZE]
    earlier = shown[-1].public_id if len(rows) > PAGE_SIZE else ""
    return Timeline(_days(entries_of(shown, records)), wanted, earlier, beginning)


def one(records: Sequence[int], public_id: str) -> Interaction:
    """One standing interaction of a customer's chain; raises InputError when there is none."""
    key = ids.decode(Interaction.PREFIX, public_id)
    rows = standing().filter(pk=key or 0, customer_id__in=records).select_related("order", "actor")
    row = rows.first()
    if row is None:
        raise InputError(
            _("“%(id)s” is not in this customer's chain (any more); load the page again.") % {"id": public_id[:30]}
        )
    return row


def entries_of(rows: Sequence[Interaction], records: Sequence[int]) -> list[Entry]:
    """Entries with what they answer and what answers them within the chain of ``records``; two queries however many
    rows. An answer may lead out of the chain once a merge is undone: it is then another customer's to show."""
    within = standing().filter(customer_id__in=records)
    targets = within.in_bulk({row.in_response_to_id for row in rows if row.in_response_to_id})
    answers: dict[int, list[Reference]] = {}
    outbound = [row.pk for row in rows if row.direction == Interaction.Direction.OUTBOUND]
    if outbound:
        for row in within.filter(in_response_to_id__in=outbound).order_by("occurred_at", "id"):
            answers.setdefault(row.in_response_to_id or 0, []).append(_reference(row))
    return [
        Entry(
            row,
            kind_label(row.kind),
            kind_icon(row.kind),
            row.title,
            _reference(targets[row.in_response_to_id]) if row.in_response_to_id in targets else None,
            answers.get(row.pk, []),
            row.load_id is None and row.actor_id is not None,
        )
        for row in rows
    ]


def _reference(row: Interaction) -> Reference:
    return Reference(row.public_id, row.title or str(kind_label(row.kind)), row.business_date)


def _days(entries: Iterable[Entry]) -> list[Day]:
    today = business_now().date()
    near = {today: _("Today"), today - timedelta(days=1): _("Yesterday")}
    grouped = groupby(entries, key=lambda entry: entry.interaction.business_date)
    return [Day(day, near.get(day, ""), list(group)) for day, group in grouped]


@dataclass(frozen=True)
class BasketLine:
    """One line of a basket. ``quantity`` is written out; amounts are minor units."""

    product: Product
    quantity: str
    total: int
    discount: int
    coupon: int


def basket(interaction: Interaction) -> list[BasketLine]:
    """The lines of a purchase, dearest first; ``coupon`` adds the house's coupon discount to the maker's."""
    lines = (
        OrderLine.objects.filter(order_id=interaction.pk).select_related("product__category").order_by("-total", "id")
    )
    return [
        BasketLine(
            line.product,
            formats.number(line.quantity_milli / 1000, 0 if line.quantity_milli % 1000 == 0 else 2),
            line.total,
            line.discount,
            line.coupon_discount + line.match_discount,
        )
        for line in lines
    ]
