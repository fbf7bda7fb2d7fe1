"""One customer asked: the reasons, part by part, with what was found; edges of windows; segments and circles."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from rondo.rules import (
    Context,
    EventRecord,
    Found,
    Members,
    PartRecord,
    Record,
    Schema,
    SegmentError,
    compile_q,
    evaluate,
    parse,
)
from rondo.rules.matching import year_days
from rondo.rules.schema import Segment

AS_OF = date(2024, 3, 15)


def event(
    days_ago: int, kind: str = "purchase", amount: int | None = 1000, currency: str = "USD", **details: Any
) -> EventRecord:
    day = AS_OF - timedelta(days=days_ago)
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return EventRecord(1000 - days_ago, kind, at, day, amount, currency, details)


def holds(text: str, known: Schema, *events: EventRecord, **fields: Any) -> bool:
    return evaluate(parse(text, known), Record(1, fields, events), known, Context(AS_OF)).holds


def test_the_explanation_has_each_part_with_what_was_found(known: Schema) -> None:
    rule = parse("value >= 500 and (activity = late or did purchase at least 3 times within 30 days)", known)
    record = Record(1, {"value": 60000, "activity": "asleep"}, [event(5), event(29, amount=500), event(30)])
    why = evaluate(rule, record, known, Context(AS_OF))
    assert not why.holds
    worth, (late, bought) = why.parts[0], why.parts[1].parts
    assert (worth.text, worth.holds, worth.found) == ("value >= 500.00", True, 60000)
    assert (late.holds, late.found) == (False, "asleep")
    assert (bought.holds, bought.found) == (False, Found(2, 1500, AS_OF - timedelta(days=5)))


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("known_since within last 30 days", date(2024, 2, 15), True),
        ("known_since within last 30 days", date(2024, 2, 14), False),
        ("known_since within last 30 days", date(2024, 3, 16), False),
        ("known_since within next 7 days", date(2024, 3, 21), True),
        ("known_since within next 7 days", date(2024, 3, 22), False),
        ("known_since within last 1 month", date(2024, 2, 16), True),
        ("known_since within last 1 month", date(2024, 2, 15), False),
        ("known_since before 90 days ago", date(2023, 12, 15), True),
        ("known_since before 90 days ago", date(2023, 12, 16), False),
        ("known_since since 2024-01-01", date(2024, 1, 1), True),
        ("known_since after 2024-01-01", date(2024, 1, 1), False),
        ("known_since until today", AS_OF, True),
        ("known_since before today", AS_OF, False),
        ("known_since between 2024-01-01 and today", AS_OF, True),
        ("known_since anniversary within next 7 days", date(1990, 3, 21), True),
        ("known_since anniversary within next 7 days", date(1990, 3, 22), False),
        ("known_since is known", None, False),
        ("known_since != 2024-01-01", None, True),
        ("not known_since since 2024-01-01", None, True),
        ("known_since before 2024-01-01", None, False),
    ],
)
def test_the_ends_of_windows_and_unknown_days_are_as_documented(
    known: Schema, text: str, day: date | None, expected: bool
) -> None:
    assert holds(text, known, known_since=day) is expected


def test_who_was_born_on_29_february_celebrates_on_1_march_in_other_years() -> None:
    assert (2, 29, 29) in year_days(date(2023, 2, 27), date(2023, 3, 1))
    assert (2, 29, 29) not in year_days(date(2023, 2, 27), date(2023, 2, 28))
    assert year_days(date(2024, 2, 28), date(2024, 3, 1)) == [(2, 28, 29), (3, 1, 1)]
    assert len(year_days(date(2023, 1, 1), date(2024, 1, 1))) == 12


def test_sums_count_the_lines_asked_for_and_the_companys_currency_only(known: Schema) -> None:
    lines = (
        PartRecord(300, {"brand": "Lavazza", "own_label": False}),
        PartRecord(400, {"brand": "", "own_label": True}),
    )
    bought = EventRecord(1, "purchase", datetime(2024, 3, 1, tzinfo=UTC), date(2024, 3, 1), 700, "USD", {}, lines)
    assert holds("did purchase where own_label = no for at least 3", known, bought)
    assert not holds("did purchase where own_label = no for at least 3.01", known, bought)
    assert not holds("did purchase where (own_label = yes and brand is known)", known, bought)
    assert holds("did purchase for at least 7", known, bought, event(3, currency="EUR"))
    assert not holds("did purchase for at least 7.01", known, bought, event(3, currency="EUR"))
    assert holds("did purchase exactly 2 times", known, bought, event(3, currency="EUR"))


def test_a_sequence_takes_the_next_event_and_waits_until_its_window_is_over(known: Schema) -> None:
    mail, visit, bought = partial(event, kind="campaign_mail"), partial(event, kind="visit"), event
    text = "did campaign_mail then visit then purchase within 7 days"
    assert holds(text, known, mail(10), visit(8), bought(3))
    assert not holds(text, known, mail(10), visit(8), bought(2))
    assert not holds(text, known, mail(10), bought(8), visit(7))
    without = "did campaign_mail then not purchase within 7 days"
    assert holds(without, known, mail(7))
    assert not holds(without, known, mail(6)), "the window is still open"
    assert not holds(without, known, mail(20), bought(13))
    assert holds(without, known, mail(20), bought(12))
    assert not holds("did campaign_mail then not purchase", known, mail(20), bought(1))


def test_a_segment_is_looked_up_when_it_is_asked_and_a_circle_is_told(known: Schema) -> None:
    segments: dict[str, Segment] = {
        "rich": parse("value >= 500", known),
        "list": Members(frozenset({7})),
        "a": parse("in segment b", known),
        "b": parse("not in segment a", known),
    }
    context = Context(AS_OF, segment=segments.get)
    record = Record(7, {"value": 50000})
    assert evaluate(parse("in segment rich and in segment list", known), record, known, context).holds
    assert not evaluate(parse("in segment list", known), Record(8), known, context).holds
    for ask in (
        lambda rule: evaluate(rule, record, known, context),
        lambda rule: compile_q(rule, known, context),
    ):
        with pytest.raises(SegmentError, match="What segment “a” refers to leads back to itself"):
            ask(parse("in segment a", known))
        with pytest.raises(SegmentError, match="There is no segment “gone”"):
            ask(parse("in segment gone", known))


def test_a_field_that_is_gone_is_named(known: Schema) -> None:
    rule = parse("city = Bonn", known)
    del known.fields["attr.city"]
    with pytest.raises(Exception, match=r"attr\.city"):
        evaluate(rule, Record(1), known, Context(AS_OF))
