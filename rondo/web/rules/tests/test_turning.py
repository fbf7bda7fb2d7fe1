"""The two views of a rule say the same: tree to text to tree, for every kind of node, finished or not."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, given, reject, settings

from rondo.customers.models import AttributeDefinition, AttributeValue, Customer
from rondo.foundation.models import User
from rondo.rules import RuleError, Schema, check, operators, parse, schema, to_json
from rondo.rules.tests.strategies import rules
from rondo.rules.tree import Node
from rondo.web.rules.offering import offered
from rondo.web.rules.saying import Sayer
from rondo.web.rules.turning import from_text, from_tree

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
IDS = ["c_8fk2m9xq", "c_1111111"]


def test_random_rules_survive_the_way_through_both_views(known: Schema) -> None:
    seen: set[str] = set()

    @settings(max_examples=100, suppress_health_check=list(HealthCheck))
    @given(rule=rules(known, IDS))
    def survives(rule: Node) -> None:
        try:
            tree = to_json(check(rule, known))
        except RuleError:
            reject()
        seen.update(
            key
            for key in ("all", "any", "not", "field", "segment", "linked", "did", "sequence")
            if f'"{key}"' in json.dumps(tree)
        )
        sent = json.loads(json.dumps(tree))
        # As the builder has it: conditions stand in a group, and what is negated twice in a group of none.
        for shown in (sent, {"version": 1, "rule": {"all": [sent["rule"]]}}):
            there = from_tree(shown, known)
            if there.problems and any("deep" in problem.message for problem in there.problems):
                reject()
            assert not there.problems and there.text is not None and there.rule == tree
            back = from_text(there.text, known)
            assert not back.problems and back.rule == tree

    survives()
    assert len(seen) == 8


@pytest.mark.parametrize(
    ("tree", "path", "text"),
    [
        ({"field": "value", "op": "at_least", "values": [""]}, ["values", 0], 'value >= ""'),
        ({"field": "value", "op": "between", "values": [100, "x"]}, ["values", 1], "value between 1.00 and x"),
        ({"field": "activity", "op": "is", "values": ["sleepy"]}, ["values", 0], "activity = sleepy"),
        ({"field": "birth_date", "op": "above", "values": ["soon"]}, ["values", 0], "birth_date after soon"),
        ({"field": "valu", "op": "is", "values": [1]}, ["field"], "valu = 1"),
        ({"segment": ""}, ["segment"], 'in segment ""'),
        ({"linked": "aunt"}, ["linked"], "linked aunt"),
        (
            {"not": {"did": {"kind": "purchase", "where": [{"detail": "category", "op": "is", "values": [""]}]}}},
            ["not", "did", "where", 0, "values", 0],
            'did not purchase where category = ""',
        ),
        (
            {"sequence": [{"kind": "visit", "where": []}, {"kind": "buy", "where": []}]},
            ["sequence", 1, "kind"],
            "did visit then buy",
        ),
    ],
)
def test_what_is_not_finished_has_its_place_in_both_views(known: Schema, tree: Any, path: Any, text: str) -> None:
    document = {"version": 1, "rule": {"all": [{"field": "orders", "op": "known", "values": []}, tree]}}
    there = from_tree(document, known)
    assert there.text == f"orders is known and {text}"
    assert [list(problem.path) for problem in there.problems] == [["all", 1, *path]]
    back = from_text(there.text, known)
    assert [list(problem.path) for problem in back.problems] == [["all", 1, *path]]
    assert back.rule is not None and from_tree(back.rule, known).text == there.text


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "value", "op": "between", "values": [1]},
        {"field": "value", "op": "is", "values": [1e300]},
        {"field": "nothing", "op": "sounds like", "values": []},
        {"did": {"kind": "purchase"}, "period": {"op": "is", "values": [{"date": "2017-01-01"}]}},
        {"did": {"kind": "purchase"}, "total": {"op": "at_least", "amount": 10**30}},
        {"more": 1},
        7,
    ],
)
def test_what_cannot_be_written_yet_is_told_and_not_lost(known: Schema, rule: Any) -> None:
    document = {"version": 1, "rule": rule}
    found = from_tree(document, known)
    assert found.text is None and found.problems and found.rule == document


def test_a_choice_of_nothing_is_written_though_it_cannot_be_read(known: Schema) -> None:
    there = from_tree({"version": 1, "rule": {"field": "activity", "op": "is", "values": []}}, known)
    assert there.text == "activity =" and [one.path for one in there.problems] == [("values",)]


@pytest.mark.parametrize("text", ["value >=", "did purchase for at least much", "(value > 1"])
def test_a_text_that_cannot_be_read_has_no_tree_and_keeps_its_words(known: Schema, text: str) -> None:
    found = from_text(text, known)
    assert found.rule is None and found.text == text and "line 1" in str(found.problems[0])


def test_no_text_is_a_group_without_conditions(known: Schema) -> None:
    assert from_text("  ", known).rule == {"version": 1, "rule": {"all": []}}


def test_what_is_offered_is_all_that_rules_can_name_in_the_language_of_the_viewer(known: Schema) -> None:
    found = json.loads(json.dumps(offered(known, [("top", "Top")], date(2017, 12, 31))))
    fields = {
        pack["before"][0] + key: {**pack, "label": pack["before"][1] + label}
        for pack in found["fields"]
        for key, label in pack["items"]
    }
    assert {key: field["label"] for key, field in fields.items()} == {k: str(t.label) for k, t in known.fields.items()}
    assert found["digits"] == 2
    named = {key for key, _label in found["groups"]}
    assert {field["group"] for field in fields.values()} <= named
    assert fields["value"]["group"] == "value" and fields["attr.city"]["group"] == "attributes"
    assert {fields[key]["form"] for key in ("attr.city", "value", "name")} == {"demographic", "behavioural", ""}
    details = {one["key"]: one for one in found["details"]}
    for term in (*known.fields.values(), *known.details.values()):
        shown = fields.get(term.key) or details[term.key]
        assert shown["operators"] == list(operators(term))
        form = "date" if term.type == "date" else "other"
        assert set(operators(term)) <= set(found["operators"][form])
    kinds = {kind[0]: set(kind[2]) for kind in found["kinds"]}
    assert kinds["purchase"] == set(known.details_of("purchase")) and "any" in kinds
    assert dict(found["roles"]).keys() == {*known.roles, "any"}
    with translation.override("de"):
        assert dict(offered(known, [], date(2017, 12, 31))["groups"])["attributes"] == "Merkmale"


def test_events_begin_with_what_they_are_seldom_asked_without_and_its_choices_go_together(known: Schema) -> None:
    found = offered(known, [("top", "Top")], date(2017, 12, 31))
    details = {one["key"]: one for one in found["details"]}
    usual = {kind: {key for key in keys if details[key].get("usual")} for kind, _label, keys in found["kinds"]}
    assert usual["standing"] == {"scale", "after"} and usual["buying_stage"] == {"stage_category", "after"}
    assert usual["membership"] == {"segment"} and not usual["purchase"]
    assert details["segment"]["refers"] == "segments"
    for key in ("before", "after"):
        states = {value for value, _label in details[key]["choices"]}
        among = details[key]["among"]
        assert {*dict(details["scale"]["choices"]), "buying_stage"} == set(among)
        assert set().union(*among.values()) == states
    # What is offered to begin with can be asked as it stands, and what cannot be asked here is not offered.
    assert {"Came into decline within 90 days", "Came into “Top” within 30 days"} <= {
        one["label"] for one in found["examples"]
    }
    for one in found["examples"]:
        assert not from_tree({"version": 1, "rule": one["rule"]}, known).problems
    text = "did standing where (scale = stage and after = decline) within 90 days"
    assert from_text(text, known).rule in [{"version": 1, "rule": one["rule"]} for one in found["examples"]]
    assert from_tree(from_text(text, known).rule, known).text == text


def test_the_address_turns_either_way_and_refuses_what_is_no_rule(bob: User, signed_in: SignIn, known: Schema) -> None:
    page = signed_in(bob)
    there = page.post("/rules/turn", {"rule": json.dumps(to_json(parse("value >= 500", known)))}).json()
    assert there == {"text": "value >= 500.00", "rule": there["rule"], "problems": []}
    back = page.post("/rules/turn", {"text": "valu >= 500"}).json()
    assert back["problems"][0]["path"] == ["field"] and "Did you mean “value”?" in back["problems"][0]["sentence"]
    for wrong in ("{", "NaN", "[" * 100_000):
        assert page.post("/rules/turn", {"rule": wrong}).status_code == 400
    assert page.get("/rules/turn").status_code == 405


def test_names_of_the_catalogue_are_offered_while_somebody_types(bob: User, signed_in: SignIn, known: Schema) -> None:
    page = signed_in(bob)
    person = Customer.objects.create(name="Somebody else's")
    definition = AttributeDefinition.objects.get(key="city")
    AttributeValue.objects.create(customer=person, definition=definition, text="Coffeeville")

    def offered_for(**asked: str) -> list[str]:
        return list(page.get("/rules/values", asked).json()["values"])

    assert offered_for(detail="category", q="cof") == offered_for(field="favourite_category", q="Öff") == ["COFFEE"]
    assert offered_for(detail="category", q=" ") == offered_for(detail="store", q="c") == []
    assert offered_for(field="attr.city", q="cof") == offered_for(field="nothing", q="cof") == []


@pytest.mark.parametrize(
    ("text", "words", "german"),
    [
        (
            "last_purchase before 30 days ago",
            "Last purchase more than 30 days ago",
            "Letzter Kauf vor mehr als 30 Tagen",
        ),
        ("not in segment top", "does not belong to “Top”", "gehört nicht zu „Top“"),
        (
            "not (value between 1.5 and 20 and discount_share >= 12.5%)",
            "not (Customer value between $1.50 and $20 and Discount share at least 12.5%)",
            "",
        ),
        (
            "did visit within last 1 week then purchase where amount > 3 then not complaint within 2 weeks",
            "Visit within the last 1 week, then Purchase (Amount more than $3), then not Complaint, all within 2 weeks",
            "",
        ),
        (
            "did not purchase exactly 1 times for at most 9 since 2017-01-02",
            "did not Purchase exactly 1 time in all for at most $9 since 2 Jan 2017",
            "ohne Kauf genau 1-mal insgesamt für höchstens 9\u00a0$ seit 2. Jan. 2017",
        ),
        (
            "linked referred (owner = me) or did membership where segment = top within 30 days",
            "recommended us to another customer (Owner: me) "
            "or Entered a segment (Segment: “Top”) within the last 30 days",
            "",
        ),
    ],
)
def test_a_rule_is_said_in_words(known: Schema, text: str, words: str, german: str) -> None:
    node = parse(text, known)
    with translation.override("en"):
        assert Sayer(known, {"top": "Top"}).say(node) == words
    with translation.override("de"):
        said = Sayer(schema(), {"top": "Top"}).say(node)
    assert german in said and said != words


def test_every_rule_can_be_said(known: Schema) -> None:
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(rule=rules(known, IDS))
    def is_said(rule: Node) -> None:
        try:
            node = check(rule, known)
        except RuleError:
            reject()
        said = Sayer(known, {}).say(node)
        assert said and "{" not in said and "%(" not in said

    is_said()
