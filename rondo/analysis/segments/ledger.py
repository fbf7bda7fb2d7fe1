"""The ledger of members: who stands in it, and the one way in which rows are added and closed."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.analysis.models import Score
from rondo.analysis.queries import current_run
from rondo.analysis.segments.models import Membership, Refresh, Segment
from rondo.errors import StateError
from rondo.foundation.registry import registries

Keys = npt.NDArray[np.int64]
CHUNK = 20_000
"""Keys that one statement writes."""


def standing_keys(row: Segment) -> Keys:
    """The members as recorded, ascending; read in chunks into one array."""
    rows = Membership.objects.filter(segment=row, left_at__isnull=True).order_by("customer_id")
    return np.fromiter(rows.values_list("customer_id", flat=True).iterator(chunk_size=CHUNK), np.int64)


def apply_members(
    row: Segment,
    as_of: date,
    entered: Sequence[int] | Keys,
    left: Sequence[int] | Keys,
    profile: list[dict[str, Any]] | None = None,
) -> Refresh:
    """Write who entered and who left, and the snapshot; inside the caller's transaction, which has locked the row."""
    if not connection.in_atomic_block:
        raise StateError(_("Members are written inside a transaction only; open one first."))
    moment = timezone.now()
    done = Refresh.objects.create(segment=row, at=moment, as_of=as_of, run=current_run(), profile=profile or [])
    for chunk in _chunks(left):
        _leave(row, done, chunk)
    for chunk in _chunks(entered):
        _enter(row, done, chunk)
    standing_rows = Membership.objects.filter(segment=row, left_at__isnull=True)
    done.size = standing_rows.count()
    done.entered, done.left = len(entered), len(left)
    done.value = Score.objects.filter(customer_id__in=standing_rows.values("customer_id")).aggregate(v=Sum("value"))[
        "v"
    ]
    done.save(update_fields=["size", "entered", "left", "value"])
    row.status, row.error, row.refreshed_at, row.as_of, row.size = Segment.Status.FRESH, "", moment, as_of, done.size
    row.save(update_fields=["status", "error", "refreshed_at", "as_of", "size"])
    if done.entered or done.left:
        for follow in registries.members_moved:
            follow(done)
    return done


def write_failure(row: Segment, as_of: date, reason: str) -> None:
    """Mark a segment as failed, with the reason; its members stay."""
    with transaction.atomic():
        Refresh.objects.create(segment=row, as_of=as_of, run=current_run(), size=row.size, error=reason[:2000])
        Segment.objects.filter(pk=row.pk).update(status=Segment.Status.FAILED, error=reason[:2000])


def _chunks(keys: Sequence[int] | Keys) -> Iterator[list[int]]:
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        yield part.tolist() if isinstance(part, np.ndarray) else list(part)


def _source(keys: list[int]) -> tuple[str, Any]:
    """The keys as rows of one column ``value``, given as one parameter."""
    if connection.vendor == "sqlite":
        return "(SELECT value FROM json_each(%s))", json.dumps(keys)
    return "(SELECT value FROM unnest(%s::bigint[]) AS k(value))", keys


def _enter(row: Segment, done: Refresh, keys: list[int]) -> None:
    source, parameter = _source(keys)
    moment = connection.ops.adapt_datetimefield_value(done.at)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO analysis_segment_member (segment_id, customer_id, entered_at, entered_by_id) "
            f"SELECT %s, k.value, %s, %s FROM {source} AS k",
            [row.pk, moment, done.pk, parameter],
        )


def _leave(row: Segment, done: Refresh, keys: list[int]) -> None:
    source, parameter = _source(keys)
    moment = connection.ops.adapt_datetimefield_value(done.at)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_segment_member SET left_at = %s, left_by_id = %s "
            f"WHERE segment_id = %s AND left_at IS NULL AND customer_id IN {source}",
            [moment, done.pk, row.pk, parameter],
        )
