"""Marks of erased records: what the ledger knows them again by, and tells nobody who they were.

A mark is HMAC-SHA-256 over the record's key and the microsecond in which it was made, keyed by the installation's
alphabet of public ids, which comes along with every backup. A key that a restore gives out anew to somebody else has
another moment, and so another mark.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from rondo.customers.models import Customer
from rondo.foundation.installation import installation

_BATCH = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def mark_of(record: int, made_at: datetime) -> str:
    """The mark of a customer record that was made at that moment."""
    moment = (made_at - _EPOCH) // timedelta(microseconds=1)
    return hmac.new(installation().id_alphabet.encode(), f"{record}:{moment}".encode(), hashlib.sha256).hexdigest()


def records_with(marks: Iterable[str]) -> list[int]:
    """The customer records here that have one of these marks; every record is looked at."""
    wanted = set(marks)
    if not wanted:
        return []
    rows = Customer.objects.order_by("pk").values_list("pk", "created_at").iterator(chunk_size=_BATCH)
    return [pk for pk, made_at in rows if mark_of(pk, made_at) in wanted]
