"""What follows a run: worked out by a job of its own, once per run, and put in the place of what was there."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pyarrow as pa
from django.db import transaction
from django.db.models import Model

from rondo.analysis import scores
from rondo.analysis.kept import Kept
from rondo.analysis.models import LeadFound, NextFound, Run, StageFound
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.warehouse import delta
from rondo.warehouse.locks import exclusive

WAIT = 600
"""Seconds that one waits for another process at the same work."""
Followed = TypeVar("Followed", LeadFound, NextFound, StageFound)


def once_for_current(
    actor: Actor, found: type[Followed], served: tuple[type[Model], ...], work: Callable[[Run], Followed], lock: str
) -> Followed | None:
    """What ``work`` finds for the current run, or what is there of it already; None before the first analysis.

    ``served`` are the tables whose leftovers a killed predecessor may have left. Safe to run twice.

    Raises PermissionRefused where the actor may not analyse, StateError where another process holds ``lock`` for long.
    """
    actor.require("analyse")
    with exclusive(lock, wait=WAIT):
        run = Run.objects.filter(is_current=True).first()
        if run is None:
            return None
        known = found._default_manager.filter(run_id=run.pk).first()
        if known is not None:
            return known
        scores.drop(scores.leftovers(*served))
        return work(run)


def put_in_place(
    actor: Actor, run: Run, found: type[Followed], prepared: list[Any], results: Mapping[str, Any], name: str
) -> Followed:
    """Swap in the ``prepared`` tables with the row of ``found`` that tells of them, and say so in the audit log as
    ``analysis.<name>``; all or nothing."""
    with transaction.atomic():
        scores.put_in_place(*prepared)
        found._default_manager.all().delete()
        row = found._default_manager.create(run_id=run.pk, as_of=run.as_of, results=results)
        audit.record(actor, f"analysis.{name}", "run", run.pk, {"as_of": [None, run.as_of.isoformat()]})
    return row


def write(name: str, rows: Kept | delta.Rows, run: Run) -> None:
    """Write an open table of the run in the place of the last."""
    if isinstance(rows, Kept):
        reader: Any = pa.RecordBatchReader.from_batches(rows.schema, rows.batches())
        rows = delta.Rows(reader, rows.count)
    delta.commit(name, rows, replace=True, notes={"rondo.run": run.pk})
    delta.tidy(name)
