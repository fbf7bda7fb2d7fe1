"""Consents on the page of a customer: what holds over which channel for what, since when, and the form to note more."""

from functools import lru_cache
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rondo.customers.actions import note_consent, take_back_consent
from rondo.customers.consents import holding, ledger
from rondo.customers.identifiers import DOTS
from rondo.customers.models import Consent
from rondo.errors import InputError
from rondo.foundation.models import User
from rondo.foundation.reading import Reading
from rondo.foundation.rights import masked
from rondo.web.access import actor, page

_HISTORY = 20


class ConsentForm(forms.Form):
    """What a customer said of one channel and purpose."""

    channel = forms.ChoiceField(label=gettext_lazy("Channel"), choices=Consent.Channel.choices)
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose"), choices=Consent.Purpose.choices)
    state = forms.ChoiceField(
        label=gettext_lazy("What the customer said"),
        choices=[one for one in Consent.State.choices if one[0] != Consent.State.UNKNOWN],
    )
    at = forms.DateTimeField(
        label=gettext_lazy("When, if not now"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    source = forms.CharField(
        label=gettext_lazy("Where it was said"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Form, call, letter…")}),
    )
    evidence = forms.CharField(label=gettext_lazy("What proves it"), max_length=400, required=False)

    def clean_at(self) -> Any:
        """The time as typed, without an offset: the action takes it in the company's zone."""
        at = self.cleaned_data["at"]
        return None if at is None else at.replace(tzinfo=None)


def of_customer(viewer: User, reading: Reading) -> dict[str, Any]:
    """What holds now, and the entries behind it, the last first; where notes are masked, so is what proves one."""
    entries = reading.of_records(ledger)
    if masked(viewer, "notes"):
        for row in entries:
            row.evidence = DOTS if row.evidence else ""
    return {"holds": holding(entries), "entries": entries[:_HISTORY], "fields": _blank_fields(get_language())}


@lru_cache(maxsize=8)
def _blank_fields(_language: str | None) -> list[tuple[str, str, str]]:
    """Id, label and control of each field of the empty form: the same on every customer's page."""
    return [(field.id_for_label, str(field.label), str(field)) for field in ConsentForm(auto_id="consent-%s")]


@require_POST
@page("edit")
def note(request: HttpRequest, public_id: str) -> HttpResponse:
    """Adds an entry; the message offers to take it back."""
    form = ConsentForm(request.POST)
    if not form.is_valid():
        problem = " ".join(str(error) for errors in form.errors.values() for error in errors)
        raise InputError(_("The consent was not saved: %(problem)s") % {"problem": problem})
    values = form.cleaned_data
    made = note_consent(
        actor(request),
        public_id,
        values["channel"],
        values["state"],
        purpose=values["purpose"],
        at=values["at"],
        source=values["source"],
        evidence=values["evidence"],
    )
    undo = reverse("customer-consent-back", args=[public_id, made.pk])
    messages.success(request, _("Consent noted."), extra_tags=f"undo:{undo}")
    return redirect("customer", public_id)


@require_POST
@page("edit")
def take_back(request: HttpRequest, public_id: str, entry: int) -> HttpResponse:
    """Takes the last entry back: what held before holds again."""
    take_back_consent(actor(request), public_id, entry)
    messages.success(request, _("Taken back."))
    return redirect("customer", public_id)
