"""The JSON form of rules, versioned, with its JSON Schema; and the hash that tells whether two rules are the same.

Days are ``{"date": "2017-12-31"}`` or ``{"ago": 90, "unit": "days"}``, spans ``{"span": 30, "unit": "days"}``,
money integers of minor units. ``from_json`` checks as the text form does; problems name the path.
"""

import hashlib
import json
from datetime import date
from typing import Any, get_args

from django.utils.translation import gettext as _

from rondo.errors import StateError
from rondo.rules.checking import check
from rondo.rules.problems import Path, Problem, RuleError
from rondo.rules.schema import Schema
from rondo.rules.tree import (
    MAX_DEPTH,
    MAX_VALUES,
    UNITS,
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
    Raw,
    Relative,
    Sequence,
    Span,
    Total,
    Value,
)

VERSION = 1
OPERATORS: tuple[str, ...] = get_args(Operator)


def to_json(node: Node) -> dict[str, Any]:
    """The JSON form of a normal tree, with its version."""
    return {"version": VERSION, "rule": _node(node)}


def rule_hash(node: Node) -> str:
    """SHA-256 of the canonical JSON form: equal exactly for equal trees, in every process and release of a version."""
    text = json.dumps(to_json(node), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _node(node: Node) -> dict[str, Any]:
    if isinstance(node, AllOf):
        return {"all": [_node(part) for part in node.parts]}
    if isinstance(node, AnyOf):
        return {"any": [_node(part) for part in node.parts]}
    if isinstance(node, Not):
        return {"not": _node(node.part)}
    if isinstance(node, Comparison):
        return {"field": node.field, "op": node.operator, "values": [_value(value) for value in node.values]}
    if isinstance(node, InSegment):
        return {"segment": node.key}
    if isinstance(node, Linked):
        found: dict[str, Any] = {"linked": node.role, "direction": node.direction}
        return found if node.inner is None else {**found, "rule": _node(node.inner)}
    if isinstance(node, Did):
        found = {"did": _event(node.event), "count": {"op": node.count.operator, "n": node.count.n}}
        if node.total is not None:
            found["total"] = {"op": node.total.operator, "amount": node.total.amount}
    else:
        found = {"sequence": [_event(step) for step in node.steps]}
        if node.excluded is not None:
            found["then_not"] = _event(node.excluded)
        if node.within is not None:
            found["within"] = _value(node.within)
    if node.period is not None:
        found["period"] = {"op": node.period.operator, "values": [_value(value) for value in node.period.values]}
    return found


def _event(event: Event) -> dict[str, Any]:
    where = [{"detail": c.field, "op": c.operator, "values": [_value(v) for v in c.values]} for c in event.where]
    return {"kind": event.kind, "where": where}


def _value(value: Value) -> Any:
    if isinstance(value, Raw):
        raise StateError(_("%(value)r is not typed yet; check the tree first.") % {"value": value})
    if isinstance(value, Relative):
        return {"ago": value.n, "unit": value.unit}
    if isinstance(value, Span):
        return {"span": value.n, "unit": value.unit}
    return {"date": value.isoformat()} if isinstance(value, date) else value


def from_json(document: Any, schema: Schema) -> Node:
    """The normal tree of a rule in its JSON form, as :func:`json.loads` gives it.

    Raises:
        RuleError: what is wrong, with the path.
    """
    return check(read_json(document), schema)


def read_json(document: Any) -> Node:
    """The tree of a JSON form in which keys and values are yet to be trusted: for what is still being written.

    Raises:
        RuleError: the first part that is none of a rule, with the path.
    """
    if not isinstance(document, dict) or "rule" not in document:
        raise _wrong((), _("a rule is an object with “version” and “rule”."))
    if document.get("version") != VERSION:
        message = _("version %(version)s of rules is not known; this is version %(known)d.")
        raise _wrong(("version",), message % {"version": document.get("version"), "known": VERSION})
    return _read(document["rule"], (), 0)


def _wrong(path: Path, message: str, expected: tuple[str, ...] = ()) -> RuleError:
    return RuleError([Problem(message, path=path, expected=expected)])


_KEYS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "all": (frozenset({"all"}), frozenset()),
    "any": (frozenset({"any"}), frozenset()),
    "not": (frozenset({"not"}), frozenset()),
    "field": (frozenset({"field", "op", "values"}), frozenset()),
    "segment": (frozenset({"segment"}), frozenset()),
    "linked": (frozenset({"linked"}), frozenset({"direction", "rule"})),
    "did": (frozenset({"did"}), frozenset({"count", "total", "period"})),
    "sequence": (frozenset({"sequence"}), frozenset({"then_not", "within", "period"})),
}


def _read(data: Any, path: Path, level: int) -> Node:
    if level > MAX_DEPTH:
        raise _wrong(path, _("the rule is nested too deeply; make a segment of its inner part."))
    head = next((key for key in _KEYS if isinstance(data, dict) and key in data), None)
    if head is None:
        raise _wrong(path, _("this is no part of a rule."), tuple(_KEYS))
    needed, optional = _KEYS[head]
    _keys(data, needed, optional, path)
    if head in ("all", "any"):
        parts = tuple(
            _read(part, (*path, head, n), level + 1) for n, part in enumerate(_list(data[head], (*path, head)))
        )
        return AllOf(parts) if head == "all" else AnyOf(parts)
    if head == "not":
        return Not(_read(data["not"], (*path, "not"), level + 1))
    if head == "field":
        return _comparison(data, path, "field")
    if head == "segment":
        return InSegment(_text(data["segment"], (*path, "segment")))
    if head == "linked":
        direction = _one_of(data.get("direction", "to"), ("to", "by"), (*path, "direction"))
        inner = _read(data["rule"], (*path, "rule"), level + 1) if "rule" in data else None
        return Linked(_text(data["linked"], (*path, "linked")), direction, inner)
    return _did(data, path) if head == "did" else _sequence(data, path)


def _keys(data: dict[str, Any], needed: frozenset[str], optional: frozenset[str], path: Path) -> None:
    if missing := sorted(needed - set(data)):
        raise _wrong((*path, missing[0]), _("this is missing."))
    if more := sorted(set(data) - needed - optional):
        message = _("there is no place for “%(key)s” here.") % {"key": more[0][:60]}
        raise _wrong((*path, more[0]), message, tuple(sorted(needed | optional)))


def _list(data: Any, path: Path, limit: int = MAX_VALUES) -> list[Any]:
    if not isinstance(data, list) or len(data) > limit:
        raise _wrong(path, _("a list of at most %(limit)d is needed here.") % {"limit": limit})
    return data


def _object(data: Any, path: Path) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _wrong(path, _("an object is needed here."))
    return data


def _text(data: Any, path: Path) -> str:
    if not isinstance(data, str):
        raise _wrong(path, _("a text is needed here."))
    return data


def _one_of(data: Any, known: tuple[str, ...], path: Path) -> Any:
    if not isinstance(data, str) or data not in known:
        raise _wrong(path, _("“%(value)s” is not known here.") % {"value": str(data)[:60]}, known)
    return data


def _whole(data: Any, path: Path) -> int:
    if isinstance(data, bool) or not isinstance(data, int):
        raise _wrong(path, _("a whole number is needed here."))
    return data


def _comparison(data: Any, path: Path, name: str) -> Comparison:
    _keys(_object(data, path), frozenset({name, "op", "values"}), frozenset(), path)
    return Comparison(_text(data[name], (*path, name)), *_operation(data, path))


def _operation(data: dict[str, Any], path: Path) -> tuple[Operator, tuple[Value, ...]]:
    operator = _one_of(data["op"], OPERATORS, (*path, "op"))
    values = _list(data["values"], (*path, "values"))
    return operator, tuple(_read_value(value, (*path, "values", n)) for n, value in enumerate(values))


def _read_value(data: Any, path: Path) -> Value:
    if isinstance(data, str | bool | int | float):
        return data
    if isinstance(data, dict) and set(data) == {"date"}:
        try:
            return date.fromisoformat(_text(data["date"], (*path, "date")))
        except ValueError:
            raise _wrong((*path, "date"), _("this is no day; write it as 2017-12-31.")) from None
    for head, kind in (("ago", Relative), ("span", Span)):
        if isinstance(data, dict) and set(data) == {head, "unit"}:
            return kind(_whole(data[head], (*path, head)), _one_of(data["unit"], UNITS, (*path, "unit")))
    raise _wrong(path, _("this is no value."), ("text", "number", "true", "false", "date", "ago", "span"))


def _read_event(data: Any, path: Path) -> Event:
    _keys(_object(data, path), frozenset({"kind"}), frozenset({"where"}), path)
    where = _list(data.get("where", []), (*path, "where"))
    return Event(
        _text(data["kind"], (*path, "kind")),
        tuple(_comparison(part, (*path, "where", n), "detail") for n, part in enumerate(where)),
    )


def _read_period(data: dict[str, Any], path: Path) -> Period | None:
    if "period" not in data:
        return None
    at = (*path, "period")
    _keys(_object(data["period"], at), frozenset({"op", "values"}), frozenset(), at)
    return Period(*_operation(data["period"], at))


def _did(data: dict[str, Any], path: Path) -> Did:
    count, total = Count("at_least", 1), None
    if "count" in data:
        at: Path = (*path, "count")
        _keys(_object(data["count"], at), frozenset({"op", "n"}), frozenset(), at)
        operator = _one_of(data["count"]["op"], ("at_least", "at_most", "exactly"), (*at, "op"))
        count = Count(operator, _whole(data["count"]["n"], (*at, "n")))
    if "total" in data:
        at = (*path, "total")
        _keys(_object(data["total"], at), frozenset({"op", "amount"}), frozenset(), at)
        limit = _one_of(data["total"]["op"], ("at_least", "at_most"), (*at, "op"))
        total = Total(limit, _whole(data["total"]["amount"], (*at, "amount")))
    return Did(_read_event(data["did"], (*path, "did")), count, total, _read_period(data, path))


def _sequence(data: dict[str, Any], path: Path) -> Sequence:
    at: Path = (*path, "sequence")
    steps = tuple(_read_event(step, (*at, n)) for n, step in enumerate(_list(data["sequence"], at)))
    excluded = _read_event(data["then_not"], (*path, "then_not")) if "then_not" in data else None
    within = None
    if "within" in data:
        read = _read_value(data["within"], (*path, "within"))
        if not isinstance(read, Span):
            raise _wrong((*path, "within"), _("a length of time is needed here, such as 30 days."))
        within = read
    return Sequence(steps, excluded, within, _read_period(data, path))


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the JSON form; keys of fields and kinds are data and stay open."""
    unit = {"enum": list(UNITS)}
    value = {
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            _shape({"date": {"type": "string", "format": "date"}}),
            _shape({"ago": {"type": "integer"}, "unit": unit}),
            {"$ref": "#/$defs/span"},
        ]
    }
    operation = {"op": {"enum": list(OPERATORS)}, "values": {"type": "array", "items": value, "maxItems": MAX_VALUES}}
    rule, event, text = {"$ref": "#/$defs/rule"}, {"$ref": "#/$defs/event"}, {"type": "string"}
    period = _shape(operation)
    limit = {"enum": ["at_least", "at_most"]}
    count = _shape({"op": {"enum": ["at_least", "at_most", "exactly"]}, "n": {"type": "integer", "minimum": 0}})
    rules = {"type": "array", "items": rule}
    forms = [
        _shape({"all": rules}),
        _shape({"any": rules}),
        _shape({"not": rule}),
        _shape({"field": text, **operation}),
        _shape({"segment": text}),
        _shape({"linked": text}, {"direction": {"enum": ["to", "by"]}, "rule": rule}),
        _shape(
            {"did": event},
            {"count": count, "total": _shape({"op": limit, "amount": {"type": "integer"}}), "period": period},
        ),
        _shape(
            {"sequence": {"type": "array", "items": event, "minItems": 1}},
            {"then_not": event, "within": {"$ref": "#/$defs/span"}, "period": period},
        ),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rondo rule",
        **_shape({"version": {"const": VERSION}, "rule": rule}),
        "$defs": {
            "rule": {"anyOf": forms},
            "event": _shape(
                {"kind": text}, {"where": {"type": "array", "items": _shape({"detail": text, **operation})}}
            ),
            "span": _shape({"span": {"type": "integer", "minimum": 1}, "unit": unit}),
        },
    }


def _shape(needed: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        "required": list(needed),
        "additionalProperties": False,
    }
