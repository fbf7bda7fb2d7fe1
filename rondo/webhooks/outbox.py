"""The outbox: events are written in the transaction of what they tell of, and stand or fall with it.

Nothing is written while no webhook asks for the kind. Rows of imports tell of nothing by themselves: the import does,
once, when all of it is there; so does a refresh of a segment, however many customers move.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from rondo.foundation.models import AuditEntry
from rondo.foundation.prepared import prepared
from rondo.webhooks.kinds import BY_VERB, ENTERED, LEFT
from rondo.webhooks.models import Endpoint, Event


def asked_for() -> set[str]:
    """The kinds that some webhook is set up for, paused ones among them: what they miss can be sent afterwards."""
    return {kind for kinds in _kinds() for kind in kinds}


@prepared
def _kinds() -> QuerySet[Endpoint, list[str]]:
    return Endpoint.objects.filter(deleted_at=None).values_list("kinds", flat=True)


def note_entries(entries: Sequence[AuditEntry]) -> None:
    """Keep what audit entries tell of, inside the transaction that wrote them."""
    about = [(BY_VERB[entry.verb], entry) for entry in entries if entry.verb in BY_VERB and _alone(entry)]
    if not about:
        return
    wanted = asked_for()
    rows = [
        Event(kind=kind.key, at=entry.at, facts=facts | {"door": entry.door})
        for kind, entry in about
        if kind.key in wanted and (facts := kind.facts(entry)) is not None
    ]
    if rows:
        Event.objects.bulk_create(rows)


def note_refresh(refresh: Any) -> None:
    """Keep that customers entered or left a segment, inside the transaction that moved them."""
    wanted = asked_for() & {ENTERED, LEFT}
    rows = [
        Event(
            kind=kind,
            at=refresh.at,
            facts={"segment": refresh.segment_id, "refresh": refresh.pk, "count": count, "door": "job"},
        )
        for kind, count in ((ENTERED, refresh.entered), (LEFT, refresh.left))
        if count and kind in wanted
    ]
    if rows:
        Event.objects.bulk_create(rows)


def _alone(entry: AuditEntry) -> bool:
    """Whether the entry tells of something by itself; of a row of an import, the import tells."""
    return entry.load_id is None or entry.record_type == "load"
