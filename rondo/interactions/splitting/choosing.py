"""What goes to the second customer: which contacts are chosen, what goes with them, and what both have then."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.interactions.models import Interaction, Moved
from rondo.interactions.queries import standing

MOST = 10_000
"""Contacts that one split takes; it holds their customer until it is done."""
_OWN = frozenset({"interactions"})


@dataclass(frozen=True)
class Choice:
    """Which contacts go: those from ``sources`` (keys; 0: logged here) within the days ``since`` to ``until``, both
    included, where any of the three is given; and ``single`` ones (keys), wherever they are from."""

    sources: frozenset[int] = frozenset()
    since: date | None = None
    until: date | None = None
    single: frozenset[int] = frozenset()

    @property
    def in_general(self) -> bool:
        """Whether contacts are chosen by where they are from or when they were."""
        return bool(self.sources or self.since or self.until)


@dataclass(frozen=True)
class Holdings:
    """What a customer has: contacts, orders, the sum of orders by currency (minor units), first and last day."""

    contacts: int = 0
    orders: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Taken:
    """The contacts that go (keys), how many of them go since they answer one that goes or are answered by it, and how
    many chosen ones stay since something else refers to them, as the ledger of a campaign does to what it sent."""

    keys: list[int]
    along: int
    stay: int


def taken(records: Sequence[int], choice: Choice) -> Taken:
    """What goes of the chain of ``records`` (already checked as visible).

    Raises:
        InputError: more than :data:`MOST`.
    """
    rows = standing().filter(customer_id__in=records)
    wanted = Q(pk__in=choice.single)
    if choice.in_general:
        general = Q()
        if choice.sources:
            named = [key for key in choice.sources if key]
            general &= Q(source_id__in=named) | (Q(source__isnull=True) if 0 in choice.sources else Q(pk__in=()))
        if choice.since is not None:
            general &= Q(business_date__gte=choice.since)
        if choice.until is not None:
            general &= Q(business_date__lte=choice.until)
        wanted |= general
    chosen = set(rows.filter(wanted).values_list("pk", flat=True)[: MOST + 1])
    free = rows.filter(_unreferred())
    keys = set(free.filter(wanted).values_list("pk", flat=True)[: MOST + 1])
    picked, level = len(keys), keys
    while level and len(keys) <= MOST:
        linked = Q(in_response_to_id__in=level) | Q(pk__in=rows.filter(pk__in=level).values("in_response_to_id"))
        level = set(free.filter(linked).values_list("pk", flat=True)) - keys
        keys |= level
    if len(keys) > MOST:
        raise InputError(_("More than %(most)d contacts are chosen; choose fewer at a time.") % {"most": MOST})
    return Taken(sorted(keys), len(keys) - picked, len(chosen) - picked)


def _unreferred() -> Q:
    """Contacts to which no row of another room refers: what such a row tells is of the customer that it was written
    with."""
    condition = Q()
    for relation in Interaction._meta.related_objects:
        model = relation.related_model
        if isinstance(model, type) and model._meta.app_label not in _OWN:
            column = relation.field.attname
            condition &= Q(~Exists(model._default_manager.filter(**{column: OuterRef("pk")})))
    return condition


def holdings(rows: QuerySet[Interaction]) -> Holdings:
    """What standing interactions come to."""
    told: dict[str, Any] = rows.aggregate(contacts=Count("pk"), first=Min("business_date"), last=Max("business_date"))
    sums = rows.filter(kind="purchase").values("currency").annotate(orders=Count("pk"), total=Sum("amount"))
    found = list(sums.order_by("currency"))
    totals = {row["currency"]: row["total"] or 0 for row in found}
    return Holdings(told["contacts"], sum(row["orders"] for row in found), totals, told["first"], told["last"])


def both(records: Sequence[int], keys: Sequence[int]) -> tuple[Holdings, Holdings]:
    """What stays, and what goes."""
    rows = standing().filter(customer_id__in=records)
    return holdings(rows.exclude(pk__in=keys)), holdings(rows.filter(pk__in=keys))


def is_copy(row: Interaction) -> bool:
    """Whether a contact was written by a split."""
    return Moved.objects.filter(copy=row).exists()
