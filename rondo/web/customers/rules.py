"""Lists and rules are one language: a rule as the condition of a list, and the filters of a list as a rule."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Q

from rondo.analysis.segments.queries import check_stays, list_context, standing
from rondo.errors import RondoError
from rondo.foundation.models import User
from rondo.rules import Context, Node, Schema, SegmentError, check, compile_q, format_rule, parse, placed, schema
from rondo.rules.tree import AllOf, AnyOf, Comparison, Did, InSegment, Not, Operator, children
from rondo.web.customers import filters
from rondo.web.customers.fields import Field
from rondo.web.customers.filters import Condition
from rondo.web.rules.saying import Sayer

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
    """A rule that customers of a list have to meet. ``is_counted``: it is asked of a list that is counted."""

    text: str
    node: Node
    known: Schema
    context: Context
    is_counted: bool = False
    _made: dict[tuple[bool, int], Q] = field(default_factory=dict, repr=False, compare=False)

    @property
    def each(self) -> Q:
        """The condition as it is looked up customer by customer, which suits a list that is walked until its page is
        full. What :attr:`whole` asked of the chains before is not asked again."""
        return self._compiled(as_set=False)

    @property
    def whole(self) -> Q:
        """The condition as sets that are made once, which suits a count, and looking for few."""
        return self._compiled(as_set=True)

    @property
    def has_events(self) -> bool:
        """Whether it asks what somebody did."""
        return _has_events(self.node)

    def _compiled(self, *, as_set: bool) -> Q:
        made = as_set, len(self.known.asked)
        if made not in self._made:
            self._made[made] = compile_q(self.node, self.known, self.context, as_set=as_set)
        return self._made[made]

    def counted(self) -> "Rule":
        """The rule for a list that is counted."""
        return replace(self, is_counted=True)


def _has_events(node: Node) -> bool:
    return isinstance(node, Did) or any(map(_has_events, children(node)))


def read_rule(text: str, viewer: User) -> Rule:
    """A rule from its text form, as ``viewer`` asks it on the day that pages look from.

    Raises:
        RuleError: it cannot be understood.
        SegmentError: a segment it names is missing or refers to itself.
    """
    known, context = schema(viewer), list_context(viewer)
    node = parse(text, known)
    rule = Rule(format_rule(node, known), node, known, context)
    try:
        rule._compiled(as_set=False)  # whatever it refers to is there
        check_stays(node, known, viewer)
    except SegmentError as error:
        raise placed(error, text, standing(viewer).values_list("key", flat=True)) from error
    return rule


def as_rule(conditions: Iterable[Condition], rule: str = "", viewer: User | None = None) -> str:
    """The text form of the rule that all of the filters and ``rule`` hold, as ``viewer`` may say it.

    Raises:
        RuleError: a value that filters take and rules do not, such as a text without letter or digit.
    """
    known = schema(viewer)
    parts = [part for condition in conditions for part in _parts(_node(condition))]
    if rule:
        node = parse(rule, known)
        parts += node.parts if isinstance(node, AllOf) else [node]
    return format_rule(check(AllOf(tuple(parts)), known), known)


@dataclass(frozen=True)
class Part:
    """One of the conditions of a rule that all have to hold: in words, as text, and the rule without it."""

    words: str
    text: str
    without: str


def parts_of(rule: Rule, viewer: User) -> list[Part]:
    """The conditions of a rule that all have to hold, in its order."""
    known = rule.known
    sayer = Sayer(known, dict(standing(viewer).values_list("key", "name")))
    nodes = _parts(rule.node)
    return [
        Part(sayer.say(node), format_rule(node, known), _text((*nodes[:n], *nodes[n + 1 :]), known))
        for n, node in enumerate(nodes)
    ]


def split(text: str, fields: dict[str, Field], viewer: User) -> tuple[list[str], str]:
    """The filters (in their text form) and the rest of a rule that together say what the rule in ``text`` says.

    A filter is looked up faster and shown in fewer words; what becomes one has to lead back to the very same part.

    Raises:
        RuleError: the text cannot be understood.
    """
    known = schema(viewer)
    found: list[str] = []
    rest: list[Node] = []
    for node in _parts(parse(text, known)):
        said = _filter(node, fields, viewer, known) if len(found) < filters.MAX_FILTERS else ""
        if said and said not in found:
            found.append(said)
        elif not said:
            rest.append(node)
    return found, _text(tuple(rest), known)


def _parts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, AllOf) else (node,)


def _text(parts: tuple[Node, ...], known: Schema) -> str:
    return format_rule(check(AllOf(parts), known), known) if parts else ""


_BACK = {operator: name for name, operator in _OPERATORS.items()}


def _filter(node: Node, fields: dict[str, Field], viewer: User, known: Schema) -> str:
    """The filter that says what a part of a rule says; empty where none does. Texts are compared folded in rules alone,
    and “me” of a rule is who asks, so both stay in it."""
    inner = node.part if isinstance(node, Not) else node
    if isinstance(inner, InSegment):
        said = f"segment:{'not' if inner is not node else 'is'}:{inner.key}"
    elif isinstance(node, Comparison) and (field := fields.get(node.field)) is not None:
        name = _BACK.get(node.operator)
        plain = (str, int, float, date)
        own = field.type in ("text", "user") and node.values
        if name is None or own or not all(isinstance(value, plain) for value in node.values):
            return ""
        values = tuple(value for value in node.values if isinstance(value, plain))
        said = Condition(field, name, tuple(int(v) if isinstance(v, bool) else v for v in values)).text()
    else:
        return ""
    try:
        same = check(_node(filters.parse_one(said, fields, viewer)), known) == node
    except RondoError:
        return ""
    return said if same else ""


def _node(condition: Condition) -> Node:
    field = condition.field
    if field.place == "segment":
        keys = condition.values or tuple(key for key, _name in field.choices)
        inside = AnyOf(tuple(InSegment(str(key)) for key in keys))
        return Not(inside) if condition.negated else inside
    values = condition.values
    if condition.operator == "all":
        parts = tuple(Comparison(field.key, "is", (value,)) for value in values)
        return parts[0] if len(parts) == 1 else AllOf(parts)
    if field.type == "user":
        values = tuple(filters.plain_value(field, value) for value in values)
    elif field.type == "boolean":
        values = tuple(bool(value) for value in values)
    return Comparison(field.key, _OPERATORS[condition.operator], values)
