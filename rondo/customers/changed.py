"""Which customers changed: every action notes its change here, in the audit log and as the number that readers follow.

What counts is what belongs to the record: its fields, owner and team, identifiers, addresses, attributes, links and
merges. What it only refers to (the name of a linked customer, of its owner, the label of an attribute) does not.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import pyarrow as pa
from django.db import connection
from django.db.models import Q, QuerySet

from rondo.customers.models import Customer, Survivor
from rondo.foundation import audit, change_numbers
from rondo.foundation.actors import Actor
from rondo.foundation.loading import bulk
from rondo.foundation.models import AuditEntry, Load

_BATCH = 500
_gathered: "ContextVar[list[AuditEntry] | None]" = ContextVar("gathered", default=None)


def noted(actor: Actor, verb: str, customer_id: int, changes: audit.Changes) -> None:
    """Write the audit entry of a change to a customer, and mark it as changed; inside the changing transaction."""
    gathered = _gathered.get()
    if gathered is not None:
        gathered.append(audit.entry(actor, verb, "customer", customer_id, changes))
        return
    audit.record(actor, verb, "customer", customer_id, changes)
    mark([customer_id])


@contextmanager
def noted_together() -> Iterator[None]:
    """Inside a transaction: what is noted in the block is written at its end, all at once and with one number; nothing
    of it where the block fails, which the transaction has to fail with."""
    entries: list[AuditEntry] = []
    token = _gathered.set(entries)
    try:
        yield
    finally:
        _gathered.reset(token)
    audit.record_many(entries)
    mark(entry.record_id for entry in entries)


def mark(customer_ids: Iterable[int]) -> None:
    """Put a new number on customers, and on the records that they were merged into; inside the changing transaction."""
    keys = sorted(set(customer_ids))
    number = change_numbers.draw() if keys else 0
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        survivors = Survivor.objects.filter(customer_id__in=some).values("survivor_id")
        if len(some) > 1 and connection.vendor == "postgresql":  # in the order in which everybody locks more than one
            held = Q(pk__in=survivors) | Q(pk__in=some, is_merged=False)
            list(Customer.objects.select_for_update(no_key=True).filter(held).order_by("pk").values_list("pk"))
        Customer.objects.filter(Q(pk__in=some) | Q(pk__in=survivors)).update(changed_in=number)


def mark_loaded(customer_ids: Iterable[int], number: int) -> None:
    """As :func:`mark`, for the many of an import, with the import's number."""
    keys = set(customer_ids)
    keys.update(row[0] for row in bulk.lookup(Survivor, "customer_id", sorted(keys), ["survivor_id"]))
    bulk.update(Customer, pa.array(sorted(keys), pa.int64()), {"changed_in": number})


def mark_gone(load: Load) -> None:
    """Put a new number on the customers of a load that is taken back, which nobody sees from now on."""
    rows = Customer.objects.filter(load_id=load.pk)
    if rows.exists():
        rows.update(changed_in=change_numbers.draw())


def changed_after(rows: QuerySet[Customer], after: tuple[int, int], until: int) -> QuerySet[Customer]:
    """Of ``rows`` those that changed after a place in the order of changes (number, key) and up to number ``until``,
    in that order."""
    number, key = after
    later = Q(changed_in__gt=number) | Q(changed_in=number, pk__gt=key)
    return rows.filter(later, changed_in__gte=number, changed_in__lte=until).order_by("changed_in", "pk")
