"""One import run: what it brought, what it refused, and taking it back."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.foundation.models import Load
from rondo.foundation.registry import registries
from rondo.interactions.importing import choosing, undo, wording
from rondo.interactions.importing.undoing import undone_at
from rondo.web.access import actor, page, viewer
from rondo.web.imports import forms


@require_GET
@page("import", "imports")
def run(request: HttpRequest, run: int) -> HttpResponse:
    """What a run brought, how its file was read, and the way to take it back."""
    row = choosing.get_load(viewer(request), run)
    kind = registries.import_kinds.get(row.kind)
    labels = forms.labels_of(row.kind) if kind else {}
    options: dict[str, Any] = row.options
    context = {
        "run": row,
        "kind_label": kind.label if kind else row.kind,
        "rows": row.counts.get("rows", 0),
        "refused": row.counts.get("rows_rejected", 0),
        "counts": [
            (wording.counted(name, count), count, _behind(row, name))
            for name, count in row.counts.items()
            if name not in {"rows", "rows_rejected"}
        ],
        "mapping": [(column, labels.get(field, field)) for field, column in options.get("mapping", {}).items()],
        "constants": [(labels.get(field, field), value) for field, value in options.get("constants", {}).items()],
        "found": [
            (wording.found(name), wording.found_value(name, value)) for name, value in options.get("found", {}).items()
        ],
        "standing": row.status == Load.Status.VISIBLE,
        "rejects": choosing.rejects_of(row) is not None,
        "undone": undone_at(row),
        "kept": [(wording.counted(name, count), count) for name, count in row.undo.get("kept", {}).items() if count],
    }
    return render(request, "imports/run.html", context)


def _behind(row: Load, name: str) -> str:
    """The list of the customers behind a figure; empty where there is none."""
    if name == "customers_created" and row.status == Load.Status.VISIBLE:
        return f"{reverse('customers')}?rule=imported_by+%3D+{row.pk}"
    return ""


@require_GET
@page("import", "imports")
def rejects(request: HttpRequest, run: int) -> HttpResponseBase:
    """The refused rows with their reasons, to be mended and brought in again."""
    row = choosing.get_load(viewer(request), run)
    path = choosing.rejects_of(row)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv; charset=utf-8")


@require_POST
@page("import", "imports")
def again(request: HttpRequest, run: int) -> HttpResponse:
    """Bring the refused rows in again as a file of their own, to be looked at."""
    row = choosing.get_load(viewer(request), run)
    taken = choosing.take_rejects(actor(request), row)
    return redirect("import-file", taken.public_id)


@require_POST
@page("import", "imports")
def take_back(request: HttpRequest, run: int) -> HttpResponse:
    """Take a run back: what it created is retracted, what it changed is restored where nobody changed it since."""
    row = choosing.get_load(viewer(request), run)
    done = undo(actor(request), row.pk)
    messages.success(
        request,
        _("Run %(run)d is taken back: %(restored)d records restored, %(left)d values left since somebody changed them.")
        % {"run": row.pk, "restored": done.undo.get("restored", 0), "left": done.undo.get("left", 0)},
    )
    return redirect("import-run", row.pk)
