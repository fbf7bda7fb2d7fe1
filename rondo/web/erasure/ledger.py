"""The erasures that were made: how far one is, what it did, the ledger, and what the law keeps of the erased."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from rondo.erasure.actions import ledger as marks
from rondo.erasure.actions import set_years
from rondo.erasure.jobs import enqueue_erasure
from rondo.erasure.models import Erased, Erasure, KeptFigure
from rondo.erasure.queries import get_erasure, keeping
from rondo.errors import NotFound, RondoError
from rondo.foundation.registry import registries
from rondo.foundation.rights import has_right
from rondo.foundation.spreadsheets import harmless
from rondo.web.access import actor, page, viewer

SHOWN = 100
STEPS = {
    "files": gettext_lazy("Files that wait or were refused are looked through"),
    "texts": gettext_lazy("Notes, views and the audit log are looked through"),
    "rows": gettext_lazy("The rows go"),
    "copy": gettext_lazy("The copy for analysis follows"),
    "pages": gettext_lazy("What was freed in the database file is overwritten"),
}
TEXTS = {
    "audit": gettext_lazy("Audit log"),
    "interactions": gettext_lazy("Contacts with others"),
    "views": gettext_lazy("Saved views"),
    "segments": gettext_lazy("Segments"),
    "loads": gettext_lazy("Imports"),
    "import_files": gettext_lazy("Files to import"),
    "import_mappings": gettext_lazy("Saved mappings of imports"),
    "answers": gettext_lazy("Answers kept for who asks the API again"),
    "tasks": gettext_lazy("Jobs"),
    "sessions": gettext_lazy("Sign-ins of people who work here, ended"),
    "uploads": gettext_lazy("Uploaded files, put away"),
    "rejects": gettext_lazy("Lines of refused rows"),
}
"""What else named the person, in words."""


def _found(request: HttpRequest, public_id: str) -> Erasure:
    try:
        return get_erasure(actor(request), public_id)
    except NotFound as error:
        raise Http404(public_id) from error


@require_GET
@page("erase")
def erasures(request: HttpRequest) -> HttpResponse:
    """The erasures, the newest first, what is kept, and the ledger."""
    rows = list(Erasure.objects.select_related("actor").order_by("-pk")[:SHOWN])
    context = {
        "erasures": rows,
        "persons": sum(Erasure.objects.filter(rows_at__isnull=False).values_list("persons", flat=True)),
        "records": Erased.objects.count(),
        "kept": KeptFigure.objects.count(),
        "keeping": keeping(),
        "may_administer": has_right(viewer(request), "administer"),
        "ledger_name": marks.FILE,
    }
    return render(request, "erasure/list.html", context)


@require_GET
@page("erase")
def erasure(request: HttpRequest, public_id: str) -> HttpResponse:
    """One erasure: how far it is, or what it did."""
    row = _found(request, public_id)
    return render(request, "erasure/erasure.html", {"erasure": row, "told": _told(row), "going": _going(row)})


@require_GET
@page("erase")
def progress(request: HttpRequest, public_id: str) -> HttpResponse:
    """How far it is; the page is loaded anew when it has ended."""
    row = _found(request, public_id)
    if not row.under_way:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "erasure/progress.html", {"erasure": row, "going": _going(row)})


@require_POST
@page("erase")
def again(request: HttpRequest, public_id: str) -> HttpResponse:
    """Let an erasure that was stopped go on."""
    row = _found(request, public_id)
    if row.status == Erasure.Status.FAILED:
        enqueue_erasure(row.pk)
        messages.success(request, _("It goes on; a worker takes it up shortly."))
    return redirect("erasure", row.public_id)


def _going(row: Erasure) -> dict[str, Any] | None:
    if not row.under_way:
        return None
    seconds = (timezone.now() - row.started_at).total_seconds() if row.started_at else 0.0
    waiting = row.status == Erasure.Status.QUEUED
    return {"waiting": waiting, "step": str(STEPS.get(row.step, "")), "elapsed": round(seconds)}


def _told(row: Erasure) -> list[tuple[str, list[tuple[str, int]]]]:
    """What it did, by what became of it, in words."""
    labels = {one.key: str(one.label) for one in registries.holdings}
    figures = {one.key: str(one.label) for one in registries.kept_figures}
    parts = (
        ("deleted", _("Went"), labels),
        ("blanked", _("Stayed without the person"), labels),
        ("kept", _("Kept as figures without the person"), figures),
        ("texts", _("Named the person elsewhere"), labels | TEXTS),
        ("files", _("Files that named the person"), TEXTS),
        ("entries", _("Entries whose values were replaced"), {"audit": _("Audit log")}),
    )
    found = []
    for part, heading, words in parts:
        counts = {key: count for key, count in row.results.get(part, {}).items() if count}
        if counts:
            lines = sorted(counts.items(), key=lambda pair: -pair[1])
            found.append((heading, [(str(words.get(key, key)), count) for key, count in lines]))
    return found


@require_POST
@page("administer")
def years(request: HttpRequest) -> HttpResponse:
    """For how many years which figures are kept."""
    try:
        for figures, _now in keeping():
            given = request.POST.get(figures.key, "")
            if given.isdecimal() and len(given) < 4:
                set_years(actor(request), figures.key, int(given))
    except RondoError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Saved. It holds for erasures from now on."))
    return redirect("erasures")


@require_GET
@page("erase")
def ledger_file(request: HttpRequest) -> HttpResponse:
    """The ledger as a file, to bring along to another home."""
    marks.mirror()
    file = marks.path()
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    response = HttpResponse(text, content_type="application/jsonl")
    response["Content-Disposition"] = f'attachment; filename="{marks.FILE}"'
    return response


@require_GET
@page("erase")
def kept(request: HttpRequest) -> StreamingHttpResponse:
    """The figures that are kept of the erased, as CSV."""
    response = StreamingHttpResponse(_lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rondo-kept-figures.csv"'
    return response


def _lines() -> Iterator[str]:
    yield _line(["kind", "day", "kept_until", "source", "number", "store", "total_minor", "currency", "lines"])
    names = ("source", "number", "store", "total", "currency", "lines")
    for row in KeptFigure.objects.order_by("day", "pk").iterator(chunk_size=2000):
        values = [row.values.get(name) for name in names]
        cells = [value if isinstance(value, int) else harmless(str(value or "")) for value in values]
        yield _line([row.kind, row.day.isoformat(), row.until.isoformat(), *cells])


def _line(cells: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
