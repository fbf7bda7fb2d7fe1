"""Two customers side by side before they are made one: what each shows per field, where the two differ so that a person
can choose, and which value was entered later. What is done by it is in :mod:`rondo.customers.actions.picking`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet, prefetch_related_objects

from rondo.customers.models import Address, AttributeValue, Customer, Survivor
from rondo.customers.queries import addresses_of, all_attributes_of, attribute_rows
from rondo.foundation.models import AuditEntry
from rondo.foundation.search import fold

ATTRIBUTE = "attr."
NAMES = ("given_name", "family_name")
PLAIN = ("kind", "language", "birth_date", "owner", "team")
"""Fields that are one column each."""
FIELDS = ("name", *NAMES, *PLAIN, "address")
"""What can be chosen beside ``attr.<key>``: the name as a whole, or its parts where both have parts."""

Which = Literal["left", "right"]
_NOTED_AS = {"address": ("address",), "name": ("name", *NAMES), "given_name": ("given_name", "name")}
_MOST_ENTRIES = 2_000


@dataclass(frozen=True)
class Side:
    """What a customer shows: the row, all its records (itself first), attributes by key, and the postal address that is
    shown first. ``entered``: when what the log tells of a field was entered last, over all records."""

    row: Customer
    records: list[int]
    attributes: dict[str, AttributeValue]
    address: Address | None
    entered: dict[str, datetime] = field(default_factory=dict)

    @property
    def in_parts(self) -> bool:
        """Whether the name is that of its parts, which can be chosen one by one."""
        return bool(self.row.name) and self.row.name == composed(self.row.given_name, self.row.family_name)


def composed(given: str, family: str) -> str:
    """The name that its parts make."""
    return " ".join(filter(None, (given, family)))


def values_of(value: AttributeValue) -> dict[str, Any]:
    """What an attribute holds, by the columns that hold it."""
    return {"text": value.text, "number": value.number, "day": value.day}


def value_of(side: Side, name: str) -> Any:
    """What a side has of a field, comparable; empty (false) where it has none. An owner who left is none."""
    if name.startswith(ATTRIBUTE):
        found = side.attributes.get(name.removeprefix(ATTRIBUTE))
        return None if found is None else tuple(values_of(found).values())
    if name == "address":
        one = side.address
        return None if one is None else (one.street, one.postal_code, one.city, one.region, one.country)
    if name == "owner":
        return side.row.owner_id if side.row.owner is not None and side.row.owner.is_active else None
    if name == "team":
        return side.row.team_id
    return getattr(side.row, name)


def differing(left: Side, right: Side) -> list[str]:
    """The fields of which both have a value, and not the same: those a person chooses from. Where only one side has a
    value, that one is shown."""
    names = NAMES if left.in_parts and right.in_parts else ("name",)
    attributes = sorted({*left.attributes} & {*right.attributes})
    wanted = (*names, *PLAIN, "address", *(ATTRIBUTE + key for key in attributes))
    return [
        name
        for name in wanted
        if (one := value_of(left, name)) and (other := value_of(right, name)) and one != other
    ]  # fmt: skip


def later(name: str, left: Side, right: Side, stays: Which) -> Which:
    """The side whose value was entered later, by the audit log, else by when the record came in; of two that cannot be
    told apart the one that ``stays``."""
    one, other = _entered(name, left), _entered(name, right)
    return stays if one == other else "left" if one > other else "right"


def _entered(name: str, side: Side) -> datetime:
    keys = _NOTED_AS.get(name, (name.replace(ATTRIBUTE, "attribute."),))
    return max((side.entered[key] for key in keys if key in side.entered), default=side.row.created_at)


def read_sides(rows: Iterable[Customer], *, entered: bool = False) -> dict[int, Side]:
    """The sides of surviving customers (already checked as visible) by key, in a number of queries that does not grow
    with theirs; with ``entered`` also when their values were entered."""
    found = {row.pk: row for row in rows}
    prefetch_related_objects(list(found.values()), "owner", "team")
    records: dict[int, list[int]] = {key: [key] for key in found}
    merged = Survivor.objects.filter(survivor_id__in=found).order_by("customer_id")
    for record, survivor in merged.values_list("customer_id", "survivor_id"):
        records[survivor].append(record)
    stands = {record: key for key, group in records.items() for record in group}
    everybody = list(stands)
    places: dict[int, Address] = {}
    for address in addresses_of(everybody):
        if address.street or address.city or address.postal_code:
            places.setdefault(stands[address.customer_id], address)
    values = list(attribute_rows(everybody))
    moments = _moments(everybody) if entered else {}
    return {
        key: Side(
            row,
            records[key],
            {one.definition.key: one for one in all_attributes_of(records[key], values)},
            places.get(key),
            _latest(moments.get(record, {}) for record in records[key]),
        )
        for key, row in found.items()
    }


def _moments(records: list[int]) -> dict[int, dict[str, datetime]]:
    found: dict[int, dict[str, datetime]] = {}
    rows: QuerySet[AuditEntry] = AuditEntry.objects.filter(record_type="customer", record_id__in=records)
    for record, at, changes in rows.order_by("-id").values_list("record_id", "at", "changes")[:_MOST_ENTRIES]:
        for name in changes:
            found.setdefault(record, {}).setdefault(name, at)
    return found


def _latest(moments: Iterable[dict[str, datetime]]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for one in moments:
        for name, at in one.items():
            found[name] = max(at, found.get(name, at))
    return found


def same_words(one: str, other: str) -> bool:
    """Whether two names say the same, letters folded."""
    return fold(one) == fold(other)
