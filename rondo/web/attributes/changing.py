"""A change of type, and choices merged into one: tried first, then done, at once or as a job, and taken back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rondo.customers.actions.converting import (
    AT_ONCE,
    begin_change,
    carry_out,
    give_up,
    progress_of,
    take_back_change,
    try_change,
)
from rondo.customers.actions.definitions import find_attribute, uses_of
from rondo.customers.jobs import request_conversion
from rondo.customers.models import AttributeDefinition
from rondo.errors import InputError
from rondo.web import formats
from rondo.web.access import actor, page, viewer


def _merged(request: HttpRequest, row: AttributeDefinition) -> dict[str, str]:
    into = request.POST.get("into", "") or request.GET.get("into", "")
    gone = [value for value in (request.POST.getlist("gone") or request.GET.getlist("gone")) if value != into]
    known = {str(choice["value"]) for choice in row.choices}
    if not gone or into not in known or not set(gone) <= known:
        raise InputError(_("Choose at least one choice to merge, and another one that stays."))
    return dict.fromkeys(gone, into)


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def change_type(request: HttpRequest, key: str) -> HttpResponse:
    """What another type would do to the values; posted, it is done."""
    row = find_attribute(key)
    wanted = request.POST.get("type", "") or request.GET.get("type", "")
    return _change(request, row, wanted, {})


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def merge_choices(request: HttpRequest, key: str) -> HttpResponse:
    """What it would do to merge choices into one; posted, it is done."""
    row = find_attribute(key)
    return _change(request, row, row.type, _merged(request, row))


def _change(request: HttpRequest, row: AttributeDefinition, type: str, merged: dict[str, str]) -> HttpResponse:
    if request.method == "POST":
        target, number = begin_change(actor(request), row.key, type, merged=merged)
        if number > AT_ONCE:
            request_conversion(viewer(request), target.pk, merged)
            return redirect("attribute", row.key)
        carry_out(actor(request), target.pk, merged)
        text = ngettext("%(n)s value changed.", "%(n)s values changed.", number) % {"n": formats.number(number)}
        undo = f"undo:{reverse('attribute-type-back', args=[row.key])}"
        messages.success(request, text, extra_tags=undo)
        return redirect("attribute", row.key)
    trial = try_change(actor(request), row.key, type, merged=merged)
    context = {
        "attribute": row,
        "trial": trial,
        "type": type,
        "label": AttributeDefinition.Type(type).label,
        "merged": merged,
        "into": next(iter(merged.values()), ""),
        "loses_unique": row.unique and type not in ("text", "number", "date", "link"),
        "uses": uses_of(viewer(request), row.key),
        "is_job": trial.values > AT_ONCE,
        "list_url": f"{reverse('customers')}?f=attr.{row.key}:is:",
    }
    return render(request, "attributes/trial.html", context)


@require_GET
@page("administer")
def progress(request: HttpRequest, key: str) -> HttpResponse:
    """How far the change of type is; the page is loaded anew when it has ended."""
    row = find_attribute(key)
    done, every = progress_of(row) if row.changing else (0, 0)
    answer = render(request, "attributes/progress.html", {"attribute": row, "done": done, "every": every})
    if not row.changing:
        answer["HX-Refresh"] = "true"
    return answer


@require_POST
@page("administer")
def stop(request: HttpRequest, key: str) -> HttpResponse:
    """End a change of type that is not done: the values are as they were."""
    give_up(actor(request), key)
    messages.success(request, _("The type stays as it was."))
    return redirect("attribute", key)


@require_POST
@page("administer")
def take_back_type(request: HttpRequest, key: str) -> HttpResponse:
    """Put the former type and its values back."""
    take_back_change(actor(request), key)
    messages.success(request, _("Taken back."))
    return redirect("attribute", key)
