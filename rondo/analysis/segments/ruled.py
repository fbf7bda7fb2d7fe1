"""What rules can ask of the ledger of segments: who entered and left which of them, when, and by which refresh.

The ledger stands in the operational store alone.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import BigIntegerField, CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from rondo.analysis.segments import queries
from rondo.analysis.segments.models import Membership, Refresh
from rondo.customers.ruled import belongs, owner_of
from rondo.foundation.models import User
from rondo.foundation.registry import RuleDetail, RuleEvents, registries
from rondo.rules.records import EventRecord

MEMBERSHIP = "membership"
"""The kind of event, which is the key of its chain: one stay of a customer in a segment, on the day it began."""


def entered_by(segment: str, refresh: int) -> str:
    """The rule that finds who entered a segment by a refresh."""
    return f'did {MEMBERSHIP} where (segment = "{segment}" and entered_by = "{refresh}")'


def left_by(segment: str, refresh: int) -> str:
    """The rule that finds who left a segment by a refresh."""
    return f'did {MEMBERSHIP} where (segment = "{segment}" and left_by = "{refresh}")'


def _rows() -> QuerySet[Membership]:
    return Membership.objects.filter(segment__retired_at__isnull=True).annotate(
        kind=Value(MEMBERSHIP),
        occurred_at=F("entered_at"),
        business_date=F("entered_by__as_of"),
        amount=Cast(Value(None), BigIntegerField()),  # PostgreSQL sums no null whose type it does not know
        currency=Value("", output_field=CharField()),
    )


def _seen(viewer: int | None) -> Any:
    """The segments that the viewer may see, as keys."""
    user = None if viewer is None else User.objects.filter(pk=viewer).first()
    return queries.standing(user).order_by().values("pk")


def _segments(values: tuple[Any, ...], viewer: int | None) -> list[Any]:
    return list(queries.standing().filter(key__in=values, pk__in=_seen(viewer)).values_list("pk", flat=True))


def _refreshes(values: tuple[Any, ...], viewer: int | None) -> list[Any]:
    numbers = [int(value) for value in values if value.isdecimal() and len(value) < 19]
    return list(Refresh.objects.filter(pk__in=numbers, segment__in=_seen(viewer)).values_list("pk", flat=True))


def _detail(key: str, label: Any, column: str, **more: Any) -> None:
    q = more.pop("q", lambda match, _as_of: match.q(column))
    type = more.pop("type", "text")
    registries.rule_details.add(key, RuleDetail(key, label, type, kinds=frozenset({MEMBERSHIP}), q=q, **more))


def _left(column: str) -> Any:
    # Who left after the day asked for was still there on it.
    return lambda match, as_of: Q(match.q(column), left_by__as_of__lte=as_of)


_detail(
    "segment",
    _("Segment"),
    "segment_id",
    stored=_segments,
    meaning=_("A segment by its key."),
    usual=True,
    refers="segments",
)
_detail(
    "entered_by",
    _("Entered by refresh"),
    "entered_by_id",
    stored=_refreshes,
    meaning=_("The number of the computation by which the stay began."),
)
_detail(
    "left_by",
    _("Left by refresh"),
    "left_by_id",
    stored=_refreshes,
    q=_left("left_by_id"),
    meaning=_("The number of the computation by which the stay ended; not known where it lasts."),
)
_detail(
    "left",
    _("Left on"),
    "left_by__as_of",
    type="date",
    q=_left("left_by__as_of"),
    meaning=_("Not known where the stay lasts."),
)


def _load(records: Sequence[int], _kinds: frozenset[str], as_of: date, _details: frozenset[str]) -> list[EventRecord]:
    rows = _rows().filter(customer_id__in=records, entered_by__as_of__lte=as_of)
    found = []
    for row in rows.select_related("entered_by", "left_by").order_by():
        over = row.left_by is not None and row.left_by.as_of <= as_of
        found.append(
            EventRecord(
                id=row.pk,
                kind=MEMBERSHIP,
                at=row.entered_at,
                day=row.entered_by.as_of,
                details={
                    "segment": row.segment_id,
                    "entered_by": row.entered_by_id,
                    "left_by": row.left_by_id if over else None,
                    "left": row.left_by.as_of if over and row.left_by is not None else None,
                },
            )
        )
    return found


registries.rule_events.add(
    MEMBERSHIP,
    RuleEvents(
        MEMBERSHIP,
        kinds=lambda: ((MEMBERSHIP, _("Entered a segment")),),
        load=_load,
        rows=_rows,
        belongs=belongs,
        owner=owner_of,
    ),
)
