"""Reads of erasure: what of a person there is, what an erasure does with it, what stands against it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, key_of, not_found
from rondo.customers.models import Customer
from rondo.customers.queries import binned, record_ids, survivor_id, visible
from rondo.erasure.models import Erasure, Hold, KeepRule
from rondo.errors import NotFound
from rondo.foundation import ids
from rondo.foundation.actors import Actor
from rondo.foundation.holdings import Held, Holding, KeptFigures
from rondo.foundation.installation import business_now
from rondo.foundation.models import AuditEntry
from rondo.foundation.registry import registries

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_BATCH = 500


@dataclass(frozen=True)
class Kind:
    """Rows of one kind: how many, whether they go (``delete``) or stay without the person (``blank``), and why."""

    key: str
    label: "_StrOrPromise"
    rows: int
    fate: str
    why: "_StrOrPromise"


@dataclass(frozen=True)
class Kept:
    """Figures of a kind that are kept without the person: how many, for how many years."""

    key: str
    label: "_StrOrPromise"
    rows: int
    years: int


@dataclass(frozen=True)
class Preview:
    """What an erasure of one person would do. ``records``: the customer records that are one person, the survivor
    first. ``entries`` of the audit log lose their values. ``held``: why it cannot be done now; empty where it can."""

    customer: Customer
    records: list[int]
    kinds: list[Kind]
    entries: int
    kept: list[Kept]
    held: list[Held]

    @property
    def rows(self) -> int:
        """All rows of the person, those that stay without the person among them."""
        return sum(kind.rows for kind in self.kinds)


def in_order() -> list[Holding]:
    """The holdings of all rooms in the order in which they are taken."""
    return sorted(registries.holdings, key=lambda holding: holding.order)


def person(actor: Actor, customer: CustomerRef) -> Customer:
    """The customer that is meant, who may be in the bin: there everything is still held about them.

    Raises:
        NotFound: not there, or not the actor's to see.
    """
    key = survivor_id(key_of(customer))
    for some in (visible(actor.user), binned(actor.user)):
        if row := some.select_related("owner", "team").filter(pk=key).first():
            return row
    raise not_found(customer)


def preview(actor: Actor, customer: CustomerRef) -> Preview:
    """What an erasure of a customer would do; nothing is changed.

    Raises:
        PermissionRefused: the actor may not erase; NotFound: the customer is not there or not the actor's to see.
    """
    actor.require("erase")
    row = person(actor, customer)
    records = record_ids(row.pk)
    kinds = [
        Kind(one.key, one.label, one.model._base_manager.filter(one.of(records)).count(), one.fate, one.why)
        for one in in_order()
    ]
    kept = [
        Kept(figures.key, figures.label, sum(1 for _row in figures.read(records, since_of(years))), years)
        for figures, years in keeping()
        if years
    ]
    return Preview(
        row,
        records,
        [kind for kind in kinds if kind.rows],
        sum(rows.count() for rows in entries_of(records)),
        [one for one in kept if one.rows],
        held(records),
    )


def held(records: Sequence[int]) -> list[Held]:
    """Why these records cannot be erased for now, by all rooms."""
    return [one for ask in registries.holds for one in ask(records)]


def own_holds(records: Sequence[int]) -> list[Held]:
    """The holds that somebody set, as long as they stand."""
    return [Held(row.reason, row.until) for row in standing_holds(records)]


def standing_holds(records: Sequence[int]) -> QuerySet[Hold]:
    """Holds that were not ended and whose last day is not over."""
    today = business_now().date()
    rows = Hold.objects.filter(Q(until__isnull=True) | Q(until__gte=today), customer_id__in=records, ended_at=None)
    return rows.select_related("by").order_by("pk")


def keeping() -> list[tuple[KeptFigures, int]]:
    """The figures that can be kept of the erased, and for how many years they are."""
    set_here = dict(KeepRule.objects.values_list("kind", "years"))
    return [(figures, set_here.get(figures.key, figures.years)) for figures in registries.kept_figures]


def since_of(years: int) -> date:
    """The first day of which figures are kept that are kept for so many years: from the first of January on, since
    terms end with a year."""
    return date(business_now().year - years, 1, 1)


def until_of(day: date, years: int) -> date:
    """The last day on which a figure of ``day`` is kept."""
    return date(day.year + years, 12, 31)


def entries_of(records: Sequence[int]) -> Iterator[QuerySet[AuditEntry]]:
    """The entries of the audit log about rows of these records and about their parts, as query sets that do
    not overlap."""
    for start in range(0, len(records), _BATCH):
        yield AuditEntry.objects.filter(about__in=records[start : start + _BATCH])
    for holding in in_order():
        if not holding.audited:
            continue
        keys = list(holding.model._base_manager.filter(holding.of(records)).order_by().values_list("pk", flat=True))
        for start in range(0, len(keys), _BATCH):
            for record_type in holding.audited:
                yield AuditEntry.objects.filter(record_type=record_type, record_id__in=keys[start : start + _BATCH])


def get_erasure(actor: Actor, public_id: str) -> Erasure:
    """One erasure by public id.

    Raises:
        PermissionRefused: the actor may not erase; NotFound: there is none.
    """
    actor.require("erase")
    row = Erasure.objects.select_related("actor").filter(pk=ids.decode(Erasure.PREFIX, public_id) or 0).first()
    if row is None:
        raise NotFound(_("There is no erasure %(id)s; check the address.") % {"id": public_id})
    return row
