"""Why a customer is in a segment or not: the rule asked of this one customer, part by part, and what made each stay
begin and end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from rondo.analysis.segments.models import Membership, Refresh, Segment
from rondo.analysis.segments.queries import Computed, day_of_rules
from rondo.foundation.models import AuditEntry
from rondo.rules import Context, RuleError, Schema, evaluate, from_json, load_record
from rondo.rules.evaluation import Explanation
from rondo.rules.tree import segments as references


class Cause(StrEnum):
    """What made somebody enter or leave: the segment was computed for the first time; the rule changed, or that of a
    segment it refers to; what is known of the customer changed; somebody did it by hand; records were merged."""

    FIRST = "first"
    RULE = "rule"
    DATA = "data"
    HAND = "hand"
    MERGED = "merged"


@dataclass(frozen=True)
class Turn:
    """A moment at which somebody entered or left, the day the computation looked from, and the cause."""

    at: datetime
    as_of: date
    cause: Cause


@dataclass(frozen=True)
class Stay:
    """One stay in a segment; ``left`` is None while it lasts."""

    entered: Turn
    left: Turn | None


def explain(segment: Segment, record_ids: Sequence[int], known: Schema) -> Explanation | None:
    """The rule asked of one customer as of the day that rules look from; ``record_ids``: the survivor and all records
    merged into it, which are the caller's to have checked as visible. None for a segment by name.

    Raises:
        RuleError: the rule cannot be asked any more, as the segment's page says.
    """
    if segment.kind == Segment.Kind.STATIC:
        return None
    context = Context(day_of_rules(), segment.owner_id, Computed(known))
    rule = from_json(segment.rule, known)
    return evaluate(rule, load_record(record_ids, rule, known, context), known, context)


def stays(segment: Segment, record_ids: Sequence[int], known: Schema) -> list[Stay]:
    """The stays of a customer, the newest first, those of records that were merged into it among them."""
    rows = (
        Membership.objects.filter(segment=segment, customer_id__in=record_ids)
        .select_related("entered_by", "left_by")
        .order_by("-entered_at", "-pk")
    )
    found = list(rows)
    tell = _Causes(segment, known) if found else None
    merged_by = {row.left_by_id for row in found if row.customer_id != record_ids[0]}
    return [
        Stay(
            _turn(row.entered_by, Cause.MERGED if row.entered_by_id in merged_by else tell.of(row.entered_by)),
            None
            if row.left_by is None
            else _turn(row.left_by, Cause.MERGED if row.customer_id != record_ids[0] else tell.of(row.left_by)),
        )
        for row in found
        if tell is not None
    ]


def _turn(done: Refresh, cause: Cause) -> Turn:
    return Turn(done.at, done.as_of, cause)


class _Causes:
    """What lies between the refreshes of one segment."""

    def __init__(self, segment: Segment, known: Schema) -> None:
        self._static = segment.kind == Segment.Kind.STATIC
        done = segment.refreshes.filter(error="").order_by("pk").values_list("pk", "at")
        self._moments: dict[int, datetime] = dict(done)
        changes = AuditEntry.objects.filter(
            record_type="segment", record_id__in=_behind(segment, known), verb="segment.changed"
        )
        self._rewritten = [entry.at for entry in changes if "text" in entry.changes]

    def of(self, done: Refresh) -> Cause:
        if self._static:
            return Cause.HAND
        earlier = [moment for pk, moment in self._moments.items() if pk < done.pk]
        if not earlier:
            return Cause.FIRST
        since = max(earlier)
        return Cause.RULE if any(since < at <= done.at for at in self._rewritten) else Cause.DATA


def _behind(segment: Segment, known: Schema) -> set[int]:
    """Keys of the segment and of all that its rule refers to."""
    seen, open_ = {segment.pk}, [segment]
    while open_:
        row = open_.pop()
        if row.kind == Segment.Kind.STATIC:
            continue
        try:
            named = references(from_json(row.rule, known))
        except RuleError:  # it cannot be computed either, and so made nobody enter or leave
            continue
        for other in Segment.objects.filter(key__in=named).exclude(pk__in=seen):
            seen.add(other.pk)
            open_.append(other)
    return seen
