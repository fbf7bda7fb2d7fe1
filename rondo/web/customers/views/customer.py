"""The page of one customer: who, chain, worth; the contact form; the edit form."""

import json
import secrets
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rondo.analysis.next.queries import categories_in, likely_categories, row_of
from rondo.customers.models import Customer
from rondo.customers.queries import record_ids
from rondo.errors import InputError, NotFound
from rondo.foundation.installation import installation
from rondo.foundation.registry import registries
from rondo.foundation.rights import has_right
from rondo.interactions.actions import log_interaction, restore, retract
from rondo.interactions.queries import LEAVING
from rondo.web.access import actor, page, viewer
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.customers.charts import purchases_chart
from rondo.web.customers.forms import ContactForm, EditForm, other_kinds, quick_kinds, reasons_for_leaving
from rondo.web.customers.found import found_customer
from rondo.web.customers.page import chain_of, purchases_by_month, read_customer
from rondo.web.customers.timeline import basket, kinds_of, one, read_timeline
from rondo.web.households.adding import adding
from rondo.web.households.reading import read_whole


def _kinds(request: HttpRequest) -> list[str]:
    return [kind for kind in request.GET.getlist("kind") if kind][:20]


@require_GET
@page()
def customer(request: HttpRequest, public_id: str) -> HttpResponse:
    """The page; the address of a merged record leads to its survivor."""
    found = found_customer(request, public_id)
    if found.public_id != public_id:
        return redirect("customer", found.public_id)
    user = viewer(request)
    try:
        beginning = request.GET.get("at", "")
        shown = read_customer(user, found, kinds=_kinds(request), beginning=beginning, own=_own(request))
    except InputError as error:
        raise Http404(public_id) from error
    context = {
        "page": shown,
        "customer": found,
        "timeline": shown.timeline,
        "currency": installation().currency,
        "composer": _composer(categories_in(shown.reading.of_survivor(row_of))),
        "may_contact": has_right(user, "contact"),
        "may_edit": has_right(user, "edit"),
        "may_delete": has_right(user, "delete"),
        "whole": shown.whole,
        "adding": adding(found),
    }
    return render(request, "customers/customer.html", context)


def _own(request: HttpRequest) -> bool:
    """Whether of a household or organisation only the contacts with itself are asked for."""
    return request.GET.get("of") == "own"


def _composer(categories: list[str]) -> dict[str, Any]:
    return {
        "quick": quick_kinds(),
        "others": other_kinds(),
        "reasons": reasons_for_leaving(),
        "leaving": LEAVING,
        "message_id": f"form:{secrets.token_hex(16)}",
        "categories": categories,
    }


@require_GET
@page()
def chain(request: HttpRequest, public_id: str) -> HttpResponse:
    """A page of the chain: all of it anew when the kinds change, or the entries that come before."""
    found = found_customer(request, public_id)
    user = viewer(request)
    whole = read_whole(user, found)
    chain = chain_of(record_ids(found.pk), whole, own=_own(request))
    before = request.GET.get("before", "")
    timeline = read_timeline(
        user, chain.records, public_id=found.public_id, kinds=_kinds(request), before=before, whose=chain.whose
    )
    context = {"customer": found, "timeline": timeline, "may_contact": has_right(user, "contact"), "whole": whole}
    if before:
        return render(request, "customers/days.html", context)
    return render(request, "customers/chain.html", {**context, "kinds": kinds_of(chain.records)})


@require_GET
@page()
def purchases(request: HttpRequest, public_id: str) -> HttpResponse:
    """The purchases over time, as a chart with its table."""
    found = found_customer(request, public_id)
    return render(request, "customers/purchases.html", {"customer": found, "chart": _purchases(found)})


@require_GET
@page()
def purchases_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    """The purchases by month as CSV."""
    found = found_customer(request, public_id)
    chart = _purchases(found)
    if chart is None:
        raise Http404(public_id)
    return chart_file(request, chart, f"rondo-purchases-{found.public_id}")


def _purchases(found: Customer) -> Chart | None:
    months = purchases_by_month(record_ids(found.pk))
    address = reverse("customer-purchases-csv", args=[found.public_id])
    return purchases_chart(months, installation().currency, address)


@require_GET
@page()
def basket_lines(request: HttpRequest, public_id: str, interaction_id: str) -> HttpResponse:
    """The lines of one purchase."""
    found = found_customer(request, public_id)
    interaction = one(record_ids(found.pk), interaction_id)
    lines = basket(interaction)
    context = {
        "interaction": interaction,
        "lines": lines,
        "discounted": any(line.discount for line in lines),
        "coupons": any(line.coupon for line in lines),
    }
    return render(request, "customers/basket.html", context)


def _toast(response: HttpResponse, text: str, undo: str = "", level: str = "success") -> HttpResponse:
    response["HX-Trigger"] = json.dumps({"toast": {"text": text, "undo": undo, "level": level}})
    return response


@require_POST
@page("contact")
def log(request: HttpRequest, public_id: str) -> HttpResponse:
    """Logs a contact; for htmx the answer is its day, to go on top of the chain, and a toast that takes it back."""
    found = found_customer(request, public_id)
    form = ContactForm(request.POST)
    if not form.is_valid():
        problem = " ".join(str(error) for errors in form.errors.values() for error in errors)
        raise InputError(_("The contact was not saved: %(problem)s") % {"problem": problem})
    values = form.cleaned_data
    reason, _dot, more = values["reason"].partition(".")
    made = log_interaction(
        actor(request),
        found.pk,
        values["other"] or values["kind"],
        body=values["body"],
        occurred_at=values["occurred_at"],
        message_id=values["message_id"] or None,
        category=values["category"],
        reason=reason,
        sub_reason=more,
    )
    kind = registries.interaction_kinds[made.kind].label
    text = _("%(kind)s saved.") % {"kind": kind}
    undo = reverse("customer-retract", args=[found.public_id, made.public_id])
    if not request.headers.get("HX-Request"):
        messages.success(request, text, extra_tags=f"undo:{undo}")
        return redirect("customer", found.public_id)
    whole = read_whole(viewer(request), found)
    shown = chain_of(record_ids(found.pk), whole, own=False)
    timeline = read_timeline(viewer(request), shown.records, public_id=found.public_id, whose=shown.whose)
    context = {
        "customer": found,
        "timeline": timeline,
        "whole": whole,
        "kinds": kinds_of(shown.records, timeline),
        "composer": _composer(likely_categories(found.pk)),
        "may_contact": True,
    }
    return _toast(render(request, "customers/logged.html", context), text, undo)


@require_POST
@page("contact")
def take_back(request: HttpRequest, public_id: str, interaction_id: str) -> HttpResponse:
    """Retracts a contact logged by mistake; with ``restore`` in the form, puts a retracted one back."""
    found = found_customer(request, public_id)
    back = reverse("customer", args=[found.public_id])
    if request.GET.get("restore"):
        restore(actor(request), interaction_id)
        messages.success(request, _("Put back."))
        return redirect(back)
    try:
        retract(actor(request), interaction_id, _("Taken back on the customer page"))
    except NotFound as error:
        raise Http404(interaction_id) from error
    undo = reverse("customer-retract", args=[found.public_id, interaction_id]) + "?restore=1"
    messages.success(request, _("Taken back."), extra_tags=f"undo:{undo}")
    return redirect(back)


@require_http_methods(["GET", "POST"])
@page("edit")
def edit(request: HttpRequest, public_id: str) -> HttpResponse:
    """The edit form in place of the customer's attributes; after saving, the attributes again."""
    found = found_customer(request, public_id)
    form = EditForm(viewer(request), found, request.POST if request.method == "POST" else None)
    conflicts = []
    if request.method == "POST" and form.is_valid():
        conflicts = form.conflicts()
        if not conflicts and form.attempt(actor(request)):
            return _saved(request, found)
        form.renew()
    status = 409 if conflicts else 200
    context = {"customer": found, "form": form, "conflicts": conflicts}
    template = "customers/edit.html" if request.headers.get("HX-Request") else "customers/edit_page.html"
    return render(request, template, context, status=200 if request.headers.get("HX-Request") else status)


def _saved(request: HttpRequest, found: Customer) -> HttpResponse:
    address = reverse("customer", args=[found.public_id])
    messages.success(request, _("Saved."))
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = address
        return answer
    return redirect(address)
