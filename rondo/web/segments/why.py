"""Why a customer is in a segment or not: the page, and the panel of a customer that leads to it."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from rondo.analysis.segments import queries, reasons
from rondo.analysis.segments.models import Membership
from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.analysis.segments.reasons import Cause, Stay
from rondo.customers.models import Customer
from rondo.customers.queries import record_ids, sees_all
from rondo.errors import RondoError
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.reading import Reading
from rondo.foundation.registry import RuleTerm
from rondo.foundation.rights import reach_of
from rondo.rules import Schema, schema
from rondo.rules.evaluation import Explanation, Found
from rondo.rules.tree import Comparison, Did, InSegment, Linked, Node, Sequence, children
from rondo.web import formats
from rondo.web.access import page, viewer
from rondo.web.customers.found import found_customer
from rondo.web.segments.views import found

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

CAUSES: "dict[Cause, tuple[_StrOrPromise, _StrOrPromise]]" = {
    Cause.FIRST: (gettext_lazy("the segment was computed for the first time"),) * 2,
    Cause.RULE: (
        gettext_lazy("the rule was changed, or that of a segment it refers to"),
        gettext_lazy("the rule was changed, or that of a segment it refers to"),
    ),
    Cause.DATA: (
        gettext_lazy("what is known of the customer has fitted the rule since"),
        gettext_lazy("what is known of the customer has no longer fitted the rule since"),
    ),
    Cause.HAND: (gettext_lazy("put into it by name"), gettext_lazy("taken out of it by name")),
    Cause.MERGED: (gettext_lazy("records were merged"),) * 2,
}
"""What a cause is called where somebody enters, and where somebody leaves."""


@dataclass(frozen=True)
class Part:
    """One part of a rule in words: its text, whether it holds, what was found, and its own parts."""

    text: str
    holds: bool
    found: str
    parts: "list[Part]"


@require_GET
@page(room=SEGMENTS)
def why(request: HttpRequest, key: str, public_id: str) -> HttpResponse:
    """The page: in or out, since when and by what, and the rule part by part."""
    user, row = viewer(request), found(request, key)
    customer = found_customer(request, public_id)
    known, records = schema(), record_ids(customer.pk)
    told, failure = None, ""
    try:
        asked = reasons.explain(row, records, known)
        hidden = frozenset(known.fields) - frozenset(schema(user).fields)
        shown = _Shown(known, sees_all(user), set(queries.standing(user).values_list("key", flat=True)), hidden)
        told = _part(asked, shown) if asked is not None else None
    except RondoError as error:
        failure = str(error)
    course = reasons.stays(row, records, known)
    inside = any(stay.left is None for stay in course)
    context = {
        "segment": row,
        "customer": customer,
        "inside": inside,
        "part": told,
        "failure": failure,
        "moves": told is not None and bool(row.as_of) and told.holds != inside,
        "stays": [_in_words(stay) for stay in course],
        "day": queries.day_of_rules(),
    }
    return render(request, "segments/why.html", context)


def _in_words(stay: Stay) -> dict[str, Any]:
    entered, left = stay.entered, stay.left
    return {
        "entered": entered,
        "entered_why": CAUSES[entered.cause][0],
        "left": left,
        "left_why": CAUSES[left.cause][1] if left is not None else "",
    }


@dataclass(frozen=True)
class _Shown:
    """What of a rule may be shown: ``whole`` if the viewer sees every customer, and so what was found of those linked;
    ``segments``: the keys of those whose rules they see; ``hidden``: fields that their role does not see."""

    known: Schema
    whole: bool
    segments: set[str]
    hidden: frozenset[str]


def _names_hidden(node: Node, hidden: frozenset[str]) -> bool:
    if isinstance(node, Comparison):
        return node.field in hidden
    return any(_names_hidden(part, hidden) for part in children(node))


def _part(one: Explanation, shown: _Shown) -> Part:
    closed = (isinstance(one.node, Linked) and not shown.whole) or (
        isinstance(one.node, InSegment) and one.node.key not in shown.segments
    )
    inner = [] if closed else [_part(part, shown) for part in one.parts]
    if _names_hidden(one.node, shown.hidden):
        said = _("several conditions") if inner else _("an attribute that your role does not see")
        return Part(said, one.holds, "", inner)
    return Part(one.text, one.holds, _found(one, shown.known), inner)


def _found(one: Explanation, known: Schema) -> str:
    """What was found of the customer, in words; nothing for parts that only join others."""
    if isinstance(one.node, Comparison):
        return _value(known.fields[one.node.field], one.found)
    if isinstance(one.node, Did) and isinstance(one.found, Found):
        if not one.found.count:
            return _("never")
        often = ngettext("%(n)s time", "%(n)s times", one.found.count) % {"n": formats.number(one.found.count)}
        if one.found.latest is None:
            return often
        return _("%(often)s, last on %(day)s") % {"often": often, "day": formats.day(one.found.latest)}
    if isinstance(one.node, Sequence) and isinstance(one.found, date):
        return _("began on %(day)s") % {"day": formats.day(one.found)}
    return ""


def _value(term: RuleTerm, value: Any) -> str:
    if value is None or value == "":
        return _("not known")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if term.choices:
        labels = {key: str(label) for key, label in term.choices}
        several = [part for part in str(value).split("|") if part] if term.several else [value]
        return ", ".join(labels.get(part, str(part)) for part in several)
    if term.type == "money":
        return formats.money(int(value))
    if term.type == "share":
        return formats.share(float(value), 1)
    if isinstance(value, date):
        return formats.day(value)
    if isinstance(value, int | float):
        return formats.number(value, 0 if float(value).is_integer() else 2)
    return str(value)


def _of_records(records: list[int]) -> QuerySet[Membership]:
    return queries.present().filter(customer_id__in=records).select_related("segment").order_by("segment__name")


_memberships = prepared(_of_records)


def of_customer(viewer: User, reading: Reading) -> dict[str, Any] | None:
    """The segments that a customer is in; None where there are none."""
    if reach_of(viewer, SEGMENTS) == "all":
        rows = _memberships(list(reading.records))
    else:
        rows = list(_of_records(list(reading.records)).filter(segment__in=queries.standing(viewer).order_by()))
    found_in: dict[int, Membership] = {}
    for row in rows:
        found_in.setdefault(row.segment_id, row)
    if not found_in:
        return None
    public_id = Customer(pk=reading.survivor).public_id
    return {"rows": list(found_in.values()), "public_id": public_id}
