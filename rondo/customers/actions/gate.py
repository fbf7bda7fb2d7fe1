"""How actions reach the record they change: through the read gate, locked, and checked field by field."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from rondo.customers.models import Customer, Survivor
from rondo.customers.queries import survivor_id, visible
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import ids
from rondo.foundation.actors import Actor

CustomerRef = Customer | int | str
"""A customer, its key, or its public id."""

_ATTEMPTS = 5
_BATCH = 5_000
_MERGING = 0x6D65726765
"""Key of the advisory lock of merges: any fixed number."""


def key_of(ref: CustomerRef) -> int:
    """The key that ``ref`` names; raises NotFound if a public id is not one of ours."""
    if isinstance(ref, Customer):
        return ref.pk
    if isinstance(ref, int):
        return ref
    key = ids.decode(Customer.PREFIX, ref)
    if key is None:
        raise not_found(ref)
    return key


def not_found(ref: CustomerRef) -> NotFound:
    """The same answer whether a customer does not exist or is not the actor's to see."""
    shown = ref if isinstance(ref, str) else ids.encode(Customer.PREFIX, key_of(ref))
    return NotFound(_("Customer %(id)s is not there or not yours to see; check the address.") % {"id": shown})


def seen(actor: Actor, ref: CustomerRef) -> Customer:
    """The customer that ``ref`` stands for now, without a lock: for rows that are added beside it.

    Raises:
        NotFound: not there, or not the actor's to see.
    """
    row = visible(actor.user).filter(pk=survivor_id(key_of(ref))).first()
    if row is None:
        raise not_found(ref)
    return row


def locked(actor: Actor, ref: CustomerRef, *, follow: bool = True) -> Customer:
    """The customer that ``ref`` stands for now, locked until the transaction ends.

    A merged record answers with its survivor, unless ``follow`` is false.

    Raises:
        NotFound: not there, or not the actor's to see; StateError: merged, and ``follow`` is false.
    """
    key = key_of(ref)
    rows, (survivor,) = _lock([key])
    _check_seen(actor, {survivor: ref})
    if survivor != key and not follow:
        raise StateError(
            _("Customer %(id)s has been merged into %(survivor)s; open that one and change it there.")
            % {
                "id": ids.encode(Customer.PREFIX, key),
                "survivor": ids.encode(Customer.PREFIX, survivor),
            }
        )
    return rows[survivor]


def locked_pair(actor: Actor, first: CustomerRef, second: CustomerRef) -> tuple[Customer, Customer]:
    """Two customers' survivors, locked until the transaction ends; raises NotFound as :func:`locked` does."""
    rows, (one, two) = _lock([key_of(first), key_of(second)])
    _check_seen(actor, {one: first, two: second})
    return rows[one], rows[two]


def hold(*keys: int) -> None:
    """Lock the survivors of these records until the transaction ends, whoever asks."""
    _lock(list(keys))


def locked_root(actor: Actor, record: int) -> Customer:
    """The survivor of ``record``, locked until the transaction ends; raises NotFound as :func:`locked` does. A merged
    record needs no lock of its own: whoever changes it holds its survivor."""
    rows, (survivor,) = _lock([record])
    _check_seen(actor, {survivor: record})
    return rows[survivor]


class _Moved(Exception):
    """A merge or its undo came between looking up the survivors and locking them."""


def _lock(keys: list[int]) -> tuple[dict[int, Customer], list[int]]:
    """Lock the survivors of ``keys`` in the order of their keys, so that two callers cannot wait for each other.

    Locks of an attempt that came too late are given back (savepoint) before the next one.
    """
    for _attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                survivors = [survivor_id(key) for key in keys]
                found = Customer.objects.select_for_update(no_key=True).filter(pk__in=set(survivors)).order_by("pk")
                rows = {row.pk: row for row in found}
                if [survivor_id(key) for key in keys] != survivors:
                    raise _Moved
                return rows, survivors
        except _Moved:
            continue
    raise StateError(_("Somebody else is merging these customers at the same moment; try again."))


def one_at_a_time() -> None:
    """Wait for whoever says who is who: merges, splits, their undo, imports that become visible or are taken back. They
    change whole trees of records, whose order of locks nobody can know beforehand. To be called before any customer
    is locked; lasts until the transaction ends. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MERGING])


def hold_all(keys: Iterable[int]) -> None:
    """Lock the survivors of many customers in the order of their keys, as everybody does who locks more than one. To be
    called after :func:`one_at_a_time`, so that they stay the survivors. On SQLite the transaction itself does it."""
    if connection.vendor != "postgresql":
        return
    wanted = sorted(set(keys))
    roots: set[int] = set()
    for start in range(0, len(wanted), _BATCH):
        some = wanted[start : start + _BATCH]
        merged = dict(Survivor.objects.filter(customer_id__in=some).values_list("customer_id", "survivor_id"))
        roots.update(merged.get(key, key) for key in some)
    ordered = sorted(roots)
    with connection.cursor() as cursor:
        for start in range(0, len(ordered), _BATCH):
            cursor.execute(
                f'SELECT 1 FROM "{Customer._meta.db_table}" WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE',
                [ordered[start : start + _BATCH]],
            )


def _check_seen(actor: Actor, wanted: dict[int, CustomerRef]) -> None:
    """The read gate: raise NotFound for the first customer that the actor may not see."""
    seen = set(visible(actor.user).filter(pk__in=wanted).values_list("pk", flat=True))
    for key, ref in wanted.items():
        if key not in seen:
            raise not_found(ref)


def check_fields(row: models.Model, names: Iterable[str]) -> None:
    """Validate named fields of an unsaved change. A NUL is refused on either database: PostgreSQL takes none, and what
    SQLite took could not be restored there.

    Raises:
        InputError: names field and value, and what would be right.
    """
    names = set(names)
    skipped = {f.name for f in row._meta.fields if f.name not in names or (f.null and getattr(row, f.attname) is None)}
    try:
        row.clean_fields(exclude=skipped)
    except ValidationError as error:
        name, problems = next(iter(error.message_dict.items()))
        raise InputError(
            _("%(field)s = %(value)r: %(problem)s")
            % {"field": name, "value": getattr(row, name), "problem": " ".join(problems)}
        ) from error
    held = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name in names}
    for name, value in sorted(held.items()):
        if isinstance(value, str) and "\x00" in value:
            raise InputError(_("%(name)s: a NUL is no text; remove it.") % {"name": name})


def plain(value: Any) -> Any:
    """A value as it stands in an audit entry."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value
