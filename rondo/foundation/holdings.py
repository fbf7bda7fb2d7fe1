"""What tables hold about a person: which rows, what of them a data bundle tells, and what an erasure does with them.

Every table of the product is registered, by the room it belongs to, in one of three registries, and a test fails for
one that is in none: ``holdings`` (rows that belong to customers), ``swept`` (texts in which somebody may be named) or
``impersonal`` (nothing about customers, with the reason). A table of holdings whose texts may also name others is in
``swept``, too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from django.db.models import Model, Q
    from django.utils.functional import _StrOrPromise

MARK = "∎"
"""What stands where a value of an erased person stood."""

Fate = Literal["delete", "blank"]


def without_values(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of an audit entry with :data:`MARK` in place of every value: that something was there stays."""
    return {name: _marked(values) for name, values in changes.items()}


def _marked(values: Any) -> Any:
    if isinstance(values, list):
        return [None if value is None else MARK for value in values]
    return None if values is None else MARK


@dataclass(frozen=True)
class Holding:
    """Rows of one table that belong to customers.

    ``of(records)`` is the condition on rows of these customer records (their keys). ``order``: in which erasures take
    the tables, what refers before what is referred to. ``told``: the columns that the bundle tells, as paths from the
    row; empty: the rows are worked out from others, or only say how things hang together, and are counted alone.
    ``fate``: rows are deleted, or stay with the columns of ``blank`` emptied; ``why`` says why they stay.
    ``first(records)`` is called within the erasing transaction before the rows of any table have gone. ``audited``: the
    types that the audit log knows the rows by, for rows that go by an erasure alone; entries of others say whom they
    are ``about``. ``but``: the condition on rows that the bundle leaves out, since what they tell stands elsewhere.
    """

    key: str
    label: "_StrOrPromise"
    model: "type[Model]"
    order: int
    of: "Callable[[Sequence[int]], Q]"
    told: tuple[str, ...] = ()
    fate: Fate = "delete"
    blank: Mapping[str, Any] = field(default_factory=dict)
    why: "_StrOrPromise" = ""
    first: "Callable[[Sequence[int]], None] | None" = None
    audited: tuple[str, ...] = ()
    but: "Callable[[], Q] | None" = None


@dataclass(frozen=True)
class Swept:
    """Columns of a table in which somebody may be named who is none of the row's own: text or JSON. An erasure puts
    :data:`MARK` in place of what names the erased beyond doubt. ``where``: a condition that rows meet which hold any
    such text, for tables in which few do. ``door``: rows are only ever added (the audit log). ``emptied``: what columns
    of a row become that names one of the erased or holds a public id of theirs, where the row as a whole may be about
    them, such as an answer that is kept."""

    key: str
    model: "type[Model]"
    columns: tuple[str, ...]
    where: "Callable[[], Q] | None" = None
    door: bool = False
    emptied: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Impersonal:
    """A table that holds nothing about customers, and why that is so."""

    model: "type[Model]"
    why: str


@dataclass(frozen=True)
class KeptFigures:
    """What the law may ask to be kept of the erased, without the person, for some years.

    ``read(records, since)`` gives (day, values) from that day on: figures and numbers of papers, never who.
    ``years``: for how long, unless an administrator says otherwise; 0: not at all.
    """

    key: str
    label: "_StrOrPromise"
    read: "Callable[[Sequence[int], date], Iterator[tuple[date, dict[str, Any]]]]"
    years: int


@dataclass(frozen=True)
class Held:
    """Why somebody cannot be erased for now: a case that is open, or a hold that somebody set. ``until``: the last day
    of it, None where the day is not known."""

    reason: str
    until: date | None = None
