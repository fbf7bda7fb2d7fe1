"""A list by the values of one field: as lanes of a board, and as figures of a chart. Each group is the list with one
filter more, so that a lane, its figures and the list behind them never disagree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.charts.buying import Bar, bars
from rondo.web.charts.chart import Cell, Chart, Column
from rondo.web.customers.extents import extents, together
from rondo.web.customers.fields import Field
from rondo.web.customers.filters import MAX_FILTERS, Condition, from_form, parse_one
from rondo.web.customers.lists import read_page
from rondo.web.customers.query import ListQuery
from rondo.web.customers.rows import Row, read_rows
from rondo.web.customers.selection import Counted
from rondo.web.customers.walks import walks

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

CARDS = 20
"""Customers that a lane shows; the list behind it has all."""
TOLD = 3
"""Columns of the list that a card tells."""
MOST_GROUPS = 40
_FIRST = ("attribute", "fact", "beside", "customer")
"""What is grouped by unless somebody chooses: attributes, which can be changed, before what is worked out."""


@dataclass(frozen=True)
class Group:
    """The customers of the list that have one value of the field, or none. ``value``: as the field's control has it;
    ``text``: the filter that leads to them. ``rest``: they have one of the many values that have no group of their
    own."""

    value: str
    label: "_StrOrPromise"
    condition: Condition
    address: str
    text: str
    rows: list[Row] = field(default_factory=list)
    rest: bool = False


@dataclass(frozen=True)
class Figures:
    """How many customers a group has, and what they are worth together (minor units), if anything is known of it."""

    group: Group
    number: int
    worth: int | None


def groupable(fields: Iterable[Field]) -> list[Field]:
    """The fields that a list can be grouped by: those with few values, of which a customer has one."""
    kinds = ("choice", "boolean", "user")
    return [one for one in fields if one.type in kinds and one.place != "segment" and not one.several and one.choices]


def grouped_by(query: ListQuery) -> Field:
    """The field that the list is grouped by: the one that its address names, else the first that suits."""
    offered = groupable(query.fields.values())
    chosen = next((one for one in offered if one.key == query.by), None)
    return chosen or min(offered, key=lambda one: _FIRST.index(one.place))


def groups_of(query: ListQuery, by: Field) -> list[Group]:
    """The groups in the natural order of the values, who has none last; behind :data:`MOST_GROUPS` of them all other
    values together, so that the groups are the whole list."""
    made = []
    keys = keys_of_users() if by.type == "user" else {}

    def of(values: list[str], shown: str, label: "_StrOrPromise") -> Group:
        text = from_form(by, "is", values)
        if by.type == "user":  # each would be looked up by its address
            condition = Condition(by, "is", tuple(int(keys[value]) for value in values))
        else:
            condition = parse_one(text, query.fields, query.viewer)
        return _group(query, shown, label, condition, text)

    for value, label in by.choices[:MOST_GROUPS]:
        made.append(of([value], keys.get(value, value), label))
    if rest := [value for value, _label in by.choices[MOST_GROUPS:]]:
        made.append(replace(of(rest, "", _("Others")), rest=True))
    nobody = _("nobody") if by.type == "user" else _("not known")
    unknown = Condition(by, "unknown")
    return made if by.key == "kind" else [*made, _group(query, "", nobody, unknown, unknown.text())]


def keys_of_users() -> dict[str, str]:
    """Keys of users by their address."""
    return {email: str(pk) for email, pk in User.objects.values_list("email", "pk")}


def _group(query: ListQuery, value: str, label: "_StrOrPromise", condition: Condition, text: str) -> Group:
    filters = [*query.filters, text] if len(query.filters) < MAX_FILTERS else query.filters
    return Group(value, label, condition, query.address(filters=filters, layout="table", by=""), text)


def lanes(query: ListQuery, by: Field) -> list[Group]:
    """The groups with their first customers in the order of the list."""
    groups = groups_of(query, by)
    reach = None if query.by_relevance else extents(query.selection, by, query.sort_field)
    found = []
    for group in groups:
        lane = query.selection.also(group.condition)
        extent = None if reach is None else together(reach, _values(group))
        if extent is not None:
            extent.narrowing(lane)
        way = walks(lane, query.sort_field, query.descending, query.by_relevance)
        start = None if extent is None else extent.start(way, query.sort_field)
        found.append(read_page(way, start, limit=CARDS).ids)
    columns = [query.fields[key] for key in query.columns if key != by.key][:TOLD]
    rows = {row.customer.pk: row for row in read_rows(query.viewer, [pk for ids in found for pk in ids], columns)}
    return [replace(g, rows=[rows[pk] for pk in ids if pk in rows]) for g, ids in zip(groups, found, strict=True)]


def figures(query: ListQuery, groups: Sequence[Group]) -> list[Figures]:
    """Number and worth of each group: what the list behind it says of itself."""
    by = groups[0].condition.field
    counted = query.selection.count_by(by)
    if counted is None:
        return [Figures(group, *query.selection.also(group.condition).count()) for group in groups]
    found = []
    for group in groups:
        of = sum((counted.get(value, Counted()) for value in _values(group)), Counted())
        found.append(Figures(group, of.number, of.worth if of.with_worth else None))
    return found


def _values(group: Group) -> tuple[Any, ...]:
    """The values of the field that customers of a group have; None: they have none."""
    return (None,) if group.condition.operator == "unknown" else group.condition.values


def charts(query: ListQuery, by: Field, found: Sequence[Figures], csv: "dict[str, str]") -> list[Chart]:
    """Customers by group and, where it is known, their worth by group; the tables at the addresses ``csv``."""
    currency = installation().currency
    total = sum(one.number for one in found)
    shown = [one for one in found if one.number] if by.type == "user" else list(found)
    if not total:
        return []
    columns = [Column(str(by.label), figures=False), Column(_("Customers")), Column(_("Share"))]
    worth = any(one.worth is not None for one in shown)
    if worth:
        columns.append(Column(_("Customer value (%(currency)s)") % {"currency": currency}))
    rows = [_line(one, total, currency, worth) for one in shown]
    most = max(shown, key=lambda one: one.number)
    height = 26 * max(len(shown), 2)
    counted = [
        Bar(
            str(one.group.label),
            one.number,
            f"{formats.number(one.number)} · {formats.share(one.number / total, 0)}",
            f"{one.group.label}: {_customers(one.number)}",
            one.group.address,
        )
        for one in shown
    ]
    made = [
        Chart(
            key="groups-count",
            title=_("Customers by %(field)s") % {"field": by.label},
            message=_("%(label)s is the largest group: %(customers)s, %(share)s.")
            % {
                "label": most.group.label,
                "customers": _customers(most.number),
                "share": formats.share(most.number / total, 0),
            },
            columns=columns,
            rows=rows,
            build=lambda size: bars(counted, size),
            stamp="groups",
            desk=(440, height),
            phone=(200, height),
            fleeting=True,
            csv=csv["count"],
        )
    ]
    if not worth:
        return made
    valued = [
        Bar(
            str(one.group.label),
            max(one.worth or 0, 0),
            formats.compact_money(one.worth or 0, currency),
            f"{one.group.label}: {formats.money(one.worth or 0, currency, 0)}",
            one.group.address,
        )
        for one in shown
    ]
    best = max(shown, key=lambda one: one.worth or 0)
    made.append(
        Chart(
            key="groups-value",
            title=_("Customer value by %(field)s") % {"field": by.label},
            message=_("%(label)s is worth most together: %(worth)s.")
            % {"label": best.group.label, "worth": formats.money(best.worth or 0, currency, 0)},
            columns=columns,
            rows=rows,
            build=lambda size: bars(valued, size),
            stamp="groups",
            desk=(440, height),
            phone=(200, height),
            fleeting=True,
            csv=csv["value"],
        )
    )
    return made


def _customers(number: int) -> str:
    text = ngettext("%(n)s customer", "%(n)s customers", number)
    return text % {"n": formats.number(number)}


def _line(one: Figures, total: int, currency: str, worth: bool) -> list[Cell]:
    cells = [
        Cell(str(one.group.label), str(one.group.label)),
        Cell(formats.number(one.number), one.number, one.group.address),
        Cell(formats.share(one.number / total, 1), round(one.number / total, 6)),
    ]
    if worth:
        major = "" if one.worth is None else float(Money(one.worth, currency).major)
        cells.append(Cell(formats.DASH if one.worth is None else formats.money(one.worth, currency, 0), major))
    return cells
