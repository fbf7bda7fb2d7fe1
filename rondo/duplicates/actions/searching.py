"""The search itself: read, compare, keep. A job of its own calls it; it imports the engine."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from rondo.customers.queries import visible
from rondo.duplicates.actions.automatic import merge_certain
from rondo.duplicates.engine import Config, Found, NothingToCompare, link
from rondo.duplicates.models import Pair, Search
from rondo.duplicates.reading import read_records
from rondo.foundation import audit
from rondo.foundation.actors import system
from rondo.foundation.installation import installation
from rondo.foundation.long_work import worked_on
from rondo.foundation.registry import registries

_BATCH = 500
_FIELDS = ("probability", "weight", "prior", "together", "agreement", "left_print", "right_print")


def do_search(key: int, config: Config | None = None) -> Search:
    """Do a search and keep what it found. Safe to run twice.

    Raises whatever is no error of Rondo's own, after it has been written down.
    """
    row = Search.objects.get(pk=key)
    if not row.under_way:
        return row
    with worked_on(row) as report:
        try:
            with _cluster() as workers:
                config = config or Config(salt=installation().id_alphabet)
                found = link(read_records(report), config, report, workers)
            results = told(found)
            report("keep", 0, 1)
            results["automatic"] = _keep(key, found)
        except NothingToCompare as nothing:
            results = {"records": nothing.records, "have": nothing.have}
            Pair.objects.filter(status=Pair.Status.OPEN).delete()
        Search.objects.filter(pk=key).update(
            status=Search.Status.DONE, finished_at=timezone.now(), results=results, error=""
        )
    row.refresh_from_db()
    return row


def _cluster() -> AbstractContextManager[Any]:
    """The cluster that works out the pairs, where the settings name one."""
    for open_session in registries.clusters:
        return open_session()
    return nullcontext()


def told(found: Found) -> dict[str, Any]:
    """What pages show of a search: how many were looked at, and the model, without anything personal."""
    return {
        "records": found.records,
        "candidates": found.candidates,
        "left_out": found.left_out,
        "kept": found.pairs.num_rows,
        "have": found.have,
        "prior": {"bits": found.prior.bits, **asdict(found.prior)},
        "comparisons": [asdict(one) for one in found.comparisons],
        "missing": list(found.missing),
    }


def _keep(key: int, found: Found) -> int:
    """Put the pairs found beside those known, then merge the certain ones; returns how many those were.

    An open pair that is not found any more goes. What was decided stays; a pair that was told apart, or put off, is
    open again when what was compared has changed.
    """
    keys = [one.key for one in found.comparisons]
    with transaction.atomic():
        known = {(row.left_id, row.right_id): row for row in Pair.objects.select_for_update()}
        standing = set(visible(None).values_list("pk", flat=True))
        made: list[Pair] = []
        kept: list[Pair] = []
        for one in found.pairs.to_pylist():
            if one["left"] not in standing or one["right"] not in standing:
                continue
            row = known.pop((one["left"], one["right"]), None) or Pair(left_id=one["left"], right_id=one["right"])
            changed = (row.left_print, row.right_print) != (one["left_print"], one["right_print"])
            if changed and row.pk and row.status in (Pair.Status.DIFFERENT, Pair.Status.LATER):
                row.status, row.changed = Pair.Status.OPEN, True
            one["agreement"] = {name: [one[f"{name}_level"], round(one[f"{name}_bits"], 3)] for name in keys}
            for name in _FIELDS:
                setattr(row, name, one[name])
            row.found = True
            (kept if row.pk else made).append(row)
        Pair.objects.bulk_create(made, batch_size=_BATCH)
        Pair.objects.bulk_update(kept, [*_FIELDS, "found", "status", "changed"], batch_size=_BATCH)
        gone = [row.pk for row in known.values() if row.status == Pair.Status.OPEN]
        lost = [row.pk for row in known.values() if row.status != Pair.Status.OPEN and row.found]
        for start in range(0, len(gone), _BATCH):
            Pair.objects.filter(pk__in=gone[start : start + _BATCH]).delete()
        for start in range(0, len(lost), _BATCH):
            Pair.objects.filter(pk__in=lost[start : start + _BATCH]).update(found=False)
        audit.record(system("job"), "search.run", "search", key, {"pairs": [None, len(made) + len(kept)]})
    return merge_certain(system("job"))
