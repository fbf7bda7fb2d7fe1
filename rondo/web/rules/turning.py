"""Between the two views of one rule: the tree that the builder shows, which is the JSON form, and the text form.

Either may be unfinished: a condition whose value is still missing has its place in both, and what is wrong is told with
the path of the part, so that nothing is lost when somebody goes from one view to the other.
"""

from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from rondo.foundation.registry import RuleTerm
from rondo.rules import Problem, RuleError, Schema, check, format_rule, read_json, to_json
from rondo.rules.checking import DAY, MONEY, arity
from rondo.rules.parsing import parse_text
from rondo.rules.tree import (
    AllOf,
    AnyOf,
    Comparison,
    Did,
    Event,
    Linked,
    Node,
    Not,
    Period,
    Raw,
    Sequence,
    Span,
    Value,
)
from rondo.rules.values import ValueProblem, typed

_LARGEST = 10**18
TEXT = RuleTerm("text", "text", "text")


@dataclass(frozen=True)
class Turned:
    """A rule in both forms. ``text`` is None where the tree cannot be written yet, ``rule`` (the JSON form) where the
    text cannot be read; ``problems`` name the path of the part, in the tree that was sent or, for a text, in ``rule``.
    """

    text: str | None
    rule: dict[str, Any] | None
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What the page's script takes."""
        return {
            "text": self.text,
            "rule": self.rule,
            "problems": [{"path": list(one.path), "sentence": one.sentence, "told": str(one)} for one in self.problems],
        }


def from_tree(document: Any, schema: Schema) -> Turned:
    """The builder's tree as text, finished or not."""
    try:
        node = read_json(document)
    except RuleError as error:
        return Turned(None, document if isinstance(document, dict) else None, error.problems)
    try:
        node = check(node, schema)
    except RuleError as error:
        return Turned(format_rule(node, schema) if _writable(node) else None, document, error.problems)
    return Turned(format_rule(node, schema), to_json(node))


def from_text(text: str, schema: Schema) -> Turned:
    """A text as the builder's tree; values that are wrong stay as they were written."""
    if not text.strip():
        return Turned(text, to_json(AllOf(())))
    try:
        node, places = parse_text(text)
    except RuleError as error:
        return Turned(text, None, error.problems)
    try:
        return Turned(text, to_json(check(node, schema, places)))
    except RuleError as error:
        rule = to_json(_Settled(schema).node(node))
        try:
            read_json(rule)
        except RuleError:  # a sum that is no number has no place in the tree
            return Turned(text, None, error.problems)
        return Turned(text, rule, error.problems)


class _Settled:
    """Gives the values of a tree from text their types where that works, and leaves them as texts where it does not."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def node(self, node: Node) -> Node:
        if isinstance(node, AllOf | AnyOf):
            return type(node)(tuple(self.node(part) for part in node.parts))
        if isinstance(node, Not):
            return Not(self.node(node.part))
        if isinstance(node, Linked):
            return node if node.inner is None else replace(node, inner=self.node(node.inner))
        if isinstance(node, Comparison):
            term = self.schema.find(node.field)
            return self.comparison(term, replace(node, field=term.key) if term else node)
        if isinstance(node, Did):
            total = node.total and replace(node.total, amount=self.value(MONEY, node.total.amount))
            return replace(node, event=self.event(node.event), total=total, period=self.period(node.period))
        if isinstance(node, Sequence):
            return replace(
                node,
                steps=tuple(self.event(step) for step in node.steps),
                excluded=node.excluded and self.event(node.excluded),
                period=self.period(node.period),
            )
        return node

    def comparison(self, term: RuleTerm | None, node: Comparison) -> Comparison:
        return replace(node, values=tuple(self.value(term, value) for value in node.values))

    def event(self, event: Event) -> Event:
        details = self.schema.details_of(event.kind)
        return replace(event, where=tuple(self.comparison(details.get(part.field), part) for part in event.where))

    def period(self, period: Period | None) -> Period | None:
        return period and replace(period, values=tuple(self.value(DAY, value) for value in period.values))

    def value(self, term: RuleTerm | None, value: Value) -> Value:
        if not isinstance(value, Raw):
            return value
        # Of a field that is not known, what was written tells the type.
        guess = {"number": RuleTerm("", "", "number"), "date": DAY}.get(value.form)
        try:
            return typed(term or guess or TEXT, value, self.schema.currency)
        except ValueProblem:
            return value.text


def _writable(node: Node) -> bool:
    """Whether an unchecked tree has as many values as its operators need, and no number beyond writing."""
    if isinstance(node, AllOf | AnyOf):
        return all(_writable(part) for part in node.parts)
    if isinstance(node, Not):
        return _writable(node.part)
    if isinstance(node, Linked):
        return node.inner is None or _writable(node.inner)
    if isinstance(node, Comparison):
        return _has_values(node)
    if isinstance(node, Did):
        amount = node.total.amount if node.total else 0
        tame = isinstance(amount, int) and abs(amount) < _LARGEST
        return tame and _event_writable(node.event) and _period_writable(node.period)
    if isinstance(node, Sequence):
        events = [*node.steps, *([node.excluded] if node.excluded else [])]
        return bool(node.steps) and all(map(_event_writable, events)) and _period_writable(node.period)
    return True


def _event_writable(event: Event) -> bool:
    return all(map(_has_values, event.where))


def _period_writable(period: Period | None) -> bool:
    if period is None:
        return True
    spans = [isinstance(value, Span) for value in period.values]
    fits = all(spans) if period.operator == "within_last" else not any(spans)
    known = period.operator in ("within_last", "between", "at_least", "at_most", "above", "below")
    return known and fits and len(period.values) == arity(period.operator)[0]


def _has_values(node: Comparison) -> bool:
    low, high = arity(node.operator)
    if node.operator in ("is", "is_not"):
        low = 0  # "activity =": no text that can be read, but one in which the condition has its place
    numbers = [value for value in node.values if isinstance(value, int | float)]
    return low <= len(node.values) <= high and all(isfinite(number) and abs(number) < _LARGEST for number in numbers)
