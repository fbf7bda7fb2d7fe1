"""How segments overlap: every customer of some segments counted once, by the exact set of segments they are in."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Case, IntegerField, Sum, Value, When

from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import present, standing
from rondo.customers.queries import visible
from rondo.foundation.models import User

MOST = 6
"""So many segments are compared: more give more sets than anybody reads."""


@dataclass(frozen=True)
class Overlap:
    """The segments compared, the size of each, and per set of them (places, ascending) the customers who are in exactly
    those; the fullest set first."""

    segments: list[Segment]
    sizes: list[int]
    sets: list[tuple[tuple[int, ...], int]]

    @property
    def customers(self) -> int:
        """Customers in any of the segments."""
        return sum(count for _places, count in self.sets)

    @property
    def shared(self) -> int:
        """Customers in more than one of them."""
        return sum(count for places, count in self.sets if len(places) > 1)


def comparable(viewer: User | None = None) -> list[Segment]:
    """Segments of the viewer's that have members, the largest first."""
    return sorted((row for row in standing(viewer) if row.size), key=lambda row: (-row.size, row.pk))


def overlap(viewer: User | None, segments: list[Segment]) -> Overlap:
    """Count the sets over the customers that ``viewer`` may see; one query over the ledger, whatever their number."""
    segments = segments[:MOST]
    if not segments:
        return Overlap([], [], [])
    bits = [When(segment_id=row.pk, then=Value(1 << place)) for place, row in enumerate(segments)]
    inner, params = (
        present([row.key for row in segments])
        .filter(customer_id__in=visible(viewer).order_by().values("pk"))
        .order_by()
        .values("customer_id")
        .annotate(sets=Sum(Case(*bits, default=Value(0), output_field=IntegerField())))
        .values("customer_id", "sets")
        .query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sets, count(*) FROM ({inner}) AS member GROUP BY sets", params)
        counted = [(int(mask), int(number)) for mask, number in cursor.fetchall()]
    sets = [
        (tuple(place for place in range(len(segments)) if mask >> place & 1), number)
        for mask, number in counted
        if mask
    ]
    sizes = [sum(number for places, number in sets if place in places) for place in range(len(segments))]
    return Overlap(segments, sizes, sorted(sets, key=lambda one: (-one[1], one[0])))
