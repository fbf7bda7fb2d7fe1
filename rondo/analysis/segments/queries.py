"""Reads of segments: what stands, who is in it for one viewer, its size over time, and what rules mean by its key."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.models import Score
from rondo.analysis.queries import current_run
from rondo.analysis.segments.models import Membership, Refresh, Segment
from rondo.customers.models import Customer
from rondo.customers.queries import sees_all, visible
from rondo.customers.unseen import names_any, unseen_fields
from rondo.errors import NotFound
from rondo.foundation.installation import business_now
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.rights import owned, reach_of
from rondo.rules import Context, Members, Node, Schema, SegmentError, from_json
from rondo.rules.tree import events

ROOM = "segments"
"""The room of segments, each of which belongs to who made it."""

HISTORY = 30
"""So many refreshes are shown as size over time."""


def standing(viewer: User | None = None) -> QuerySet[Segment]:
    """Segments that were not deleted and that ``viewer`` may see (None: the system, all), by name."""
    rows = Segment.objects.filter(owned(viewer, ROOM), retired_at__isnull=True)
    return rows.select_related("owner").order_by("name", "pk")


def named(viewer: User | None = None) -> list[tuple[str, str]]:
    """Keys and names of :func:`standing`."""
    return _named() if reach_of(viewer, ROOM) == "all" else list(standing(viewer).values_list("key", "name"))


@prepared
def _named() -> QuerySet[Segment, tuple[str, str]]:
    return standing().values_list("key", "name")


def find(key: str, viewer: User | None = None) -> Segment:
    """A standing segment by its key, if ``viewer`` may see it; raises NotFound."""
    row = standing(viewer).filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no segment %(key)r; see the list of segments.") % {"key": key})
    return row


def may_read(row: Segment, user: User | None) -> bool:
    """Whether a segment's rule names nothing that ``user`` does not see: attributes hidden from their role, and facts
    that tell of other customers."""
    return not names_any(f"{row.text} {row.rule}", unseen_fields(user))


def present(keys: "list[str] | None" = None) -> QuerySet[Membership]:
    """Rows of the ledger that stand now, of all segments or of some."""
    rows = Membership.objects.filter(left_at__isnull=True, segment__retired_at__isnull=True)
    return rows if keys is None else rows.filter(segment__key__in=keys)


def members(viewer: User | None, segment: Segment) -> QuerySet[Customer]:
    """The members that ``viewer`` may see."""
    return visible(viewer).filter(
        pk__in=Membership.objects.filter(segment=segment, left_at__isnull=True).values("customer_id")
    )


# What rules mean by a key


def rows_of(segment: Segment) -> Members:
    """The present members as a part of a rule."""
    return Members(
        rows=lambda: Membership.objects.filter(segment_id=segment.pk, left_at__isnull=True).only("customer_id")
    )


class Computed:
    """Resolver for refreshes: a segment by rule is its rule, so that what refers to it is as fresh as it is."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __call__(self, key: str) -> Node | Members | None:
        row = Segment.objects.filter(key=key, retired_at__isnull=True).first()
        if row is None:
            return None
        return rows_of(row) if row.kind == Segment.Kind.STATIC else from_json(row.rule, self.schema)


def recorded(key: str, viewer: User | None = None) -> Members | None:
    """Resolver for lists: a segment is the members that its last refresh recorded. What ``viewer`` may not see is not
    there."""
    row = standing(viewer).filter(key=key).first()
    return None if row is None else rows_of(row)


def day_of_rules() -> date:
    """The day rules look from: that of the run being served, else today."""
    run = current_run()
    return business_now().date() if run is None else run.as_of


def list_context(viewer: User) -> Context:
    """Circumstances of a rule asked for a list."""
    return Context(day_of_rules(), viewer.pk, partial(recorded, viewer=viewer))


def stays_of(node: Node, known: Schema) -> set[str]:
    """Keys of the segments whose stays a rule asks for, by a detail of an event."""
    return {
        value
        for event in events(node)
        for part in event.where
        if getattr(known.details_of(event.kind).get(part.field), "refers", "") == "segments"
        for value in part.values
        if isinstance(value, str)
    }


def check_stays(node: Node, known: Schema, viewer: User | None, but: str = "") -> None:
    """Raise SegmentError where a rule asks for stays in a segment that is not there, or not ``viewer``'s to see; the
    rule is of the segment ``but``."""
    if asked := stays_of(node, known) - {but}:
        there = set(standing(viewer).filter(key__in=asked).values_list("key", flat=True))
        for key in sorted(asked - there):
            raise SegmentError(_("There is no segment “%(key)s”.") % {"key": key}, key)


# What pages show


@dataclass(frozen=True)
class Sized:
    """A segment as one viewer sees it. ``value`` in minor units, None where nothing is valued; ``trend`` the sizes of
    the last refreshes, oldest first, the present one last."""

    segment: Segment
    size: int
    value: int | None
    trend: list[int]


@dataclass(frozen=True)
class Point:
    """Size after a refresh (its number), and who came and went by it."""

    refresh: int
    at: datetime
    as_of: date
    size: int
    entered: int
    left: int


def overview(viewer: User, trend: int = 8) -> list[Sized]:
    """All segments with the viewer's sizes: failed ones first, then by name."""
    segments = sorted(standing(viewer), key=lambda s: (s.status != Segment.Status.FAILED, s.name.casefold(), s.pk))
    if not sees_all(viewer):
        return [sized(viewer, segment, trend) for segment in segments]
    latest = Window(RowNumber(), partition_by=F("segment_id"), order_by=F("id").desc())
    rows = Refresh.objects.filter(error="").annotate(place=latest).filter(place__lte=trend).defer("profile")
    by_segment: dict[int, list[Refresh]] = {}
    for row in sorted(rows, key=lambda row: row.pk):
        by_segment.setdefault(row.segment_id, []).append(row)
    found = []
    for segment in segments:
        done = by_segment.get(segment.pk, [])
        found.append(Sized(segment, segment.size, done[-1].value if done else None, [row.size for row in done]))
    return found


def sized(viewer: User, segment: Segment, trend: int = 8) -> Sized:
    """One segment with the viewer's size, value and trend."""
    points = history(viewer, segment, trend)
    if sees_all(viewer):
        last = segment.refreshes.filter(error="").order_by("-pk").only("value").first()
        return Sized(segment, segment.size, last.value if last else None, [point.size for point in points])
    rows = members(viewer, segment)
    value = Score.objects.filter(customer_id__in=rows.order_by().values("pk")).aggregate(value=Sum("value"))["value"]
    return Sized(segment, rows.count(), value, [point.size for point in points])


def history(viewer: User, segment: Segment, limit: int = HISTORY) -> list[Point]:
    """Sizes after the last refreshes that worked, oldest first, over the customers that the viewer may see."""
    rows = list(segment.refreshes.filter(error="").order_by("-pk").defer("profile")[:limit])[::-1]
    if sees_all(viewer) or not rows:
        return [Point(row.pk, row.at, row.as_of, row.size, row.entered, row.left) for row in rows]
    mine = Membership.objects.filter(segment=segment, customer__in=visible(viewer)).order_by()
    came = dict(mine.values_list("entered_by").annotate(n=Count("pk")))
    went = dict(mine.filter(left_by__isnull=False).values_list("left_by").annotate(n=Count("pk")))
    size = sum(n for key, n in came.items() if key < rows[0].pk) - sum(n for key, n in went.items() if key < rows[0].pk)
    points = []
    for row in rows:
        entered, left = came.get(row.pk, 0), went.get(row.pk, 0)
        size += entered - left
        points.append(Point(row.pk, row.at, row.as_of, size, entered, left))
    return points


def movements(viewer: User, segment: Segment, limit: int = 10) -> tuple[list[Membership], list[Membership]]:
    """Who entered and who left last, newest first, among the customers that the viewer may see. Those of the first
    refresh did not enter: they were there when the segment was made."""
    first = segment.refreshes.filter(error="").order_by("pk").values_list("pk", flat=True).first()
    rows = Membership.objects.filter(segment=segment, customer__in=visible(viewer)).select_related("customer")
    entered = rows.filter(~Q(entered_by=first), left_at__isnull=True).order_by("-entered_at", "-pk")[:limit]
    left = rows.filter(left_at__isnull=False).order_by("-left_at", "-pk")[:limit]
    return list(entered), list(left)


def last_refresh(segment: Segment) -> Refresh | None:
    """The last refresh that worked, with its profile."""
    return segment.refreshes.filter(error="").order_by("-pk").first()


def not_seen(number: int) -> list[str]:
    """So many segments that somebody does not see, in words; nothing where there are none."""
    words = ngettext("%(n)d segment that you do not see", "%(n)d segments that you do not see", number)
    return [words % {"n": number}] if number else []


def uses_of_attribute(viewer: User | None, key: str) -> list[str]:
    """Segments in use whose rule names an attribute, in words; of those that ``viewer`` does not see the number."""
    named = re.compile(rf"(?<!\w){re.escape(key)}(?!\w)")
    rows = standing().filter(kind=Segment.Kind.RULE)
    found = [row for row in rows if named.search(f"{row.text} {json.dumps(row.rule)}")]
    seen = set(standing(viewer).values_list("pk", flat=True))
    told = [_("the segment “%(segment)s”") % {"segment": row.name} for row in found if row.pk in seen]
    return [*told, *not_seen(len(found) - len(told))]
