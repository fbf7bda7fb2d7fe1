"""What rules can ask of the ledgers: who came to stand where on a scale, or in buying of a category, and until when.

The ledgers stand in the columnar copy alone, by surviving customer as of the run; whoever asks a rule of them
asks there.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils.translation import gettext_lazy as _

from rondo.analysis.buying_stages.ruled import BUYING_STAGE
from rondo.analysis.ruled import LADDER, RELATIONSHIP, STAGE
from rondo.foundation.registry import RuleDetail, RuleEvents, registries
from rondo.interactions.ruled import categories_like, categories_named
from rondo.rules.records import EventRecord

STANDING, BUYING = "standing", "buying_stage"
"""Kinds of events, which are the keys of their chains."""

_SCALES = (("stage", _("Life cycle")), ("ladder", _("Loyalty ladder")), ("relationship", _("Type of relationship")))
_STATES = tuple(dict((*STAGE, *LADDER, *RELATIONSHIP, *BUYING_STAGE)).items())
_EITHER = frozenset({STANDING, BUYING})
_AMONG = {
    key: tuple(dict(states))
    for key, states in (("stage", STAGE), ("ladder", LADDER), ("relationship", RELATIONSHIP), (BUYING, BUYING_STAGE))
}
"""The states of each scale, and those of buying."""


def stood(scale: str, state: str | Sequence[str], day: date) -> str:
    """The rule that finds who stood in a state of a scale on a day, or in one of several."""
    return _on(STANDING, f"scale = {scale}", state, day)


def went(scale: str, moves: Iterable[tuple[str, str]], since: date, until: date) -> str:
    """The rule that finds who made one of these moves (state before, state after) between two days, in as few parts as
    it takes; empty where there are none."""
    reached: dict[str, list[str]] = {}
    for before, after in moves:
        reached.setdefault(before, []).append(after)
    alike: dict[tuple[str, ...], list[str]] = {}
    for before, states in reached.items():
        alike.setdefault(tuple(sorted(states)), []).append(before)
    parts = [f"({stood(scale, before, since)} and {stood(scale, after, until)})" for after, before in alike.items()]
    return " or ".join(parts)


def of_category(path: str) -> str:
    """The condition on a stage of buying that it is of a category."""
    return 'stage_category = "{}"'.format(path.replace("\\", "\\\\").replace('"', '\\"'))


def stood_in_buying(path: str, state: str, day: date) -> str:
    """The rule that finds who stood in a stage of buying of a category on a day; with an empty ``state``, who had given
    no sign yet."""
    category = of_category(path)
    return _on(BUYING, category, state, day) if state else f"did not {BUYING} where {category} until {day.isoformat()}"


def _on(kind: str, which: str, state: str | Sequence[str], day: date) -> str:
    text = day.isoformat()
    after = f"= {state}" if isinstance(state, str) else f"in ({', '.join(state)})"
    return f"did {kind} where ({which} and after {after} and last_day since {text}) until {text}"


def _detail(key: str, label: Any, type: Any, kinds: frozenset[str], **more: Any) -> None:
    expr = more.pop("expr", lambda _tables, rows, match, _as_of: match.expr(rows[key]))
    registries.rule_details.add(key, RuleDetail(key, label, type, kinds=kinds, expr=expr, **more))


def _last_day(_tables: Any, rows: Any, match: Any, as_of: date) -> Any:
    import ibis

    today = ibis.literal(as_of)
    return match.expr(ibis.ifelse(rows.last_day < today, rows.last_day, today))


_detail("scale", _("Scale"), "choice", frozenset({STANDING}), choices=_SCALES, usual=True)
_detail(
    "stage_category",
    _("Category"),
    "text",
    frozenset({BUYING}),
    stored=categories_named,
    suggested=categories_like,
    usual=True,
    meaning=_("A category and all below it, by its name or by names of its path joined by “>”."),
)
_detail("after", _("To"), "choice", _EITHER, choices=_STATES, among=_AMONG, usual=True)
_detail(
    "before",
    _("From"),
    "choice",
    _EITHER,
    choices=_STATES,
    among=_AMONG,
    meaning=_("Not known of the first entry."),
)
_detail(
    "last_day",
    _("Last day there"),
    "date",
    _EITHER,
    meaning=_("The last day on which they stood there; where they still do, the day that the rule is asked for."),
    expr=_last_day,
)


def _frame(name: str, of: str) -> Callable[[Any], Any]:
    """The entries of a ledger, one course per customer and ``of``; none where no run left one."""

    def made(tables: Any) -> Any:
        import ibis

        if name in tables.names:
            ledger = getattr(tables, name)
        else:
            columns = {"customer_id": "int64", of: "int64" if of == "category_id" else "string", "day": "date"}
            ledger = ibis.memtable([], schema=ibis.schema(columns | {"before": "string", "after": "string"}))
        course = ibis.window(group_by=[of, "customer_id"], order_by="day")
        left = ledger.day.lead().over(course) - ibis.interval(days=1)
        own = {"scale": ledger.scale} if of == "scale" else {"stage_category": ledger.category_id}
        # Entries of one day have the order of their scales, or of their categories.
        order = (
            ibis.cases(*((ledger.scale == key, n) for n, (key, _label) in enumerate(_SCALES)), else_=len(_SCALES))
            if of == "scale"
            else ledger.category_id
        )
        return ledger.select(
            "customer_id",
            "before",
            "after",
            **own,
            id=order.cast("int64"),
            kind=ibis.literal(STANDING if of == "scale" else BUYING),
            occurred_at=ledger.day,
            business_date=ledger.day,
            last_day=left.cast("date"),
            amount=ibis.null("int64"),
            currency=ibis.literal(""),
        )

    return made


def _keys(make: Callable[[Any], Any]) -> Any:
    from rondo.warehouse.tables import open_tables

    with open_tables() as tables:
        return tables.arrow(make(tables))["customer_id"]


def _load(
    frame: Callable[[Any], Any],
) -> Callable[[Sequence[int], frozenset[str], date, frozenset[str]], list[EventRecord]]:
    def made(
        records: Sequence[int], _kinds: frozenset[str], as_of: date, _details: frozenset[str]
    ) -> list[EventRecord]:
        from rondo.warehouse.tables import open_tables

        with open_tables() as tables:
            rows = frame(tables)
            entries = tables.arrow(rows.filter(rows.customer_id == records[0])).to_pylist()
        return [_event(entry, as_of) for entry in entries if entry["business_date"] <= as_of]

    return made


def _event(entry: dict[str, Any], as_of: date) -> EventRecord:
    day, last = entry["business_date"], entry["last_day"]
    told = ("scale", "stage_category", "before", "after")
    details: dict[str, Any] = {key: entry[key] for key in told if key in entry}
    details["last_day"] = as_of if last is None else min(last, as_of)
    return EventRecord(
        id=entry["id"],
        kind=entry["kind"],
        at=datetime.combine(day, time(), UTC),
        day=day,
        details=details,
    )


def _kinds(key: str, label: Any) -> Callable[[], Iterable[tuple[str, Any]]]:
    return lambda: ((key, label),)


for _key, _label, _name, _of in (
    (STANDING, _("Change of stage, rung or type"), "standing", "scale"),
    (BUYING, _("Entered a buying stage"), "buying_moves", "category_id"),
):
    _made = _frame(_name, _of)
    registries.rule_events.add(
        _key,
        RuleEvents(
            _key,
            kinds=_kinds(_key, _label),
            load=_load(_made),
            frame=_made,
            keys=_keys,
        ),
    )
