"""The walks of lists whose statements are kept: lists that differ in their figures alone share them.

To put a list's conditions into SQL takes longer than the database needs for its first page. What they look at is the
*shape*; the words, figures and days that they compare with are its values. Lists with a rule, and with conditions on
attributes or segments, are put into SQL each time.
"""

from collections.abc import Hashable
from dataclasses import replace
from functools import cache
from typing import Any

from rondo.customers.queries import scope_key
from rondo.foundation.prepared import is_like_mark, padded
from rondo.foundation.statements import Statements, marks_for
from rondo.web.customers.fields import Field
from rondo.web.customers.lists import Marked, Phase, phases
from rondo.web.customers.selection import Selection
from rondo.web.customers.shapes import shape_of, shape_of_field, varies

_MOST = 200
"""Plans that are kept; beyond, all are forgotten."""

_STATEMENTS = Statements()
_plans: dict[Hashable, list[tuple[Phase, Phase]]] = {}


def walks(selection: Selection, field: Field, descending: bool, relevance: bool = False) -> list[Phase]:
    """:func:`phases`, with statements that are kept where they can be."""
    if field.type == "user" or not _can_be_kept(selection):  # users are looked up for the walks
        return phases(selection, field, descending, relevance)
    narrow = None if selection.narrow is None else padded(selection.narrow)
    search, hits = selection.search, padded(selection.hits)
    shapes = tuple(shape_of(condition) for condition in selection.conditions)
    values: list[Any] = [*search.marked, *hits]
    values += [value for condition in selection.conditions if varies(condition) for value in condition.values]
    sizes = (search.shape, len(hits), None if narrow is None else len(narrow))
    scope = (scope_key(selection.viewer), selection.has_merges)
    shape = (scope, shapes, sizes, shape_of_field(field), descending, relevance)
    values += narrow or []
    key = (shape, tuple(map(type, values)))
    plan = _plans.get(key)
    if plan is None:
        if len(_plans) >= _MOST:
            _plans.clear()
        marks = (marks_for(values), marks_for(values, small=True))
        both = (_marked(selection, some, len(hits)) for some in marks)
        plan = _plans[key] = list(zip(*(phases(one, field, descending, relevance) for one in both), strict=True))
    leading = search.with_marks(marks_for(search.marked)).leading
    whole = cache(lambda: {phase.key: phase.rows for phase in phases(selection, field, descending, relevance)})

    def kept(phase: Phase, small: Phase) -> Phase:
        name = phase.key.replace(leading, search.leading) if leading else phase.key
        marked = Marked(_STATEMENTS, (shape, phase.key), values, small.rows, lambda: whole()[name])
        return replace(phase, key=name, marked=marked)

    return [kept(phase, small) for phase, small in plan]


def _can_be_kept(selection: Selection) -> bool:
    if selection.rule is not None or selection.only is not None:
        return False
    fixed = [value for condition in selection.conditions if not varies(condition) for value in condition.values]
    if any(map(is_like_mark, fixed)):
        return False
    return all(condition.field.place in ("fact", "customer") for condition in selection.conditions)


def _marked(selection: Selection, marks: list[Any], hits: int) -> Selection:
    """The selection with marks where its values are."""
    of_search = len(selection.search.marked)
    found, left = marks[of_search : of_search + hits], iter(marks[of_search + hits :])
    conditions = [
        replace(condition, values=tuple(next(left) for _value in condition.values)) if varies(condition) else condition
        for condition in selection.conditions
    ]
    search = selection.search.with_marks(marks[:of_search])
    made = Selection(selection.viewer, conditions, search, probe_search=selection.probe_search)
    made.has_merges, made.hits = selection.has_merges, tuple(found)
    made.narrow = None if selection.narrow is None else list(left)
    return made
