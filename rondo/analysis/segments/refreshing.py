"""Computing who is in a segment on the columnar copy, and writing who entered and left.

The new set is an Arrow column, the standing one is read in chunks; both are compared as sorted arrays, and only the
difference is written.
"""

from datetime import date

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from rondo.analysis.queries import current_run
from rondo.analysis.segments import profiles
from rondo.analysis.segments.ledger import Keys, apply_members, standing_keys, write_failure
from rondo.analysis.segments.models import Membership, Segment
from rondo.analysis.segments.queries import Computed, day_of_rules, standing
from rondo.customers.models import Survivor
from rondo.errors import NotFound, RondoError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.rules import Context, Schema, compile_ibis, from_json, schema
from rondo.rules.records import needs
from rondo.warehouse.tables import Tables, open_tables


def refresh_segment(actor: Actor, key: str) -> Segment:
    """Compute one segment now and record its members. A rule that fails marks the segment and is told in its
    ``error``; its members stay as they were.

    Raises:
        NotFound: there is no such segment. StateError: there is no columnar copy yet.
    """
    actor.require("segment")
    row = standing().filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no segment %(key)r; “rondo segments list” names them.") % {"key": key})
    with open_tables() as tables:
        _refresh(row, schema(), tables)
    row.refresh_from_db()
    audit.record(
        actor, "segment.refreshed", "segment", row.pk, {"size": [None, row.size], "status": [None, row.status]}
    )
    return row


def refresh_all() -> int:
    """Compute every segment; returns how many failed. Each one stands or fails by itself."""
    segments = list(standing())
    if not segments:
        return 0
    known, failed = schema(), 0
    with open_tables() as tables:
        for row in segments:
            failed += not _refresh(row, known, tables)
    return failed


def _refresh(row: Segment, known: Schema, tables: Tables) -> bool:
    as_of = day_of_rules()
    try:
        now = _computed(row, known, tables, as_of)
        profile = profiles.profile(now, known, tables, _named(row, known, as_of), _run())
    except Exception as error:  # the engine's own errors have no common class; the segment's page tells of them
        reason = str(error) if isinstance(error, RondoError) else f"{type(error).__name__}: {error}"
        write_failure(row, as_of, reason)
        return False
    with transaction.atomic():
        locked = Segment.objects.select_for_update().get(pk=row.pk)
        if locked.rule != row.rule or locked.retired_at is not None:
            return True  # changed meanwhile: the job that the change queued computes the new rule
        if locked.kind == Segment.Kind.STATIC:
            now = _computed(locked, known, tables, as_of)  # whoever was put in or taken out meanwhile stays so
        before = standing_keys(locked)
        apply_members(locked, as_of, np.setdiff1d(now, before), np.setdiff1d(before, now), profile)
    return True


def _run() -> str:
    """What the run is called whose scores are served; empty before the first."""
    run = current_run()
    return "" if run is None else f"{run.pk}.{run.result_hash}"


def _named(row: Segment, known: Schema, as_of: date) -> set[str]:
    """The fields that the rule of a segment names, those of the segments it refers to among them."""
    if row.kind == Segment.Kind.STATIC:
        return set()
    return needs(from_json(row.rule, known), known, Context(as_of, row.owner_id, Computed(known))).fields


def _computed(row: Segment, known: Schema, tables: Tables, as_of: date) -> Keys:
    """The keys of the members as of now, ascending."""
    if row.kind == Segment.Kind.STATIC:
        keys = standing_keys(row)
        moved = dict(
            Survivor.objects.filter(
                customer_id__in=Membership.objects.filter(segment=row, left_at__isnull=True).values("customer_id")
            ).values_list("customer_id", "survivor_id")
        )
        return np.unique(np.array([moved.get(int(key), int(key)) for key in keys], np.int64)) if moved else keys
    context = Context(as_of, row.owner_id, Computed(known))
    found = compile_ibis(from_json(row.rule, known), known, context, tables)
    return np.unique(tables.arrow(found)["customer_id"].to_numpy().astype(np.int64))
