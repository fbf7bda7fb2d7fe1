"""What rooms register: facts, kinds, parts of pages, imports, tables, work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import _StrOrPromise

    from rondo.foundation.actors import Actor
    from rondo.foundation.models import AuditEntry, Load, User
    from rondo.foundation.reading import Reading

FactType = Literal["money", "count", "days", "share", "number", "date", "text"]


@dataclass(frozen=True)
class Fact:
    """One figure known of each customer, computed by the analysis and served by the score table.

    ``key`` is the column of the score table and of the Delta table; ``unit`` is part of the definition (money: minor
    units; share: 0 to 1; days: whole days). ``estimate`` marks what has an interval: then ``low`` and ``high`` name the
    facts that hold its 90 % bounds. ``of_others``: it tells of other customers, too, and so is there only for who sees
    all of them.
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
    of_others: bool = False


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
    """One result of the command palette. ``id``: what the API calls the record that it is, if it is one."""

    title: str
    detail: str
    url: str
    icon: str
    id: str = ""


@dataclass(frozen=True)
class Finder:
    """A source of command-palette results: ``find(viewer, text, limit)``."""

    key: str
    label: "_StrOrPromise"
    order: int
    find: "Callable[[User, str, int], list[Hit]]"


@dataclass(frozen=True)
class AttributeUses:
    """By key of an attribute: what names it and would miss it, in words for ``viewer``, who is told how many there are
    of what they do not see (None: the system). ``holds``: it cannot be archived meanwhile."""

    find: "Callable[[User | None, str], list[str]]"
    holds: bool = True


@dataclass(frozen=True)
class ChoiceUses:
    """What names choices of attributes, and follows where some are merged into another.

    ``find(viewer, key, merged)`` is what would be rewritten, in words for ``viewer``, who is told how many there are of
    what they do not see (None: the system): of the attribute ``key`` the choices ``merged`` become others.
    ``rewrite(actor, key, merged)`` does so and gives the keys of its audit entries; ``take_back(actor, entry)`` undoes
    what one of them tells, unless that was changed since. Both are called inside the transaction of the merge, while
    rules may name the choices that go.
    """

    find: "Callable[[User | None, str, Mapping[str, str]], list[str]]"
    rewrite: "Callable[[Actor, str, Mapping[str, str]], list[int]]"
    take_back: "Callable[[Actor, AuditEntry], None]"


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
    ``keep``: a condition on the raw columns that the visible view adds. ``people``: further columns that hold keys of
    customers, of whom none may be in the bin; ``ledger``: rows stay, whoever is in the bin.
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
    people: tuple[str, ...] = ()
    ledger: bool = False
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


@dataclass(frozen=True)
class Companion:
    """Work that must not wait behind the long jobs of a worker: every worker process runs it in a thread of its own.

    ``path`` is the dotted path of a function that takes a :class:`threading.Event` and returns soon after it is set. It
    has to be safe to run in several processes at once, and to be cut off at any moment.
    """

    key: str
    path: str
