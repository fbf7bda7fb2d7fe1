"""What rooms register for rules: fields of customers and where they come from, chains of events, links."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from django.db.models import Q, QuerySet
    from django.utils.functional import _StrOrPromise

    from rondo.foundation.models import User

RuleType = Literal["text", "choice", "boolean", "user", "id", "number", "money", "count", "days", "share", "date"]


@dataclass(frozen=True)
class RuleTerm:
    """Something a rule compares. ``choices`` are (value, label) in their natural order, read at each use.

    ``stored(values, viewer)`` turns values as a rule has them into those the columns hold (a user's e-mail address into
    a key); what it leaves out matches nothing. ``vocabulary`` lists the texts that occur, where they are few: texts are
    then compared folded. ``folded``: the column holds folded text itself. ``blank``: an empty text means not known.
    ``suggested(text)`` are texts of the catalogue that hold ``text``, to offer while somebody types. ``several``: a
    choice of which one value is several, stored as ``|one|other|``; it is what it holds. ``hidden_from(viewer)``: for
    whom the term is not there.
    """

    key: str
    label: "_StrOrPromise"
    type: RuleType
    choices: "Sequence[tuple[str, _StrOrPromise]]" = ()
    meaning: "_StrOrPromise" = ""
    group: str = ""
    stored: "Callable[[tuple[Any, ...], int | None], list[Any]] | None" = None
    vocabulary: "Callable[[], Iterable[str]] | None" = None
    folded: bool = False
    blank: bool = False
    suggested: "Callable[[str], Iterable[str]] | None" = None
    several: bool = False
    hidden_from: "Callable[[User], bool] | None" = None


@dataclass(frozen=True)
class RuleField(RuleTerm):
    """A field of customers that rules ask for. ``column`` is the path from a row of its source, ``copied`` the column
    of the source's frame in the columnar copy; empty: the field stays in the operational store. ``item`` is the
    source's own handle, such as the key of a definition. ``alias``: a shorter key, if no other field has it."""

    source: str = ""
    column: str = ""
    copied: str = ""
    item: Any = None
    alias: str = ""


@dataclass(frozen=True)
class RuleSource:
    """Where fields of customers come from.

    ``fields()`` lists them at run time. A *row source* has at most one row per surviving customer: ``rows()`` are the
    rows, ``customer`` the column that holds the customer's key ("pk" for the customers themselves). Others give
    ``condition(field, match, as_set)``, the condition on a customer that a known value of the field matches.
    ``frame(tables, field)`` is an Ibis table of the copy with ``customer_id`` and the column ``field.copied`` (of all
    fields, for a row source). ``values(record_ids, fields)`` are the known values of one customer by field key; the
    survivor's own record is the first.
    """

    key: str
    fields: "Callable[[], Iterable[RuleField]]"
    values: "Callable[[Sequence[int], Sequence[RuleField]], dict[str, Any]]"
    frame: "Callable[[Any, RuleField], Any]"
    rows: "Callable[[], QuerySet[Any]] | None" = None
    customer: str = "customer_id"
    condition: "Callable[[RuleField, Any, bool], Q] | None" = None


@dataclass(frozen=True)
class RuleDetail(RuleTerm):
    """A detail of events that rules ask for, such as the channel or the category bought.

    ``q(match, as_of)`` is the condition on a row of the events (of their parts, where ``part``); ``expr(tables, rows,
    match, as_of)`` the same in Ibis. Both leave the negation to the caller. ``load(event_ids, as_of)``: known values by
    event, where the chain itself does not load them. ``kinds``: only of these, of whichever chain; empty: of all of the
    chain ``events``.

    For who puts a rule together: an event is seldom asked for without its ``usual`` details. ``among`` are the choices
    that go with a kind of event, or with the value of another detail of the same event; ``refers`` says that values are
    keys of ("segments").
    """

    events: str = ""
    part: bool = False
    usual: bool = False
    among: "Mapping[str, tuple[str, ...]]" = field(default_factory=dict)
    refers: str = ""
    kinds: frozenset[str] = frozenset()
    q: "Callable[[Any, date], Q] | None" = None
    expr: "Callable[[Any, Any, Any, date], Any] | None" = None
    load: "Callable[[Sequence[int], date], dict[int, Any]] | None" = None


@dataclass(frozen=True)
class RuleEvents:
    """A chain of events of customers, with its details in ``registries.rule_details``.

    In the operational store: ``rows()`` are the standing events with the columns ``kind``, ``occurred_at``,
    ``business_date``, ``amount``, ``currency``; ``belongs(column, owner)`` is the condition that the record in
    ``column`` is the customer ``owner`` or was merged into it; ``owner(column)`` is that customer, as an expression of
    the row. ``gathered(rows)`` are the same rows, for a query that goes through those of all customers. ``parts()`` are
    the parts of events with ``total``, ``part_event`` their column of the event. In the copy: ``frame(tables)`` has id,
    customer_id and the same columns in Ibis, ``part_frame(tables)`` event_id and total.

    ``order(tables, first, last)`` is the order of all events of the chain for a question about those of these days, the
    first of which may be None; or None, where no order is kept. See :class:`rondo.warehouse.chronology.Chronology`.

    A chain that stands in one of the two alone leaves the other out, and is asked there, whoever asks. One of the copy
    alone has ``keys(make)``: it opens the copy and gives the column ``customer_id`` of the Ibis table that
    ``make(tables)`` makes, as Arrow has it.

    ``load(record_ids, kinds, as_of, details)`` are the events of one customer, up to and including that day, as
    :class:`rondo.rules.records.EventRecord`, with the details named.
    """

    key: str
    kinds: "Callable[[], Iterable[tuple[str, _StrOrPromise]]]"
    load: "Callable[[Sequence[int], frozenset[str], date, frozenset[str]], list[Any]]"
    rows: "Callable[[], QuerySet[Any]] | None" = None
    belongs: "Callable[[str, Any], Any] | None" = None
    owner: "Callable[[str], Any] | None" = None
    gathered: "Callable[[QuerySet[Any]], QuerySet[Any]]" = lambda rows: rows
    parts: "Callable[[], QuerySet[Any]] | None" = None
    part_event: str = ""
    frame: "Callable[[Any], Any] | None" = None
    part_frame: "Callable[[Any], Any] | None" = None
    order: "Callable[[Any, date | None, date], Any | None] | None" = None
    keys: "Callable[[Callable[[Any], Any]], Any] | None" = None


@dataclass(frozen=True)
class RuleLinks:
    """Links between customers. ``condition(role, direction, others)`` is the condition on a customer that
    one of ``others`` (a set of customers) is linked to it; ``frame(tables, role, direction)`` has customer_id and
    other_id in Ibis; ``load(record_ids, role, direction)`` are the other ends of one customer, ``records(survivor)``
    all records that one stands for. None links a customer to itself."""

    roles: "Callable[[], Iterable[tuple[str, _StrOrPromise]]]"
    condition: "Callable[[str, str, QuerySet[Any]], Q]"
    frame: "Callable[[Any, str, str], Any]"
    load: "Callable[[Sequence[int], str, str], list[int]]"
    records: "Callable[[int], list[int]]"
