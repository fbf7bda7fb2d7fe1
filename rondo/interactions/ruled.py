"""What rules can ask of the chain: which interactions happened, with which details, and what was bought."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from rondo.catalogue.models import Category, Product
from rondo.customers.ruled import belongs, owner_of
from rondo.foundation.installation import installation
from rondo.foundation.loads import shown
from rondo.foundation.registry import RuleDetail, RuleEvents, registries
from rondo.foundation.search import fold
from rondo.interactions.models import Departure, Interaction, OrderLine
from rondo.interactions.queries import LEAVING, answering, by_kind_and_day, standing, traces
from rondo.interactions.reasons import GROUPS, Choices
from rondo.rules.records import EventRecord, PartRecord

PURCHASE = frozenset({"purchase"})
_NOBODY = Q(pk__in=())


def _column(key: str, label: Any, choices: Iterable[tuple[str, Any]] = ()) -> None:
    registries.rule_details.add(
        key,
        RuleDetail(
            key,
            label,
            "choice" if choices else "text",
            choices=tuple(choices),
            events="interactions",
            q=lambda match, _as_of: match.q(key),
            expr=lambda _tables, rows, match, _as_of: match.expr(rows[key]),
        ),
    )


_column("channel", _("Channel"))
_column("direction", _("Direction"), Interaction.Direction.choices)
_column("initiative", _("Initiative"), Interaction.Initiative.choices)
_column("medium", _("Medium"), Interaction.Medium.choices)


def _amount_q(match: Any, _as_of: date) -> Q:
    return Q(match.q("amount"), currency=installation().currency)


def _amount_expr(_tables: Any, rows: Any, match: Any, _as_of: date) -> Any:
    return match.expr(rows.amount) & (rows.currency == installation().currency)


registries.rule_details.add(
    "amount",
    RuleDetail(
        "amount",
        _("Amount"),
        "money",
        meaning=_("Known where it is in the company's currency."),
        events="interactions",
        q=_amount_q,
        expr=_amount_expr,
    ),
)


WEEKDAYS = (
    ("monday", _("Monday")),
    ("tuesday", _("Tuesday")),
    ("wednesday", _("Wednesday")),
    ("thursday", _("Thursday")),
    ("friday", _("Friday")),
    ("saturday", _("Saturday")),
    ("sunday", _("Sunday")),
)


def _weekdays(match: Any) -> list[int]:
    return [number for number, (key, _label) in enumerate(WEEKDAYS) if match.holds(key)]


registries.rule_details.add(
    "weekday",
    RuleDetail(
        "weekday",
        _("Day of the week"),
        "choice",
        choices=WEEKDAYS,
        meaning=_("Of the business date."),
        events="interactions",
        q=lambda match, _as_of: Q(business_date__iso_week_day__in=[number + 1 for number in _weekdays(match)]),
        expr=lambda _tables, rows, match, _as_of: rows.business_date.day_of_week.index().isin(_weekdays(match)),
    ),
)


def _answered_q(match: Any, as_of: date) -> Q:
    answers = answering().filter(in_response_to_id=OuterRef("pk"), business_date__lte=as_of)
    found = Q(Exists(answers))
    return (found if match.holds(True) else _NOBODY) | (~found if match.holds(False) else _NOBODY)


def _answered_expr(tables: Any, rows: Any, match: Any, as_of: date) -> Any:
    import ibis

    answers = tables.interactions
    told = answers.in_response_to.notnull() & ~answers.kind.isin(traces())
    answers = answers.filter(told, answers.business_date <= ibis.literal(as_of))
    found = rows.id.isin(answers.in_response_to)
    return (found & match.holds(True)) | (~found & match.holds(False))


registries.rule_details.add(
    "answered",
    RuleDetail(
        "answered",
        _("Answered"),
        "boolean",
        choices=(("yes", _("yes")), ("no", _("no"))),
        meaning=_("Whether another interaction refers to it as its answer; that a mail was opened or clicked is none."),
        events="interactions",
        q=_answered_q,
        expr=_answered_expr,
    ),
)


def _store_expr(tables: Any, rows: Any, match: Any, _as_of: date) -> Any:
    orders = tables.orders
    return rows.id.isin(orders.filter(match.expr(orders.store)).id)


registries.rule_details.add(
    "store",
    RuleDetail(
        "store",
        _("Store"),
        "text",
        events="interactions",
        blank=True,
        kinds=PURCHASE,
        q=lambda match, _as_of: match.q("order__store"),
        expr=_store_expr,
    ),
)


# Reasons for leaving


def _reason(column: str, key: str, label: Any, choices: Sequence[tuple[str, Any]]) -> None:
    def expr(tables: Any, rows: Any, match: Any, _as_of: date) -> Any:
        import ibis

        if "departures" not in tables.names:
            return ibis.literal(False)
        found = tables.departures
        return rows.id.isin(found.filter(match.expr(found[column])).id)

    def load(events: Sequence[int], _as_of: date) -> dict[int, Any]:
        return dict(Departure.objects.filter(pk__in=events).values_list("pk", column))

    registries.rule_details.add(
        key,
        RuleDetail(
            key,
            label,
            "choice",
            choices=choices,
            events="interactions",
            blank=True,
            kinds=frozenset(LEAVING),
            q=lambda match, _as_of: match.q(f"departure__{column}"),
            expr=expr,
            load=load,
        ),
    )


_reason("reason", "reason", _("Group of reasons for leaving"), tuple(GROUPS.items()))
_reason("sub_reason", "sub_reason", _("Reason for leaving"), Choices())


# Lines of orders


def categories_named(values: tuple[Any, ...], _viewer: int | None) -> list[Any]:
    """Keys of the categories meant: those in whose path the names given, joined by " > ", stand one after the other,
    and so everything below them."""
    wanted = [[fold(name) for name in value.split(">")] for value in values]
    found = []
    for key, path in Category.objects.values_list("pk", "path"):
        names = [fold(name) for name in path.split(" > ")]
        if any(names[at : at + len(run)] == run for run in wanted for at in range(len(names) - len(run) + 1)):
            found.append(key)
    return found


def _products_named(values: tuple[Any, ...], _viewer: int | None) -> list[Any]:
    named = Product.objects.filter(shown(), Q(number__in=values) | Q(name__in=values))
    return list(named.values_list("pk", flat=True))


_SUGGESTED = 200


def categories_like(text: str) -> Iterable[str]:
    """Names of categories that hold ``text``."""
    return Category.objects.filter(name__icontains=text).order_by("name").values_list("name", flat=True)[:_SUGGESTED]


def _products_like(text: str) -> Iterable[str]:
    named = Product.objects.filter(shown(), name__icontains=text).order_by("name")
    return named.values_list("name", flat=True)[:_SUGGESTED]


def _brands() -> Iterable[str]:
    return Product.objects.filter(shown()).order_by().values_list("brand", flat=True).distinct()


def _of_line(key: str, label: Any, type: Any, column: str, **more: Any) -> None:
    def q(match: Any, _as_of: date) -> Q:
        return Q(shown("product__"), match.q(f"product__{column}"))

    def expr(tables: Any, lines: Any, match: Any, _as_of: date) -> Any:
        products = tables.products
        return lines.product_id.isin(products.filter(match.expr(products[column])).id)

    registries.rule_details.add(
        key, RuleDetail(key, label, type, events="interactions", part=True, kinds=PURCHASE, q=q, expr=expr, **more)
    )


_of_line(
    "category",
    _("Category"),
    "text",
    "category_id",
    stored=categories_named,
    suggested=categories_like,
    meaning=_("A category and all below it, by its name or by names of its path joined by “>”."),
)
_of_line(
    "product",
    _("Product"),
    "text",
    "id",
    stored=_products_named,
    suggested=_products_like,
    meaning=_("A product by its number in the source, or by its exact name."),
)
_of_line("brand", _("Brand"), "text", "brand", vocabulary=_brands, blank=True)
_of_line("own_label", _("Own label"), "boolean", "own_label", choices=(("yes", _("yes")), ("no", _("no"))))

_PARTS = frozenset({"category", "product", "brand", "own_label"})
_AXES = ("channel", "direction", "initiative", "medium")


def _load(records: Sequence[int], kinds: frozenset[str], as_of: date, details: frozenset[str]) -> list[EventRecord]:
    rows = standing().filter(customer_id__in=records, business_date__lte=as_of)
    if "any" not in kinds:
        rows = rows.filter(kind__in=kinds)
    events = list(
        rows.order_by().values(
            "pk", "kind", "occurred_at", "business_date", "amount", "currency", "order__store", *_AXES
        )
    )
    keys = [event["pk"] for event in events]
    others: dict[str, dict[int, Any]] = {}
    if "answered" in details:
        answers = answering().filter(in_response_to_id__in=keys, business_date__lte=as_of)
        answered = set(answers.values_list("in_response_to_id", flat=True))
        others["answered"] = {key: key in answered for key in keys}
    for key in details:
        detail = registries.rule_details.get(key)
        if detail is not None and detail.load is not None:
            others[key] = detail.load(keys, as_of)
    parts = _load_parts(keys) if details & _PARTS else {}
    currency = installation().currency
    return [
        EventRecord(
            id=event["pk"],
            kind=event["kind"],
            at=event["occurred_at"],
            day=event["business_date"],
            amount=event["amount"],
            currency=event["currency"],
            details={
                **{axis: event[axis] for axis in _AXES},
                "store": event["order__store"],
                "weekday": WEEKDAYS[event["business_date"].weekday()][0],
                "amount": event["amount"] if event["currency"] == currency else None,
                **{key: known.get(event["pk"]) for key, known in others.items()},
            },
            parts=tuple(parts.get(event["pk"], ())),
        )
        for event in events
    ]


def _load_parts(events: Sequence[int]) -> dict[int, list[PartRecord]]:
    found: dict[int, list[PartRecord]] = {}
    lines = OrderLine.objects.filter(order_id__in=events).values("order_id", "product_id", "total")
    rows = list(lines)
    products = Product.objects.filter(shown(), pk__in={row["product_id"] for row in rows}).in_bulk()
    for row in rows:
        product = products.get(row["product_id"])
        known = (
            {}
            if product is None
            else {
                "category": product.category_id,
                "product": product.pk,
                "brand": product.brand,
                "own_label": product.own_label,
            }
        )
        found.setdefault(row["order_id"], []).append(PartRecord(row["total"], known))
    return found


registries.rule_events.add(
    "interactions",
    RuleEvents(
        "interactions",
        kinds=lambda: ((kind.key, kind.label) for kind in registries.interaction_kinds),
        rows=standing,
        belongs=belongs,
        owner=owner_of,
        gathered=by_kind_and_day,
        parts=lambda: OrderLine.objects.all(),
        part_event="order_id",
        frame=lambda tables: tables.interactions,
        part_frame=lambda tables: tables.order_lines.rename(event_id="order_id"),
        order=lambda tables, first, last: tables.chronology(first, last),
        load=_load,
    ),
)
