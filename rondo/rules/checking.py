"""The type pass: every key is known, every operator goes with its field, every value is of its type, limits hold.

It takes the tree of either form and returns the normal tree; all problems are found in one run.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from rondo.foundation.registry import RuleTerm
from rondo.rules.parsing import parse_text
from rondo.rules.problems import Path, Paths, Places, Problem, RuleError, nearest
from rondo.rules.schema import Schema
from rondo.rules.tree import (
    ANY_KIND,
    MAX_DAYS,
    MAX_DEPTH,
    MAX_LINKS,
    MAX_NODES,
    MAX_STEPS,
    MAX_VALUES,
    AllOf,
    AnyOf,
    Comparison,
    Count,
    Did,
    Event,
    InSegment,
    Linked,
    Node,
    Not,
    Operator,
    Period,
    Relative,
    Sequence,
    Span,
    Total,
    Value,
    children,
)
from rondo.rules.values import DAYS_OF, LONGEST, NUMBERS, ValueProblem, typed

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_ONE_OF: tuple[Operator, ...] = ("is", "is_not")
_ORDER: tuple[Operator, ...] = ("at_least", "at_most", "above", "below", "between")
_DAYS: tuple[Operator, ...] = ("within_last", "within_next", "anniversary_last", "anniversary_next")
_KNOWN: tuple[Operator, ...] = ("known", "unknown")
SPANS: frozenset[Operator] = frozenset(_DAYS)
PERIODS: tuple[Operator, ...] = ("within_last", "between", "at_least", "at_most", "above", "below")

WORDS: dict[Operator, str] = {
    "is": "=",
    "is_not": "!=",
    "at_least": ">=",
    "at_most": "<=",
    "above": ">",
    "below": "<",
    "between": "between",
    "known": "is known",
    "unknown": "is unknown",
    "starts_with": "starts with",
    "contains": "contains",
    "within_last": "within last",
    "within_next": "within next",
    "anniversary_last": "anniversary within last",
    "anniversary_next": "anniversary within next",
}
DAY_WORDS: dict[Operator, str] = {"at_least": "since", "at_most": "until", "above": "after", "below": "before"}

DAY = RuleTerm("day", "day", "date")
MONEY = RuleTerm("total", "total", "money")


def operators(term: RuleTerm) -> tuple[Operator, ...]:
    """The operators that go with a field or detail."""
    if term.type == "date":
        return (*_ONE_OF, *_ORDER, *_DAYS, *_KNOWN)
    if term.type in NUMBERS:
        return (*_ONE_OF, *_ORDER, *_KNOWN)
    if term.type == "text" and (term.folded or term.vocabulary is not None):
        return (*_ONE_OF, "starts_with", "contains", *_KNOWN)
    return (*_ONE_OF, *_KNOWN)


_ARITY: dict[Operator, tuple[int, int]] = {
    "known": (0, 0),
    "unknown": (0, 0),
    "between": (2, 2),
    "is": (1, MAX_VALUES),
    "is_not": (1, MAX_VALUES),
}


def arity(operator: Operator) -> tuple[int, int]:
    """How many values an operator takes, at least and at most."""
    return _ARITY.get(operator, (1, 1))


def depth(node: Node) -> int:
    """Levels of a tree."""
    return 1 + max((depth(part) for part in children(node)), default=0)


class Checker:
    """One run over a tree."""

    def __init__(self, schema: Schema, places: Places | Paths) -> None:
        self.schema = schema
        self.places = places
        self.problems: list[Problem] = []
        self.nodes = 0
        self.links = 0

    def report(self, path: Path, message: str, found: str = "", expected: tuple[str, ...] = (), near: str = "") -> None:
        self.problems.append(self.places.problem(path, message, found, expected, near))

    def unknown(self, path: Path, message: str, key: str, known: "Mapping[str, object]") -> None:
        """A key that nothing has: with what was probably meant, or with the choice if there is not much of it."""
        near = nearest(key, known)
        self.report(path, message % {"key": key[:60]}, key, () if near or len(known) > 40 else tuple(known), near)

    def node(self, node: Node, path: Path, level: int = 1) -> Node:
        self.nodes += 1
        if self.nodes == MAX_NODES + 1:
            self.report(
                path, _("the rule has more than %(limit)d parts; make segments of some.") % {"limit": MAX_NODES}
            )
        if level > MAX_DEPTH:
            self.report(path, _("the rule is nested too deeply; make a segment of its inner part."))
            return node
        if isinstance(node, AllOf | AnyOf):
            key = "all" if isinstance(node, AllOf) else "any"
            parts = tuple(self.node(part, (*path, key, n), level + 1) for n, part in enumerate(node.parts))
            return parts[0] if len(parts) == 1 else type(node)(parts)
        if isinstance(node, Not):
            return Not(self.node(node.part, (*path, "not"), level + 1))
        if isinstance(node, Comparison):
            return self.field(node, path)
        if isinstance(node, InSegment):
            if not node.key or len(node.key) > 100:
                self.report((*path, "segment"), _("the key of a segment has 1 to 100 characters."), node.key[:100])
            return node
        if isinstance(node, Linked):
            return self.linked(node, path, level)
        return self.did(node, path) if isinstance(node, Did) else self.sequence(node, path)

    def field(self, node: Comparison, path: Path) -> Comparison:
        term = self.schema.find(node.field)
        if term is None:
            known = {self.schema.short(key): label.label for key, label in self.schema.fields.items()}
            self.unknown((*path, "field"), _("there is no field “%(key)s”."), node.field, known)
            return node
        return self.comparison(term, Comparison(term.key, node.operator, node.values), path)

    def comparison(self, term: RuleTerm, node: Comparison, path: Path) -> Comparison:
        offered = operators(term)
        if node.operator not in offered:
            words = tuple(DAY_WORDS.get(o, WORDS[o]) if term.type == "date" else WORDS[o] for o in offered)
            message = _("“%(operator)s” does not go with %(field)s.") % {
                "operator": WORDS[node.operator],
                "field": term.label,
            }
            self.report((*path, "op"), message, WORDS[node.operator], words)
            return node
        low, high = arity(node.operator)
        if not low <= len(node.values) <= high:
            message = _("%(number)d values are given; %(low)d to %(high)d are needed.") % {
                "number": len(node.values),
                "low": low,
                "high": high,
            }
            self.report((*path, "values"), message)
            return node
        if node.operator in SPANS:
            longest = 366 if node.operator.startswith("anniversary") else MAX_DAYS
            return Comparison(node.field, node.operator, (self.span(node.values[0], (*path, "values", 0), longest),))
        values = tuple(self.value(term, value, (*path, "values", n)) for n, value in enumerate(node.values))
        if node.operator == "between" and _out_of_order(*values):
            self.report((*path, "values"), _("the greater value stands first; write the smaller one before it."))
        return Comparison(node.field, node.operator, values)

    def value(self, term: RuleTerm, value: Value, path: Path) -> Value:
        try:
            return typed(term, value, self.schema.currency)
        except ValueProblem as error:
            found = str(getattr(value, "text", value))[:60]
            self.report(path, str(error), found, error.expected, error.suggestion)
            return value

    def span(self, value: Value, path: Path, longest: int = MAX_DAYS) -> Value:
        if not isinstance(value, Span):
            self.report(path, _("a length of time is needed here, such as 30 days."))
        elif not 1 <= value.n <= LONGEST or value.n * DAYS_OF[value.unit] > longest:
            message = _("the length of time has to be 1 to %(limit)d days.") % {"limit": longest}
            self.report(path, message, f"{value.n} {value.unit}")
        return value

    def linked(self, node: Linked, path: Path, level: int) -> Linked:
        if node.role != ANY_KIND and node.role not in self.schema.roles:
            known = {**self.schema.roles, ANY_KIND: ""}
            self.unknown((*path, "linked"), _("there is no link “%(key)s”."), node.role, known)
        self.links += 1
        if self.links > MAX_LINKS:
            message = _("links are nested more than %(limit)d deep; make a segment of the inner part.")
            self.report((*path, "linked"), message % {"limit": MAX_LINKS})
        inner = None if node.inner is None else self.node(node.inner, (*path, "rule"), level + 1)
        self.links -= 1
        return Linked(node.role, node.direction, inner)

    # Events

    def event(self, node: Event, path: Path) -> Event:
        if node.kind != ANY_KIND and node.kind not in self.schema.kinds:
            known: dict[str, _StrOrPromise] = {key: kind.label for key, kind in self.schema.kinds.items()}
            self.unknown((*path, "kind"), _("there is no kind of event “%(key)s”."), node.kind, {**known, ANY_KIND: ""})
            return node
        details = self.schema.details_of(node.kind)
        where = []
        for number, part in enumerate(node.where):
            self.nodes += 1
            at = (*path, "where", number)
            term = details.get(part.field)
            if term is None:
                message = _("events of this kind have no detail “%(key)s”.")
                self.unknown((*at, "detail"), message, part.field, details)
                where.append(part)
            else:
                where.append(self.comparison(term, part, at))
        return Event(node.kind, tuple(where))

    def period(self, node: Period | None, path: Path) -> Period | None:
        if node is None:
            return None
        if node.operator not in PERIODS:
            words = ("within", "between", "since", "until", "after", "before")
            self.report((*path, "op"), _("this is no period of events."), WORDS[node.operator], words)
            return node
        checked = self.comparison(DAY, Comparison("day", node.operator, node.values), path)
        return Period(checked.operator, checked.values)

    def did(self, node: Did, path: Path) -> Did:
        event = self.event(node.event, (*path, "did"))
        if not 0 <= node.count.n <= 1_000_000 or (node.count.operator == "at_least" and node.count.n == 0):
            message = _("how often has to be a whole number from 1 to 1000000; say did not for never.")
            self.report((*path, "count"), message, str(node.count.n))
        total = node.total
        if total is not None:
            total = Total(total.operator, self.value(MONEY, total.amount, (*path, "total", "amount")))
        return Did(event, Count(node.count.operator, node.count.n), total, self.period(node.period, (*path, "period")))

    def sequence(self, node: Sequence, path: Path) -> Sequence:
        steps = tuple(self.event(step, (*path, "sequence", n)) for n, step in enumerate(node.steps))
        excluded = None if node.excluded is None else self.event(node.excluded, (*path, "then_not"))
        if not 2 <= len(steps) + (excluded is not None) <= MAX_STEPS:
            message = _("a sequence has two to %(limit)d steps.") % {"limit": MAX_STEPS}
            self.report((*path, "sequence"), message, str(len(steps)))
        every = [step.kind for step in (*steps, *([excluded] if excluded else []))]
        known = [kind for kind in every if kind == ANY_KIND or kind in self.schema.kinds]
        if len({self.schema.chain(kind).key for kind in known}) > 1:
            self.report((*path, "sequence"), _("the steps of a sequence have to be events of one chain."))
        if node.within is not None:
            self.span(node.within, (*path, "within"))
            if node.within.unit not in ("days", "weeks"):
                message = _("the window of a sequence is counted in days or weeks.")
                self.report((*path, "within"), message, f"{node.within.n} {node.within.unit}", ("days", "weeks"))
        return Sequence(steps, excluded, node.within, self.period(node.period, (*path, "period")))


def _out_of_order(low: Value, high: Value) -> bool:
    """Whether two values of one type stand in the wrong order, as far as that is known before a day is given."""
    if isinstance(low, bool | str) or isinstance(high, bool | str):
        return False
    if isinstance(low, Relative) and isinstance(high, Relative):  # of other units it is known on both sides of today
        return low.n < high.n and (low.unit == high.unit or low.n <= 0 <= high.n)
    try:
        return bool(low > high)  # type: ignore[operator]  # a day and one relative to another are compared when resolved
    except TypeError:
        return False


def check(node: Node, schema: Schema, places: Places | Paths | None = None) -> Node:
    """The normal tree of a tree in which keys and values are yet to be trusted.

    Raises:
        RuleError: every problem, each at its place.
    """
    checker = Checker(schema, places or Paths())
    found = checker.node(node, ())
    if checker.problems:
        raise RuleError(sorted(checker.problems, key=lambda problem: problem.offset))
    return found


def parse(text: str, schema: Schema) -> Node:
    """The normal tree of a rule in its text form.

    Raises:
        RuleError: what is wrong, with line and column.
    """
    node, places = parse_text(text)
    return check(node, schema, places)
