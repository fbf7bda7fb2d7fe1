"""What the two compilers of sets share: polarity, grouping by source, and segments by reference.

Negations are pushed down to the comparisons, so that nothing above them is ever unknown. Parts of a junction that ask
for fields of one row source (the score table) become one condition on its rows. A customer without a row has all its
fields unknown; whether such a part then holds is known beforehand, and the part is asked as "a row that holds" or as
"no row that does not".
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext as _

from rondo.foundation.registry import RuleEvents, RuleField, RuleSource
from rondo.rules.lexing import tokens
from rondo.rules.parsing import parse_text
from rondo.rules.problems import Problem, RuleError, nearest
from rondo.rules.schema import Context, Members, Schema
from rondo.rules.tree import AllOf, AnyOf, Comparison, Did, InSegment, Linked, Node, Not
from rondo.rules.tree import Sequence as Steps

MAX_SEGMENTS = 8
"""Segments within segments, at most so deep."""

C = TypeVar("C")
MOST_NAMED = 40
"""Of so many segments all are named where a rule names none of them."""


class SegmentError(RuleError):
    """A segment that is not there, that refers to itself, or that is nested too deeply. ``reference`` is the key in the
    rule that was asked, by which the way to it begins; its place is told by :func:`placed`."""

    def __init__(self, message: str, reference: str, problem: Problem | None = None) -> None:
        super().__init__([problem or Problem(message, reference)])
        self.message, self.reference = message, reference
        if problem is None:
            self.args = (message,)  # there is no place to name


def gone_behind(reference: str) -> SegmentError:
    """A segment that the rule names rests on one that is not there, whose name may be nobody's to know."""
    return SegmentError(_("Segment “%(key)s” refers to a segment that is not there.") % {"key": reference}, reference)


def placed(error: SegmentError, text: str, keys: Iterable[str] = ()) -> SegmentError:
    """The same error with the line and column of the reference in the text of the rule, and with the segment of
    ``keys`` that was probably meant, or the choice if there are not many."""
    _node, places = parse_text(text)
    for path, (start, end) in sorted(places.spans.items(), key=lambda item: (item[0][-1:] != ("segment",), item[1])):
        names = path[-1:] == ("segment",) or (path[-2:-1] == ("values",) and "where" in path)
        if names and tokens(text[start:end])[0].text == error.reference:
            known = list(keys)
            there = error.reference in known
            near = "" if there else nearest(error.reference, known)
            choice = () if there or near or len(known) > MOST_NAMED else sorted(known)
            problem = places.problem(path, error.message, error.reference, choice, near)
            return SegmentError(error.message, error.reference, problem)
    return error


def field_of(node: Comparison, schema: Schema) -> RuleField:
    """The field of a comparison.

    Raises:
        RuleError: it is no longer registered, as when an attribute was deleted after the rule was stored.
    """
    term = schema.find(node.field)
    if term is None:
        message = _("there is no field “%(key)s” any more.") % {"key": node.field}
        raise RuleError([Problem(message, node.field, path=("field",))])
    return term


def holds_of_nobody(node: Node) -> bool:
    """Whether a part on events holds for who has none, as ``exactly 0 times`` does."""
    if not isinstance(node, Did):
        return False
    return within(0, node.count.operator, node.count.n) and (
        node.total is None or within(0, node.total.operator, node.total.amount)
    )


def within(number: int, operator: str, limit: Any) -> bool:
    """Whether a number is at least, at most or exactly ``limit``."""
    if operator == "at_least":
        return bool(number >= limit)
    return bool(number <= limit) if operator == "at_most" else number == limit


class Segments:
    """The way of references walked so far, against circles. What is wrong is told by the segment that the rule names
    itself: those behind it may not be the reader's to see."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.open: list[str] = []

    def enter(self, key: str) -> Node | Members:
        """What the segment is at the moment; call :meth:`leave` when done.

        Raises:
            SegmentError: unknown, in a circle, or too deep.
        """
        if key in self.open:
            message = _("What segment “%(key)s” refers to leads back to itself.") % {"key": self.open[0]}
            raise SegmentError(message, self.open[0])
        if len(self.open) >= MAX_SEGMENTS:
            message = _("Segments are nested more than %(limit)d deep.") % {"limit": MAX_SEGMENTS}
            raise SegmentError(message, self.open[0])
        found = self.context.segment(key)
        if found is None and self.open:
            raise gone_behind(self.open[0])
        if found is None:
            raise SegmentError(_("There is no segment “%(key)s”.") % {"key": key}, key)
        self.open.append(key)
        return found

    def leave(self) -> None:
        """End the reference entered last."""
        self.open.pop()


class SetCompiler(ABC, Generic[C]):
    """A walk over a tree that makes a condition ``C`` of it; the two engines fill in the leaves."""

    def __init__(self, schema: Schema, context: Context) -> None:
        self.schema = schema
        self.context = context
        self.segments = Segments(context)

    # What an engine says

    @abstractmethod
    def junction(self, conjunction: bool, parts: Sequence[C]) -> C:
        """All of the parts, or any of them; there may be none."""

    @abstractmethod
    def own(self, node: Comparison, term: RuleField, positive: bool) -> C:
        """A field of the customer's own row."""

    @abstractmethod
    def rows(self, source: RuleSource, node: Node, positive: bool) -> C:
        """A part on fields of one row source."""

    @abstractmethod
    def other(self, node: Comparison, term: RuleField, positive: bool) -> C:
        """A field of any other source."""

    @abstractmethod
    def did(self, node: Did, positive: bool) -> C:
        """Events counted and summed up."""

    @abstractmethod
    def sequence(self, node: Steps, positive: bool) -> C:
        """Events one after the other."""

    @abstractmethod
    def linked(self, node: Linked, positive: bool) -> C:
        """Linked customers."""

    @abstractmethod
    def members(self, found: Members, positive: bool) -> C:
        """Customers given by their keys."""

    @abstractmethod
    def elsewhere(self, node: Did | Steps, chain: RuleEvents, positive: bool) -> C:
        """Events of a chain that the engine does not have."""

    @abstractmethod
    def has(self, chain: RuleEvents) -> bool:
        """Whether the engine has the events of a chain."""

    def reaches(self, term: RuleField) -> bool:
        """Whether the engine has the field's column."""
        return True

    # The walk

    def node(self, node: Node, positive: bool = True) -> C:
        """The condition for a node, or for its complement."""
        if isinstance(node, Not):
            return self.node(node.part, not positive)
        if isinstance(node, InSegment):
            found = self.segments.enter(node.key)
            try:
                return self.members(found, positive) if isinstance(found, Members) else self.node(found, positive)
            finally:
                self.segments.leave()
        if isinstance(node, AllOf | AnyOf):
            return self._junction(node, positive)
        if isinstance(node, Comparison):
            return self._comparison(node, positive)
        if isinstance(node, Linked):
            return self.linked(node, positive)
        chain = self.schema.chain((node.event if isinstance(node, Did) else node.steps[0]).kind)
        if not self.has(chain):
            return self.elsewhere(node, chain, positive)
        return self.did(node, positive) if isinstance(node, Did) else self.sequence(node, positive)

    def _junction(self, node: AllOf | AnyOf, positive: bool) -> C:
        conjunction = isinstance(node, AllOf) == positive
        grouped: dict[str, list[Node]] = {}
        others: list[Node] = []
        for part in node.parts:
            key = self.row_source(part)
            grouped.setdefault(key, []).append(part) if key else others.append(part)
        parts = []
        for key, members in grouped.items():
            alike = members[0] if len(members) == 1 else type(node)(tuple(members))
            parts.append(self.rows(self.schema.sources[key], alike, positive))
        parts += [self.node(part, positive) for part in others]
        return self.junction(conjunction, parts)

    def _comparison(self, node: Comparison, positive: bool) -> C:
        term = field_of(node, self.schema)
        source = self.schema.sources[term.source]
        if not self.reaches(term):
            return self.other(node, term, positive)
        if source.rows is None:
            return self.other(node, term, positive)
        if source is self.schema.customers:
            return self.own(node, term, positive)
        return self.rows(source, node, positive)

    def row_source(self, node: Node) -> str:
        """The row source, other than the customers, whose fields alone a part asks for; else empty."""
        if isinstance(node, Comparison):
            term = field_of(node, self.schema)
            source = self.schema.sources[term.source]
            rows = source.rows is not None and source is not self.schema.customers and self.reaches(term)
            return source.key if rows else ""
        if isinstance(node, Not):
            return self.row_source(node.part)
        if isinstance(node, AllOf | AnyOf) and node.parts:
            keys = {self.row_source(part) for part in node.parts}
            return keys.pop() if len(keys) == 1 else ""
        return ""

    def absent(self, node: Node) -> bool:
        """Whether a part on one row source holds for a customer without a row."""
        if isinstance(node, Not):
            return not self.absent(node.part)
        if isinstance(node, AllOf):
            return all(self.absent(part) for part in node.parts)
        if isinstance(node, AnyOf):
            return any(self.absent(part) for part in node.parts)
        assert isinstance(node, Comparison)
        return node.operator in ("is_not", "unknown")

    def on_row(self, node: Node, positive: bool, leaf: "Callable[[Comparison, bool], C]") -> C:
        """A part on one row source as a condition on its row."""
        if isinstance(node, Not):
            return self.on_row(node.part, not positive, leaf)
        if isinstance(node, AllOf | AnyOf):
            parts = [self.on_row(part, positive, leaf) for part in node.parts]
            return self.junction(isinstance(node, AllOf) == positive, parts)
        assert isinstance(node, Comparison)
        return leaf(node, positive)
