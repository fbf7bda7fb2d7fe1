"""A cell of the list becomes a field: opened, saved, refused where somebody else was quicker, and taken back."""

import json
import re
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from rondo.customers.actions import Edited, Stale, change_cell, take_back_cell
from rondo.customers.actions.cells import OWN, written
from rondo.customers.models import Customer
from rondo.errors import RondoError
from rondo.foundation.models import User
from rondo.web.access import actor, page
from rondo.web.customers.fields import Field
from rondo.web.customers.filters import number_as_written
from rondo.web.customers.forms import form_field
from rondo.web.customers.found import found_customer
from rondo.web.customers.query import ListQuery
from rondo.web.customers.rows import on_page, read_rows
from rondo.web.customers.views.reading import read_query
from rondo.web.taking_back import keep, kept, used

_DONE = "edited_cells"


def editable(field: Field) -> bool:
    """Whether a list changes the field."""
    return field.key in OWN or field.place == "attribute"


def _control(field: Field, present: str) -> forms.Field:
    """The control of a field; ``present`` is what is there, as the control writes it."""
    if field.type != "user":
        control = form_field(field, present)
        if field.key == "name":
            control = forms.CharField(label=field.label, required=False, max_length=200)
        return control
    people = User.objects.filter(is_active=True, is_service=False).order_by("name", "email")
    choices = [("", _("nobody")), *((str(one.pk), str(one)) for one in people)]
    if present and present not in dict(choices):
        choices += [
            (str(one.pk), str(one))
            for one in User.objects.filter(pk=int(present) if re.fullmatch(r"[0-9]{1,18}", present) else 0)
        ]
    return forms.ChoiceField(label=field.label, choices=choices, required=False)


def _to_control(field: Field, text: str) -> Any:
    """A value as the control has it, from how the action writes it."""
    if field.several:
        return text.split("|") if text else []
    return {"yes": "1", "no": "0"}.get(text, text) if field.type == "boolean" else text


def from_control(field: Field, given: list[str], seen: str) -> str:
    """A value as the action writes it, from what the control sent; a number left as ``seen`` stays as it is."""
    if field.several:
        order = [value for value, _label in field.choices]
        chosen = {value for value in given if value}
        return "|".join(sorted(chosen, key=lambda one: order.index(one) if one in order else len(order)))
    text = " ".join((given or [""])[-1].split())
    if field.type == "boolean":
        return {"1": "yes", "0": "no"}.get(text, text)
    return number_as_written(text, field) if field.numeric and text and text != seen else text


def _said(field: Field, control: forms.Field, text: str) -> str:
    """A value as both versions show it."""
    labels = {str(key): str(label) for key, label in getattr(control, "choices", ())}
    value = _to_control(field, text)
    parts: list[str] = value if isinstance(value, list) else [value]
    return ", ".join(labels.get(part, part) for part in parts if part) or "–"


@require_http_methods(["GET", "POST"])
@page("edit")
def cell(request: HttpRequest, public_id: str, key: str) -> HttpResponse:
    """The field in place of its cell; once it is saved, the row as it is now. What was changed by somebody else
    meanwhile is shown beside what would be saved, and saved only when it is sent again."""
    query = read_query(request)
    field = query.fields.get(key)
    if field is None or not editable(field):
        raise Http404(_("This is not changed in the list; open the customer."))
    customer = found_customer(request, public_id)
    now = written(actor(request), customer, key)
    if request.method == "GET":
        return _form(request, query, customer, field, now, now)
    seen = request.POST.get("seen", "")
    yours = from_control(field, request.POST.getlist("value"), seen)
    try:
        done = change_cell(actor(request), customer, key, yours, seen=seen)
    except Stale as stale:
        return _again(_form(request, query, customer, field, yours, stale.now, conflict=True))
    except RondoError as error:
        return _again(_form(request, query, customer, field, yours, seen, problem=str(error)))
    row = read_rows(query.viewer, [customer.pk], [query.fields[one] for one in query.columns])
    answer = render(request, "customers/rows.html", {"lines": on_page(row)})
    if done is not None:
        answer["HX-Trigger"] = json.dumps({"toast": toast(request, done, field, request.GET.get("back", ""))})
    return answer


def _form(
    request: HttpRequest,
    query: ListQuery,
    customer: Customer,
    field: Field,
    text: str,
    seen: str,
    *,
    conflict: bool = False,
    problem: str = "",
) -> HttpResponse:
    control = _control(field, _to_control(field, text) if not field.several else text)
    form = forms.Form(auto_id="cell-%s")
    form.fields["value"] = control
    form.initial = {"value": _to_control(field, text)}
    context = {
        "customer": customer,
        "field": form["value"],
        "seen": seen,
        "address": reverse("customer-cell", args=[customer.public_id, field.key])
        + f"{query.shape}&{urlencode({'back': request.GET.get('back', '')})}",
        "problem": problem,
        "theirs": _said(field, control, seen) if conflict else "",
        "yours": _said(field, control, text) if conflict else "",
    }
    return render(request, "customers/cell.html", context)


def _again(answer: HttpResponse) -> HttpResponse:
    """The form once more, in its own place."""
    answer["HX-Retarget"] = "#cell-form"
    answer["HX-Reswap"] = "outerHTML"
    return answer


def toast(request: HttpRequest, done: Edited, field: Field, back: str) -> dict[str, str]:
    """What is told of a change, with the address of its undo, which leads to the list ``back``."""
    token = keep(request, _DONE, {"done": done.to_dict(), "back": back})
    text = _("%(field)s saved.") % {"field": field.label}
    return {"text": text, "undo": reverse("customers-cell-back", args=[token]), "level": "success"}


@require_POST
@page("edit")
def take_back(request: HttpRequest, token: str) -> HttpResponse:
    """Undoes a change of one field, for who made it, and leads back to where that person was."""
    known = kept(request, _DONE, token)
    try:
        row = take_back_cell(actor(request), Edited(**known["done"]))
    except RondoError as error:
        messages.error(request, str(error))
    else:
        used(request, _DONE, token)
        messages.success(request, _("%(customer)s: taken back.") % {"customer": row})
    back = known["back"]
    return redirect(reverse("customers") + (back if back.startswith("?") else ""))
