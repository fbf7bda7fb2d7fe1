"""Entries of the audit log that imports wrote before entries said whose they are, of addresses and attribute values
that were taken away since: whose they were is found by what was taken away."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from rondo.customers.models import Address, AttributeValue
from rondo.erasure.needles import had_by_others, streets_before
from rondo.foundation import audit
from rondo.foundation.models import AuditEntry

_ATTRIBUTE = "attribute."
_SHORT = 4
_COLUMN = {"address": "street", "attribute": "text"}
_BATCH = 500


def say_whose(records: Sequence[int]) -> int:
    """Note on such entries that they are about one of these records, where the last value they tell of is one that was
    taken from it and that nobody else has: a street with its number, a text; how many. What was taken away unseen, by
    the undo of an import, stays nobody's. Within the caller's transaction."""
    theirs = [(record, kind, values) for record in records for kind, values in _taken_from(record)]
    shared = had_by_others({value for _record, _kind, values in theirs for value in values}, set(records))
    return sum(_adopt(record, _nobodys(kind), _COLUMN[kind], values - shared) for record, kind, values in theirs)


def _taken_from(record: int) -> Iterator[tuple[str, set[str]]]:
    """By kind what was taken from a record and stands with nobody now."""
    streets = {street for street in streets_before([record]) if any(c.isdigit() for c in street) and " " in street}
    for kind, values in (("address", streets), ("attribute", _texts_before(record))):
        if values:
            model, column = (Address if kind == "address" else AttributeValue), _COLUMN[kind]
            yield (
                kind,
                values - set(model._default_manager.filter(**{f"{column}__in": values}).values_list(column, flat=True)),
            )


def _texts_before(record: int) -> set[str]:
    """Texts of attributes that were taken from a record."""
    told = AuditEntry.objects.filter(record_type="customer", record_id=record, verb="attribute.set")
    return {
        before
        for changes in told.values_list("changes", flat=True)
        for field, (before, _after) in changes.items()
        if field.startswith(_ATTRIBUTE) and isinstance(before, str) and len(before) >= _SHORT
    }


def _nobodys(kind: str) -> QuerySet[AuditEntry]:
    verbs = [f"{kind}.imported", f"{kind}.restored"]
    return AuditEntry.objects.filter(record_type=kind, verb__in=verbs, about__isnull=True).order_by("id")


def _adopt(record: int, entries: QuerySet[AuditEntry], column: str, values: set[str]) -> int:
    if not values:
        return 0
    last: dict[int, Any] = {}
    for key, changes in _told(entries):
        if column in changes:
            last[key] = changes[column][1]
    theirs = [key for key, value in last.items() if value in values]
    if not theirs:
        return 0
    found = 0
    with audit.door_opened("erasure"):
        for start in range(0, len(theirs), _BATCH):
            found += entries.filter(record_id__in=theirs[start : start + _BATCH]).update(about=record)
    return found


def _told(entries: QuerySet[AuditEntry]) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from entries.values_list("record_id", "changes").iterator(chunk_size=2000)
