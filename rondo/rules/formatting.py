"""The tree to its text form: one text per tree, which parses to an equal tree."""

import re

from rondo.rules.checking import DAY, DAY_WORDS, MONEY, WORDS
from rondo.rules.schema import Schema
from rondo.rules.tree import (
    AllOf,
    AnyOf,
    Comparison,
    Did,
    Event,
    InSegment,
    Linked,
    Node,
    Not,
    Period,
    Sequence,
    Span,
)
from rondo.rules.values import text_of_word, to_text, unit_word

RESERVED = frozenset(
    (
        "not did linked in everybody nobody and or then where by within between since until before after ever at "
        "exactly for is contains starts anniversary above below"
    ).split()
)
_DAYS = frozenset(DAY_WORDS.values())
"""Of these, the words for days: nobody takes one for anything but a key where a condition begins."""
_KEY = re.compile(r"[^\W\d][\w.-]*")


def key_text(key: str) -> str:
    """A key as the text form has it: in backquotes where it could be read as a word of the language."""
    return key if _KEY.fullmatch(key) and key.lower() not in RESERVED else f"`{key}`"


class Formatter:
    """One run over a tree."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def node(self, node: Node, within: str = "") -> str:
        """The text of a node; in brackets where the junction ``within`` would take it apart."""
        if isinstance(node, AllOf | AnyOf):
            joint = "and" if isinstance(node, AllOf) else "or"
            if not node.parts:
                return "everybody" if joint == "and" else "nobody"
            text = f" {joint} ".join(self.node(part, joint) for part in node.parts)
            bare = not within or (within == "or" and joint == "and" and len(node.parts) > 1)
            return text if bare else f"({text})"
        if isinstance(node, Not):
            if isinstance(node.part, Did | Sequence):
                return "did not " + self.node(node.part).removeprefix("did ")
            return "not " + self.node(node.part, "not")
        if isinstance(node, Comparison):
            return self.comparison(node, self.schema.short(node.field), self.schema.find(node.field))
        if isinstance(node, InSegment):
            return f"in segment {text_of_word(node.key)}"
        if isinstance(node, Linked):
            role = key_text(node.role)
            inner = "" if node.inner is None else f" ({self.node(node.inner)})"
            return f"linked {'by ' if node.direction == 'by' else ''}{role}{inner}"
        return self.did(node) if isinstance(node, Did) else self.sequence(node)

    def comparison(self, node: Comparison, key: str, term: object) -> str:
        name = key if key.lower() in _DAYS else key_text(key)
        values = [to_text(term, value, self.schema.currency) for value in node.values]  # type: ignore[arg-type]
        if node.operator in ("is", "is_not") and len(values) > 1:
            return f"{name} {'not in' if node.operator == 'is_not' else 'in'} ({', '.join(values)})"
        if node.operator == "between":
            return f"{name} between {values[0]} and {values[1]}"
        word = WORDS[node.operator]
        if getattr(term, "type", "") == "date":
            word = DAY_WORDS.get(node.operator, word)
        return " ".join((name, word, *values))

    def event(self, node: Event) -> str:
        details = self.schema.details_of(node.kind)
        where = [self.comparison(part, part.field, details.get(part.field)) for part in node.where]
        text = key_text(node.kind)
        if where:
            text += f" where {where[0]}" if len(where) == 1 else f" where ({' and '.join(where)})"
        return text

    def period(self, node: Period | None) -> str:
        if node is None:
            return ""
        if isinstance(node.values[0], Span):
            return f" within {to_text(DAY, node.values[0], '')}"
        values = [to_text(DAY, value, "") for value in node.values]
        if node.operator == "between":
            return f" between {values[0]} and {values[1]}"
        return f" {DAY_WORDS[node.operator]} {values[0]}"

    def did(self, node: Did) -> str:
        text = f"did {self.event(node.event)}"
        if (node.count.operator, node.count.n) != ("at_least", 1):
            text += (
                f" {node.count.operator.replace('_', ' ')} {node.count.n} {'time' if node.count.n == 1 else 'times'}"
            )
        if node.total is not None:
            amount = to_text(MONEY, node.total.amount, self.schema.currency)
            text += f" for {node.total.operator.replace('_', ' ')} {amount}"
        return text + self.period(node.period)

    def sequence(self, node: Sequence) -> str:
        first, *others = node.steps
        text = f"did {self.event(first)}{self.period(node.period)}"
        text += "".join(f" then {self.event(step)}" for step in others)
        if node.excluded is not None:
            text += f" then not {self.event(node.excluded)}"
        if node.within is not None:
            text += f" within {node.within.n} {unit_word(node.within.n, node.within.unit)}"
        return text


def format_rule(node: Node, schema: Schema) -> str:
    """The text form of a normal tree."""
    return Formatter(schema).node(node)
