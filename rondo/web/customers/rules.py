"""Lists and rules are one language: a rule as the condition of a list, and the filters of a list as a rule."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Q

from rondo.analysis.segments.queries import list_context, standing
from rondo.foundation.models import User
from rondo.rules import Node, SegmentError, check, compile_q, format_rule, parse, placed, schema
from rondo.rules.tree import AllOf, AnyOf, Comparison, InSegment, Not, Operator
from rondo.web.customers import filters
from rondo.web.customers.filters import Condition

_OPERATORS: dict[filters.Operator, Operator] = {
    "is": "is",
    "not": "is_not",
    "min": "at_least",
    "max": "at_most",
    "above": "above",
    "below": "below",
    "between": "between",
    "known": "known",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class Rule:
    """A rule that customers of a list have to meet. ``each`` is looked up customer by customer, which suits a list that
    is walked until its page is full; ``whole`` is made once, which suits a count."""

    text: str
    each: Q
    whole: Q

    @property
    def is_counted(self) -> bool:
        """Whether it is looked up as a whole everywhere."""
        return self.each is self.whole

    def counted(self) -> "Rule":
        """The rule for a list that is counted."""
        return replace(self, each=self.whole)


def read_rule(text: str, viewer: User) -> Rule:
    """A rule from its text form, as ``viewer`` asks it on the day that pages look from.

    Raises:
        RuleError: it cannot be understood.
        SegmentError: a segment it names is missing or refers to itself.
    """
    known, context = schema(), list_context(viewer)
    node = parse(text, known)
    try:
        each, whole = compile_q(node, known, context), compile_q(node, known, context, as_set=True)
    except SegmentError as error:
        raise placed(error, text, standing(viewer).values_list("key", flat=True)) from error
    return Rule(format_rule(node, known), each, whole)


def as_rule(conditions: Iterable[Condition], rule: str = "") -> str:
    """The text form of the rule that all of the filters and ``rule`` hold.

    Raises:
        RuleError: a value that filters take and rules do not, such as a text without letter or digit.
    """
    known = schema()
    parts = [_node(condition) for condition in conditions]
    if rule:
        node = parse(rule, known)
        parts += node.parts if isinstance(node, AllOf) else [node]
    return format_rule(check(AllOf(tuple(parts)), known), known)


def _node(condition: Condition) -> Node:
    field = condition.field
    if field.place == "segment":
        keys = condition.values or tuple(key for key, _name in field.choices)
        inside = AnyOf(tuple(InSegment(str(key)) for key in keys))
        return Not(inside) if condition.negated else inside
    values = condition.values
    if field.type == "user":
        values = tuple(filters.plain_value(field, value) for value in values)
    elif field.type == "boolean":
        values = tuple(bool(value) for value in values)
    return Comparison(field.key, _OPERATORS[condition.operator], values)
