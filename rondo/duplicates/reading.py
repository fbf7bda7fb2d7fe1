"""The customers as the engine compares them, out of the operational store: the columnar copy holds no personal strings.

They are held in memory alone, and given away as soon as the engine has its own form of them.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from rondo.customers.models import Address, Identifier, Survivor
from rondo.customers.queries import visible
from rondo.duplicates.engine.records import RECORDS
from rondo.foundation.loads import shown

_CHUNK = 20_000
_KINDS: dict[str, str] = {Identifier.Kind.EMAIL: "mails", Identifier.Kind.PHONE: "phones"}


def read_records(report: Callable[[str, int, int], None] = lambda *_: None) -> pa.Table:
    """Every standing customer (columns of :data:`~rondo.duplicates.engine.records.RECORDS`) with the identifiers of all
    records merged into it, and the first postal address that has a street or a town."""
    rows = visible(None).order_by("pk")
    total = rows.count()
    merged: dict[int, list[int]] = {}
    for record, survivor in Survivor.objects.values_list("customer_id", "survivor_id").iterator(_CHUNK):
        merged.setdefault(survivor, []).append(record)
    batches: list[pa.RecordBatch] = []
    done, last = 0, 0
    while True:
        report("read", done, total)
        columns = ("pk", "kind", "name", "given_name", "family_name", "birth_date")
        chunk = list(rows.filter(pk__gt=last).values_list(*columns)[:_CHUNK])
        if not chunk:
            break
        last = chunk[-1][0]
        batches.append(_batch(chunk, merged))
        done += len(chunk)
    return pa.Table.from_batches(batches, schema=RECORDS)


def _batch(chunk: list[tuple[Any, ...]], merged: dict[int, list[int]]) -> pa.RecordBatch:
    first, last = chunk[0][0], chunk[-1][0]
    stands = {record: row[0] for row in chunk for record in merged.get(row[0], ())}
    known: dict[int, dict[str, Any]] = {
        key: {
            "id": key,
            "kind": kind,
            "name": name,
            "given": given,
            "family": family,
            "birth": birth.isoformat() if birth else None,
            "mails": [],
            "phones": [],
        }
        for key, kind, name, given, family, birth in chunk
    }
    between = {"customer_id__gte": first, "customer_id__lte": last}
    for condition in (between, {"customer_id__in": list(stands)}):
        held = Identifier.objects.filter(shown(), kind__in=_KINDS, **condition).order_by("pk")
        for customer, kind, value in held.values_list("customer_id", "kind", "value"):
            row = known.get(stands.get(customer, customer))
            if row is not None:
                row[_KINDS[kind]].append(value)
        addresses = Address.objects.filter(shown(), **condition).order_by("pk")
        _place(addresses.values_list("customer_id", "street", "postal_code", "city", "region"), known, stands)
    return pa.RecordBatch.from_pylist(list(known.values()), schema=RECORDS)


def _place(rows: Iterable[tuple[Any, ...]], known: dict[int, dict[str, Any]], stands: dict[int, int]) -> None:
    for customer, street, postal, city, region in rows:
        row = known.get(stands.get(customer, customer))
        if row is not None and "street" not in row and (street or city or postal):
            row.update(street=street, postal=postal, city=city, region=region)
