"""A rule in words, in the viewer's language, as a chip says it: “Activity: late or asleep”, “Purchase (Category:
COFFEE) at least 2 times within the last 90 days”. It is for reading; the text form can be written again.
"""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext, pgettext

from rondo.foundation.registry import RuleTerm
from rondo.rules import Node, Schema
from rondo.rules.checking import DAY, MONEY
from rondo.rules.tree import (
    ANY_KIND,
    AllOf,
    AnyOf,
    Comparison,
    Did,
    Event,
    InSegment,
    Linked,
    Not,
    Operator,
    Period,
    Relative,
    Sequence,
    Span,
    Value,
)
from rondo.web import formats
from rondo.web.rules import words


class Sayer:
    """Says rules of one schema; ``segments`` are the names of the segments that the viewer may see, by key."""

    def __init__(self, schema: Schema, segments: dict[str, str]) -> None:
        self.schema = schema
        self.segments = segments
        self.words = words.interface()
        self.operators = {form: words.operators(form) for form in ("date", "other")}

    def say(self, node: Node, inner: bool = False) -> str:
        """The words of a node; a group ``inner`` to another stands in brackets."""
        if isinstance(node, AllOf | AnyOf):
            if not node.parts:
                return _("everybody") if isinstance(node, AllOf) else _("nobody")
            joint = self.words["and" if isinstance(node, AllOf) else "or"]
            text = f" {joint} ".join(self.say(part, inner=True) for part in node.parts)
            return f"({text})" if inner else text
        if isinstance(node, Not):
            return self._negated(node.part)
        if isinstance(node, Comparison):
            return self.comparison(node, self.schema.find(node.field))
        if isinstance(node, InSegment):
            return f"{self.words['inSegment']} {self._segment(node.key)}"
        if isinstance(node, Linked):
            return self._linked(node)
        return self._events(node)

    def _negated(self, node: Node) -> str:
        if isinstance(node, InSegment):
            return f"{self.words['notInSegment']} {self._segment(node.key)}"
        if isinstance(node, Did | Sequence):
            return f"{self.words['didNot']} {self._events(node)}"
        return f"{self.words['not']} {self.say(node, inner=True)}"

    def _segment(self, key: str) -> str:
        return pgettext("quoted", "“%(name)s”") % {"name": self.segments.get(key, key)}

    def comparison(self, node: Comparison, term: RuleTerm | None) -> str:
        """A field or detail, how it is compared, and with what."""
        label = str(term.label) if term is not None else node.field
        if node.operator in ("is", "is_not"):
            shown = f" {self.words['or']} ".join(self.value(term, value) for value in node.values)
            pattern = _("%(field)s: %(value)s") if node.operator == "is" else _("%(field)s: not %(value)s")
            return pattern % {"field": label, "value": shown}
        return f"{label} {self._compared(node.operator, node.values, term)}"

    def _compared(self, operator: Operator, values: tuple[Value, ...], term: RuleTerm | None) -> str:
        is_day = term is not None and term.type == "date"
        if is_day and len(values) == 1 and isinstance(values[0], Relative) and values[0].n > 0:
            return _distance(operator, values[0])
        word = self.operators["date" if is_day else "other"].get(operator, operator)
        joint = f" {self.words['and']} "
        return f"{word} {joint.join(self.value(term, value) for value in values)}".strip()

    def value(self, term: RuleTerm | None, value: Value) -> str:
        """One value, as the viewer's language writes it."""
        if isinstance(value, Span):
            return _counted(value.n, value.unit)
        if isinstance(value, Relative):
            return _moment(value)
        if isinstance(value, date):
            return formats.day(value)
        if isinstance(value, bool):
            return self.words["yes" if value else "no"]
        kind = term.type if term is not None else "text"
        if isinstance(value, int | float):
            return _number(value, kind, self.schema.currency)
        if getattr(term, "refers", "") == "segments":
            return self._segment(str(value))
        if value == "me":
            return self.words["me"]
        return str(dict(term.choices if term is not None else ()).get(str(value), value))

    # Events

    def _events(self, node: Did | Sequence) -> str:
        if isinstance(node, Did):
            said = [self._event(node.event)]
            if node.count.operator != "at_least" or node.count.n != 1:
                often = ngettext("%(n)s time", "%(n)s times", node.count.n) % {"n": formats.number(node.count.n)}
                said.append(f"{self._often(node.count.operator)} {often}")
            if node.total is not None:
                said.append(
                    f"{self.words['total']} {self._often(node.total.operator)} {self.value(MONEY, node.total.amount)}"
                )
            return " ".join([*said, *self._period(node.period)])
        steps = [" ".join([self._event(node.steps[0]), *self._period(node.period)])]
        steps += [f"{self.words['then']} {self._event(step)}" for step in node.steps[1:]]
        if node.excluded is not None:
            steps.append(f"{self.words['thenNot']} {self._event(node.excluded)}")
        if node.within is not None:
            steps.append(f"{self.words['afterwards']} {_counted(node.within.n, node.within.unit)}")
        return ", ".join(steps)

    def _often(self, operator: str) -> str:
        return self.words[{"at_least": "atLeast", "at_most": "atMost"}.get(operator, "exactly")]

    def _event(self, event: Event) -> str:
        kind = self.schema.kinds.get(event.kind)
        label = str(kind.label) if kind is not None else event.kind
        label = self.words["anyKind"] if event.kind == ANY_KIND else label
        details = [self.comparison(part, self.schema.details.get(part.field)) for part in event.where]
        return f"{label} ({', '.join(details)})" if details else label

    def _period(self, period: Period | None) -> list[str]:
        return [] if period is None else [self._compared(period.operator, period.values, DAY)]

    def _linked(self, node: Linked) -> str:
        role = self.words["linkAny"] if node.role == ANY_KIND else str(self.schema.roles.get(node.role, node.role))
        other, customer = self.words["linkBy"], self.words["linkTo"]
        text = f"{role} {other}" if node.direction == "to" else f"{other} {role} {customer}"
        return text if node.inner is None else f"{text} ({self.say(node.inner)})"


def _number(value: float, kind: str, currency: str) -> str:
    if kind == "money":
        return formats.money(value, currency, 0 if value % 100 == 0 else None)
    if kind == "share":
        return formats.share(value, 0 if float(round(value * 100, 6)).is_integer() else 1)
    text = formats.number(value, 0 if float(value).is_integer() else 2)
    return _counted(int(value), "days") if kind == "days" and float(value).is_integer() else text


def _counted(n: int, unit: str) -> str:
    pattern = {
        "days": ngettext("%(n)s day", "%(n)s days", n),
        "weeks": ngettext("%(n)s week", "%(n)s weeks", n),
        "months": ngettext("%(n)s month", "%(n)s months", n),
        "years": ngettext("%(n)s year", "%(n)s years", n),
    }[unit]
    return pattern % {"n": formats.number(n)}


def _ago(n: int, unit: str) -> str:
    """A length as it stands with “ago” and “from today”, which has a case of its own in some languages."""
    pattern = {
        "days": npgettext("ago", "%(n)s day", "%(n)s days", n),
        "weeks": npgettext("ago", "%(n)s week", "%(n)s weeks", n),
        "months": npgettext("ago", "%(n)s month", "%(n)s months", n),
        "years": npgettext("ago", "%(n)s year", "%(n)s years", n),
    }[unit]
    return pattern % {"n": formats.number(n)}


def _moment(value: Relative) -> str:
    if value.n == 0:
        return pgettext("rule", "today")
    pattern = pgettext("rule", "%(length)s ago") if value.n > 0 else pgettext("rule", "%(length)s from today")
    return pattern % {"length": _ago(abs(value.n), value.unit)}


def _distance(operator: Operator, value: Relative) -> str:
    """A day that is compared with one some time ago, as how long ago it is: what is before it is longer ago."""
    patterns: dict[Any, str] = {
        "above": pgettext("rule", "less than %(length)s ago"),
        "at_least": pgettext("rule", "at most %(length)s ago"),
        "at_most": pgettext("rule", "at least %(length)s ago"),
        "below": pgettext("rule", "more than %(length)s ago"),
    }
    return patterns.get(operator, pgettext("rule", "%(length)s ago")) % {"length": _ago(value.n, value.unit)}
