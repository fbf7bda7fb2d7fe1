"""Roles as a matrix of rights and reaches, and the page of one, where they are changed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation import roles as actions
from rondo.foundation.models import Role
from rondo.foundation.registry import registries
from rondo.foundation.rights import ADMINISTRATOR, MASKS, REACHES, RIGHTS, role_reach
from rondo.web.access import actor, page, viewer
from rondo.web.people.entries import shown
from rondo.web.people.words import role_sentence


class CopyForm(forms.Form):
    """A new role."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    like = forms.ChoiceField(label=gettext_lazy("Begins as a copy of"))

    def __init__(self, data: object = None) -> None:
        super().__init__(data, initial={"like": "sales"})  # type: ignore[arg-type]
        self.fields["like"].choices = [(role.key, str(role)) for role in actions.roles()]  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    """Name, rights, reach per room and masks of a role."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, required=False)
    rights = forms.MultipleChoiceField(
        label=pgettext_lazy("rights of a role", "May"),
        choices=list(RIGHTS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    masked = forms.MultipleChoiceField(
        label=gettext_lazy("Masked"), choices=list(MASKS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, role: Role, data: object = None) -> None:
        initial: dict[str, Any] = {"name": str(role), "rights": role.rights, "masked": role.masked}
        for room in registries.rooms:
            initial[f"reach_{room.key}"] = role_reach(role, room.key)
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        for room in sorted(registries.rooms, key=lambda room: room.order):
            self.fields[f"reach_{room.key}"] = forms.ChoiceField(
                label=room.label, choices=[(reach, REACHES[reach]) for reach in room.reaches]
            )

    def reaches(self) -> list[forms.BoundField]:
        """The fields of the reaches, a room each."""
        return [self[name] for name in self.fields if name.startswith("reach_")]

    def values(self) -> dict[str, Any]:
        """The cleaned values as :func:`rondo.foundation.roles.change_role` takes them."""
        found = self.cleaned_data
        return {name: found[name] for name in ("name", "rights", "masked")} | {
            "reaches": {room.key: found[f"reach_{room.key}"] for room in registries.rooms}
        }


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def roles(request: HttpRequest) -> HttpResponse:
    """All roles: rights by role, reach by role and room, and a form for one more."""
    form = CopyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.add_role(actor(request), form.cleaned_data["name"], form.cleaned_data["like"])
        except InputError as error:
            form.add_error("name", str(error))
        else:
            messages.success(
                request,
                _("The role %(role)s is there.") % {"role": made},
                extra_tags=f"undo:{reverse('role-delete', args=[made.key])}",
            )
            return redirect("role", made.key)
    rows = actions.roles()
    counts = dict(Role.objects.annotate(n=Count("users", filter=Q(users__is_active=True))).values_list("pk", "n"))
    rooms = sorted(registries.rooms, key=lambda room: room.order)
    context = {
        "form": form,
        "roles": [(role, counts[role.pk]) for role in rows],
        "rights": [
            (label, [role.key == ADMINISTRATOR or key in role.rights for role in rows]) for key, label in RIGHTS.items()
        ],
        "rooms": [(room.label, [REACHES[role_reach(role, room.key)] for role in rows]) for room in rooms],
        "masks": [
            (label, [role.key != ADMINISTRATOR and key in role.masked for role in rows]) for key, label in MASKS.items()
        ],
    }
    return render(request, "people/roles.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page("administer")
def role(request: HttpRequest, key: str) -> HttpResponse:
    """One role: what who has it may do and see, the form, its users, and what was changed about it."""
    row = actions.find_role(key)
    form = RoleForm(row, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _row, entry = actions.change_role(actor(request), key, **form.values())
        except (InputError, StateError) as error:
            form.add_error(None, str(error))
        else:
            undo = f"undo:{reverse('undo-change', args=[entry.pk])}" if entry else ""
            messages.success(request, _("Saved. It holds from the next page on."), extra_tags=undo)
            return redirect("role", key)
    context = {
        "role": row,
        "fixed": row.key == ADMINISTRATOR,
        "form": form,
        "sentence": role_sentence(row),
        "people": row.users.order_by("name", "email"),
        "entries": shown(viewer(request), audit.entries_of("role", row.pk, 30)),
    }
    return render(request, "people/role.html", context, status=422 if form.errors else 200)


@require_POST
@page("administer")
def reset(request: HttpRequest, key: str) -> HttpResponse:
    """Put a built-in role back to what it was at first, with an undo."""
    _row, entry = actions.reset_role(actor(request), key)
    undo = f"undo:{reverse('undo-change', args=[entry.pk])}" if entry else ""
    messages.success(request, _("The role is as it was at first."), extra_tags=undo)
    return redirect("role", key)


@require_POST
@page("administer")
def delete(request: HttpRequest, key: str) -> HttpResponse:
    """Delete a role that nobody has, with an undo."""
    entry = actions.delete_role(actor(request), key)
    messages.success(
        request,
        _("The role %(role)s is deleted.") % {"role": entry.changes["name"][0]},
        extra_tags=f"undo:{reverse('undo-change', args=[entry.pk])}",
    )
    return redirect("roles")
