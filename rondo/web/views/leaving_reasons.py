"""Reasons for leaving: seen with who gave them, added, called otherwise, or offered no longer."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from rondo.errors import InputError
from rondo.foundation import audit
from rondo.foundation.installation import zone
from rondo.foundation.models import User
from rondo.interactions import reasons as actions
from rondo.interactions.departures import Given, leaving
from rondo.interactions.reasons import GROUPS, reasons
from rondo.web.access import actor, page, viewer
from rondo.web.figures import figures
from rondo.web.people.entries import shown
from rondo.web.views.loyalty import who_said


class ReasonForm(forms.Form):
    """What a reason is called."""

    label_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=60)
    label_de = forms.CharField(
        label=gettext_lazy("Name in German"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("The English one where empty."),
    )


class NewReasonForm(ReasonForm):
    """A reason of the company's own."""

    group = forms.ChoiceField(label=gettext_lazy("Group"), choices=tuple(GROUPS.items()))


class OfferedForm(ReasonForm):
    """A reason that is there."""

    is_offered = forms.BooleanField(
        label=gettext_lazy("Offered when a cancellation or notice is logged"), required=False
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def leaving_reasons(request: HttpRequest) -> HttpResponse:
    """All reasons in their groups, and a form for one more."""
    form = NewReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made, entry = actions.add_reason(actor(request), given["group"], given["label_en"], given["label_de"])
        except InputError as error:
            form.add_error("label_en", str(error))
        else:
            undo = f"undo:{reverse('leaving-reason-back', args=[entry.pk])}"
            messages.success(request, _("“%(reason)s” can be given now.") % {"reason": made}, extra_tags=undo)
            return redirect("leaving-reasons")
    known = list(reasons().values())
    told = _told(viewer(request))
    context = {
        "groups": [
            (label, [(one, *told.get((key, one.key), (0, ""))) for one in known if one.group == key])
            for key, label in GROUPS.items()
        ],
        "offered": sum(one.is_offered for one in known),
        "own": sum(one.own for one in known),
        "form": form,
    }
    return render(request, "shell/leaving_reasons.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def leaving_reason(request: HttpRequest, key: str) -> HttpResponse:
    """One reason: who gave it, what it is called, whether it is offered, and what was changed about it."""
    row = actions.find_reason(key)
    present = {name: getattr(row, name) for name in ("label_en", "label_de", "is_offered")}
    form = OfferedForm(request.POST if request.method == "POST" else None, initial=present)
    if request.method == "POST" and form.is_valid():
        try:
            row, entry = actions.change_reason(actor(request), key, **form.cleaned_data)
        except InputError as error:
            form.add_error("label_en", str(error))
        else:
            undo = f"undo:{reverse('leaving-reason-back', args=[entry.pk])}" if entry else ""
            messages.success(request, _("Saved."), extra_tags=undo)
            return redirect("leaving-reasons")
    customers, url = _told(viewer(request)).get((row.group, row.key), (0, ""))
    context = {
        "reason": row,
        "group": GROUPS[row.group],
        "customers": customers,
        "url": url,
        "form": form,
        "entries": shown(viewer(request), audit.entries_of("leaving_reason", row.pk, 30)) if row.pk else [],
    }
    return render(request, "shell/leaving_reason.html", context, status=422 if form.errors else 200)


@require_POST
@page("administer")
def take_back(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Take back what was changed about a reason."""
    actions.take_back_reason(actor(request), entry_id)
    messages.success(request, _("Taken back."))
    return redirect("leaving-reasons")


def _told(user: User) -> dict[tuple[str, str], tuple[int, str]]:
    """By group and reason: how many of the customers that ``user`` sees gave it, until the day that figures look from,
    and the list of them."""
    found = figures(user)
    until = found.as_of if found else timezone.localdate(timezone=zone())
    given: list[Given] = list(leaving(user, until).reasons)
    return {(one.reason, one.sub_reason): (one.customers, who_said(one)) for one in given}
