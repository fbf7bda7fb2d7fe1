"""The one tree of the rule language: frozen nodes that hold keys and typed values, and no database column.

Money is in minor units of the company's currency, shares are 0 to 1, dates are business dates or relative to the day a
rule is asked for (``as_of``). A tree that :func:`rondo.rules.check` returned is *normal*: junctions have no single
part, numbers that are whole are integers, and its text form and its JSON form lead back to an equal tree.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

Unit = Literal["days", "weeks", "months", "years"]
UNITS: tuple[Unit, ...] = ("days", "weeks", "months", "years")

Operator = Literal[
    "is",
    "is_not",
    "at_least",
    "at_most",
    "above",
    "below",
    "between",
    "known",
    "unknown",
    "starts_with",
    "contains",
    "within_last",
    "within_next",
    "anniversary_last",
    "anniversary_next",
]
"""``is`` and ``is_not`` take one value or several (one of them); ``between`` two, both included; ``known`` and
``unknown`` none; ``within_*`` and ``anniversary_*`` a span; the others one value."""

CountOperator = Literal["at_least", "at_most", "exactly"]
Direction = Literal["to", "by"]


@dataclass(frozen=True)
class Relative:
    """A day counted from the day the rule is asked for: ``n`` units ago; in the future where ``n`` is negative."""

    n: int
    unit: Unit = "days"


@dataclass(frozen=True)
class Span:
    """A length of time, at least one unit."""

    n: int
    unit: Unit = "days"


@dataclass(frozen=True)
class Raw:
    """A value as the text form has it, not yet typed: ``form`` says how it was written."""

    text: str
    form: Literal["word", "string", "number", "date"]


Value: TypeAlias = str | int | float | bool | date | Relative | Span | Raw


@dataclass(frozen=True)
class AllOf:
    """Every part holds; without parts it holds for everybody."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds; without parts it holds for nobody."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True)
class Not:
    """The part does not hold: the complement, those whose values are not known among them."""

    part: "Node"


@dataclass(frozen=True)
class Comparison:
    """A field of the customer, or a detail of an event, compared with values. Unknown values compare as false."""

    field: str
    operator: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class InSegment:
    """Belongs to a segment, by its key: what the segment is at the moment is asked of a resolver, never copied."""

    key: str


@dataclass(frozen=True)
class Linked:
    """Is linked to another customer for whom ``inner`` holds (any visible customer where it is None).

    ``direction`` "to": the customer is what ``role`` says of the other ("is a member of"); "by": the other is it.
    """

    role: str
    direction: Direction = "to"
    inner: "Node | None" = None


@dataclass(frozen=True)
class Event:
    """Interactions of one kind (or ``any``) for whose details all of ``where`` holds."""

    kind: str
    where: tuple[Comparison, ...] = ()


@dataclass(frozen=True)
class Period:
    """Business dates relative to ``as_of`` or absolute; operators as of dates. Never later than ``as_of``."""

    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Count:
    """How often."""

    operator: CountOperator
    n: int


@dataclass(frozen=True)
class Total:
    """The sum of amounts, in minor units."""

    operator: Literal["at_least", "at_most"]
    amount: Value


@dataclass(frozen=True)
class Did:
    """Events that happened: as often as ``count`` says and with amounts that sum up to ``total``, within ``period``."""

    event: Event
    count: Count = Count("at_least", 1)
    total: Total | None = None
    period: Period | None = None


@dataclass(frozen=True)
class Sequence:
    """``steps`` happened one after the other, each the next one after the step before, all within ``within`` of the
    first; afterwards ``excluded`` did not happen until that window was over. ``period`` is of the first step."""

    steps: tuple[Event, ...]
    excluded: Event | None = None
    within: Span | None = None
    period: Period | None = None


Node: TypeAlias = AllOf | AnyOf | Not | Comparison | InSegment | Linked | Did | Sequence

EVERYBODY = AllOf(())
NOBODY = AnyOf(())

ANY_KIND = "any"
"""Stands for events of every kind, and in a link for every role."""

MAX_DEPTH = 12
MAX_NODES = 200
MAX_VALUES = 500
MAX_STEPS = 3
"""Steps of a sequence, the excluded one among them: each is a query within a query, and SQLite parses only so deep."""
MAX_LINKS = 2
"""Links within links, for the same reason."""
MAX_TEXT = 20_000
MAX_DAYS = 36_525
"""A span of more than a century is a mistake."""


def children(node: Node) -> tuple[Node, ...]:
    """The rules directly within a rule."""
    if isinstance(node, AllOf | AnyOf):
        return node.parts
    if isinstance(node, Not):
        return (node.part,)
    if isinstance(node, Linked) and node.inner is not None:
        return (node.inner,)
    return ()


def segments(node: Node) -> frozenset[str]:
    """Keys of the segments a rule refers to, not those that they refer to in turn."""
    if isinstance(node, InSegment):
        return frozenset((node.key,))
    return frozenset().union(*(segments(part) for part in children(node)))


def events(node: Node) -> tuple[Event, ...]:
    """All events that a rule asks for."""
    if isinstance(node, Did):
        return (node.event,)
    if isinstance(node, Sequence):
        return (*node.steps, *([node.excluded] if node.excluded is not None else []))
    return tuple(event for part in children(node) for event in events(part))
