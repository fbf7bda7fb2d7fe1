"""Numbers of changes: what lets another system take every change once, in order, and never miss one.

Who changes a record draws a number in the writing transaction and puts it on the record. A reader takes records up to
:func:`horizon`: no change with a number up to there can still come, so that a reader that has passed a number need
never look back.

On SQLite transactions write one after the other, and numbers are committed in order. On PostgreSQL they are not: who
draws holds an advisory lock until its transaction ends, and the lock names a number that the drawn one lies above.
Numbers are rows with a key from a sequence, so that they survive a dump and its restore (ids of transactions do not).
An import draws one number before its first row and uses it for all of them; while it is loading, the horizon stays
below.
"""

from datetime import datetime

from django.db import connection
from django.db.models import Count, Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import StateError
from rondo.foundation.models import Change, Load

_LOCKS = 0x526F6E64
"""First part of the advisory locks' keys (any fixed number: "Rond"); the second is a number modulo ``_WRAP``."""
_WRAP = 2**31
_OUTSTANDING = 200
"""So many numbers may be drawn after one before it is committed."""
_LAST = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM foundation_change_id_seq"


def draw() -> int:
    """A new number for what the present transaction changes.

    Raises:
        StateError: called outside a transaction.
    """
    if not connection.in_atomic_block:
        raise StateError(_("foundation_change: numbers are drawn inside a transaction only; open one first."))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # In a statement of its own: the number drawn afterwards lies above the one that the lock names.
            cursor.execute(f"SELECT pg_advisory_xact_lock_shared(%s, (({_LAST}) %% %s)::int)", [_LOCKS, _WRAP])
    return Change.objects.create().pk


def published(number: int) -> None:
    """Say that what carries a load's number can be seen from now on; called in the publishing transaction."""
    Change.objects.filter(pk=number).update(at=timezone.now())


def horizon() -> int:
    """The highest number below which nothing can come any more: read it before the rows, in a statement of its own."""
    last = _last_safe()
    loading = Load.objects.filter(status=Load.Status.LOADING).aggregate(first=Min("change"))["first"]
    return last if loading is None else min(last, loading - 1)


def _last_safe() -> int:
    if connection.vendor != "postgresql":
        return Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(_LAST)
        last = int(cursor.fetchone()[0])
        cursor.execute(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND pid <> pg_backend_pid()",  # what this very transaction has changed it may see
            [_LOCKS],
        )
        return min([last, *(last - (last - int(held)) % _WRAP for (held,) in cursor.fetchall())])


def drawn() -> tuple[int, int, int]:
    """What tells the changes that are seen now from those seen before: one more, or one that was drawn earlier and is
    committed later, and it is another."""
    last = Change.objects.order_by("-pk")[:_OUTSTANDING]
    found = last.aggregate(first=Min("pk"), last=Max("pk"), number=Count("pk"))
    return found["first"] or 0, found["last"] or 0, found["number"]


def moments(numbers: set[int]) -> dict[int, datetime]:
    """When the changes with these numbers were made; those of an import when it became visible."""
    return dict(Change.objects.filter(pk__in=numbers).values_list("pk", "at"))
