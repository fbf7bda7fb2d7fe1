"""What the builder offers, as data: fields, events with their details, links, segments and examples, with labels in the
viewer's language; and which operators go with each.

There may be thousands of fields (one per category and kind of forecast), and a page carries them all. So what fields
have in common is written once, for all of them together, beginnings of keys and labels included.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from rondo.customers.models import AttributeDefinition
from rondo.foundation.money import to_minor
from rondo.foundation.registry import RuleDetail, RuleTerm, registries
from rondo.rules import Schema, operators
from rondo.rules.checking import PERIODS
from rondo.rules.tree import ANY_KIND
from rondo.web.rules import words
from rondo.web.rules.examples import examples
from rondo.web.rules.suggesting import suggests

_FACTS = {"value": "value", "standing": "stages"}
"""Groups of facts that the list of fields sets apart."""
_SOURCES = {
    "buying_stage_counts": "stages",
    "lead": "expected",
    "interest_best": "expected",
    "next": "expected",
    "series": "expected",
    "counted": "expected",
}
"""And sources whose fields are no facts of the registry."""

Form = AttributeDefinition.Form
_FORMS = {
    "kind": Form.DEMOGRAPHIC,
    "birth_date": Form.DEMOGRAPHIC,
    "bond_local": Form.GEOGRAPHIC,
    "discount_share": Form.BENEFIT,
    "own_label_share": Form.BENEFIT,
    "saved": Form.BENEFIT,
    "saved_by_coupons": Form.BENEFIT,
    "upsell_chance": Form.BENEFIT,
}
"""The form of segmentation that fields other than attributes serve, where it is not what customers do."""
_NO_FORM = ("name", "id", "owner", "known_since", "imported_by")


def offered(schema: Schema, segments: Iterable[tuple[str, str]], today: date) -> dict[str, Any]:
    """Everything the page's script needs to show any rule and to make one.

    ``segments`` are key and name of those that the viewer may refer to; ``today`` is the day that rules are asked for.
    ``fields`` are packs of fields that have everything in common but key and label; each key and label begins with
    what the pack has in front of them.
    """
    said = words.interface()
    segments = list(segments)
    forms = {f"attr.{key}": form for key, form in AttributeDefinition.objects.values_list("key", "form")}
    return {
        "version": 2,
        "currency": schema.currency,
        "digits": len(str(to_minor(1, schema.currency))) - 1,
        "today": today.isoformat(),
        "groups": list(words.groups().items()),
        "forms": [[value, str(label), words.forms()[value]] for value, label in Form.choices],
        "fields": _packed(schema.fields.values(), forms),
        "kinds": [
            *([key, str(kind.label), list(schema.details_of(key))] for key, kind in schema.kinds.items()),
            [ANY_KIND, said["anyKind"], list(schema.details_of(ANY_KIND))],
        ],
        "details": [_detail(detail) for detail in schema.details.values()],
        "roles": [*([key, str(label)] for key, label in schema.roles.items()), [ANY_KIND, said["linkAny"]]],
        "segments": [[key, name] for key, name in segments],
        "operators": {form: words.operators(form) for form in ("date", "other")},
        "periods": list(PERIODS),
        "units": words.units(),
        "modes": words.modes(),
        "words": said,
        "examples": examples(schema, segments),
    }


def group_of(term: RuleTerm) -> str:
    """Where the list of fields has a field."""
    if term.group != "facts":
        return term.group
    fact = registries.facts.get(term.key)
    if fact is not None:
        return _FACTS.get(fact.group, "facts")
    return _SOURCES.get(getattr(term, "source", ""), "facts")


def form_of(key: str, forms: dict[str, str]) -> str:
    """The form of segmentation that a field serves; empty: none. ``forms`` are those of the attributes."""
    return "" if key in _NO_FORM else forms.get(key) or str(_FORMS.get(key, Form.BEHAVIOURAL))


def _packed(terms: Iterable[RuleTerm], forms: dict[str, str]) -> list[dict[str, Any]]:
    packs: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {}
    for term in terms:
        common = {**_term(term), "group": group_of(term), "form": form_of(term.key, forms)}
        packs.setdefault(repr(common), (common, []))[1].append((term.key, str(term.label)))
    found = []
    for common, names in packs.values():
        before = [_beginning(column) for column in zip(*names, strict=True)] if len(names) > 1 else ["", ""]
        items = [[text[len(start) :] for text, start in zip(name, before, strict=True)] for name in names]
        found.append({**common, "before": before, "items": items})
    return found


def _beginning(texts: tuple[str, ...]) -> str:
    """What all texts begin with: what the first and the last of them in order begin with."""
    first, last = min(texts), max(texts)
    same = next((n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:same]


def _term(term: RuleTerm) -> dict[str, Any]:
    return {
        "type": term.type,
        "operators": list(operators(term)),
        "choices": [[value, str(label)] for value, label in term.choices],
        "hint": str(term.meaning),
        "suggests": suggests(term),
    }


def _detail(detail: RuleDetail) -> dict[str, Any]:
    more = {"usual": detail.usual, "among": dict(detail.among), "refers": detail.refers}
    known = {name: value for name, value in more.items() if value}
    return {"key": detail.key, "label": str(detail.label), **_term(detail), **known}
