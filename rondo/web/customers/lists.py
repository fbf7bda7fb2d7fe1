"""Sorted lists of customers, paged by key: a page costs the same wherever it lies and however many rows there are.

A sort is a sequence of *phases*, each an indexed walk ordered by (value, id). Rows without a value are phases of their
own and come last in either direction. A page is filled from one phase after the other; its cursor names the phase and
the last row's (value, id), so that no row is counted off and none is shown twice when others come or go.
"""

import base64
import binascii
import json
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from rondo.analysis.models import Score
from rondo.customers.models import AttributeValue, Customer
from rondo.errors import InputError
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.statements import CannotBeKept, Statements
from rondo.lists.states import PAGE_SIZE
from rondo.web.customers.fields import Field
from rondo.web.customers.filters import Value
from rondo.web.customers.selection import Selection

_LONGEST_POSITION = 4000
"""No value of a list is as long; a longer text is refused before it is read."""
LARGE_BASE = 50_000
"""From this highest key on, the search for customers that have no value at all waits until somebody scrolls there."""


class CursorError(InputError):
    """A page address that does not fit the list."""


@dataclass(frozen=True)
class Marked:
    """Of a walk whose rows have marks in the places of values: the ``statements`` that are kept of it by its ``shape``,
    the ``values``, the rows with ``small`` marks, and ``instead`` those with the values, for what cannot be kept."""

    statements: Statements
    shape: Hashable
    values: Sequence[Any]
    small: QuerySet[Any]
    instead: Callable[[], QuerySet[Any]]


@dataclass(frozen=True)
class Phase:
    """One indexed walk: rows of ``rows`` by (``column``, ``id_column``), or by ``id_column`` alone.

    ``late`` marks a walk that may have to pass over the whole base to find its rows. ``marked``: see
    :mod:`rondo.web.customers.walks`.
    """

    key: str
    rows: QuerySet[Any]
    id_column: str = "customer_id"
    column: str = ""
    descending: bool = False
    late: bool = False
    marked: Marked | None = None

    def ask(self, shape: Hashable, places: Sequence[Value], build: "Build") -> list[Any]:
        """The rows of ``build(rows, places)``, which narrows and sorts rows; ``shape`` names how it does that."""
        if self.marked is None:
            return list(build(self.rows, places))
        marked = self.marked
        values, of = [*marked.values, *places], len(marked.values)
        try:
            return marked.statements.ask_kept(
                (marked.shape, shape),
                values,
                lambda marks: build(self.rows, marks[of:]),
                lambda marks: build(marked.small, marks[of:]),
                some=True,
            )
        except CannotBeKept:
            return list(build(marked.instead(), places))


Build = Callable[[QuerySet[Any], Sequence[Any]], QuerySet[Any]]


@dataclass(frozen=True)
class Position:
    """A place in a sorted list: in ``phase``, at the row with ``value`` and ``id``; without an id, its beginning."""

    phase: str
    value: Value | None = None
    id: int | None = None

    def encode(self, sort: str) -> str:
        """The position as an opaque text for addresses; it holds only for lists sorted by ``sort``."""
        value = self.value.isoformat() if isinstance(self.value, date) else self.value
        packed = json.dumps([sort, self.phase, value, self.id], separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, sort: str, field: Field) -> "Position":
        """The position that :meth:`encode` wrote.

        Raises:
            CursorError: the text was not written for this sort, or by us at all.
        """
        try:
            if len(text) > _LONGEST_POSITION:
                raise ValueError
            packed = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            for_sort, phase, value, key = packed
            if for_sort != sort or not isinstance(phase, str) or not isinstance(key, int | None):
                raise ValueError
            if isinstance(value, bool | list | dict) or (key is not None and not 0 <= key < 2**63):
                raise ValueError
            if field.type == "date" and value is not None:
                value = date.fromisoformat(value)
            elif value is not None and (field.numeric or field.type == "boolean") != isinstance(value, int | float):
                raise ValueError
            elif isinstance(value, str):
                value.encode()  # half a surrogate pair is no text
                if "\x00" in value:
                    raise ValueError
            elif value is not None and not -(2**63) <= value < 2**63:  # no number and infinity fail this too
                raise ValueError
        except (ValueError, TypeError, RecursionError, binascii.Error) as error:
            raise CursorError(
                _("The page address “%(text)s” does not fit this list; begin at its first page.") % {"text": text[:20]}
            ) from error
        return cls(phase, value, key)


@dataclass(frozen=True)
class KeyPage:
    """The customer ids of one page in order, and the positions before its first and after its last row, if any."""

    ids: list[int]
    before: Position | None
    after: Position | None
    late: bool = False


def phases(selection: Selection, field: Field, descending: bool, relevance: bool = False) -> list[Phase]:
    """The walks that give the selected customers sorted by ``field``, or by ``relevance`` to the search."""
    if relevance and selection.search:
        return list(_by_relevance(selection))
    if field.place == "fact":
        return list(_by_fact(selection, field, descending))
    if field.place == "beside":
        return list(_by_what_follows(selection, field, descending))
    if field.place == "attribute":
        return list(_by_attribute(selection, field, descending))
    return list(_by_customer(selection, field, descending))


def _by_relevance(selection: Selection) -> Iterator[Phase]:
    if selection.hits:
        yield Phase("hits", selection.customers(searched=False).filter(pk__in=selection.hits), "id")
    search = selection.search
    if not search.words:
        return
    yield Phase("beginning", selection.beginning(), "id", "folded_name")
    if search.folded != search.leading:  # else, who has the one word first stands among the beginnings already
        yield Phase(f"first:{search.leading}", selection.found(later=False), column="word")
    yield Phase(f"later:{search.leading}", selection.found(later=True), column="word")


def _ordered(field: Field, descending: bool) -> list[str]:
    values = [value for value, _label in field.choices]
    return values[::-1] if descending else values


def _by_fact(selection: Selection, field: Field, descending: bool) -> Iterator[Phase]:
    scores = selection.scores(leading=field.column)
    known = ~Q(**{field.column: None})
    if not selection.lacks(field.key):
        if field.choices:
            for value in _ordered(field, descending):
                yield Phase(f"is:{value}", scores.filter(**{field.column: value}), descending=descending)
            known &= ~Q(**{f"{field.column}__in": [value for value, _label in field.choices]})
        yield Phase("known", scores.filter(known), column=field.column, descending=descending)
    if selection.needs(field.key):
        return
    yield Phase("unknown", scores.filter(**{f"{field.column}__isnull": True}))
    if not selection.needs_score:
        # The newest first: it is they whom no analysis has seen, and they stand together at the end of the key.
        unscored = selection.customers().filter(~Exists(Score.objects.filter(customer_id=OuterRef("pk"))))
        yield Phase("unscored", unscored, "id", descending=True, late=True)


def _by_what_follows(selection: Selection, field: Field, descending: bool) -> Iterator[Phase]:
    rows = selection.beside(field)
    if not selection.lacks(field.key):
        yield Phase("known", rows.exclude(**{field.column: None}), column=field.column, descending=descending)
    if selection.needs(field.key):
        return
    yield Phase("unknown", rows.filter(**{field.column: None}))
    own = field.beside._default_manager.filter(customer_id=OuterRef("pk"))
    yield Phase("without", selection.customers().filter(~Exists(own)), "id", descending=True, late=True)


def _by_attribute(selection: Selection, field: Field, descending: bool) -> Iterator[Phase]:
    values = selection.attribute_values(field.definition)
    known = ~Q(**{field.column: None})
    if field.type == "choice" and not field.several:
        for value in _ordered(field, descending):
            yield Phase(f"is:{value}", values.filter(**{field.column: value}), descending=descending)
        known &= ~Q(**{f"{field.column}__in": [value for value, _label in field.choices]})
    yield Phase("known", values.filter(known), column=field.column, descending=descending)
    if selection.needs(field.key) and not selection.has_merges:
        return
    own = AttributeValue.objects.filter(shown(), customer_id=OuterRef("pk"), definition_id=field.definition)
    without = selection.customers().filter(~Exists(own.filter(**{f"{field.column}__isnull": False})))
    yield Phase("unknown", without, "id", late=True)


def _by_customer(selection: Selection, field: Field, descending: bool) -> Iterator[Phase]:
    rows = selection.customers()
    if field.type == "choice":
        for value in _ordered(field, descending):
            yield Phase(f"is:{value}", rows.filter(**{field.column: value}), "id", descending=descending)
    elif field.type == "user":
        owners = User.objects.filter(Exists(Customer.objects.filter(owner_id=OuterRef("pk"))))
        by_name = owners.order_by("-name", "-email") if descending else owners.order_by("name", "email")
        for key in by_name.values_list("pk", flat=True):
            yield Phase(f"is:{key}", rows.filter(owner_id=key), "id", descending=descending)
        yield Phase("unknown", rows.filter(owner_id=None), "id")
    elif field.key == "name":
        yield Phase("known", rows.filter(folded_name__gt=""), "id", "folded_name", descending)
        yield Phase("unknown", rows.filter(folded_name=""), "id")
    else:
        yield Phase("known", rows.exclude(**{field.column: None}), "id", field.column, descending)
        yield Phase("unknown", rows.filter(**{field.column: None}), "id")


Key = tuple[Any, int]


def _walk(phase: Phase, start: Position | None, backward: bool, limit: int) -> list[Key]:
    """At most ``limit`` keys of a phase beyond ``start``.

    Rows equal to the start's value and those beyond it are asked for separately: each is one seek in the index, where a
    combined condition would pass over all rows of equal value.
    """
    downward = phase.descending != backward
    sign, beyond = ("-", "lt") if downward else ("", "gt")
    place = [start.id] if start is not None and start.id is not None else []
    columns = (phase.column, phase.id_column) if phase.column else (phase.id_column,)

    def walked(rows: QuerySet[Any], ahead: dict[str, Any], by: Sequence[str] = columns) -> QuerySet[Any]:
        return rows.filter(**ahead).order_by(*(f"{sign}{column}" for column in by)).values_list(*columns)[:limit]

    shape = (backward, bool(place), limit)
    if not phase.column:
        beyond_key = [f"{phase.id_column}__{beyond}"]
        found = phase.ask(
            ("keys", *shape), place, lambda rows, at: walked(rows, dict(zip(beyond_key, at, strict=False)))
        )
        return [(None, key) for (key,) in found]
    keys: list[Key] = []
    value: list[Value] = []
    if start is not None and place and start.value is not None:
        value = [start.value]
        keys = phase.ask(
            ("ties", *shape),
            [*value, *place],
            lambda rows, at: walked(rows, {phase.column: at[0], f"{phase.id_column}__{beyond}": at[1]}, columns[1:]),
        )
    if len(keys) < limit:
        keys += phase.ask(
            ("rows", *shape),
            value,
            lambda rows, at: walked(rows, dict(zip([f"{phase.column}__{beyond}"], at, strict=False))),
        )[: limit - len(keys)]
    return keys


def _highest_key() -> int:
    return Customer.objects.aggregate(highest=Max("pk"))["highest"] or 0


def read_page(
    walks: list[Phase],
    start: Position | None = None,
    *,
    backward: bool = False,
    limit: int = PAGE_SIZE,
    eager: bool = False,
) -> KeyPage:
    """The page after ``start`` (before it, when ``backward``); from the beginning when there is no start.

    Unless ``eager``, a walk that may pass over a large base is left to the next page once there is something to show.

    Raises:
        CursorError: the start names a phase that the list does not have (any more).
    """
    order = walks[::-1] if backward else walks
    names = [phase.key for phase in order]
    if start is not None and start.phase not in names:
        raise CursorError(_("This page of the list is gone; begin at its first page."))
    first = names.index(start.phase) if start is not None else 0
    if start is not None and start.id is not None and order[first].column and start.value is None:
        raise CursorError(_("This page of the list is gone; begin at its first page."))
    wait = not eager and not backward and any(p.late for p in order[first:]) and _highest_key() >= LARGE_BASE
    found: list[tuple[str, Any, int]] = []
    pending: Position | None = None
    for index, phase in enumerate(order[first:]):
        if phase.late and wait and found and not (index == 0 and start is not None):
            pending = Position(phase.key)
            break
        here = start if index == 0 else None
        wanted = limit + 1 - len(found)
        asked = limit + 1 if phase.marked is not None else wanted  # of one limit there is one statement
        found += [(phase.key, value, key) for value, key in _walk(phase, here, backward, asked)[:wanted]]
        if len(found) > limit:
            break
    more = len(found) > limit
    rows = found[:limit]
    if backward:
        rows.reverse()
    before = Position(*rows[0]) if rows and (more if backward else start is not None) else None
    after = Position(*rows[-1]) if rows and (more or backward) else None
    if pending is not None and not more:
        return KeyPage([key for _phase, _value, key in rows], before, pending, late=True)
    return KeyPage([key for _phase, _value, key in rows], before, after)
