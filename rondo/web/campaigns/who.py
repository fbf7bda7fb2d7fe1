"""The customers behind the figures of a type of campaigns, or of all: each once, or each contact, answered or not."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.campaigns import queries
from rondo.campaigns.queries import Contact, Reached, TypeResponse
from rondo.customers.models import Customer
from rondo.customers.queries import sees_all
from rondo.foundation import ids
from rondo.web.access import page, viewer

PAGE = 50
CUSTOMERS = "customers"
_CONTACT = "e"
_ANSWERED = {"": None, "answered": True, "silent": False}


@require_GET
@page()
def who(request: HttpRequest) -> HttpResponse:
    """A page of them; ``type`` names the type of campaigns (empty: those of none), left out for all of them."""
    user, kind = viewer(request), request.GET.get("type")
    shown = request.GET.get("show", "")
    shown = shown if shown in {*_ANSWERED, CUSTOMERS} else ""
    report = queries.report(user)
    told = report.total if kind is None else next((one for one in report.types if one.type == kind), None)
    if told is None:
        raise Http404(kind)
    mine = {} if kind is None else {"type": kind}
    which, prefix = queries.of_type(kind), Customer.PREFIX if shown == CUSTOMERS else _CONTACT
    after = ids.decode(prefix, request.GET.get("after", "")) or 0
    people: list[Reached] = []
    contacts: list[Contact] = []
    if shown == CUSTOMERS:
        people = queries.reached(user, which, after=after, limit=PAGE + 1)
    else:
        contacts = queries.contacts(user, which, answered=_ANSWERED[shown], after=after, limit=PAGE + 1)
    keys = [one.customer.pk for one in people] + [one.key for one in contacts]
    more = {"show": shown, "after": ids.encode(prefix, keys[PAGE - 1])} if len(keys) > PAGE else None
    context = {
        "kind": kind,
        "people": people[:PAGE],
        "contacts": contacts[:PAGE],
        "tabs": _tabs(told, mine, shown),
        "next_query": urlencode(mine | more) if more else "",
        "first_query": urlencode(mine | {"show": shown}) if after else "",
        "sees_all": sees_all(user),
    }
    return render(request, "campaigns/who.html", context)


def _tabs(told: TypeResponse, mine: dict[str, str], shown: str) -> list[dict[str, Any]]:
    response = told.response
    tabs = [
        (CUSTOMERS, _("Customers"), told.people),
        ("", _("All contacted"), response.contacted),
        ("answered", _("Answered"), response.answered),
        ("silent", _("Did not answer"), response.contacted - response.answered),
    ]
    return [
        {"query": urlencode(mine | {"show": key}), "label": label, "count": count, "current": key == shown}
        for key, label, count in tabs
    ]
