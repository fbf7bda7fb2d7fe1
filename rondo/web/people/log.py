"""The audit log: searched, paged by key, as CSV; the changes of one record; and taking back what can be."""

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from rondo.customers.queries import record_ids
from rondo.errors import InputError
from rondo.foundation.installation import zone
from rondo.foundation.models import AuditEntry, User
from rondo.foundation.rights import has_right, reach_of
from rondo.foundation.spreadsheets import harmless
from rondo.foundation.undoing import take_back
from rondo.interactions import audited
from rondo.web.access import actor, page, viewer
from rondo.web.people.entries import shown
from rondo.web.people.records import KINDS, named
from rondo.web.people.wording import DOORS

PAGE_SIZE = 50
MOST_ROWS = 100_000
"""Rows of a CSV file of the log."""


class LogForm(forms.Form):
    """What is looked for."""

    who = forms.CharField(label=gettext_lazy("Who"), max_length=120, required=False)
    record = forms.ChoiceField(label=gettext_lazy("Record"), required=False)
    door = forms.ChoiceField(label=gettext_lazy("Through"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    text = forms.CharField(label=gettext_lazy("Field or value"), max_length=100, required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        records = sorted(((key, str(kind.label)) for key, kind in KINDS.items()), key=lambda one: one[1])
        self.fields["record"].choices = [("", _("any")), *records]  # type: ignore[attr-defined]
        self.fields["door"].choices = [("", _("any")), *DOORS.items()]  # type: ignore[attr-defined]


def searched(viewer: User, form: LogForm) -> QuerySet[AuditEntry]:
    """The entries in the viewer's reach that the form asks for."""
    return audited.searched(viewer, **form.cleaned_data) if form.is_valid() else audited.visible(viewer)


@require_GET
@page("audit")
def log(request: HttpRequest) -> HttpResponse:
    """The entries in the viewer's reach that the form asks for, newest first."""
    user = viewer(request)
    form = LogForm(request.GET)
    found = list(_before(searched(user, form), request)[: PAGE_SIZE + 1])
    context = {
        "form": form,
        "entries": shown(user, found[:PAGE_SIZE]),
        "more": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else 0,
        "asked": _asked(request),
        "reach": reach_of(user, "audit"),
        "may_export": has_right(user, "export"),
    }
    return render(request, "people/log.html", context, status=422 if form.errors else 200)


def _asked(request: HttpRequest) -> str:
    return urlencode({name: request.GET[name] for name in LogForm.base_fields if request.GET.get(name)})


def _before(rows: QuerySet[AuditEntry], request: HttpRequest) -> QuerySet[AuditEntry]:
    before = request.GET.get("before", "")
    return rows.filter(pk__lt=int(before)) if before.isdecimal() and len(before) < 19 else rows


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


@require_GET
@page("audit")
def download(request: HttpRequest) -> StreamingHttpResponse:
    """The entries as CSV, a row per field changed, streamed."""
    actor(request).require("export")
    user, form = viewer(request), LogForm(request.GET)
    if not form.is_valid():
        raise InputError(_("What is looked for cannot be read; correct it on the page of the log."))
    rows = searched(user, form)[:MOST_ROWS]
    response = StreamingHttpResponse(_lines(user, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rondo-audit-log.csv"'
    return response


def _lines(user: User, rows: QuerySet[AuditEntry]) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    heads = (_("When"), _("Who"), _("Through"), _("What"), _("Record"), _("Field"), _("From"), _("To"))
    yield "\ufeff" + write(heads)
    batch: list[AuditEntry] = []
    for row in rows.iterator(chunk_size=500):
        batch.append(row)
        if len(batch) == 500:
            yield from _told(user, batch, write)
            batch = []
    yield from _told(user, batch, write)


def _told(user: User, batch: list[AuditEntry], write: Any) -> Iterator[str]:
    for one in shown(user, batch):
        start = (one.at.astimezone(zone()).isoformat(timespec="seconds"), one.who, one.door, one.verb, one.record)
        ends = [(field.label, field.before, field.after) for field in one.fields] or [("", "", "")]
        for end in ends:
            yield write([harmless(str(cell)) for cell in (*start, *end)])


@require_GET
@page()
def changes(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """What was changed about one record, for whoever may open its page."""
    user = viewer(request)
    known = KINDS.get(kind)
    found = known.handle(key) if known is not None and known.seen is not None else None
    record = None if found is None else named(user, [(kind, found)]).get((kind, found))
    if record is None or found is None:
        raise Http404(key)
    records = record_ids(found) if kind == "customer" else [found]
    rows = AuditEntry.objects.filter(record_type=kind, record_id__in=records).select_related("actor").order_by("-id")
    entries = list(_before(rows, request)[: PAGE_SIZE + 1])
    context = {
        "name": record[0],
        "url": record[1],
        "entries": shown(user, entries[:PAGE_SIZE]),
        "more": entries[PAGE_SIZE - 1].pk if len(entries) > PAGE_SIZE else 0,
    }
    return render(request, "people/changes.html", context)


@require_POST
@page("administer")
def undo(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Take back a change of a user, a team or a role."""
    entry = take_back(actor(request), entry_id)
    messages.success(request, _("Taken back."))
    record = named(viewer(request), [(entry.record_type, entry.record_id)]).get((entry.record_type, entry.record_id))
    return redirect(record[1] if record else f"{entry.record_type}s")
