"""A record that was two customers: what goes to the second is chosen, tried, split; and the split is taken back."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Min
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from rondo.customers import consents
from rondo.customers.models import Consent, Customer
from rondo.customers.queries import identifiers_of, record_ids
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import ids
from rondo.interactions.models import Interaction
from rondo.interactions.queries import hush, standing
from rondo.interactions.splitting.choosing import Choice, Holdings, Taken, both, taken
from rondo.interactions.splitting.remains import merges_of
from rondo.interactions.splitting.splitting import NAMES, split, take_back_split
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.customers.found import found_customer
from rondo.web.customers.timeline import kind_label

_LATEST = 60
"""So many of the latest contacts can be chosen one by one."""


@dataclass(frozen=True)
class Line:
    """What can be chosen: the value of its box, in words, what stands beside it, and whether it is chosen."""

    value: str
    words: str
    beside: str
    chosen: bool


@dataclass(frozen=True)
class Trial:
    """What a split would do: what stays and what goes, in rows of words, and what is to be said of it."""

    rows: list[tuple[str, str, str]]
    notes: list[str]


@require_http_methods(["GET", "HEAD", "POST"])
@page("merge")
def split_one(request: HttpRequest, public_id: str) -> HttpResponse:
    """The form; posted, what would go where; sent once more, the record is two."""
    found = found_customer(request, public_id)
    if found.public_id != public_id:
        return redirect("customer-split", found.public_id)
    records, given = record_ids(found.pk), request.POST
    error, trial = "", None
    if request.method == "POST":
        try:
            choice, identifiers = _choice(given), _keys(given, "identifier")
            if "go" in given:
                return _split(request, found, choice, identifiers)
            trial = _trial(request, found, records, taken(records, choice), len(identifiers))
        except (InputError, StateError) as problem:
            error = str(problem)
    context = {
        "customer": found,
        "given": {name: given.get(name, "") for name in (*NAMES, "since", "until")},
        "identifiers": _identifiers(request, records),
        "sources": _sources(request, records),
        "contacts": _contacts(request, records),
        "latest": _LATEST,
        "edges": list(merges_of(records).select_related("loser")) if len(records) > 1 else [],
        "in_parts": found.kind == Customer.Kind.PERSON,
        "trial": trial,
        "error": error,
    }
    return render(request, "merging/split.html", context, status=422 if error else 200)


@require_POST
@page("merge")
def split_back(request: HttpRequest, split_id: int) -> HttpResponse:
    """Take a split back."""
    try:
        done = take_back_split(actor(request), split_id)
    except NotFound as problem:
        raise Http404(str(split_id)) from problem
    except StateError as problem:
        messages.error(request, str(problem))
        return redirect("customers")
    said = [_("Taken back; %(customer)s is one customer again.") % {"customer": done.customer}]
    if done.left:
        said.append(
            ngettext(
                "%(count)d identifier was left, since it is elsewhere or gone by now.",
                "%(count)d identifiers were left, since they are elsewhere or gone by now.",
                done.left,
            )
            % {"count": done.left}
        )
    messages.success(request, " ".join(said))
    return redirect("customer", done.customer.public_id)


def _split(request: HttpRequest, found: Customer, choice: Choice, identifiers: list[int]) -> HttpResponse:
    names = {name: request.POST.get(name, "")[:100] for name in NAMES}
    done = split(actor(request), found, choice, identifiers, **names)
    text = _("Split; %(customer)s stands for itself now.") % {"customer": done.made}
    messages.success(request, text, extra_tags=f"undo:{reverse('customer-split-back', args=[done.pk])}")
    return redirect("customer", done.made.public_id)


def _keys(given: QueryDict, name: str) -> list[int]:
    return [int(text) for text in given.getlist(name) if text.isdecimal() and len(text) < 19]


def _day(given: QueryDict, name: str) -> date | None:
    text = given.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(_("“%(text)s” is no day; write it as 2026-05-31.") % {"text": text[:20]}) from error


def _choice(given: QueryDict) -> Choice:
    single = [ids.decode(Interaction.PREFIX, text) for text in given.getlist("single")[:_LATEST]]
    return Choice(
        frozenset(_keys(given, "source")),
        _day(given, "since"),
        _day(given, "until"),
        frozenset(key for key in single if key is not None),
    )


def _identifiers(request: HttpRequest, records: list[int]) -> list[Line]:
    chosen = set(_keys(request.POST, "identifier"))
    return [
        Line(str(row.pk), row.shown, str(row.get_kind_display()), row.pk in chosen)
        for row in identifiers_of(viewer(request), records)
    ]


def _sources(request: HttpRequest, records: list[int]) -> list[Line]:
    chosen = set(_keys(request.POST, "source"))
    rows = standing().filter(customer_id__in=records).values("source_id", "source__name")
    counted = rows.annotate(count=Count("pk"), first=Min("business_date"), last=Max("business_date"))
    return [
        Line(
            str(row["source_id"] or 0),
            row["source__name"] or _("logged here"),
            f"{_contacts_in_words(row['count'])}, {formats.day(row['first'])} – {formats.day(row['last'])}",
            (row["source_id"] or 0) in chosen,
        )
        for row in counted.order_by("source__name")
    ]


def _contacts(request: HttpRequest, records: list[int]) -> list[Line]:
    chosen = set(request.POST.getlist("single"))
    rows = list(standing().filter(customer_id__in=records).order_by("-occurred_at", "-pk")[:_LATEST])
    return [
        Line(
            row.public_id,
            f"{formats.day(row.business_date)} · {kind_label(row.kind)}",
            " · ".join(filter(None, (formats.money(row.amount, row.currency) if row.amount else "", row.title))),
            row.public_id in chosen,
        )
        for row in hush(viewer(request), rows)
    ]


def _contacts_in_words(count: int) -> str:
    return ngettext("%(count)s contact", "%(count)s contacts", count) % {"count": formats.number(count)}


def _trial(request: HttpRequest, found: Customer, records: list[int], going: Taken, identifiers: int) -> Trial:
    stays, goes = both(records, going.keys)
    held = len(identifiers_of(viewer(request), records))

    def row(label: str, words: Any) -> tuple[str, str, str]:
        return label, words(stays), words(goes)

    def money(one: Holdings) -> str:
        return ", ".join(formats.money(total, currency) for currency, total in one.totals.items()) or "–"

    def days(one: Holdings) -> str:
        return f"{formats.day(one.first)} – {formats.day(one.last)}" if one.first else "–"

    rows = [
        (_("Identifiers"), formats.number(held - identifiers), formats.number(identifiers)),
        row(_("Contacts"), lambda one: formats.number(one.contacts)),
        row(_("Orders"), lambda one: formats.number(one.orders)),
        row(_("Order value"), money),
        row(_("First and last contact"), days),
    ]
    given = [one for one in consents.standing(records) if one.last.state == Consent.State.GIVEN]
    withdrawn = len(consents.standing(records)) - len(given)
    rows.append((_("Consents given"), formats.number(len(given)), formats.number(0)))
    rows.append((_("Consents withdrawn"), formats.number(withdrawn), formats.number(withdrawn)))
    notes = []
    if going.along:
        words = ngettext(
            "%(count)s contact goes along, since it answers one that goes or is answered by it.",
            "%(count)s contacts go along, since they answer one that goes or are answered by it.",
            going.along,
        )
        notes.append(words % {"count": formats.number(going.along)})
    if going.stay:
        words = ngettext(
            "%(count)s chosen contact stays: a campaign sent it to this customer.",
            "%(count)s chosen contacts stay: campaigns sent them to this customer.",
            going.stay,
        )
        notes.append(words % {"count": formats.number(going.stay)})
    notes.append(
        _("Consents stay with %(customer)s; what was withdrawn is withdrawn for both, since nobody knows who said so.")
        % {"customer": found}
    )
    notes.append(_("Value and other figures of both follow with the next analysis."))
    return Trial(rows, notes)
