"""Views of campaigns: parse, ask the room, render."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from rondo.analysis.models import Score
from rondo.campaigns import queries
from rondo.campaigns.models import Campaign
from rondo.campaigns.queries import Contact, Response, TypeResponse
from rondo.customers.queries import scope_key, sees_all
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.web import formats
from rondo.web.access import page, viewer
from rondo.web.campaigns import charts, likely
from rondo.web.campaigns.bars import share_bar
from rondo.web.charts.chart import Chart, chart_file

PAGE = 50
_CONTACT = "e"

SORTS: dict[str, Any] = {
    "start": lambda row: (row.campaign.starts_on, row.campaign.pk),
    "type": lambda row: row.campaign.type,
    "contacted": lambda row: row.response.contacted,
    "answered": lambda row: row.response.answered,
    "rate": lambda row: row.response.share.value if row.response.share else -1.0,
}
_COLUMNS = (
    ("", gettext_lazy("Campaign"), False),
    ("rate", gettext_lazy("Response rate"), True),
    ("", "", False),  # the interval, whose level is read from the room
    ("answered", gettext_lazy("Answered"), True),
    ("contacted", gettext_lazy("Contacted"), True),
    ("type", gettext_lazy("Type"), False),
    ("start", gettext_lazy("Window"), False),
)


@dataclass(frozen=True)
class Row:
    """One campaign of the list. ``is_open``: its window ends after the data does, so answers may be missing."""

    campaign: Campaign
    response: Response
    bar: SafeString
    is_open: bool


@dataclass(frozen=True)
class TypeRow:
    """One type of campaigns beside its bar."""

    type: TypeResponse
    bar: SafeString


@dataclass(frozen=True)
class Head:
    """A head of the table: what a click sorts by, and how it is sorted now."""

    key: str
    label: str
    figures: bool
    query: str
    sorted: str


@require_GET
@page()
def campaigns(request: HttpRequest) -> HttpResponse:
    """All campaigns with how they were answered, by type and one by one."""
    user = viewer(request)
    report = queries.report(user)
    last_day = queries.last_day()
    full = max([r.share.high for _c, r in report.campaigns if r.share] or [0.0])
    kinds = [t.type for t in report.types]
    chosen = request.GET.get("type", "")
    if chosen not in kinds:
        chosen = ""
    rows = [
        Row(campaign, response, share_bar(response.share, full), bool(last_day and campaign.ends_on > last_day))
        for campaign, response in report.campaigns
        if not chosen or campaign.type == chosen
    ]
    sort = request.GET.get("sort", "-start")
    key = sort.removeprefix("-")
    if key not in SORTS:
        sort, key = "-start", "start"
    rows.sort(key=SORTS[key], reverse=sort.startswith("-"))
    full_type = max([t.response.share.high for t in report.types if t.response.share] or [0.0])
    context = {
        "report": report,
        "types": [TypeRow(t, share_bar(t.response.share, full_type)) for t in report.types],
        "interval_label": _interval_label(),
        "total_bar": share_bar(report.total.response.share, full_type),
        "rows": rows,
        "heads": _heads(sort, chosen),
        "chosen": chosen,
        "sees_all": sees_all(user),
        "observational": any(c.design == Campaign.Design.OBSERVATIONAL for c, _r in report.campaigns),
        "likely": likely.addresses(kinds),
        "designs_differ": len({row.campaign.design for row in rows}) > 1,
        "last_day": last_day,
    }
    return render(request, "campaigns/list.html", context)


@require_GET
@page()
def campaign(request: HttpRequest, public_id: str) -> HttpResponse:
    """One campaign: how it was answered, when, and by whom."""
    user = viewer(request)
    found = _found(user, public_id)
    response = queries.responses(user, [found.pk]).get(found.pk, Response(0, 0, 0, None))
    day = _day(request.GET.get("day", ""))
    chosen = "answered" if day else request.GET.get("show", "")
    answered = {"answered": True, "silent": False}.get(chosen)
    shown = {"day": day.isoformat()} if day else {"show": chosen if answered is not None else ""}
    after = ids.decode(_CONTACT, request.GET.get("after", "")) or 0
    contacts = queries.contacts(user, Q(campaign=found), answered=answered, on=day, after=after, limit=PAGE + 1)
    more, contacts = len(contacts) > PAGE, contacts[:PAGE]
    values = Score.objects.only("value").in_bulk([contact.customer.pk for contact in contacts])
    last_day = queries.last_day()
    context = {
        "campaign": found,
        "response": response,
        "chart": _chart(user, found),
        "foretold": likely.foretold(user, found),
        "tabs": _tabs(response, chosen),
        "day": day,
        "first_query": _query(**shown),
        "contacts": [(contact, _value(values, contact)) for contact in contacts],
        "has_values": bool(values),
        "next_query": _query(**shown, after=ids.encode(_CONTACT, contacts[-1].key)) if more else "",
        "is_first": not after,
        "sees_all": sees_all(user),
        "is_open": bool(last_day and found.ends_on > last_day),
        "last_day": last_day,
    }
    return render(request, "campaigns/detail.html", context)


@require_GET
@page()
def reactions(request: HttpRequest, public_id: str) -> HttpResponse:
    """The reactions by day as CSV, counted over the customers the viewer may see."""
    user = viewer(request)
    found = _found(user, public_id)
    chart = _chart(user, found)
    if chart is None:
        raise Http404(public_id)
    return chart_file(request, chart, f"rondo-reactions-{found.public_id}")


def _found(user: User, public_id: str) -> Campaign:
    try:
        return queries.get_visible(user, public_id)
    except Campaign.DoesNotExist as error:
        raise Http404(public_id) from error


def _chart(user: User, found: Campaign) -> Chart | None:
    return charts.reactions(found, queries.reaction_days(user, found), f"{scope_key(user)}-{found.pk}")


def _value(values: dict[Any, Score], contact: Contact) -> int | None:
    score = values.get(contact.customer.pk)
    return None if score is None else score.value


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _query(**parts: str) -> str:
    return urlencode({key: value for key, value in parts.items() if value})


def _heads(sort: str, chosen: str) -> list[Head]:
    heads = []
    for key, label, figures in _COLUMNS:
        now = "descending" if sort == f"-{key}" else "ascending" if sort == key else ""
        wanted = key if now == "descending" or (not now and key == "type") else f"-{key}"
        heads.append(
            Head(key, str(label) or _interval_label(), figures, _query(type=chosen, sort=wanted), now if key else "")
        )
    return heads


def _interval_label() -> str:
    return _("%(level)s interval") % {"level": formats.share(queries.LEVEL, 0)}


def _tabs(response: Response, chosen: str) -> list[dict[str, Any]]:
    tabs = [
        ("", _("All contacted"), response.contacted),
        ("answered", _("Answered"), response.answered),
        ("silent", _("Did not answer"), response.contacted - response.answered),
    ]
    current = chosen if chosen in {"answered", "silent"} else ""
    return [
        {"query": _query(show=key), "label": label, "count": count, "current": key == current}
        for key, label, count in tabs
    ]
