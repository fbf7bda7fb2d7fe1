"""What is held about one customer: to look at, to take along, to hold, to erase."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.customers.models import Customer
from rondo.erasure.actions import end_hold, put_hold, request_erasure
from rondo.erasure.actions.asking import words
from rondo.erasure.bundle import make_bundle
from rondo.erasure.models import Erasure
from rondo.erasure.queries import person, preview, standing_holds
from rondo.errors import InputError, NotFound, RondoError
from rondo.foundation.rights import has_right
from rondo.foundation.search import fold
from rondo.web.access import actor, page, viewer

REASONS = (Erasure.Reason.ASKED, Erasure.Reason.RETENTION, Erasure.Reason.WRONG)
"""The reasons that a person chooses from."""


def _found(request: HttpRequest, public_id: str) -> Customer:
    try:
        return person(actor(request), public_id)
    except NotFound as error:
        raise Http404(public_id) from error


@require_GET
@page("erase")
def data(request: HttpRequest, public_id: str) -> HttpResponse:
    """What is held about a customer, what an erasure would do with it, and the way there."""
    return _page(request, _found(request, public_id))


def _page(request: HttpRequest, found: Customer, **more: Any) -> HttpResponse:
    shown = preview(actor(request), found)
    context = {
        "customer": found,
        "preview": shown,
        "merged": len(shown.records) - 1,
        "kinds": sorted(shown.kinds, key=lambda kind: -kind.rows),
        "reasons": [(one.value, one.label) for one in REASONS],
        "held": [words(one) for one in shown.held],
        "holds": standing_holds(shown.records),
        "may_export": has_right(viewer(request), "export"),
        "typed": found.name or found.public_id,
        **more,
    }
    return render(request, "erasure/data.html", context, status=422 if more else 200)


@require_POST
@page("erase")
def erase_one(request: HttpRequest, public_id: str) -> HttpResponse:
    """Erase a customer, whose name was typed to confirm it."""
    found = _found(request, public_id)
    wanted = found.name or found.public_id
    if fold(request.POST.get("confirm", "")) != fold(wanted):
        return _page(request, found, error=_("Type “%(name)s” to confirm; nothing was erased.") % {"name": wanted})
    reason = request.POST.get("reason", "")
    try:
        if reason not in REASONS:
            raise InputError(_("Say why; nothing was erased."))
        made = request_erasure(actor(request), [found], reason)
    except RondoError as error:
        return _page(request, found, error=str(error))
    return redirect("erasure", made.public_id)


@require_GET
@page("export")
def bundle(request: HttpRequest, public_id: str) -> StreamingHttpResponse:
    """All data of a customer as an archive."""
    made = make_bundle(actor(request), _found(request, public_id))
    response = StreamingHttpResponse(made.blocks, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response


@require_POST
@page("erase")
def hold(request: HttpRequest, public_id: str) -> HttpResponse:
    """Refuse the erasure of a customer for now."""
    found = _found(request, public_id)
    given = request.POST.get("until", "")
    try:
        until = date.fromisoformat(given) if given else None
        put_hold(actor(request), found, request.POST.get("reason", ""), until)
    except ValueError:
        return _page(request, found, hold_error=_("“%(day)s” is no day.") % {"day": given[:20]})
    except RondoError as error:
        return _page(request, found, hold_error=str(error))
    messages.success(request, _("Held: nobody can erase this customer until the hold ends."))
    return redirect("customer-data", found.public_id)


@require_POST
@page("erase")
def end(request: HttpRequest, public_id: str, hold_id: int) -> HttpResponse:
    """End a hold."""
    found = _found(request, public_id)
    end_hold(actor(request), found, hold_id)
    messages.success(request, _("The hold has ended."))
    return redirect("customer-data", found.public_id)
