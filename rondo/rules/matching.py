"""A comparison made ready: dates made absolute, keys looked up, texts folded. The three compilers share it, so that
what a comparison means is said once.

A match is asked of *known* values; the negation of ``is_not`` and ``unknown`` is kept apart (:attr:`Match.negated`),
since an unknown value does not match and so its negation does.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from django.db.models import FloatField, Q, Value

from rondo.foundation.registry import RuleTerm
from rondo.foundation.search import fold
from rondo.rules.schema import Context
from rondo.rules.tree import Comparison, Operator, Period, Span
from rondo.rules.values import resolved_day, window

Test = Literal["in", "holds", "range", "known", "starts", "contains", "year_days"]

LAST = "\U0010ffff"
"""Sorts after every text in every collation."""


@dataclass(frozen=True)
class Match:
    """What a known value is tested for.

    ``values``: of "in", the stored values; of "holds", texts of which the value contains one; of "range", (low, high),
    None where it is open; of "starts" and "contains", one folded text; of "year_days", (month, first day, last day) of
    each month touched. ``open_low`` and ``open_high``:
    the bound itself does not match. ``blank``: an empty text is not known.
    """

    test: Test
    values: tuple[Any, ...] = ()
    open_low: bool = False
    open_high: bool = False
    blank: bool = False
    negated: bool = False

    @property
    def positive(self) -> "Match":
        """The same without the negation."""
        return replace(self, negated=False)

    # Django

    def q(self, path: str) -> Q:
        """The condition on the column at ``path`` of a row, written so that an index on it is used. Where the column
        is null it is not true, and not surely false either: negate by :meth:`not_q`."""
        if self.test == "in":
            if not self.values:
                return Q(pk__in=())
            given = [_param(value) for value in self.values]
            return Q(**{path: given[0]}) if len(given) == 1 else Q(**{f"{path}__in": given})
        if self.test == "range":
            low, high = self.values
            parts = {}
            if low is not None:
                parts[f"{path}__{'gt' if self.open_low else 'gte'}"] = _param(low)
            if high is not None:
                parts[f"{path}__{'lt' if self.open_high else 'lte'}"] = _param(high)
            return Q(**parts)
        if self.test == "known":
            return Q(**{f"{path}__gt": ""}) if self.blank else Q(**{f"{path}__isnull": False})
        if self.test == "starts":
            text = self.values[0]
            return Q(**{f"{path}__gte": text, f"{path}__lt": text + LAST, f"{path}__startswith": text})
        if self.test in ("contains", "holds"):
            one_of = Q()
            for text in self.values:
                one_of |= Q(**{f"{path}__contains": text})
            return one_of
        found = Q(pk__in=())
        for month, first, last in self.values:
            found |= Q(**{f"{path}__month": month, f"{path}__day__gte": first, f"{path}__day__lte": last})
        return found

    def not_q(self, path: str) -> Q:
        """The complement of :meth:`q`, unknown values included."""
        if self.test == "in" and not self.values:
            return ~Q(pk__in=())
        return ~self.q(path) | Q(**{f"{path}__isnull": True})

    # Ibis

    def expr(self, column: Any) -> Any:
        """The condition on an Ibis column; null where the column is."""
        import ibis

        if self.test == "in":
            if not self.values:
                return column.isnull() & column.notnull()
            return column == self.values[0] if len(self.values) == 1 else column.isin(self.values)
        if self.test == "range":
            low, high = (ibis.literal(v) if isinstance(v, date) else v for v in self.values)
            lower = None if low is None else (column > low if self.open_low else column >= low)
            upper = None if high is None else (column < high if self.open_high else column <= high)
            return lower & upper if lower is not None and upper is not None else lower if upper is None else upper
        if self.test == "known":
            return column > "" if self.blank else column.notnull()
        if self.test == "starts":
            return column.startswith(self.values[0])
        if self.test in ("contains", "holds"):
            return ibis.or_(*(column.contains(text) for text in self.values))
        month_day = column.month() * 100 + column.day()
        parts = [month_day.between(month * 100 + first, month * 100 + last) for month, first, last in self.values]
        return ibis.or_(*parts)

    # Python

    def holds(self, value: Any) -> bool:
        """Whether a value, None if it is not known, matches; without the negation."""
        if value is None or (self.blank and value == ""):
            return False
        if self.test == "in":
            return value in self.values
        if self.test == "range":
            low, high = self.values
            return not (
                (low is not None and (value <= low if self.open_low else value < low))
                or (high is not None and (value >= high if self.open_high else value > high))
            )
        if self.test == "known":
            return True
        if self.test == "starts":
            return bool(value.startswith(self.values[0]))
        if self.test in ("contains", "holds"):
            return any(text in value for text in self.values)
        return any(value.month == month and first <= value.day <= last for month, first, last in self.values)


def _param(value: Any) -> Any:
    # An integer column would cut a fraction off before it compares.
    return Value(value, output_field=FloatField()) if isinstance(value, float) else value


_BOUNDS: dict[Operator, tuple[bool, bool, bool]] = {
    # has a low bound, has a high bound, without the bound itself
    "at_least": (True, False, False),
    "above": (True, False, True),
    "at_most": (False, True, False),
    "below": (False, True, True),
}


def resolve(node: Comparison, term: RuleTerm, context: Context) -> Match:
    """The match that a checked comparison means in these circumstances."""
    operator = node.operator
    if operator in ("known", "unknown"):
        return Match("known", blank=term.blank, negated=operator == "unknown")
    if operator in ("within_last", "within_next"):
        return _within(node.values[0], context.as_of, ahead=operator == "within_next")
    if operator in ("anniversary_last", "anniversary_next"):
        span = node.values[0]
        assert isinstance(span, Span)
        return Match("year_days", tuple(year_days(*window(span, context.as_of, ahead=operator == "anniversary_next"))))
    values: list[Any] = list(node.values)
    if term.type == "date":
        values = [resolved_day(value, context.as_of) for value in values]
    if term.type == "text" and (term.folded or term.vocabulary is not None):
        return _text(operator, [fold(value) for value in values], term)
    if term.stored is not None:
        values = term.stored(tuple(values), context.viewer)
    if term.several:
        return Match("holds", tuple(f"|{value}|" for value in values), negated=operator == "is_not")
    if operator in ("is", "is_not"):
        return Match("in", tuple(values), blank=term.blank, negated=operator == "is_not")
    if operator == "between":
        return Match("range", tuple(values))
    has_low, has_high, without = _BOUNDS[operator]
    bounds = (values[0] if has_low else None, values[0] if has_high else None)
    return Match("range", bounds, open_low=has_low and without, open_high=has_high and without)


def _within(span: object, as_of: date, *, ahead: bool) -> Match:
    assert isinstance(span, Span)
    return Match("range", window(span, as_of, ahead=ahead))


def _text(operator: Operator, folded: list[str], term: RuleTerm) -> Match:
    """Folded text against a folded column, or against those of the few texts that occur whose folded form fits."""
    negated = operator == "is_not"
    if operator in ("is", "is_not"):
        match = Match("in", tuple(folded), blank=term.blank, negated=negated)
    else:
        match = Match("starts" if operator == "starts_with" else "contains", (folded[0],), blank=term.blank)
    if term.vocabulary is None or term.folded:
        return match
    fitting = tuple(sorted({text for text in term.vocabulary() if match.holds(fold(text))}))
    return Match("in", fitting, blank=term.blank, negated=negated)


def resolve_period(period: Period | None, as_of: date) -> tuple[date | None, date]:
    """First (None: no bound) and last business date of events, both included; never later than ``as_of``."""
    if period is None:
        return None, as_of
    if isinstance(period.values[0], Span):
        return window(period.values[0], as_of, ahead=False)
    days = [resolved_day(value, as_of) for value in period.values]
    one = timedelta(days=1)
    if period.operator == "between":
        return days[0], min(days[1], as_of)
    if period.operator in ("at_least", "above"):
        return days[0] + (one if period.operator == "above" else timedelta()), as_of
    return None, min(days[0] - (one if period.operator == "below" else timedelta()), as_of)


def year_days(first: date, last: date) -> list[tuple[int, int, int]]:
    """The days of the year from ``first`` to ``last`` as (month, first day, last day); 29 February is celebrated on
    1 March where the year has none."""
    extra: list[tuple[int, int, int]] = []
    if (last - first).days >= 365:
        return [(month, 1, 31) for month in range(1, 13)]
    day = first
    ranges: list[tuple[int, int, int]] = []
    while day <= last:
        if ranges and ranges[-1][0] == day.month and ranges[-1][2] == day.day - 1:
            ranges[-1] = (day.month, ranges[-1][1], day.day)
        else:
            ranges.append((day.month, day.day, day.day))
        if (day.month, day.day) == (3, 1) and (day - timedelta(days=1)).day == 28:
            extra.append((2, 29, 29))
        day += timedelta(days=1)
    return ranges + extra
