"""Reads of customers. Every one starts from :func:`visible`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from rondo.customers.definitions import seen
from rondo.customers.identifiers import masked_text
from rondo.customers.models import Address, AttributeDefinition, AttributeValue, Customer, Identifier, Link, Survivor
from rondo.foundation import ids
from rondo.foundation.loads import shown
from rondo.foundation.models import Load, User
from rondo.foundation.prepared import prepared
from rondo.foundation.rights import branch_of, masked, reach_of

ROOM = "customers"
"""The room of customers, and of all that is told of them: the chain, figures, campaigns' answers."""


def reach(viewer: User | None, prefix: str = "") -> Q:
    """The condition on a customer (at ``prefix``) that ``viewer``'s reads obey; None is the system, which sees all."""
    if viewer is None or sees_all(viewer):
        return Q()
    own = Q(**{f"{prefix}owner_id": viewer.pk})
    if reach_of(viewer, ROOM) == "team" and (teams := branch_of(viewer)):
        return own | Q(**{f"{prefix}team_id__in": teams})
    return own


def visible(viewer: User | None) -> QuerySet[Customer]:
    """The surviving customers that ``viewer`` may see; rows of hidden loads and merged records are left out."""
    found = _standing_customers()
    return found.all() if sees_all(viewer) else found.filter(reach(viewer))


def sees_few(viewer: User | None, most: int = 2000) -> bool:
    """Whether a viewer sees so few customers that what is asked of them is asked of each, not of the whole base."""
    if sees_all(viewer):
        return False
    return not visible(viewer).order_by()[most : most + 1].exists()


@lru_cache(maxsize=16)
def alive(prefix: str = "") -> Q:
    """The condition on a customer (at ``prefix``) that they are there: not merged into another, not of a hidden load,
    not in the bin."""
    return shown(prefix) & Q(**{f"{prefix}is_merged": False, f"{prefix}bin__isnull": True})


def binned(viewer: User | None) -> QuerySet[Customer]:
    """The surviving customers in the bin that ``viewer`` would see if they were not."""
    return Customer.objects.filter(shown(), reach(viewer), is_merged=False, bin__isnull=False)


# Queries that are never run themselves: to copy one costs a page far less than to build it anew.


@lru_cache(maxsize=1)
def _standing_customers() -> QuerySet[Customer]:
    return Customer.objects.filter(alive())


@prepared
def _identifiers(customer_ids: Sequence[int]) -> QuerySet[Identifier]:
    return Identifier.objects.filter(shown(), customer_id__in=customer_ids).select_related("source")


@lru_cache(maxsize=1)
def _attributes() -> QuerySet[AttributeValue]:
    standing = AttributeDefinition.State.STANDING
    return AttributeValue.objects.filter(shown(), definition__state=standing).select_related("definition")


@prepared
def _addresses(customer_ids: Sequence[int]) -> QuerySet[Address]:
    own = Q(customer__survivor_row__isnull=True)
    place = Case(
        When(own, pk=F("customer__preferred_address_id"), then=0),
        When(pk=F("customer__survivor_row__survivor__preferred_address_id"), then=0),
        When(own, then=1),
        default=2,
    )
    return Address.objects.filter(shown(), customer_id__in=customer_ids).order_by(place, "customer_id", "pk")


def once_visible(viewer: User | None) -> QuerySet[Customer]:
    """The records in ``viewer``'s reach that stand or once stood: also merged ones, and those of loads taken back."""
    never = Load.objects.exclude(status__in=[Load.Status.VISIBLE, Load.Status.UNDONE]).values("id")
    return Customer.objects.filter(Q(load_id__isnull=True) | ~Q(load_id__in=never), reach(viewer))


def belongs_to(customers: QuerySet[Customer], column: str = "customer_id") -> Exists:
    """The condition that the record in ``column``, or the one that it was merged into, is among ``customers``.

    It is looked up row by row, so that a page of a long table costs what its rows cost.
    """
    survivor = Survivor.objects.filter(customer_id=OuterRef(OuterRef(column))).values("survivor_id")[:1]
    return Exists(customers.filter(pk=Coalesce(Subquery(survivor), OuterRef(column))))


def survivors_of(viewer: User | None, customer_ids: Sequence[int]) -> dict[int, int]:
    """Of merged records the record that stands for each, where ``viewer`` may see it."""
    rows = Survivor.objects.filter(customer_id__in=customer_ids, survivor__in=visible(viewer))
    return dict(rows.values_list("customer_id", "survivor_id"))


def sees_all(viewer: User | None) -> bool:
    """Whether figures of the whole base may be shown to ``viewer``."""
    return reach_of(viewer, ROOM) == "all"


def scope_key(viewer: User | None) -> str:
    """The part of a cache key that separates what viewers of different reach see."""
    if viewer is None or sees_all(viewer):
        return "all"
    teams = branch_of(viewer) if reach_of(viewer, ROOM) == "team" else []
    return "-".join(["of", str(viewer.pk), *map(str, sorted(teams))])


def get_visible(viewer: User | None, public_id: str) -> Customer:
    """One customer by public id; a merged record answers with its survivor.

    Raises:
        Customer.DoesNotExist: unknown, hidden, or not the viewer's to see.
    """
    key = ids.decode(Customer.PREFIX, public_id)
    if key is None:
        raise Customer.DoesNotExist(public_id)
    if sees_all(viewer) and (found := _of_all(key)):
        return found[0]
    rows = visible(viewer).select_related("owner", "team")
    try:
        return rows.get(pk=key)
    except Customer.DoesNotExist:
        if (survivor := survivor_id(key)) == key:
            raise
        return rows.get(pk=survivor)


@prepared
def _of_all(key: int) -> QuerySet[Customer]:
    return visible(None).select_related("owner", "team").filter(pk=key)


def marks(viewer: User | None, customer_ids: Sequence[int]) -> dict[int, str]:
    """What tells customers of one name apart: per customer the e-mail address, else phone, card or number elsewhere,
    as it was written; nobody who has none of them, and nobody where identifiers are masked for ``viewer``."""
    if masked(viewer, "identifiers"):
        return {}
    order = (Identifier.Kind.EMAIL, Identifier.Kind.PHONE, Identifier.Kind.CARD, Identifier.Kind.EXTERNAL)
    rows = Identifier.objects.filter(shown(), customer_id__in=customer_ids, kind__in=order)
    found = sorted(
        rows.values_list("customer_id", "kind", "shown", "pk"), key=lambda row: (order.index(row[1]), row[3])
    )
    return {customer: written for customer, _kind, written, _pk in reversed(found)}


def survivor_id(customer_id: int) -> int:
    """The record that survives ``customer_id`` (itself if it was not merged)."""
    found = _survivor_of(customer_id)
    return found[0] if found else customer_id


@prepared
def _survivor_of(customer_id: int) -> QuerySet[Survivor, int]:
    return Survivor.objects.filter(customer_id=customer_id).values_list("survivor_id", flat=True)


def record_ids(survivor: int) -> list[int]:
    """All records that a survivor stands for, itself first: rows keep the customer they were written with."""
    return [survivor, *_merged_into(survivor)]


@prepared
def _merged_into(survivor: int) -> QuerySet[Survivor, int]:
    rows = Survivor.objects.filter(survivor_id=survivor).order_by("customer_id")
    return rows.values_list("customer_id", flat=True)


def identifiers_of(viewer: User | None, customer_ids: Sequence[int]) -> list[Identifier]:
    """Identifiers of a customer's records (:func:`record_ids`, checked as visible), by kind, then in order of entry.

    Where identifiers are masked for ``viewer``, they hold the masked text alone.
    """
    order = list(Identifier.Kind.values)
    rows = sorted(_identifiers(customer_ids), key=lambda row: (order.index(row.kind), row.pk))
    if masked(viewer, "identifiers"):
        for row in rows:
            row.shown = row.value = masked_text(row.kind, row.shown)
    return rows


def attribute_rows(customer_ids: Sequence[int]) -> QuerySet[AttributeValue]:
    """All attribute values of these records, already checked as visible."""
    return _attributes().filter(customer_id__in=customer_ids)


@prepared
def _attribute_rows(customer_ids: Sequence[int]) -> QuerySet[AttributeValue]:
    return attribute_rows(customer_ids)


def attributes_of(viewer: User | None, customer_ids: Sequence[int]) -> list[AttributeValue]:
    """One value per attribute that a customer has and ``viewer`` sees, in the order of the definitions; the records as
    for :func:`all_attributes_of`."""
    return seen(viewer, all_attributes_of(customer_ids))


def all_attributes_of(
    customer_ids: Sequence[int], rows: Iterable[AttributeValue] | None = None
) -> list[AttributeValue]:
    """One value per attribute that a customer has, whoever may see it, in the order of the definitions.

    ``customer_ids`` are the survivor's records (:func:`record_ids`), itself first: the survivor's own value wins, else
    that of the merged record entered first. ``rows``: values of these and others, if they were read already.
    """
    rank = {key: position for position, key in enumerate(customer_ids)}
    found = _attribute_rows(customer_ids) if rows is None else [row for row in rows if row.customer_id in rank]
    won: dict[int, AttributeValue] = {}
    for row in sorted(found, key=lambda row: rank[row.customer_id]):
        won.setdefault(row.definition_id, row)
    return sorted(won.values(), key=lambda row: (row.definition.order, row.definition.key))


def addresses_of(customer_ids: Sequence[int]) -> list[Address]:
    """Postal addresses of a customer's records: the preferred one, those of the survivor, those of merged records, the
    record entered first before others."""
    return _addresses(customer_ids)


@dataclass(frozen=True)
class LinkSeen:
    """A link as seen from one customer: ``outward`` if that customer is its subject; ``other`` is the survivor."""

    link: Link
    other: Customer
    outward: bool


@prepared
def _links(subjects: Sequence[int], objects: Sequence[int]) -> QuerySet[Link]:
    ends = Q(subject_id__in=subjects) | Q(object_id__in=objects)
    return Link.objects.filter(shown(), ends, until__isnull=True).order_by("pk")


@prepared
def _ended_links(subjects: Sequence[int], objects: Sequence[int]) -> QuerySet[Link]:
    ends = Q(subject_id__in=subjects) | Q(object_id__in=objects)
    return Link.objects.filter(shown(), ends, until__isnull=False).order_by("pk")


def links_of(viewer: User | None, customer_ids: Sequence[int], *, ended: bool = False) -> list[LinkSeen]:
    """Links of a customer's records to customers that ``viewer`` may see; links within the customer are left out, and
    so are those that have ended, or have not, where only ``ended`` ones are asked for."""
    own = set(customer_ids)
    ends: dict[int, tuple[Link, bool, int]] = {}
    for row in (_ended_links if ended else _links)(customer_ids, customer_ids):
        outward = row.subject_id in own
        ends[row.pk] = (row, outward, row.object_id if outward else row.subject_id)
    if not ends:
        return []
    others = {other for _link, _outward, other in ends.values()} - own
    survivors = dict(Survivor.objects.filter(customer_id__in=others).values_list("customer_id", "survivor_id"))
    people = visible(viewer).in_bulk({survivors.get(key, key) for key in others})
    found: dict[tuple[int, str, bool, date | None], LinkSeen] = {}
    for row, outward, other in ends.values():
        person = people.get(survivors.get(other, other))
        if person is not None and other not in own:
            found.setdefault((person.pk, row.role, outward, row.until), LinkSeen(row, person, outward))
    return list(found.values())
