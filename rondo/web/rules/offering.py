"""What the builder offers, as data: fields, events with their details, links and segments, with labels in the viewer's
language; and which operators go with each. Texts that many fields share are written once and referred to by number."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from rondo.foundation.money import to_minor
from rondo.foundation.registry import RuleTerm, registries
from rondo.rules import Schema, operators
from rondo.rules.checking import PERIODS
from rondo.rules.tree import ANY_KIND
from rondo.web.rules import words
from rondo.web.rules.suggesting import suggests

_FACTS = {"value": "value", "standing": "stages"}
"""Groups of facts that the list of fields sets apart."""


class _Shared:
    """Texts and lists that occur more than once."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, item: Any) -> int | None:
        """Its number; None for nothing."""
        if not item:
            return None
        key = repr(item)
        if key not in self._places:
            self._places[key] = len(self.items)
            self.items.append(item)
        return self._places[key]


def offered(schema: Schema, segments: Iterable[tuple[str, str]], today: date) -> dict[str, Any]:
    """Everything the page's script needs to show any rule and to make one.

    ``segments`` are key and name of those that the viewer may refer to; ``today`` is the day that rules are asked for.
    """
    shared = _Shared()
    said = words.interface()
    return {
        "version": 1,
        "currency": schema.currency,
        "digits": len(str(to_minor(1, schema.currency))) - 1,
        "today": today.isoformat(),
        "groups": list(words.groups().items()),
        "fields": [_term(term, shared, group_of(term)) for term in schema.fields.values()],
        "kinds": [
            *([key, str(kind.label), list(schema.details_of(key))] for key, kind in schema.kinds.items()),
            [ANY_KIND, said["anyKind"], list(schema.details_of(ANY_KIND))],
        ],
        "details": [_term(detail, shared) for detail in schema.details.values()],
        "roles": [*([key, str(label)] for key, label in schema.roles.items()), [ANY_KIND, said["linkAny"]]],
        "segments": [[key, name] for key, name in segments],
        "operators": {form: words.operators(form) for form in ("date", "other")},
        "periods": list(PERIODS),
        "units": words.units(),
        "modes": words.modes(),
        "words": said,
        "shared": shared.items,
    }


def group_of(term: RuleTerm) -> str:
    """Where the list of fields has a field."""
    if term.group != "facts":
        return term.group
    fact = registries.facts.get(term.key)
    if fact is not None:
        return _FACTS.get(fact.group, "facts")
    return "stages" if getattr(term, "source", "") == "buying_stage_counts" else "facts"


def _term(term: RuleTerm, shared: _Shared, group: str = "") -> dict[str, Any]:
    found = {
        "key": term.key,
        "label": str(term.label),
        "type": term.type,
        "operators": shared.place(list(operators(term))),
        "choices": shared.place([[value, str(label)] for value, label in term.choices]),
        "hint": shared.place(str(term.meaning)),
        "suggests": suggests(term),
    }
    return {**found, "group": group} if group else found
