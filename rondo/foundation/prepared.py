"""Queries that are put into SQL once per process and then asked with other values.

Django builds a query from its parts each time, which takes several times as long as the database needs to answer one by
key. A page asks twenty of them.
"""

import copy
from collections.abc import Callable, Iterable, Sequence, Set
from datetime import date, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet, FieldError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

P = ParamSpec("P")
Row = TypeVar("Row")

MOST = 64
"""Lists of more values are put into SQL each time."""
_INTEGER = 2_147_000_000
_SMALL = 0
"""Marks begin behind these; a column of 16 bits holds the small ones alone."""
_APART, _MARKS = 7, 10_000
"""What lies between two marks is no mark: a number that is worked out of one is noticed."""
_TEXT = "\N{OBJECT REPLACEMENT CHARACTER}prepared"
_END = "\N{OBJECT REPLACEMENT CHARACTER};"
_FIRST_DAY = date(1, 1, 1).toordinal()


class _Kept:
    """One statement: the query set it was made from, its compiler, its text, its parameters with marks for values."""

    def __init__(
        self,
        rows: "QuerySet[Any]",
        small: "QuerySet[Any]",
        marks: list[Any],
        has_values: Iterable[bool],
        needs_all: bool = True,
    ) -> None:
        self.rows = rows
        self.compiler: Any = rows.query.get_compiler(using=DEFAULT_DB_ALIAS)
        self.is_empty = False
        other = _sql(small.query.get_compiler(using=DEFAULT_DB_ALIAS))
        told = _sql(self.compiler)
        self.compiler.connection = None  # of a thread that may end before the process does; see ask
        too_small = FieldError(f"prepared query of {rows.model.__name__}: a column is too small for it")
        if told is None:  # nothing is looked for among nothing
            if other is not None or all(has_values):
                raise too_small
            self.is_empty = True
            return
        self.statement, parameters = told
        places = {_adapted(mark): place for place, mark in enumerate(marks)}
        self.parameters: list[tuple[int | None, Any]] = [_place_of(value, places) for value in parameters]
        found = {place for place, _value in self.parameters}
        missing = [place for place in range(len(marks)) if place not in found]
        if missing and needs_all:
            raise FieldError(f"prepared query of {rows.model.__name__}: value {missing[0]} is no parameter of its SQL")
        # A condition on a column that cannot hold a mark is left out without a word where others stand beside it.
        if other is None or other[0] != self.statement:
            raise too_small

    def ask(self, values: list[Any]) -> list[Any]:
        """What the query gives for these values."""
        if self.is_empty:
            return []
        adapted = [_adapted(value) for value in values]
        filled = tuple(
            value if place is None else adapted[place] + value if value else adapted[place]
            for place, value in self.parameters
        )
        compiler: Any = copy.copy(self.compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]  # this thread's own
        compiler.as_sql = lambda *_arguments, **_options: (self.statement, filled)
        query: Any = copy.copy(self.rows.query)
        query.get_compiler = lambda *_arguments, **_options: compiler
        asked = self.rows.__class__(model=self.rows.model, query=query)
        asked.__dict__ |= {name: value for name, value in self.rows.__dict__.items() if name in _SHAPE}
        return list(asked)


def is_like_mark(value: Any) -> bool:
    """Whether a value that is no mark could be taken for one."""
    if isinstance(value, date):
        return value.toordinal() <= _FIRST_DAY + _APART * _MARKS
    return isinstance(value, int) and _INTEGER <= value <= _INTEGER + _APART * _MARKS


def _place_of(value: Any, places: dict[Any, int]) -> tuple[int | None, Any]:
    """Which of the values a parameter is, and what the statement puts behind it; else None and the parameter.

    Raises:
        FieldError: the parameter was worked out of a value.
    """
    if isinstance(value, str) and _TEXT in value:
        mark, end, rest = value.partition(_END)
        place = places.get(mark + end)
        if place is not None and _TEXT not in rest and "%" not in rest:  # before a sign of LIKE it is written otherwise
            return place, rest
    elif isinstance(value, int | str | date) and value in places:
        return places[value], None
    elif not isinstance(value, int | float) or not _INTEGER <= value <= _INTEGER + _APART * _MARKS:
        return None, value
    raise FieldError(f"prepared query: {value!r} was worked out of a value")


def _sql(compiler: Any) -> tuple[str, Sequence[Any]] | None:
    """Statement and parameters; None where nothing can be found."""
    try:
        statement, parameters = compiler.as_sql()
    except EmptyResultSet:
        return None
    return statement, parameters


_SHAPE = frozenset({"_iterable_class", "_fields", "_prefetch_related_lookups", "_known_related_objects"})


def _adapted(value: Any) -> Any:
    """A value as Django gives it to the database."""
    if type(value) is int or type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, int | str | date):
        raise FieldError(f"prepared query: {value!r} is no integer, text or day")
    if isinstance(value, date):
        return connections[DEFAULT_DB_ALIAS].ops.adapt_datefield_value(value)
    return value


def prepared(build: "Callable[P, QuerySet[Any, Row]]") -> Callable[P, list[Row]]:
    """Turns a function that gives a query set into one that gives its rows, without building it anew for each call.

    The arguments are values that the query compares with: integers, texts, days, or lists of them that it looks for by
    ``__in``. The function looks at nothing else: what rights, languages or settings change must not be asked inside.
    It takes its arguments by position, and is called twice: a query that reads otherwise with small values than with
    large ones, since a column holds the small ones alone, is refused.

    Raises:
        FieldError: a value is no parameter of the statement, its column cannot hold every value of its kind, or it is
            none of these kinds.
    """
    kept: dict[tuple[Any, ...], _Kept] = {}

    @wraps(build)
    def ask(*arguments: P.args, **_named: P.kwargs) -> list[Row]:
        if _named:
            raise FieldError(f"prepared query {build.__name__}: its values are given by position")
        values = [padded(value) if _is_several(value) else value for value in arguments]
        lengths = tuple(len(value) if isinstance(value, list) else None for value in values)
        if any(length is not None and length > MOST for length in lengths):
            return list(build(*arguments, **_named))
        statement = kept.get(lengths)
        if statement is None:
            marks = _marks(values)
            has_values = (mark != [] for mark in marks)
            small: Any = build(*_marks(values, _SMALL), **_named)
            statement = kept[lengths] = _Kept(build(*marks, **_named), small, _flat(marks), has_values)
        return statement.ask(_flat(values))

    return ask


def _is_several(value: Any) -> bool:
    return isinstance(value, Sequence | Set) and not isinstance(value, str)


def padded(values: Any) -> list[Any]:
    """The values with the last one repeated up to a power of two, so that few statements serve lists of any length."""
    listed = list(values)
    return listed + listed[-1:] * ((1 << (len(listed) - 1).bit_length()) - len(listed)) if listed else listed


def _flat(values: Sequence[Any]) -> list[Any]:
    return [one for value in values for one in (value if isinstance(value, list) else [value])]


def _marks(arguments: Sequence[Any], integer: int = _INTEGER) -> list[Any]:
    """For each argument one of its kind that no row holds, to be found again among the parameters."""
    apart = _APART if integer == _INTEGER else 3
    made = iter(range(apart, apart * _MARKS, apart))

    def mark(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | str | date) or isinstance(value, datetime):
            raise FieldError(f"prepared query: {value!r} is no integer, text or day")
        if isinstance(value, str):
            return f"{_TEXT} {next(made)}{_END}"
        return integer + next(made) if isinstance(value, int) else date.fromordinal(_FIRST_DAY + next(made))

    return [[mark(one) for one in value] if isinstance(value, list) else mark(value) for value in arguments]
