"""How far the lanes of a board reach: told by one pass over the scores for all lanes, so that a lane in which few meet
the conditions of the list is looked up, and none is walked past those who stand in other lanes.

A lane is walked in the order of the list until its cards are there. Where it has fewer, or where they come last in that
order, the walk would pass over the whole base, lane by lane. What the pass tells may be more than the lane holds, never
less: the walk asks each customer for all conditions, and for who may see them, as ever.
"""

import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from django.db.models import Count, F, Max, Min, Q

from rondo.analysis.queries import current_run_key
from rondo.customers.models import Customer
from rondo.foundation.unindexed import Unindexed
from rondo.web.customers.fields import Field
from rondo.web.customers.filters import Value
from rondo.web.customers.lists import Phase, Position
from rondo.web.customers.selection import NARROW, PASSED, Selection

PASSED_FROM = 50_000
"""From this highest key of a customer on, the scores are passed through before lanes are walked."""
_KEPT_SECONDS, _MOST_KEPT = 60.0, 200
_LAST_KEY = 2**63 - 1
_KNOWN = "known"

_kept: dict[Hashable, tuple[float, "dict[Any, Extent]"]] = {}
"""What passes told of a run, and until when that is taken: scores only go until the next run replaces them all."""


@dataclass(frozen=True)
class Extent:
    """So many customers may stand in a lane, ``known`` of them with a value of the fact that the list is sorted by (if
    any), between ``least`` and ``greatest``. ``few``: their keys, where they are at most NARROW."""

    number: int = 0
    known: int = 0
    least: Value | None = None
    greatest: Value | None = None
    few: tuple[int, ...] | None = ()

    def __add__(self, other: "Extent") -> "Extent":
        ends = [value for one in (self, other) for value in (one.least, one.greatest) if value is not None]
        few = None if self.few is None or other.few is None else self.few + other.few
        number = self.number + other.number
        least: Any = min(ends, default=None)
        greatest: Any = max(ends, default=None)
        return Extent(number, self.known + other.known, least, greatest, few if number <= NARROW else None)

    def narrowing(self, lane: Selection) -> None:
        """Keep the walks of a lane to the few that it may hold, where those are all: who has no score is not told."""
        if self.few is not None and lane.needs_score and lane.narrow is None:
            lane.narrow = sorted(self.few)

    def start(self, walks: list[Phase], sort: Field) -> Position | None:
        """Where a walk of the lane begins: at the first value that it may hold. None: at the beginning."""
        if sort.place != "fact" or len(walks) < 2 or walks[0].key != _KNOWN:
            return None
        if not self.known:
            return Position(walks[1].key)
        if walks[0].descending:
            return Position(_KNOWN, self.greatest, _LAST_KEY)
        return Position(_KNOWN, self.least, -1)


def extents(selection: Selection, by: Field, sort: Field) -> "dict[Any, Extent] | None":
    """By the values of ``by`` (under None, who has none) how far its lanes reach in a list sorted by ``sort``; a value
    that nobody has is left out. None where no pass over the scores tells it, or none is needed."""
    if by.place != "fact" or selection.narrow is not None:
        return None
    if (Customer.objects.aggregate(highest=Max("pk"))["highest"] or 0) < PASSED_FROM:
        return None
    if (run := current_run_key()) is None:
        return None
    column = sort.column if sort.place == "fact" else ""
    conditions = tuple(one.text() for one in selection.conditions if one.field.place == "fact")
    asked_for, now = (run, conditions, by.column, column), time.monotonic()
    until, found = _kept.get(asked_for, (now, {}))
    if until <= now:
        found = _passed(selection, by, column)
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[asked_for] = (now + _KEPT_SECONDS, found)
    return found


def together(found: dict[Any, Extent], values: Iterable[Any]) -> Extent:
    """The extent of a lane that holds several values."""
    return reduce(lambda one, other: one + other, (found.get(value, Extent()) for value in values), Extent())


def _passed(selection: Selection, by: Field, column: str) -> dict[Any, Extent]:
    rows = selection.scored(leading=PASSED).annotate(_lane=Unindexed(F(by.column))).order_by()
    of = column or by.column
    told = rows.values_list("_lane").annotate(Count("pk"), Count(of), Min(of), Max(of))
    found = {lane: Extent(number, known, least, most, None) for lane, number, known, least, most in told}
    small = [lane for lane, one in found.items() if one.number <= NARROW]
    if small:
        named = Q(_lane__in=[lane for lane in small if lane is not None])
        wanted = named | Q(_lane=None) if None in small else named
        keys: dict[Any, list[int]] = {lane: [] for lane in small}
        for lane, key in rows.filter(wanted).values_list("_lane", "pk"):
            keys[lane].append(key)
        for lane, some in keys.items():
            found[lane] = replace(found[lane], few=tuple(some))
    return found
