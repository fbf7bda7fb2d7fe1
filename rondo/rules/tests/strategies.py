"""Random rules over whatever a schema has, with values that lie on the edges of the data in :mod:`worlds`."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from rondo.foundation.registry import RuleTerm
from rondo.rules import Schema, operators
from rondo.rules.tests.worlds import AS_OF, COUNTS, FACTS, MONEY, NUMBERS, OFFSETS, SHARES, TEXTS
from rondo.rules.tree import (
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
    Period,
    Relative,
    Sequence,
    Span,
    Total,
)
from rondo.rules.values import resolved_day

SEGMENTS = ("hot", "list", "outer")
KINDS = (
    "purchase",
    "purchase",
    "visit",
    "campaign_mail",
    "redemption",
    "any",
    "standing",
    "buying_stage",
    "membership",
)
"""Kinds of events, of all chains."""

_TEXTS: dict[str, list[str]] = {
    "name": ["Müller", "mueller", "MULLER ANNA", "strasse", "o neil", "анна", "m", "a"],
    "attr.city": [*TEXTS, "ko", "n"],
    "favourite_category": ["coffee", "TEA", "süsses", "suesses", "e"],
    "change_to": ["coffee", "TEA", "süsses", "suesses", "e"],
    "next_category": ["coffee", "TEA", "süsses", "suesses", "e"],
    "interest_category": ["coffee", "TEA", "süsses", "suesses", "e"],
    "lead_reason": ["visits", "e"],
    "upsell_category": ["coffee", "TEA", "süsses", "suesses", "e"],
    "channel": ["store", "web", "Web"],
    "store": ["S1", "s1", "S9"],
    "category": ["coffee", "FOOD > COFFEE", "food", "Suesses", "nothing"],
    "product": ["1", "Product 2", "3", "x"],
    "brand": ["lavazza", "sjalv", "la"],
    "campaign": ["8", "spring", "13", "Gone"],
    "stage_category": ["coffee", "FOOD > COFFEE", "food", "nothing"],
    "segment": ["top", "late", "gone"],
    "entered_by": ["1", "2", "3", "7", "x"],
    "left_by": ["2", "3", "4", "8"],
}


def spans() -> st.SearchStrategy[Span]:
    fixed = [Span(1), Span(7), Span(30), Span(90), Span(1, "weeks"), Span(1, "months"), Span(1, "years")]
    return st.sampled_from(fixed)


def days() -> st.SearchStrategy[Any]:
    absolute = [AS_OF + timedelta(days=offset) for offset in OFFSETS] + [date(2020, 2, 29)]
    relative = [Relative(0), Relative(7), Relative(30), Relative(1, "months"), Relative(-1), Relative(1, "years")]
    return st.sampled_from([*absolute, *relative])


def values(term: RuleTerm, ids: list[str]) -> st.SearchStrategy[Any]:
    if term.type == "date":
        return days()
    if term.type == "boolean":
        return st.booleans()
    if term.choices:
        known = [value for value, _label in term.choices]
        return st.sampled_from([*known, "me"] if term.type == "user" else known)
    pools: dict[str, list[Any]] = {
        "money": [*MONEY, 998],
        "number": NUMBERS,
        "days": [*NUMBERS, 6, 8, 30],
        "share": SHARES,
        "count": COUNTS,
        "id": ids,
    }
    return st.sampled_from(pools.get(term.type) or _TEXTS[term.key])


@st.composite
def comparisons(draw: st.DrawFn, term: RuleTerm, ids: list[str]) -> Comparison:
    operator = draw(st.sampled_from(operators(term)))
    value = values(term, ids)
    if operator in ("known", "unknown"):
        return Comparison(term.key, operator)
    if operator in ("is", "is_not"):
        return Comparison(term.key, operator, tuple(draw(st.lists(value, min_size=1, max_size=3, unique=True))))
    if operator == "between":
        low, high = draw(value), draw(value)
        if term.type == "date":
            if isinstance(low, date) == isinstance(high, date):
                low, high = sorted((low, high), key=lambda day: resolved_day(day, AS_OF))
            return Comparison(term.key, operator, (low, high))
        return Comparison(term.key, operator, tuple(sorted((low, high))))
    if operator in ("within_last", "within_next", "anniversary_last", "anniversary_next"):
        return Comparison(term.key, operator, (draw(spans()),))
    return Comparison(term.key, operator, (draw(value),))


@st.composite
def events(draw: st.DrawFn, known: Callable[[], Schema]) -> Event:
    kind = draw(st.sampled_from(KINDS))
    details = known().details_of(kind)
    chosen = draw(st.lists(st.sampled_from(sorted(details)), max_size=2))
    return Event(kind, tuple(draw(comparisons(details[key], [])) for key in chosen))


@st.composite
def periods(draw: st.DrawFn) -> Period | None:
    form: Any = draw(st.sampled_from([None, "within_last", "between", "at_least", "at_most", "above", "below"]))
    if form is None:
        return None
    if form == "within_last":
        return Period(form, (draw(spans()),))
    if form == "between":
        low = draw(st.sampled_from([AS_OF - timedelta(days=n) for n in (400, 91, 30)]))
        return Period(form, (low, draw(st.sampled_from([low, AS_OF - timedelta(days=7), AS_OF + timedelta(days=5)]))))
    return Period(form, (draw(days()),))


@st.composite
def dids(draw: st.DrawFn, known: Callable[[], Schema]) -> Did:
    often = st.sampled_from([("at_least", 1), ("at_least", 1), ("at_least", 2), ("at_most", 1), ("exactly", 2)])
    none = st.sampled_from([("exactly", 0), ("at_most", 0)])
    operator, n = draw(st.one_of(often, often, none))
    total = draw(st.none() | st.builds(Total, st.sampled_from(["at_least", "at_most"]), st.sampled_from(MONEY)))
    return Did(draw(events(known)), Count(operator, n), total, draw(periods()))  # type: ignore[arg-type]


@st.composite
def sequences(draw: st.DrawFn, known: Callable[[], Schema]) -> Sequence:
    steps = tuple(draw(st.lists(events(known), min_size=1, max_size=4)))
    excluded = draw(st.none() | events(known)) if len(steps) == 2 else None
    if len(steps) == 1:
        excluded = draw(events(known))
    within = draw(st.sampled_from([None, Span(1), Span(7), Span(30), Span(2, "weeks")]))
    return Sequence(steps, excluded, within, draw(periods()))


def rules(schema: Schema, ids: list[str]) -> st.SearchStrategy[Node]:
    """Trees of all nodes; fields without values in the data are left out."""
    # By their keys: Hypothesis writes out what it draws from, and the meanings of all fields fill pages.
    asked = [key for key, term in schema.fields.items() if term.source != "score" or term.key in FACTS]
    compared = st.sampled_from(asked).flatmap(lambda key: comparisons(schema.fields[key], ids))
    facts = st.sampled_from(list(FACTS)).flatmap(lambda key: comparisons(schema.fields[key], ids))
    leaf = st.one_of(
        compared,
        compared,
        st.builds(Not, compared),
        st.tuples(facts, st.builds(Not, facts)).flatmap(lambda pair: st.sampled_from([AllOf(pair), AnyOf(pair)])),
        dids(lambda: schema),
        sequences(lambda: schema),
        st.sampled_from(SEGMENTS).map(InSegment),
    )

    def grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        parts = st.lists(inner, max_size=4).map(tuple)
        roles = st.sampled_from(["any", "member", "referred"])
        return st.one_of(
            st.builds(AllOf, parts),
            st.builds(AnyOf, parts),
            st.builds(Not, inner),
            st.builds(Linked, roles, st.sampled_from(["to", "by"]), st.none() | inner),
        )

    return st.recursive(leaf, grown, max_leaves=8)
