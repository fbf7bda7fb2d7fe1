"""Rules as JSON: round trip, schema, hash, and problems that name the path."""

import hashlib
import json
from typing import Any

import pytest

from rondo.rules import RuleError, Schema, from_json, json_schema, parse, rule_hash, to_json

TEXT = (
    "value >= 500 and (known_since within last 2 weeks or not linked by member (in segment x)) and "
    "did purchase where (category = COFFEE and amount > 3) exactly 2 times for at most 9 between 2017-01-01 and today "
    "and did visit then purchase then not return within 7 days"
)


def test_json_leads_back_to_the_tree_and_is_what_is_documented(known: Schema) -> None:
    rule = parse(TEXT, known)
    document = json.loads(json.dumps(to_json(rule)))
    assert from_json(document, known) == rule
    assert document["version"] == 1
    assert document["rule"]["all"][0] == {"field": "value", "op": "at_least", "values": [50000]}
    assert document["rule"]["all"][2]["did"]["kind"] == "purchase"


def test_the_hash_is_of_the_rule_and_not_of_its_writing(known: Schema) -> None:
    assert rule_hash(parse("value >= 500", known)) == rule_hash(parse("(value   at least 500.00)", known))
    assert rule_hash(parse("value >= 500", known)) != rule_hash(parse("value > 500", known))
    canonical = b'{"rule":{"all":[]},"version":1}'
    assert rule_hash(parse("everybody", known)) == hashlib.sha256(canonical).hexdigest()


def _set(document: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    at: Any = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("version",), 2, ("version",)),
        (("rule", "all", 0, "field"), "valu", ("all", 0, "field")),
        (("rule", "all", 0, "op"), "atleast", ("all", 0, "op")),
        (("rule", "all", 0, "values"), [], ("all", 0, "values")),
        (("rule", "all", 0, "values", 0), 1.5, ("all", 0, "values", 0)),
        (("rule", "all", 0, "values", 0), True, ("all", 0, "values", 0)),
        (("rule", "all", 0, "values", 0), float("nan"), ("all", 0, "values", 0)),
        (("rule", "all", 0, "values", 0), {"date": "x"}, ("all", 0, "values", 0, "date")),
        (("rule", "all", 0, "more"), 1, ("all", 0, "more")),
        (("rule", "all", 1), 7, ("all", 1)),
        (("rule", "all", 1, "any", 1, "not", "direction"), "up", ("all", 1, "any", 1, "not", "direction")),
        (("rule", "all", 2, "count", "n"), "2", ("all", 2, "count", "n")),
        (("rule", "all", 2, "did", "kind"), "buy", ("all", 2, "did", "kind")),
        (("rule", "all", 2, "did", "where", 0, "detail"), "x", ("all", 2, "did", "where", 0, "detail")),
        (("rule", "all", 3, "within", "span"), 0, ("all", 3, "within")),
        (("rule", "all", 3, "sequence"), [], ("all", 3, "sequence")),
    ],
)
def test_a_problem_names_the_path(known: Schema, path: tuple[str | int, ...], value: Any, problem: Any) -> None:
    document = to_json(parse(TEXT, known))
    _set(document, path, value)
    with pytest.raises(RuleError) as caught:
        from_json(document, known)
    assert caught.value.problems[0].path == problem


@pytest.mark.parametrize("document", [None, [], {}, {"version": 1}, {"version": 1, "rule": []}, "value > 1"])
def test_what_is_no_rule_is_refused(known: Schema, document: Any) -> None:
    with pytest.raises(RuleError):
        from_json(document, known)


def test_the_schema_describes_every_form(known: Schema) -> None:
    found = json_schema()
    forms = [set(form["properties"]) for form in found["$defs"]["rule"]["anyOf"]]
    used: list[set[str]] = []

    def walk(data: Any) -> None:
        if isinstance(data, dict):
            if any(head in data for head in ("all", "any", "not", "field", "segment", "linked", "did", "sequence")):
                used.append(set(data))
            for inner in data.values():
                walk(inner)
        elif isinstance(data, list):
            for inner in data:
                walk(inner)

    walk(to_json(parse(TEXT, known))["rule"])
    assert len(used) > 8
    assert all(any(keys <= form for form in forms) for keys in used)
