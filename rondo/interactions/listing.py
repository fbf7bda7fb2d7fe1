"""The chain over all customers that somebody may see: newest first, filtered, in pages whose cost has a bound."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import BigIntegerField, BooleanField, DateTimeField, F, Func, Q, QuerySet, Value

from rondo.customers.models import Source, Survivor
from rondo.customers.queries import belongs_to, sees_all, visible
from rondo.foundation.models import User
from rondo.interactions.models import Interaction, Order
from rondo.interactions.queries import standing

EXAMINED = 10_000
"""At most so many interactions are looked at for one page, whatever the filters leave out."""
_FEW = 200
"""Whoever sees no more customers than this is given their chains, each found by its customer, without such a bound."""
_MOST_NUMBERED = 200
"""Orders of one number that are looked through: each source has its own numbers."""
_ROW = "(%(expressions)s)"
_DAY = timedelta(days=1)
"""No zone is further from UTC: a business day lies within its calendar day in UTC and a day on either side."""

Place = tuple[datetime, int]


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; empty parts let everything through. Days are business dates, both included;
    ``records`` are the records of one customer, already checked as visible."""

    records: Sequence[int] = ()
    kinds: Sequence[str] = ()
    channels: Sequence[str] = ()
    source: int | None = None
    first: date | None = None
    last: date | None = None
    keys: Sequence[int] | None = None
    """Only among these interactions, a few that are known already."""


@dataclass
class Listed:
    """A page: interactions, and the place after which the next one begins (None: this is the last)."""

    rows: list[Interaction] = field(default_factory=list)
    after: Place | None = None


def listed(
    viewer: User | None, filters: Filters, limit: int, *, after: Place | None = None, orders: bool = False
) -> Listed:
    """Standing interactions (only ``orders`` with their order) of the customers that ``viewer`` may see, newest first.

    A page may be short, or empty, with a next one: what lies between two places is looked at in portions of
    :data:`EXAMINED`.
    """
    within = _within(Interaction.objects.all(), filters, after)
    rows = _narrowed(_within(standing(), filters, after), filters)
    end: Place | None = None
    if filters.keys is not None:
        rows = rows.filter(belongs_to(visible(viewer)), pk__in=list(filters.keys))
        rows = rows.filter(customer_id__in=filters.records) if filters.records else rows
    elif (few := filters.records or _few_records(viewer)) is not None:
        rows = rows.filter(customer_id__in=few)
    else:
        end = within.order_by("-occurred_at", "-pk").values_list("occurred_at", "pk")[EXAMINED - 1 : EXAMINED].first()
        rows = rows.filter(belongs_to(visible(viewer)))
        if end is not None:
            rows = rows.filter(_compared(">=", end))
    rows = rows.filter(order__isnull=False).select_related("order__source") if orders else rows.select_related("order")
    found = list(rows.order_by("-occurred_at", "-pk")[: limit + 1])
    if len(found) > limit:
        return Listed(found[:limit], (found[limit - 1].occurred_at, found[limit - 1].pk))
    return Listed(found, end)


def numbered(number: str, source: int | None = None) -> list[int]:
    """The keys of the latest 200 orders of that very number, of one source or of all."""
    sources = [source] if source is not None else list(Source.objects.values_list("pk", flat=True))  # as the index is
    found = Order.objects.filter(source_id__in=sources, number=number).order_by("-pk")
    return list(found.values_list("pk", flat=True)[:_MOST_NUMBERED])


def one(viewer: User | None, key: int, *, order: bool = False) -> Interaction | None:
    """One standing interaction (that is an ``order``) of a customer whom ``viewer`` may see, or None."""
    rows = standing().filter(belongs_to(visible(viewer)), pk=key)
    rows = rows.filter(order__isnull=False).select_related("order__source") if order else rows.select_related("order")
    return rows.first()


def survivors(customer_ids: set[int]) -> dict[int, int]:
    """Of these records those that were merged, with the record that stands for each."""
    return dict(Survivor.objects.filter(customer_id__in=customer_ids).values_list("customer_id", "survivor_id"))


def _few_records(viewer: User | None) -> list[int] | None:
    """All records of the customers that ``viewer`` may see, if these are few; else None."""
    if sees_all(viewer):
        return None
    keys = list(visible(viewer).values_list("pk", flat=True)[: _FEW + 1])
    if len(keys) > _FEW:
        return None
    return keys + list(Survivor.objects.filter(survivor_id__in=keys).values_list("customer_id", flat=True))


def _within(rows: QuerySet[Interaction], filters: Filters, after: Place | None) -> QuerySet[Interaction]:
    """What lies behind a place and within the days, by the order of the list alone, so that an index finds it."""
    if after is not None:
        rows = rows.filter(_compared("<", after))
    if filters.first is not None and filters.first > date.min:
        rows = rows.filter(occurred_at__gte=datetime.combine(filters.first, time.min, UTC) - _DAY)
    if filters.last is not None and filters.last < date.max - 2 * _DAY:
        rows = rows.filter(occurred_at__lt=datetime.combine(filters.last, time.min, UTC) + 2 * _DAY)
    return rows


def _narrowed(rows: QuerySet[Interaction], filters: Filters) -> QuerySet[Interaction]:
    condition = Q()
    if filters.first is not None:
        condition &= Q(business_date__gte=filters.first)
    if filters.last is not None:
        condition &= Q(business_date__lte=filters.last)
    if filters.kinds:
        condition &= Q(kind__in=filters.kinds)
    if filters.channels:
        condition &= Q(channel__in=filters.channels)
    if filters.source is not None:
        condition &= Q(source_id=filters.source)
    return rows.filter(condition)


def _compared(sign: str, place: Place) -> Func:
    """The place of a row against another one, as one comparison of rows, which an index answers also among ties."""
    at, key = place
    row = Func(F("occurred_at"), F("pk"), template=_ROW)
    other = Func(Value(at, DateTimeField()), Value(key, BigIntegerField()), template=_ROW)
    return Func(row, other, template="%(expressions)s", arg_joiner=f" {sign} ", output_field=BooleanField())
