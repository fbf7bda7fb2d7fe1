"""Links of a customer: the page of them, whom to link to, and making, changing, ending and removing one with undo."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from rondo.customers.actions import (
    Removed,
    change_link,
    link,
    link_as_household,
    link_new,
    put_back_link,
    take_back_made,
    unlink,
)
from rondo.customers.models import Customer, Link
from rondo.customers.queries import links_of, record_ids
from rondo.errors import InputError, RondoError
from rondo.foundation.loads import shown
from rondo.foundation.rights import has_right
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.customers.found import found_customer
from rondo.web.households.adding import adding, household_name, way_of
from rondo.web.households.reading import LinkLine, link_lines

_SALT = "rondo.customers.links"
_GOOD_FOR = 24 * 3600
"""Seconds for which a change can be taken back by its message."""


@require_GET
@page()
def links(request: HttpRequest, public_id: str) -> HttpResponse:
    """All links of a customer with their dates, and the form for more."""
    found = found_customer(request, public_id)
    user = viewer(request)
    records = record_ids(found.pk)
    lines = link_lines(links_of(user, records), members=True)
    context = {
        "customer": found,
        "headline": _headline(lines),
        "lines": lines,
        "ended": link_lines(links_of(user, records, ended=True), members=True),
        "adding": adding(found, request.GET, user),
        "may_edit": has_right(user, "edit"),
    }
    return render(request, "households/page.html", context)


def _headline(lines: list[LinkLine]) -> str:
    return ngettext("%(n)s link to another customer.", "%(n)s links to other customers.", len(lines)) % {
        "n": formats.number(len(lines))
    }


@require_GET
@page("edit")
def find(request: HttpRequest, public_id: str) -> HttpResponse:
    """Whom the text finds, for the form."""
    found = found_customer(request, public_id)
    return render(request, "households/found.html", {"adding": adding(found, request.GET, viewer(request))})


@require_POST
@page("edit")
def add(request: HttpRequest, public_id: str) -> HttpResponse:
    """Links the customer to another one, or to one that is made by its name; the message takes it back."""
    found = found_customer(request, public_id)
    given = request.POST
    way = way_of(found, given.get("as", ""))
    answer = redirect("customer", found.public_id)
    try:
        if mate := given.get("with"):
            return _together(request, found, mate)
        more: dict[str, Any] = {"position": given.get("position", ""), "since": _day(given.get("since", ""))}
        if given.get("new"):
            made = link_new(actor(request), found.pk, way.role, given.get("q", ""), outward=way.outward, **more)
        else:
            if home := given.get("home"):
                way = way_of(found, "member-out")
            other_end = home or given.get("other", "")
            first, second = (found.pk, other_end) if way.outward else (other_end, found.pk)
            made = link(actor(request), first, second, way.role, **more)
    except RondoError as error:
        messages.error(request, str(error))
        return answer
    other = made.object if made.subject_id == found.pk else made.subject
    undo = reverse("customer-link-remove", args=[found.public_id, made.pk])
    if given.get("new"):
        undo = _undo_of_making(found, [made], other.pk)
    text = _("Linked: %(way)s %(other)s.") % {"way": way.label, "other": other}
    messages.success(request, text, extra_tags=f"undo:{undo}")
    return answer


def _together(request: HttpRequest, found: Customer, mate: str) -> HttpResponse:
    """A new household of the customer and one more person; the message takes both links back."""
    made = link_as_household(actor(request), [found.pk, mate], household_name(found))
    undo = _undo_of_making(found, made, made[0].object_id)
    text = _("Linked: %(household)s is made, with both as members.") % {"household": made[0].object}
    messages.success(request, text, extra_tags=f"undo:{undo}")
    return redirect("customer", made[0].object.public_id)


def _undo_of_making(found: Customer, links: list[Link], made: int) -> str:
    """The address that takes links back, and who was made for them."""
    known = {"unlink": [row.pk for row in links], "made": made}
    return reverse("customer-link-back", args=[found.public_id, _token(known)])


@require_POST
@page("edit")
def change(request: HttpRequest, public_id: str, link_id: int) -> HttpResponse:
    """Sets position and days of a link; with a last day it has ended. The message takes it back."""
    found = found_customer(request, public_id)
    given, answer = request.POST, redirect("customer-links", found.public_id)
    row = Link.objects.filter(shown(), pk=link_id).first()
    try:
        if row is None:
            raise InputError(_("This link is not there any more; load the page again."))
        values: dict[str, Any] = (
            {"until": None}
            if given.get("again")
            else {
                "position": given.get("position", ""),
                **{name: _day(given.get(name, "")) for name in ("since", "until")},
            }
        )
        was = {name: getattr(row, name) for name in values}
        change_link(actor(request), link_id, **values)
    except RondoError as error:
        messages.error(request, str(error))
        return answer
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in was.items()}
    undo = reverse("customer-link-back", args=[found.public_id, _token({"link": link_id, "was": told})])
    ended = values.get("until") is not None and was.get("until") is None
    messages.success(request, _("The link has ended.") if ended else _("Saved."), extra_tags=f"undo:{undo}")
    return answer


@require_POST
@page("edit")
def remove(request: HttpRequest, public_id: str, link_id: int) -> HttpResponse:
    """Removes a link as a mistake; the message puts it back."""
    found = found_customer(request, public_id)
    answer = redirect("customer", found.public_id)
    try:
        gone = unlink(actor(request), link_id)
    except RondoError as error:
        messages.error(request, str(error))
        return answer
    undo = reverse("customer-link-back", args=[found.public_id, _token([one.to_dict() for one in gone])])
    messages.success(request, _("Link removed."), extra_tags=f"undo:{undo}")
    return answer


@require_POST
@page("edit")
def take_back(request: HttpRequest, public_id: str, token: str) -> HttpResponse:
    """Puts a link back that was removed, or back to what it was."""
    found = found_customer(request, public_id)
    try:
        known = signing.loads(token, salt=_SALT, max_age=_GOOD_FOR)
    except signing.BadSignature as error:
        raise Http404(_("This can no longer be undone here; make the link again.")) from error
    try:
        if isinstance(known, list):
            put_back_link(actor(request), [Removed.from_dict(one) for one in known])
        elif "unlink" in known:
            if "made" not in known:  # of an address that a release before gave
                for key in known["unlink"]:
                    unlink(actor(request), key)
            elif not take_back_made(actor(request), known["unlink"], known["made"]):
                stays = _(
                    "It stays, since it has been used meanwhile; put it into the bin yourself if it is not needed."
                )
                messages.info(request, stays)
        else:
            was = {
                name: _day(value or "") if name in ("since", "until") else value for name, value in known["was"].items()
            }
            change_link(actor(request), known["link"], **was)
    except RondoError as error:
        messages.error(request, str(error))
    else:
        taken = isinstance(known, dict) and "unlink" in known
        messages.success(request, _("Taken back.") if taken else _("Put back."))
    return redirect("customer", found.public_id)


def _token(known: Any) -> str:
    return signing.dumps(known, salt=_SALT, compress=True)


def _day(text: str) -> date | None:
    """A day as a form sends it; empty: None."""
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise InputError(_("“%(text)s” is no day; write it as 2024-12-31.") % {"text": text[:30]})
    return day
