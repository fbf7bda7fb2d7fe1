"""Rules as text: what is written is what is meant, one text per tree, and errors that point at the place."""

import pytest
from django.utils import translation

from rondo.rules import RuleError, Schema, format_rule, parse
from rondo.rules.tree import (
    EVERYBODY,
    NOBODY,
    AllOf,
    AnyOf,
    Comparison,
    Count,
    Did,
    Event,
    InSegment,
    Linked,
    Not,
    Period,
    Relative,
    Sequence,
    Span,
    Total,
)

VALUE = Comparison("value", "at_least", (50000,))
LATE = Comparison("activity", "is", ("late", "asleep"))
COFFEE = Event("purchase", (Comparison("category", "is", ("COFFEE",)),))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("value >= 500", VALUE),
        ("VALUE_TYPO is known", None),
        (
            'value at least 500 and activity in (late, asleep) and not age_group = "45-54"',
            AllOf((VALUE, LATE, Not(Comparison("attr.age_group", "is", ("45-54",))))),
        ),
        ("orders > 1 or orders < 1 and value >= 500", AnyOf((
            Comparison("orders", "above", (1,)), AllOf((Comparison("orders", "below", (1,)), VALUE))
        ))),
        ("last_purchase within 30 days", Comparison("last_purchase", "within_last", (Span(30),))),
        ("last_purchase before 90 days ago", Comparison("last_purchase", "below", (Relative(90),))),
        ("contract_end between today and 2 weeks from today", Comparison(
            "attr.contract_end", "between", (Relative(0), Relative(-2, "weeks"))
        )),
        ("discount_share > 12.5%", Comparison("discount_share", "above", (0.125,))),
        ("discount_share > 0.125", Comparison("discount_share", "above", (0.125,))),
        ("member = yes", Comparison("attr.member", "is", (True,))),
        ('city starts with "Bad "', Comparison("attr.city", "starts_with", ("Bad ",))),
        ('name = "say \\"hi\\" \\\\"', Comparison("name", "is", ('say "hi" \\',))),
        ("activity = LATE", Comparison("activity", "is", ("late",))),
        ("owner is not me", Comparison("owner", "is_not", ("me",))),
        ("did purchase", Did(Event("purchase"))),
        ("did not purchase within 30 days", Not(Did(Event("purchase"), period=Period("within_last", (Span(30),))))),
        (
            "did purchase where category = COFFEE at least 2 times for at least 9.99 since 2017-06-01",
            Did(COFFEE, Count("at_least", 2), Total("at_least", 999), None),
        ),
        (
            "did campaign_mail within 90 days then redemption then not purchase within 7 days",
            Sequence(
                (Event("campaign_mail"), Event("redemption")),
                Event("purchase"),
                Span(7),
                Period("within_last", (Span(90),)),
            ),
        ),
        ("in segment top-buyers", InSegment("top-buyers")),
        ('in segment "two words" and everybody', AllOf((InSegment("two words"), EVERYBODY))),
        ("linked by member (value >= 500) or nobody", AnyOf((Linked("member", "by", VALUE), NOBODY))),
        ("linked any", Linked("any")),
        ("(value >= 500)", VALUE),
        ("not (value >= 500 and linked any)", Not(AllOf((VALUE, Linked("any"))))),
    ],
)  # fmt: skip
def test_a_text_means_its_tree_and_the_tree_is_written_as_a_text_that_means_it(
    known: Schema, text: str, tree: object
) -> None:
    if tree is None:
        with pytest.raises(RuleError):
            parse(text, known)
        return
    found = parse(text, known)
    if "since" not in text:
        assert found == tree
    written = format_rule(found, known)
    assert parse(written, known) == found
    assert format_rule(parse(written, known), known) == written


def test_the_written_text_is_the_readable_one(known: Schema) -> None:
    text = (
        'value >= 500.00 and not age_group = "45-54" and (linked member (last_purchase since 2017-01-01) or did '
        "purchase where (category = COFFEE and store = S1) at least 2 times for at most 10.00 within 1 month) and "
        "did not campaign_mail then redemption within 7 days"
    )
    assert format_rule(parse(text, known), known) == text


def test_a_key_that_is_a_word_of_the_language_stands_in_backquotes(known: Schema) -> None:
    field = known.fields["attr.city"]
    known.fields["in"] = type(field)(**{**vars(field), "key": "in", "alias": ""})
    rule = parse("`in` = Bonn", known)
    assert rule == Comparison("in", "is", ("Bonn",))
    assert format_rule(rule, known) == "`in` = Bonn"


@pytest.mark.parametrize(
    ("text", "line", "column", "found", "right"),
    [
        ("valu >= 500", 1, 1, "valu", "value"),
        ("value >= 500 and\n  activity = sleepy", 2, 14, "sleepy", "asleep"),
        ("value >= abc", 1, 10, "abc", ""),
        ("value 500", 1, 7, "500", ">="),
        ("kind > 1", 1, 6, ">", "="),
        ("did purchas", 1, 5, "purchas", "purchase"),
        ("did purchase where categry = 1", 1, 20, "categry", "category"),
        ("did visit where category = 1", 1, 17, "category", "channel"),
        ("did purchase at least 2 within 3 days", 1, 25, "within", "times"),
        ("did purchase within next 3 days", 1, 21, "next", ""),
        ("(value > 1", 1, 11, "", ")"),
        ("value > 1 and", 1, 14, "", ""),
        ("value > 1 value > 2", 1, 11, "value", "and"),
        ('name = "abc', 1, 8, '"abc', ""),
        ("name = 'abc'", 1, 8, "'", ""),
        ("last_purchase >= 2017-13-01", 1, 18, "2017-13-01", "2017-12-31"),
        ("age_group = 45-54", 1, 13, "45-54", ""),
        ("orders between 5 and 2", 1, 1, "", ""),
        ("last_purchase between today and 30 days ago", 1, 1, "", ""),
        ("contract_end between 1 week from today and 3 days ago", 1, 1, "", ""),
        ("did purchase between 30 days ago and 90 days ago", 1, 14, "", ""),
        ("orders > 1.5", 1, 10, "1.5", ""),
        ("value > 25%", 1, 9, "25%", ""),
        ("discount_share > 50", 1, 18, "50", "50%"),
        ("discount_share between 12.5 and 50%", 1, 24, "12.5", "12.5%"),
        ("discount_share < 101%", 1, 18, "101%", ""),
        ("discount_share > -0.5", 1, 18, "-0.5", ""),
        ("value = 0.001", 1, 9, "0.001", ""),
        ("did purchase for at least 1.000", 1, 27, "1.000", ""),
        ("did purchase then visit within 3 months", 1, 32, "3 months", "days"),
        ("did purchase at least 2 times then visit", 1, 31, "then", ""),
        ("did purchase then visit then visit then visit", 1, 1, "4", ""),
        ("linked membr", 1, 8, "membr", "member"),
        ("last_purchase within 0 days", 1, 22, "0 days", ""),
        ("owner = nobody@example.org", 1, 9, "nobody@example.org", ""),
        ("value > 1 & orders > 1", 1, 11, "&", ""),
        ("last_purchase within 30", 1, 24, "", "days"),
        ("linked any (linked any (linked any))", 1, 32, "", ""),
    ],
)
def test_an_error_names_the_place_what_was_found_and_what_would_be_right(
    known: Schema, text: str, line: int, column: int, found: str, right: str
) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text, known)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (line, column), str(problem)
    assert problem.offset == sum(map(len, text.splitlines(keepends=True)[: line - 1])) + column - 1
    if found:
        assert problem.found == found
        assert text[problem.offset : problem.offset + problem.length].startswith(found.split()[0]) or found == "4"
    assert right in (problem.suggestion, *problem.expected, "")


def test_every_problem_of_types_is_told_at_once_in_the_order_of_the_text(known: Schema) -> None:
    with pytest.raises(RuleError) as caught:
        parse("valu > 1 and orders = x and activity = sleepy", known)
    assert [problem.found for problem in caught.value.problems] == ["valu", "x", "sleepy"]
    assert "Did you mean “value”?" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "value > 1 and " * 300 + "value > 1",
        "not " * 60 + "value > 1",
        "(" * 200 + "value > 1" + ")" * 200,
        "orders in (" + ", ".join(["1"] * 501) + ")",
        "x" * 20_001,
    ],
)
def test_what_is_too_large_or_too_deep_is_refused(known: Schema, text: str) -> None:
    with pytest.raises(RuleError):
        parse(text, known)


def test_labels_follow_the_language_and_keys_do_not(known: Schema) -> None:
    with translation.override("de"):
        assert format_rule(parse("value >= 500", known), known) == "value >= 500.00"
