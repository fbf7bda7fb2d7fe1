"""One customer as a plain record that a rule is asked of: field values, events, and linked customers on demand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias

from rondo.rules.compiling import Segments, field_of
from rondo.rules.schema import Context, Members, Schema
from rondo.rules.tree import Comparison, Did, Event, InSegment, Linked, Node, children
from rondo.rules.tree import Sequence as Steps


@dataclass(frozen=True)
class PartRecord:
    """A part of an event, such as a line of an order; ``total`` in minor units."""

    total: int
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EventRecord:
    """One event. ``amount`` in minor units of ``currency``; ``details`` are the known ones by key, as stored."""

    id: int
    kind: str
    at: datetime
    day: date
    amount: int | None = None
    currency: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[PartRecord, ...] = ()


def _no_links(_role: str, _direction: str, _inner: Node | None) -> "Sequence[Record]":
    return ()


LinkedRecords: TypeAlias = "Callable[[str, str, Node | None], Sequence[Record]]"


@dataclass(frozen=True)
class Record:
    """One surviving customer: known values by field key, as stored, and events in any order.

    ``linked(role, direction, inner)`` are the visible customers linked to it, with what ``inner`` asks for.
    """

    customer: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[EventRecord] = ()
    linked: LinkedRecords = _no_links


@dataclass
class Needs:
    """What has to be known of a customer so that a rule can be asked."""

    fields: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    details: set[str] = field(default_factory=set)


def needs(node: Node, schema: Schema, context: Context) -> Needs:
    """What a rule asks for, that of its segments included; not what it asks of linked customers."""
    found = Needs()
    _gather(node, schema, Segments(context), found)
    return found


def _gather(node: Node, schema: Schema, segments: Segments, found: Needs) -> None:
    if isinstance(node, Comparison):
        found.fields.add(field_of(node, schema).key)
    elif isinstance(node, InSegment):
        inner = segments.enter(node.key)
        if not isinstance(inner, Members):
            _gather(inner, schema, segments, found)
        segments.leave()
    elif isinstance(node, Did | Steps):
        events: list[Event] = [node.event] if isinstance(node, Did) else [*node.steps]
        if isinstance(node, Steps) and node.excluded is not None:
            events.append(node.excluded)
        for event in events:
            found.kinds.add(event.kind)
            found.details |= {comparison.field for comparison in event.where}
    elif not isinstance(node, Linked):
        for part in children(node):
            _gather(part, schema, segments, found)


def load_record(record_ids: Sequence[int], node: Node, schema: Schema, context: Context) -> Record:
    """What a rule asks of one customer, from the operational store.

    ``record_ids`` are the records that the survivor stands for, itself first; they are the caller's to have checked as
    visible.
    """
    wanted = needs(node, schema, context)
    values: dict[str, Any] = {}
    for source in schema.sources.values():
        terms = [schema.fields[key] for key in sorted(wanted.fields) if schema.fields[key].source == source.key]
        if terms:
            values |= source.values(record_ids, terms)
    events: list[EventRecord] = []
    chains = {schema.chain(kind).key for kind in wanted.kinds}
    for key in sorted(chains):
        kinds = frozenset(kind for kind in wanted.kinds if schema.chain(kind).key == key)
        events += schema.events[key].load(record_ids, kinds, context.as_of, frozenset(wanted.details))

    def linked(role: str, direction: str, inner: Node | None) -> Sequence[Record]:
        assert schema.links is not None
        others = schema.links.load(record_ids, role, direction)
        if inner is None:
            return [Record(other) for other in others]
        return [load_record(schema.links.records(other), inner, schema, context) for other in others]

    return Record(record_ids[0], values, events, linked)
