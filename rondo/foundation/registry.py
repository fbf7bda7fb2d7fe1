"""The one typed registry: what an upper room adds to a lower one, without the lower one knowing it.

Each registry holds items of one type under a unique key, in the order of their registration. Rooms register in their
``registrations.py``, which is imported when Django starts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from rondo.errors import StateError
from rondo.speech import gettext_noop

if TYPE_CHECKING:
    from django.db.models import Q, QuerySet
    from django.http import HttpRequest
    from django.utils.functional import _StrOrPromise

    from rondo.foundation.actors import Actor
    from rondo.foundation.models import Load, User
    from rondo.foundation.reading import Reading

T = TypeVar("T")


class Registry(Generic[T]):
    """Items of one type by unique key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._items: dict[str, T] = {}

    def add(self, key: str, item: T) -> T:
        """Register ``item``; a key taken already raises StateError."""
        if key in self._items:
            raise StateError(
                gettext_noop("%(registry)s: %(key)r is registered already; choose another key."),
                registry=self.name,
                key=key,
            )
        self._items[key] = item
        return item

    def get(self, key: str) -> T | None:
        return self._items.get(key)

    def __getitem__(self, key: str) -> T:
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def keys(self) -> list[str]:
        return list(self._items)


FactType = Literal["money", "count", "days", "share", "number", "date", "text"]


@dataclass(frozen=True)
class Fact:
    """One figure known of each customer, computed by the analysis and served by the score table.

    ``key`` is the column of the score table and of the Delta table; ``unit`` is part of the definition (money: minor
    units; share: 0 to 1; days: whole days). ``estimate`` marks what has an interval: then ``low`` and ``high`` name the
    facts that hold its 90 % bounds.
    """

    key: str
    label: "_StrOrPromise"
    definition: "_StrOrPromise"
    type: FactType
    unit: "_StrOrPromise"
    group: Literal["value", "buying", "taste", "campaigns", "standing"] = "buying"
    estimate: bool = False
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class Feature:
    """One column of the feature table, by which customers are compared and forecasts are made.

    ``more`` and ``less`` say what sets apart a customer in whom it is high or low, as the end of a sentence about
    customers ("use more coupons"). ``theme``: features that tell of the same thing share one, and are told once.
    ``zero``: no row means 0; otherwise it means not known.
    """

    key: str
    label: "_StrOrPromise"
    more: "_StrOrPromise"
    less: "_StrOrPromise"
    type: Literal["money", "count", "days", "share"]
    theme: str
    zero: bool = True


@dataclass(frozen=True)
class FeatureGroup:
    """Features that are computed together.

    ``build(past)`` is an Ibis table with ``customer_id`` and a column per feature, over the tables of
    :class:`rondo.analysis.facts.Past`, which hold nothing after its day; at most one row per customer.
    """

    key: str
    features: tuple[Feature, ...]
    build: "Callable[[Any], Any]"


@dataclass(frozen=True)
class StudyKind:
    """A question to the data that a job answers (:mod:`rondo.analysis.studies`): its name, and the dotted path of the
    function that answers it, which keeps what it imports out of processes that only ask.

    ``series(study)`` says how rules call the figures it gives of every customer: label, meaning, and the names of the
    groups they number, if they do. None: it gives none.
    """

    key: str
    label: "_StrOrPromise"
    answer: str
    series: "Callable[[Any], tuple[str, str, Sequence[str]]] | None" = None


@dataclass(frozen=True)
class InteractionKind:
    """A kind of interaction with the axes it has unless told otherwise (see DOMAIN: direction, initiative, medium).

    ``signals``: the buying stage that such a contact about a category is a sign of (see docs/stages.md); empty: none.
    ``trace``: what a mail leaves behind by itself, such as being opened: a link to what was sent, but no contact that
    somebody made, no answer and no sign of interest. The analysis leaves it out; rules can ask for it.
    """

    key: str
    label: "_StrOrPromise"
    icon: str
    channel: str
    direction: Literal["inbound", "outbound"]
    initiative: Literal["push", "pull"]
    medium: Literal["owned", "paid", "earned"]
    expects_answer: bool = False
    by_hand: bool = False
    trace: bool = False
    signals: Literal["", "need_recognised", "information_search", "evaluation", "after_purchase"] = ""


@dataclass(frozen=True)
class CustomerPanel:
    """A piece of the customer page that a room contributes.

    ``build(viewer, reading)`` returns the context of ``template``, or None to leave the panel out. What the page or
    another panel may read, too, is read by way of ``reading``, and so once. ``column``: who (left), chain (middle),
    worth (right).
    """

    key: str
    column: Literal["who", "chain", "worth"]
    order: int
    template: str
    build: "Callable[[User, Reading], dict[str, Any] | None]"


@dataclass(frozen=True)
class Room:
    """Rows that belong to somebody, of which roles see none, their own, their team's or all.

    ``reaches``: those that a role can be given. ``usual``: that of a role which says nothing of the room. ``narrowed``:
    the rows tell of customers, so that the narrower of the role's reach and the user's own holds.
    """

    key: str
    label: "_StrOrPromise"
    order: int
    reaches: 'tuple[Literal["none", "own", "team", "all"], ...]'
    usual: 'Literal["none", "own", "team", "all"]' = "own"
    narrowed: bool = False


@dataclass(frozen=True)
class NavItem:
    """An entry of the main navigation, shown to who has ``right`` or one of ``also``, and sees anything in ``room``."""

    key: str
    label: "_StrOrPromise"
    icon: str
    url_name: str
    order: int
    right: str = "see"
    also: tuple[str, ...] = ()
    room: str = ""


@dataclass(frozen=True)
class Hit:
    """One result of the command palette."""

    title: str
    detail: str
    url: str
    icon: str


@dataclass(frozen=True)
class Finder:
    """A source of command-palette results: ``find(viewer, text, limit)``."""

    key: str
    label: "_StrOrPromise"
    order: int
    find: "Callable[[User, str, int], list[Hit]]"


@dataclass(frozen=True)
class ImportKind:
    """What ``rondo import KIND`` can load.

    ``required``/``optional`` map a field to what it means. ``loader`` is a class with the face of
    :class:`rondo.interactions.importing.loader.Loader`.
    """

    key: str
    label: "_StrOrPromise"
    required: dict[str, "_StrOrPromise"]
    optional: dict[str, "_StrOrPromise"]
    loader: type[Any]


@dataclass(frozen=True)
class LoadedTable:
    """A table that loads write to, so that what a dead load left in it is found and deleted.

    ``order``: parents before their children. ``remove(load, low, high)`` deletes what a dead load left among the keys
    from ``low`` to ``high`` and returns how many of its rows are still needed; without it, rows go by their
    ``load_id``. It is needed where rows carry none, or where large tables refer to them without an index.
    """

    key: str
    model: type[Any]
    order: int
    remove: "Callable[[Load, int, int], int] | None" = None


@dataclass(frozen=True)
class WarehouseTable:
    """A table of the columnar copy; see :mod:`rondo.warehouse.refresh` for how ``mode`` is kept up to date.

    ``columns`` maps a column of the copy to (SQL expression over ``source``, Arrow type: int64, int32, float64, bool,
    string, date32 or timestamp). ``source`` is a table or a join in plain SQL that both databases understand;
    ``key_sql`` the expression of its ascending integer key. Never names of people, addresses or free text.

    ``load_sql``: expression of the row's load (empty: rows belong to no load); the copy has it as column ``load_id``.
    ``written_sql``: for ``append`` tables, the expression of the writing transaction's id on PostgreSQL, over
    ``source`` and ``written_join``.
    ``span``: key in ``Load.spans`` of the ids that ``key_sql`` is. ``customer``: column that the visible view
    replaces by the
    surviving customer. ``retracted_by``: column that holds the interaction whose retraction takes the row out.
    ``keep``: a condition on the raw columns that the visible view adds.
    """

    key: str
    mode: Literal["append", "snapshot"]
    source: str
    columns: dict[str, tuple[str, str]]
    key_sql: str
    load_sql: str = ""
    written_sql: str = ""
    written_join: str = ""
    span: str = ""
    customer: str = ""
    retracted_by: str = ""
    keep: str = ""
    order: int = 100
    meaning: str = ""


@dataclass(frozen=True)
class HomeCard:
    """A card of the home page: ``build(request)`` returns the context of ``template``, or None."""

    key: str
    order: int
    template: str
    build: "Callable[[HttpRequest], dict[str, Any] | None]"
    wide: bool = False


@dataclass(frozen=True)
class Periodic:
    """Work that comes round: ``run(actor)`` is called by a worker every ``every``, or daily at ``at`` in the company's
    zone. Never twice at the same moment; it has to be safe to run again, and to find nothing to do. ``run`` may be the
    dotted path of the function, which keeps what it imports out of processes that do not work."""

    key: str
    run: "Callable[[Actor], object] | str"
    every: timedelta
    at: time | None = None


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
    ``column`` is the customer ``owner`` or was merged into it. ``parts()`` are the parts of events with ``total``,
    ``part_event`` their column of the event. In the copy: ``frame(tables)`` has id, customer_id and the same columns in
    Ibis, ``part_frame(tables)`` event_id and total.

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
    parts: "Callable[[], QuerySet[Any]] | None" = None
    part_event: str = ""
    frame: "Callable[[Any], Any] | None" = None
    part_frame: "Callable[[Any], Any] | None" = None
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


@dataclass
class Registries:
    """All registries of the product."""

    facts: Registry[Fact] = field(default_factory=lambda: Registry("facts"))
    features: Registry[FeatureGroup] = field(default_factory=lambda: Registry("features"))
    studies: Registry[StudyKind] = field(default_factory=lambda: Registry("studies"))
    interaction_kinds: Registry[InteractionKind] = field(default_factory=lambda: Registry("interaction kinds"))
    customer_panels: Registry[CustomerPanel] = field(default_factory=lambda: Registry("customer panels"))
    rooms: Registry[Room] = field(default_factory=lambda: Registry("rooms"))
    nav: Registry[NavItem] = field(default_factory=lambda: Registry("navigation"))
    finders: Registry[Finder] = field(default_factory=lambda: Registry("finders"))
    import_kinds: Registry[ImportKind] = field(default_factory=lambda: Registry("import kinds"))
    loaded_tables: Registry[LoadedTable] = field(default_factory=lambda: Registry("loaded tables"))
    warehouse_tables: Registry[WarehouseTable] = field(default_factory=lambda: Registry("warehouse tables"))
    home_cards: Registry[HomeCard] = field(default_factory=lambda: Registry("home cards"))
    periodic: Registry[Periodic] = field(default_factory=lambda: Registry("periodic jobs"))
    rule_sources: Registry[RuleSource] = field(default_factory=lambda: Registry("sources of rules"))
    rule_events: Registry[RuleEvents] = field(default_factory=lambda: Registry("events of rules"))
    rule_details: Registry[RuleDetail] = field(default_factory=lambda: Registry("details of events"))
    rule_links: Registry[RuleLinks] = field(default_factory=lambda: Registry("links of rules"))
    attribute_uses: "Registry[Callable[[str], list[str]]]" = field(default_factory=lambda: Registry("attribute uses"))
    """By key of an attribute: what names it and would miss it, in words."""
    after_load: "Registry[Callable[[Actor], None]]" = field(default_factory=lambda: Registry("after load"))
    after_analysis: "Registry[Callable[[], None]]" = field(default_factory=lambda: Registry("after analysis"))


registries = Registries()
