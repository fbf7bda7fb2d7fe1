"""Keeping a list as a view: saved, changed, shared, deleted, arranged, and each taken back."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rondo.errors import InputError, RondoError
from rondo.foundation.models import AuditEntry
from rondo.foundation.rights import has_right
from rondo.lists.actions import arrange, change_view, delete_view, save_view, take_back
from rondo.lists.queries import may_change
from rondo.web.access import actor, page, viewer
from rondo.web.customers.query import ListQuery
from rondo.web.customers.tabs import ALL, Tab, tab_of
from rondo.web.customers.views.reading import read_query


def tab_context(query: ListQuery, tabs: Sequence[Tab], default: str) -> dict[str, Any]:
    """What the row of tabs needs: the views, which of them is open, and what may be done with it."""
    open_one = query.base
    if open_one is None and not query.text and not query.rule_text:
        open_one = next((tab for tab in tabs if not tab.view and list(tab.state.filters) == query.filters), None)
    saved = open_one.view if open_one is not None else None
    return {
        "tabs": tabs,
        "open": open_one,
        "saved": saved,
        "default": default,
        "may_change_view": saved is not None and may_change(query.viewer, saved),
        "may_share": has_right(query.viewer, "share"),
        "may_arrange_for_all": has_right(query.viewer, "administer"),
    }


def _told(request: HttpRequest, text: str, entry: AuditEntry | None) -> None:
    """A toast that undoes what the entry tells."""
    undo = reverse("customers-view-back", args=[entry.pk]) if entry is not None else ""
    messages.success(request, text, extra_tags=f"undo:{undo}" if undo else "")


def _list(address: str) -> HttpResponse:
    return redirect(reverse("customers") + address)


def _refusable(change: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """What cannot be done is said above the list as it was."""

    @wraps(change)
    def tried(request: HttpRequest, **named: Any) -> HttpResponse:
        try:
            return change(request, **named)
        except RondoError as error:
            messages.error(request, str(error))
            back = request.POST.get("back", "")
            return _list(back if back.startswith("?") else f"?view={ALL}")

    return tried


def _query(request: HttpRequest) -> ListQuery:
    query = read_query(request, request.POST)
    if query.errors:
        raise InputError(" ".join(query.errors))
    return query


@require_POST
@page()
@_refusable
def save(request: HttpRequest) -> HttpResponse:
    """Keeps the list under a name."""
    shared = bool(request.POST.get("shared"))
    row, entry = save_view(actor(request), request.POST.get("name", ""), _query(request).state, shared=shared)
    _told(request, _("The view “%(view)s” is saved.") % {"view": row}, entry)
    return _list(f"?view={row.key}")


@require_POST
@page()
@_refusable
def change(request: HttpRequest, key: str) -> HttpResponse:
    """Names or shares a view; or, where the form says so, keeps in it what the list shows now."""
    given = request.POST.get("version", "")
    fields: dict[str, Any] = {"name": request.POST.get("name", ""), "is_shared": bool(request.POST.get("shared"))}
    if "keep" in request.POST:
        fields = {"query": _query(request).state}
    version = int(given) if given.isdecimal() and len(given) < 10 else None
    row, entry = change_view(actor(request), key, expected_version=version, **fields)
    if entry is not None:
        _told(request, _("The view “%(view)s” is saved.") % {"view": row}, entry)
    return _list(f"?view={row.key if row.is_shared or row.owner_id == viewer(request).pk else ALL}")


@require_POST
@page()
@_refusable
def delete(request: HttpRequest, key: str) -> HttpResponse:
    """Deletes a view; the answer offers the undo."""
    row, entry = delete_view(actor(request), key)
    _told(request, _("The view “%(view)s” is deleted.") % {"view": row}, entry)
    return _list(f"?view={ALL}")


@require_POST
@page()
@_refusable
def back(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Takes back what was done to a view."""
    row = take_back(actor(request), entry_id)
    messages.success(request, _("Taken back."))
    return _list(f"?view={ALL if row.deleted_at else row.key}")


@require_POST
@page()
@_refusable
def arrange_tabs(request: HttpRequest) -> HttpResponse:
    """Keeps the order of the tabs and which of them the list opens with."""
    default, everybody = request.POST.get("default", ""), "everybody" in request.POST
    if default:
        tab_of(viewer(request), default)
    arrange(actor(request), request.POST.getlist("order"), default, everybody=everybody)
    messages.success(request, _("Everybody's tabs are arranged.") if everybody else _("Your tabs are arranged."))
    asked = request.POST.get("back", "")
    return _list(asked if asked.startswith("?") else "")
