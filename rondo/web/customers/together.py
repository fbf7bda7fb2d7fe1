"""Changing the selected customers of a list together, and undoing it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from rondo.customers.actions import Together, change_together, take_back_together
from rondo.errors import RondoError
from rondo.foundation.models import Team, User
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.customers.fields import Field, catalogue
from rondo.web.customers.filters import number_as_written
from rondo.web.customers.forms import form_field
from rondo.web.taking_back import keep, kept, used

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_DONE = "changed_together"


def changeable(fields: Mapping[str, Field]) -> list[tuple[str, "_StrOrPromise"]]:
    """Keys and labels of what can be set for many customers, of a viewer's fields: owner, team, attributes."""
    known = [(key, field.label) for key, field in fields.items() if field.place == "attribute"]
    return [("owner", gettext_lazy("Owner")), ("team", gettext_lazy("Team")), *known]


def _control(viewer: User, key: str) -> tuple[forms.Field, Field | None]:
    """The form field of a key, and the column where it is an attribute."""
    if key == "owner":
        people = User.objects.filter(is_active=True, is_service=False).order_by("name", "email")
        return forms.ChoiceField(
            label=_("Owner"), choices=[("", _("nobody")), *((one.pk, str(one)) for one in people)], required=False
        ), None
    if key == "team":
        teams = Team.objects.order_by("name")
        return forms.ChoiceField(
            label=_("Team"), choices=[("", _("none")), *((one.pk, one.name) for one in teams)], required=False
        ), None
    field = catalogue(viewer).get(key)
    if field is None or field.place != "attribute":
        raise Http404(_("This cannot be set for many customers; choose from the list."))
    control = form_field(field, "|".join(field.retired) if field.several else "")
    if isinstance(control, forms.MultipleChoiceField):  # those that are offered no more can be taken away
        labels = [
            (key, _("%(choice)s (retired)") % {"choice": name} if key in field.retired else name)
            for key, name in field.choices
        ]
        control.choices = labels
    control.required = True
    return control, field


@require_GET
@page("edit")
def value(request: HttpRequest) -> HttpResponse:
    """The control for the value of the field chosen."""
    key = request.GET.get("field", "")
    if not key:
        return render(request, "customers/selected_value.html", {"field": None})
    form = forms.Form(auto_id="change-%s")
    form.fields["value"], field = _control(viewer(request), key)
    several = field is not None and field.several
    return render(request, "customers/selected_value.html", {"field": form["value"], "several": several})


@require_POST
@page("edit")
def change(request: HttpRequest) -> HttpResponse:
    """Sets the field for the selected customers, all or none; the answer offers the undo."""
    back = request.POST.get("back", "")
    answer = redirect(_list(back))
    key, given = request.POST.get("field", ""), "|".join(request.POST.getlist("value")).strip()
    field = _control(viewer(request), key)[1]
    try:
        sent = number_as_written(given, field) if field is not None and field.numeric and given else given
        asked = request.POST.get("how", "set")
        how: Literal["set", "add", "remove"] = "add" if asked == "add" else "remove" if asked == "remove" else "set"
        done = change_together(actor(request), request.POST.getlist("id"), key, sent or None, how)
    except (RondoError, forms.ValidationError) as error:
        text = " ".join(error.messages) if isinstance(error, forms.ValidationError) else str(error)
        messages.error(request, text)
        return answer
    count = len(done.was)
    if not count:
        messages.info(request, _("All of them had this value already."))
        return answer
    token = keep(request, _DONE, {**done.to_dict(), "back": back})
    text = ngettext("%(n)s customer changed.", "%(n)s customers changed.", count) % {"n": formats.number(count)}
    messages.success(request, text, extra_tags=f"undo:{reverse('customers-selected-back', args=[token])}")
    return answer


@require_POST
@page("edit")
def take_back(request: HttpRequest, token: str) -> HttpResponse:
    """Undoes a change to selected customers, for who made it; what was changed again since stays."""
    known = kept(request, _DONE, token)
    was = [(key, before) for key, before in known["was"]]
    done = Together(
        known["field"], known["after"], was, known.get("each", {}), known.get("gone", {}), known.get("definition", 0)
    )
    restored, left = take_back_together(actor(request), done)
    used(request, _DONE, token)
    text = ngettext("%(n)s customer put back.", "%(n)s customers put back.", restored) % {"n": formats.number(restored)}
    if left:
        text += " " + ngettext("%(n)s was changed since and stays.", "%(n)s were changed since and stay.", left) % {
            "n": formats.number(left)
        }
    messages.success(request, text)
    return redirect(_list(known["back"]))


def _list(back: str) -> str:
    """The address of the list as it was, from what followed it."""
    return reverse("customers") + (back if back.startswith("?") else "")
