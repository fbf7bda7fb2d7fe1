"""The index of name words (:class:`~rondo.customers.models.NameWord`): kept equal to what :func:`rebuild` would make.

Whoever writes a name, merges, or undoes a merge calls :func:`reindex` in the same transaction; whoever makes customers
calls :func:`add`, or writes :func:`columns_of_new` beside them. Nothing else writes the index.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from rondo.customers.models import Customer, NameWord, Survivor

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 5_000
_MANY = 1_000
"""From this many rows on they go in by the bulk load, which pays for the block of keys it asks for."""


def words_of(own: str, merged: Iterable[str] = ()) -> dict[str, bool]:
    """The words that find a customer, each with ``later``: all of the folded names, the first of ``own`` not later."""
    found: dict[str, bool] = {}
    for number, word in enumerate(own.split()):
        found.setdefault(word, number > 0)
    for name in merged:
        for word in name.split():
            found.setdefault(word, True)
    return found


def add(customer: Customer) -> None:
    """Index a customer just made."""
    found = words_of(customer.folded_name)
    NameWord.objects.bulk_create(NameWord(customer=customer, word=word, later=later) for word, later in found.items())


def columns_of_new(customers: Sequence[int], folded: Sequence[str]) -> tuple[dict[str, "pa.Array"], int]:
    """Columns of the index (but its key) for customers just made with these folded names, and their number."""
    rows = [(key, *row) for key, name in zip(customers, folded, strict=True) for row in words_of(name).items()]
    return _columns(rows), len(rows)


def reindex(records: Iterable[int]) -> None:
    """Bring the index up to date for the customers that the records (merged or not) stand for now.

    Reads what is there and writes only what differs; its number of queries grows with batches of records alone. Must
    be called inside the transaction that wrote the names or edges.
    """
    from rondo.foundation.loading import bulk

    pending = sorted(set(records))
    for start in range(0, len(pending), _BATCH):
        some = pending[start : start + _BATCH]
        survivors = dict(bulk.lookup(Survivor, "customer_id", some, ["customer_id", "survivor_id"]))
        _reindex(sorted({survivors.get(key, key) for key in some}))


def _reindex(customers: list[int]) -> None:
    """As :func:`reindex`, for customers that are not merged into others."""
    from rondo.foundation.loading import bulk

    merged = bulk.lookup(Survivor, "survivor_id", customers, ["customer_id", "survivor_id"])
    records = [*customers, *(record for record, _survivor in merged)]
    name_of = dict(bulk.lookup(Customer, "id", records, ["id", "folded_name"]))
    names: dict[int, list[str]] = {key: [] for key in customers if key in name_of}
    for record, survivor in sorted(merged):
        names[survivor].append(name_of[record])
    wanted = {(key, w): later for key, more in names.items() for w, later in words_of(name_of[key], more).items()}
    gone: list[int] = []
    for key, customer, word, later in bulk.lookup(
        NameWord, "customer_id", customers, ["id", "customer_id", "word", "later"]
    ):
        if wanted.get((customer, word)) == bool(later):
            del wanted[customer, word]
        else:
            gone.append(key)
    for start in range(0, len(gone), _BATCH):
        NameWord.objects.filter(pk__in=gone[start : start + _BATCH]).delete()
    _insert([(customer, word, later) for (customer, word), later in wanted.items()])


def rebuild(report: Callable[[int, int], None] = lambda _done, _total: None) -> None:
    """Make the index anew, in chunks that commit on their own; ``report(done, last)`` by the customers' keys."""
    last = Customer.objects.aggregate(last=Max("pk"))["last"] or 0
    for first in range(1, last + 1, _BATCH):
        span = (first, first + _BATCH - 1)
        with transaction.atomic():
            NameWord.objects.filter(customer_id__gte=span[0], customer_id__lte=span[1]).delete()
            standing = Customer.objects.filter(pk__range=span, is_merged=False)
            _reindex(list(standing.order_by("pk").values_list("pk", flat=True)))
        report(min(span[1], last), last)


def _insert(rows: list[tuple[int, str, bool]]) -> None:
    if len(rows) < _MANY:
        NameWord.objects.bulk_create(NameWord(customer_id=key, word=word, later=later) for key, word, later in rows)
        return
    import pyarrow as pa

    from rondo.foundation.keys import allocate
    from rondo.foundation.loading import bulk

    first = allocate(NameWord, len(rows))
    keys = pa.array(range(first, first + len(rows)), pa.int64())
    bulk.insert(NameWord, {"id": keys, **_columns(rows)}, len(rows))


def _columns(rows: Sequence[tuple[int, str, bool]]) -> dict[str, Any]:
    import pyarrow as pa

    return {
        "customer_id": pa.array([row[0] for row in rows], pa.int64()),
        "word": pa.array([row[1] for row in rows], pa.string()),
        "later": pa.array([row[2] for row in rows], pa.bool_()),
    }
