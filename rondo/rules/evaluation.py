"""Rules asked of one customer: whether they hold, and why, part by part, with what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rondo.rules.compiling import Segments, field_of, within
from rondo.rules.formatting import format_rule
from rondo.rules.matching import resolve, resolve_period
from rondo.rules.records import EventRecord, PartRecord, Record
from rondo.rules.schema import Context, Members, Schema
from rondo.rules.tree import (
    ANY_KIND,
    AllOf,
    AnyOf,
    Comparison,
    Did,
    Event,
    InSegment,
    Linked,
    Node,
    Not,
)
from rondo.rules.tree import Sequence as Steps
from rondo.rules.values import DAYS_OF


@dataclass(frozen=True)
class Found:
    """What was found of events: how many fit, the sum of their amounts (minor units), the day of the latest."""

    count: int
    total: int
    latest: date | None


@dataclass(frozen=True)
class Explanation:
    """One part of a rule: its text, whether it holds, what was found, and its own parts.

    ``found``: the value of a field as it is stored (None: not known), :class:`Found` of events, the day on which a
    sequence began, or the key of the linked customer for whom the inner rule holds.
    """

    text: str
    holds: bool
    node: Node
    found: Any = None
    parts: "tuple[Explanation, ...]" = ()


class Evaluator:
    """One rule asked of one record."""

    def __init__(self, schema: Schema, context: Context) -> None:
        self.schema = schema
        self.context = context
        self.segments = Segments(context)

    def node(self, node: Node, record: Record) -> Explanation:
        """The explanation of a node. All parts are looked at, since each of them may be asked about."""
        text = format_rule(node, self.schema)
        if isinstance(node, AllOf | AnyOf):
            parts = tuple(self.node(part, record) for part in node.parts)
            holds = all(p.holds for p in parts) if isinstance(node, AllOf) else any(p.holds for p in parts)
            return Explanation(text, holds, node, parts=parts)
        if isinstance(node, Not):
            part = self.node(node.part, record)
            return Explanation(text, not part.holds, node, part.found, (part,))
        if isinstance(node, Comparison):
            term = field_of(node, self.schema)
            match = resolve(node, term, self.context)
            value = record.fields.get(term.key)
            return Explanation(text, match.holds(value) != match.negated, node, value)
        if isinstance(node, InSegment):
            return self._segment(node, record, text)
        if isinstance(node, Linked):
            return self._linked(node, record, text)
        if isinstance(node, Did):
            return self._did(node, record, text)
        began = self._sequence(node, record)
        return Explanation(text, began is not None, node, began)

    def _segment(self, node: InSegment, record: Record, text: str) -> Explanation:
        inner = self.segments.enter(node.key)
        try:
            if isinstance(inner, Members):
                return Explanation(text, inner.has(record.customer), node)
            part = self.node(inner, record)
            return Explanation(text, part.holds, node, parts=(part,))
        finally:
            self.segments.leave()

    def _linked(self, node: Linked, record: Record, text: str) -> Explanation:
        others = record.linked(node.role, node.direction, node.inner)
        if node.inner is None:
            return Explanation(text, bool(others), node, others[0].customer if others else None)
        tried = [(other, self.node(node.inner, other)) for other in others]
        fitting = [(other, part) for other, part in tried if part.holds]
        shown = fitting[:1] or tried[:1]
        found = fitting[0][0].customer if fitting else None
        return Explanation(text, bool(fitting), node, found, tuple(part for _other, part in shown))

    # Events

    def fits(self, event: Event, record: EventRecord) -> tuple[bool, int | None]:
        """Whether an event is one of those asked for, and what of its amount counts (None: not known)."""
        if event.kind == ANY_KIND:
            kind = self.schema.kinds.get(record.kind)
            of_kind = kind is None or kind.events == self.schema.chain(ANY_KIND).key
        else:
            of_kind = event.kind == record.kind
        if not of_kind or record.day > self.context.as_of:
            return False, None
        parts: list[PartRecord] = list(record.parts)
        asked_parts = False
        for comparison in event.where:
            term = self.schema.details[comparison.field]
            match = resolve(comparison, term, self.context)
            if term.part:
                asked_parts = True
                parts = [p for p in parts if match.holds(p.details.get(term.key)) != match.negated]
            elif match.holds(record.details.get(term.key)) == match.negated:
                return False, None
        if asked_parts and not parts:
            return False, None
        known = record.currency == self.schema.currency
        amount = sum(part.total for part in parts) if asked_parts else record.amount
        return True, amount if known else None

    def _did(self, node: Did, record: Record, text: str) -> Explanation:
        first, last = resolve_period(node.period, self.context.as_of)
        number = total = 0
        latest: date | None = None
        for event in record.events:
            if (first is not None and event.day < first) or event.day > last:
                continue
            fits, amount = self.fits(node.event, event)
            if fits:
                number += 1
                total += amount or 0
                latest = event.day if latest is None else max(latest, event.day)
        holds = within(number, node.count.operator, node.count.n)
        if node.total is not None:
            holds = holds and within(total, node.total.operator, node.total.amount)
        return Explanation(text, holds, node, Found(number, total, latest))

    def _sequence(self, node: Steps, record: Record) -> date | None:
        """The day of the first step of the first such sequence; None where there is none."""
        first, last = resolve_period(node.period, self.context.as_of)
        ordered = sorted(record.events, key=lambda event: (event.at, event.id))
        days = None if node.within is None else node.within.n * DAYS_OF[node.within.unit]
        for at, event in enumerate(ordered):
            if event.day > last or (first is not None and event.day < first) or not self.fits(node.steps[0], event)[0]:
                continue
            end = self.context.as_of if days is None else event.day + timedelta(days=days)
            place = self._walk(node.steps[1:], ordered, at, end)
            if place is not None and (node.excluded is None or self._clean(node.excluded, ordered, place, end)):
                return event.day
        return None

    def _walk(self, steps: Sequence[Event], ordered: Sequence[EventRecord], place: int, end: date) -> int | None:
        """The place of the last step when each is the next one behind the step before; None if one is missing."""
        for step in steps:
            found = self._next(step, ordered, place)
            if found is None or ordered[found].day > end:
                return None
            place = found
        return place

    def _next(self, step: Event, ordered: Sequence[EventRecord], place: int) -> int | None:
        return next((n for n in range(place + 1, len(ordered)) if self.fits(step, ordered[n])[0]), None)

    def _clean(self, excluded: Event, ordered: Sequence[EventRecord], place: int, end: date) -> bool:
        """Whether the window is over and no excluded event lies in it behind the last step."""
        if end > self.context.as_of:
            return False
        broken = self._next(excluded, ordered, place)
        return broken is None or ordered[broken].day > end


def evaluate(node: Node, record: Record, schema: Schema, context: Context) -> Explanation:
    """Whether a checked rule holds for one customer, and why.

    Raises:
        SegmentError: a segment is missing or refers to itself.
    """
    return Evaluator(schema, context).node(node, record)
