"""The first steps of a new installation, one page each: which company it is, the first import, the first team."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_http_methods

from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation import teams
from rondo.foundation.accounts import change_preferences, change_user
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.models import Installation, Team
from rondo.web.access import actor, page, viewer
from rondo.web.forms import currencies, zones

STEPS = ("company", "import", "team")
"""In their order, by the names in addresses."""


class CompanyForm(forms.Form):
    """What is to be known before the first import."""

    company = forms.CharField(label=gettext_lazy("Company"), max_length=200)
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("Of mails, and yours; everybody may choose their own."),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"),
        choices=currencies,
        help_text=gettext_lazy("Everything is reckoned in it."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=zones,
        help_text=gettext_lazy("Says what a day is, in every analysis."),
    )

    @classmethod
    def of(cls, row: Installation, language: str, data: Mapping[str, Any] | None = None) -> "CompanyForm":
        """The form filled from ``row``, or bound to posted ``data``."""
        initial = {
            "company": row.company,
            "language": row.language or language,
            "currency": row.currency,
            "time_zone": row.time_zone,
        }
        made = cls(data, initial=initial)
        if not row.company:  # nobody has said so yet: the browser knows better
            made.fields["time_zone"].widget.attrs["data-zone-here"] = ""
        return made


class FirstTeamForm(forms.Form):
    """The first team, and whether who makes it is in it."""

    name = forms.CharField(label=gettext_lazy("Name of the team"), max_length=120)
    mine = forms.BooleanField(label=gettext_lazy("I belong to it"), required=False, initial=True)


def done_of() -> dict[str, bool]:
    """Which of the steps are done."""
    return {
        "company": bool(installation().company),
        "import": Customer.objects.exists(),
        "team": Team.objects.exists(),
    }


@require_http_methods(["GET", "HEAD"])
@page("administer")
def start(request: HttpRequest) -> HttpResponse:
    """The first step that is not done yet; home when all are."""
    left = [step for step, done in done_of().items() if not done]
    return redirect("start-step", left[0]) if left else redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def step(request: HttpRequest, name: str) -> HttpResponse:
    """One step: its question, and where it leads; posted, its answer."""
    if name not in STEPS:
        raise Http404(_("There is no such step; begin with the first."))
    data = request.POST if request.method == "POST" else None
    form: Any = None
    if name == "company":
        form = CompanyForm.of(installation(), request.LANGUAGE_CODE, data)
        if data is not None and form.is_valid() and (answer := _company(request, form)):
            return answer
    elif name == "team":
        form = FirstTeamForm(data)
        if data is not None and form.is_valid() and (answer := _team(request, form)):
            return answer
    found = done_of()
    place = STEPS.index(name)
    context = {
        "name": name,
        "form": form,
        "number": place + 1,
        "steps": [(key, label, found[key], key == name) for key, label in _labels().items()],
        "next": reverse("start-step", args=[STEPS[place + 1]]) if place + 1 < len(STEPS) else reverse("home"),
        "done": found[name],
        "limit_mb": settings.RONDO_UPLOAD_LIMIT_MB,
    }
    return render(request, "shell/starting.html", context, status=422 if form is not None and form.errors else 200)


def _labels() -> dict[str, str]:
    return {"company": _("Company"), "import": _("First import"), "team": _("First team")}


def _company(request: HttpRequest, form: CompanyForm) -> HttpResponse | None:
    try:
        change_installation(actor(request), **form.cleaned_data)
    except InputError as error:
        form.add_error(None, str(error))
        return None
    language = form.cleaned_data["language"]
    if viewer(request).language != language:
        change_preferences(actor(request), language=language)
    with override(language):
        messages.success(request, _("Saved."))
    return redirect("start-step", "import")


def _team(request: HttpRequest, form: FirstTeamForm) -> HttpResponse | None:
    try:
        made, _entry = teams.add_team(actor(request), form.cleaned_data["name"], None)
    except InputError as error:
        form.add_error("name", str(error))
        return None
    if form.cleaned_data["mine"]:
        change_user(actor(request), viewer(request), team=made)
    messages.success(request, _("The team %(team)s is there. Invite who belongs to it.") % {"team": made})
    return redirect("invitations")
