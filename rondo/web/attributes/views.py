"""The list of attributes, the page of one, and a new one."""

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from rondo.customers.actions import (
    archive_attribute,
    change_attribute,
    move_attribute,
    new_attribute,
    restore_attribute,
    take_back_attribute,
)
from rondo.customers.actions.converting import former_of, progress_of
from rondo.customers.actions.definitions import find_attribute, uses_of
from rondo.customers.models import AttributeDefinition, AttributeValue
from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation.loads import shown as in_sight
from rondo.foundation.models import AuditEntry, User
from rondo.foundation.roles import roles
from rondo.web.access import actor, page, viewer
from rondo.web.attributes.forms import AttributeForm, NewForm, choices_in, initial_of, lines_of, said_of
from rondo.web.customers.fields import attribute_fields
from rondo.web.people.entries import shown

State = AttributeDefinition.State


@require_http_methods(["GET", "HEAD"])
@page("administer")
def attributes(request: HttpRequest) -> HttpResponse:
    """All attributes in their order, and those in the archive."""
    rows = AttributeDefinition.everything.filter(state__in=[State.STANDING, State.ARCHIVED])
    values = AttributeValue.objects.filter(in_sight()).order_by()
    counts = dict(values.values_list("definition").annotate(n=Count("pk")))
    names = {role.key: str(role) for role in roles()}
    told = [
        {
            "row": row,
            "customers": counts.get(row.pk, 0),
            "said": said_of(row),
            "seen": None if row.visible_to is None else [names.get(key, key) for key in row.visible_to],
        }
        for row in rows
    ]
    context = {
        "standing": [one for one in told if one["row"].state == State.STANDING],
        "archived": [one for one in told if one["row"].state == State.ARCHIVED],
    }
    return render(request, "attributes/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def define(request: HttpRequest) -> HttpResponse:
    """The form of a new attribute."""
    form = NewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            row = new_attribute(
                actor(request), given["key"], type=given["type"], choices=form.choices(), **form.values()
            )
        except (InputError, StateError) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(attribute)s is there.") % {"attribute": row}, extra_tags=_undo(row))
            return redirect("attributes")
    return render(request, "attributes/new.html", {"form": form}, status=422 if form.errors else 200)


def _undo(row: AttributeDefinition, entry: AuditEntry | None = None) -> str:
    """The mark of a message that offers to take back the last change of an attribute."""
    found = entry or next(iter(audit.entries_of("attribute", row.pk, 1)), None)
    return f"undo:{reverse('attribute-back', args=[found.pk])}" if found is not None else ""


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def attribute(request: HttpRequest, key: str) -> HttpResponse:
    """One attribute: what it asks for, its choices, its type, and what was changed about it."""
    row = find_attribute(key)
    form = AttributeForm(request.POST if request.method == "POST" else None, initial_of(row))
    choices = lines_of(row)
    if request.method == "POST" and form.is_valid():
        fields = form.values()
        if row.has_choices:
            fields["choices"] = choices_in(row, request.POST)
            choices = [{**choice, "place": n} for n, choice in enumerate(fields["choices"], start=1)]
        version = request.POST.get("version", "")
        try:
            seen = int(version) if version.isdecimal() and len(version) < 10 else None
            row, entry = change_attribute(actor(request), key, expected_version=seen, **fields)
        except (InputError, StateError) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."), extra_tags=_undo(row, entry) if entry else "")
            return redirect("attribute", key)
    context = {**_told(viewer(request), row), "form": form, "choices": choices, "entries": _entries(request, row)}
    return render(request, "attributes/attribute.html", context, status=422 if form.errors else 200)


def _entries(request: HttpRequest, row: AttributeDefinition) -> list[Any]:
    return shown(viewer(request), audit.entries_of("attribute", row.pk, 30))


def _told(user: User, row: AttributeDefinition) -> dict[str, Any]:
    customers = AttributeValue.objects.filter(in_sight(), definition=row).count()
    done, every = progress_of(row) if row.changing else (0, 0)
    former = former_of(row.key)
    return {
        "attribute": row,
        "customers": customers,
        "archived": row.state == State.ARCHIVED,
        "uses": uses_of(user, row.key),
        "types": [(value, label) for value, label in AttributeDefinition.Type.choices if value != row.type],
        "mergeable": _named(row) if len(row.choices) > 1 else [],
        "changing_to": AttributeDefinition.Type(row.changing).label if row.changing else "",
        "done": done,
        "every": every,
        "former": former,
        "list_url": f"{reverse('customers')}?f=attr.{row.key}:known",
    }


def _named(row: AttributeDefinition) -> list[tuple[str, str]]:
    """The choices, with what they are called in the language in force."""
    (field,) = attribute_fields([row])
    return [(value, str(label)) for value, label in field.choices]


@require_POST
@page("administer")
def archive(request: HttpRequest, key: str) -> HttpResponse:
    """Take an attribute out of use, with an undo."""
    row = find_attribute(key)
    entry = archive_attribute(actor(request), key)
    messages.success(request, _("%(attribute)s is in the archive.") % {"attribute": row}, extra_tags=_undo(row, entry))
    return redirect("attributes")


@require_POST
@page("administer")
def restore(request: HttpRequest, key: str) -> HttpResponse:
    """Put an archived attribute back into use, with an undo."""
    row = find_attribute(key)
    entry = restore_attribute(actor(request), key)
    messages.success(request, _("%(attribute)s is in use again.") % {"attribute": row}, extra_tags=_undo(row, entry))
    return redirect("attributes")


@require_POST
@page("administer")
def move(request: HttpRequest, key: str) -> HttpResponse:
    """One place up or down."""
    move_attribute(actor(request), key, up=request.POST.get("to") == "up")
    return redirect("attributes")


@require_POST
@page("administer")
def take_back(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Undo one change of an attribute."""
    take_back_attribute(actor(request), entry_id)
    messages.success(request, _("Taken back."))
    return redirect("attributes")
