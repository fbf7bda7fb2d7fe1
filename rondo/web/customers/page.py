"""Everything the customer page shows, read in a number of queries that does not grow with the length of the chain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from rondo.analysis.models import History, Score
from rondo.analysis.queries import course_of, facts_for, history_of, score_of, served
from rondo.analysis.ruled import STAGE
from rondo.customers.definitions import seen
from rondo.customers.models import Address, AttributeDefinition, AttributeValue, Customer, Identifier
from rondo.customers.queries import LinkSeen, addresses_of, all_attributes_of, identifiers_of, links_of, record_ids
from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.reading import Reading
from rondo.foundation.registry import CustomerPanel, registries
from rondo.interactions.queries import standing
from rondo.web.customers.fields import attribute_fields, fact_fields
from rondo.web.customers.profile import Profile, profile, risk
from rondo.web.customers.rows import heading, write
from rondo.web.customers.sentences import reasons, where
from rondo.web.customers.timeline import KindChip, Timeline, kinds_of, read_timeline
from rondo.web.customers.told import told_by
from rondo.web.households.reading import LinkLine, Whole, link_lines, panel_of, read_whole

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_FACT_GROUPS = ("value", "buying", "taste", "campaigns", "standing")


@dataclass(frozen=True)
class AttributeGroup:
    """The attributes that serve one form of segmentation: label, value written out, and where a link leads."""

    label: "_StrOrPromise"
    pairs: list[tuple[str, str, str]]


@dataclass(frozen=True)
class FactRow:
    """One fact: what it is called, its value, the interval of an estimate, and its definition."""

    label: str
    value: str
    interval: str
    definition: str
    unit: str


@dataclass(frozen=True)
class Assumptions:
    """What a value rests on: the day it looks from, the horizon, and the rates (shares)."""

    as_of: date
    horizon_months: int
    discount_rate: float
    margin_rate: float


@dataclass(frozen=True)
class Step:
    """A stage of the life cycle and the day it was first read."""

    key: str
    label: "_StrOrPromise"
    day: date


@dataclass(frozen=True)
class Worth:
    """What a customer is worth and why, where they stand and came from (``course``, newest first); None parts are not
    known."""

    score: Score
    assumptions: Assumptions
    reasons: list[str]
    facts: list[FactRow]
    standing: list[str]
    course: list[Step]
    risk: list[str]
    profile: Profile


@dataclass(frozen=True)
class Panel:
    """A panel that another room puts on the page, with what it found."""

    key: str
    template: str
    context: dict[str, Any]


@dataclass
class CustomerPage:
    """The page of one customer for one viewer."""

    customer: Customer
    records: list[int]
    identifiers: list[Identifier]
    addresses: list[Address]
    attributes: list[AttributeGroup]
    kinds: list[KindChip]
    timeline: Timeline
    worth: Worth | None
    reading: Reading
    linked: list[LinkLine]
    whole: Whole | None
    panels: dict[str, list[Panel]] = field(default_factory=dict)

    @property
    def has_purchases(self) -> bool:
        """Whether the chain holds a purchase."""
        return any(kind.key == "purchase" for kind in self.kinds)

    @property
    def horizon(self) -> int:
        """Months that values look ahead."""
        known = self.worth.assumptions if self.worth else _assumptions(self.reading.once(served))
        return known.horizon_months if known else installation().horizon_months

    @property
    def combined(self) -> dict[str, Any] | None:
        """What the customer and all who belong to it bring together; None where nobody does."""
        return None if self.whole is None else panel_of(self.whole)


@dataclass(frozen=True)
class Chain:
    """Of whom the chain on a customer's page is: their records, and where it is of several, whose each record is."""

    records: list[int]
    whose: dict[int, Customer] | None = None


def chain_of(records: list[int], whole: Whole | None, *, own: bool) -> Chain:
    """The chain of a household or organisation with all who belong to it, unless only its ``own`` is asked for."""
    return Chain(records) if whole is None or own else Chain(whole.records, whole.by_record)


def read_customer(
    viewer: User, customer: Customer, *, kinds: Iterable[str] = (), beginning: str = "", own: bool = False
) -> CustomerPage:
    """The page of a customer that :func:`rondo.customers.queries.get_visible` gave for ``viewer``.

    ``own``: of a household or organisation only the contacts with itself.
    """
    records = record_ids(customer.pk)
    whole = read_whole(viewer, customer)
    chain = chain_of(records, whole, own=own)
    timeline = read_timeline(
        viewer,
        chain.records,
        public_id=customer.public_id,
        kinds=kinds,
        beginning=beginning,
        whose=chain.whose,
    )
    reading = Reading(records)
    values, links = seen(viewer, reading.of_records(all_attributes_of)), links_of(viewer, records)
    return CustomerPage(
        customer,
        records,
        identifiers_of(viewer, records),
        addresses_of(records),
        attribute_groups(values),
        kinds_of(chain.records, timeline),
        timeline,
        read_worth(viewer, reading, values, links),
        reading,
        link_lines(links),
        whole,
        read_panels(viewer, reading),
    )


def attribute_groups(values: Sequence[AttributeValue]) -> list[AttributeGroup]:
    """Attribute values by the form of segmentation they serve."""
    if not values:
        return []
    fields = {field.definition: field for field in attribute_fields(value.definition for value in values)}
    order = list(AttributeDefinition.Form.values)
    by_form = sorted(values, key=lambda value: order.index(value.definition.form))
    groups = []
    for form, group in groupby(by_form, key=lambda value: value.definition.form):
        pairs = []
        for value in group:
            known = fields[value.definition_id]
            raw = getattr(value, known.column)
            pairs.append((str(known.label), write(known, raw), raw if known.is_link else ""))
        groups.append(AttributeGroup(AttributeDefinition.Form(form).label, pairs))
    return groups


def current_assumptions() -> Assumptions | None:
    """What the served scores rest on; None before the first analysis."""
    return _assumptions(served())


def _assumptions(run: tuple[date, dict[str, Any]] | None) -> Assumptions | None:
    if run is None:
        return None
    as_of, config = run
    company = installation()
    return Assumptions(
        as_of,
        int(config.get("horizon_months", company.horizon_months)),
        float(config.get("discount_rate", company.discount_rate)),
        float(config.get("margin_rate", company.margin_rate)),
    )


def read_worth(
    viewer: User, reading: Reading, values: Sequence[AttributeValue], links: Sequence[LinkSeen]
) -> Worth | None:
    """A customer's value, the reasons for it and all facts; None if no analysis has seen the customer."""
    score, assumptions = reading.of_survivor(score_of), _assumptions(reading.once(served))
    if score is None or assumptions is None:
        return None
    told = told_by(reading.records, values, links, assumptions.as_of)
    why = reasons(score, assumptions.as_of, installation().currency, assumptions.horizon_months)
    return Worth(
        score,
        assumptions,
        why,
        list(_facts(viewer, score)),
        where(score, told),
        course(reading.of_survivor(history_of)),
        risk(score),
        profile(score, installation().currency, assumptions.horizon_months, assumptions.margin_rate, told),
    )


def course(history: History | None) -> list[Step]:
    """The stages a customer went through, newest first; that there was nothing yet at the beginning is no step."""
    labels = dict(STAGE)
    stages = course_of(history.stages) if history else []
    return [Step(key, labels[key], day) for day, key in reversed(stages) if key != "before"]


def _facts(viewer: User, score: Score) -> Iterable[FactRow]:
    fields = {field.key: field for field in fact_fields(viewer)}
    facts = sorted(facts_for(viewer), key=lambda fact: _FACT_GROUPS.index(fact.group))
    bounds = {name for fact in facts for name in (fact.low, fact.high) if name}
    for fact in facts:
        known = fields.get(fact.key)
        if known is None or fact.key in bounds:
            continue
        interval = ""
        if fact.low and fact.high:
            low, high = getattr(score, fact.low, None), getattr(score, fact.high, None)
            interval = f"{write(known, low)} – {write(known, high)}" if low is not None and high is not None else ""
        raw = getattr(score, fact.key)
        # In words at once: a template looks each of them up several times.
        yield FactRow(str(heading(known)), write(known, raw), interval, str(fact.definition), str(fact.unit))


def read_panels(viewer: User, reading: Reading) -> dict[str, list[Panel]]:
    """The panels of other rooms by column; a panel that has nothing to say is left out."""
    found: dict[str, list[Panel]] = {"who": [], "chain": [], "worth": []}
    ordered: list[CustomerPanel] = sorted(registries.customer_panels, key=lambda panel: panel.order)
    for panel in ordered:
        context = panel.build(viewer, reading)
        if context is not None:
            found[panel.column].append(Panel(panel.key, panel.template, context))
    return found


@dataclass(frozen=True)
class Month:
    """Purchases of one calendar month: their number and sum (minor units)."""

    month: date
    orders: int
    amount: int


def purchases_by_month(records: list[int]) -> list[Month]:
    """A customer's purchases by month of the business date, oldest first; months without purchases are there too.

    Orders in another currency than the company's are left out, as in every figure, since no rate is known.
    """
    rows = (
        standing()
        .filter(customer_id__in=records, kind="purchase", currency=installation().currency)
        .annotate(month=TruncMonth("business_date"))
        .values("month")
        .annotate(orders=Count("pk"), amount=Sum("amount"))
        .order_by("month")
    )
    known = {row["month"]: Month(row["month"], row["orders"], row["amount"] or 0) for row in rows}
    if not known:
        return []
    months = []
    at, last = min(known), max(known)
    while at <= last:
        months.append(known.get(at, Month(at, 0, 0)))
        at = date(at.year + at.month // 12, at.month % 12 + 1, 1)
    return months
