"""A file on its way in: the list of runs with the upload, what its columns are, its trial, its import."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rondo.customers.models import AttributeDefinition, Source
from rondo.errors import InputError, RondoError, StateError
from rondo.foundation.models import Load
from rondo.foundation.registry import registries
from rondo.interactions.importing import choosing, foretold, wording
from rondo.interactions.importing.choices import Choice
from rondo.interactions.importing.foretelling import OUTCOMES
from rondo.interactions.models import ImportFile
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.imports import fixed, forms
from rondo.web.imports.showing import shown

_BUSY = (ImportFile.Status.QUEUED, ImportFile.Status.RUNNING)


@require_http_methods(["GET", "HEAD", "POST"])
@page("import", "imports")
def imports(request: HttpRequest) -> HttpResponse:
    """What came in so far, and the way to bring a file in; posted, the file."""
    if request.method == "POST":
        try:
            return _take(request)
        except InputError as error:
            return _list(request, str(error))
    return _list(request)


def _list(request: HttpRequest, error: str = "") -> HttpResponse:
    user = viewer(request)
    runs = choosing.loads(user)
    context = {
        "files": choosing.files(user),
        "runs": [(run, kind_of(run), summary(run)) for run in runs],
        "rows": sum(run.counts.get("rows", 0) for run in runs if run.status == Load.Status.VISIBLE),
        "standing": sum(run.status == Load.Status.VISIBLE for run in runs),
        "limit_mb": settings.RONDO_UPLOAD_LIMIT_MB,
        "error": error,
    }
    return render(request, "imports/list.html", context, status=422 if error else 200)


def kind_of(run: Load) -> str:
    """What the rows of a run are."""
    kind = registries.import_kinds.get(run.kind)
    return str(kind.label) if kind else run.kind


def summary(run: Load) -> str:
    """What a run brought, in words."""
    left_out = {"rows", "rows_rejected"}
    return ", ".join(
        f"{formats.number(count)} {wording.counted(name, count)}"
        for name, count in run.counts.items()
        if name not in left_out
    )


def _take(request: HttpRequest) -> HttpResponse:
    given = request.FILES.get("file")
    if not isinstance(given, TemporaryUploadedFile):
        raise InputError(_("Choose a file first."))
    row = choosing.take_upload(actor(request), given)
    return redirect("import-file", row.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@page("import", "imports")
def file(request: HttpRequest, public_id: str) -> HttpResponse:
    """One file: its first rows and what its columns are; or how far the work is; or what the trial found."""
    row = choosing.get_file(viewer(request), public_id)
    if row.status == ImportFile.Status.DONE and row.load_id is not None:
        return redirect("import-run", row.load_id)
    if request.method == "POST":
        return _chosen(request, row)
    if row.under_way:
        return render(request, "imports/working.html", {"file": row, "going": _going(row)})
    if row.status == ImportFile.Status.TRIED and request.GET.get("step") != "columns":
        return _trial(request, row)
    return _columns(request, row)


def _chosen(request: HttpRequest, row: ImportFile) -> HttpResponse:
    """Keep what the form says; then try or import, as its button says."""
    try:
        if not row.kind:
            choosing.take_encoding(actor(request), row, request.POST.get("encoding", ""))
            return redirect("import-file", row.public_id)
        seen = choosing.preview(row)
        source, choice = forms.read(request.POST, viewer(request), row.kind, seen)
        choosing.choose(actor(request), row, kind=row.kind, source=source, choice=choice)
        if choosing.preview(row).columns != seen.columns:  # another mark, or another line of names
            choosing.take_for(actor(request), row, row.kind, choice)
            messages.info(request, _("The columns are read anew; look at what each of them is."))
            return redirect("import-file", row.public_id)
        if missing := choosing.lacking(row.kind, choice):
            labels = forms.labels_of(row.kind)
            raise InputError(
                _("No column for %(fields)s yet; choose one.") % {"fields": ", ".join(labels[n] for n in missing)}
            )
        work = ImportFile.Work.IMPORT if "import" in request.POST else ImportFile.Work.TRIAL
        choosing.request(actor(request), row, work)
    except StateError:
        raise
    except RondoError as error:
        row.refresh_from_db()
        return _columns(request, row, str(error), data=request.POST)
    return redirect("import-file", row.public_id)


def _columns(request: HttpRequest, row: ImportFile, error: str = "", data: Any = None) -> HttpResponse:
    user = viewer(request)
    if not row.kind:
        context: dict[str, Any] = {"file": row, "error": error or row.error, "encodings": forms.ENCODINGS}
        return render(request, "imports/encoding.html", context, status=422 if error else 200)
    choice, source = Choice.of(row.choice), row.source
    try:
        seen = choosing.preview(row, choice)
    except InputError as unreadable:  # a delimiter or an encoding that the file does not have
        seen, error = choosing.preview(row, Choice()), error or str(unreadable)
    if data is not None:
        try:
            source, choice = forms.read(data, user, row.kind, seen)
        except InputError as unusable:
            error = error or str(unusable)
    context = {
        "file": row,
        "error": error or row.error,
        "kinds": [(kind.key, kind.label) for kind in registries.import_kinds],
        "lines": forms.lines(seen, choice),
        "groups": forms.groups(user, row.kind),
        "settable": forms.groups(user, row.kind, making=False),
        "forms": AttributeDefinition.Form.choices,
        "seen": seen,
        "found": [(wording.found(name), wording.found_value(name, value)) for name, value in seen.found.items()],
        "choice": choice,
        "source": source,
        "sources": Source.objects.order_by("name").values_list("name", flat=True),
        "owners": choosing.owners(user),
        "countries": forms.countries(),
        "customer_by": fixed.IDENTIFIERS,
        "matching": fixed.matching(choice) if row.kind == "customers" else [],
        "tags": fixed.tags(user, choice) if row.kind == "customers" else [],
        "pairs": fixed.pairs(choice),
        "names_customer": "customer" in choosing.fields_of(row.kind),
        "has_records": row.kind in {"customers", "products", "campaigns"},
        "known": row.trial == {} and choosing.known_mapping(row.source, row.kind, seen.columns) == choice,
    }
    return render(request, "imports/columns.html", context, status=422 if error else 200)


@require_POST
@page("import", "imports")
def change_kind(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take a file for another kind: its columns are guessed anew."""
    row = choosing.get_file(viewer(request), public_id)
    choosing.take_for(actor(request), row, request.POST.get("kind", ""))
    return redirect("import-file", row.public_id)


def _going(row: ImportFile) -> dict[str, Any]:
    """How far the work is: rows done, rows to do (0: not known yet), seconds left by its rate, rows a second."""
    rate, left = choosing.pace(row)
    return {"waiting": row.status == ImportFile.Status.QUEUED, "rate": rate, "seconds_left": left}


@require_GET
@page("import", "imports")
def progress(request: HttpRequest, public_id: str) -> HttpResponse:
    """The progress line; when the work has ended, the page is loaded again."""
    row = choosing.get_file(viewer(request), public_id)
    if not row.under_way:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "imports/progress.html", {"file": row, "going": _going(row)})


def _trial(request: HttpRequest, row: ImportFile) -> HttpResponse:
    labels = forms.labels_of(row.kind)
    wanted = request.GET.get("outcome", "")
    outcome = wanted if wanted in OUTCOMES else ""
    after = request.GET.get("after", "")
    path = choosing.report_of(row)
    if not path.exists():
        return _columns(request, row)
    report = foretold.Report(path, viewer(request), row.kind, labels, shown)
    rows = report.read(after=int(after) if after.isdecimal() else 0, outcome=outcome)
    outcomes = row.trial.get("outcomes", {})
    context = {
        "file": row,
        "outcomes": foretold.counted(outcomes),
        "total": sum(outcomes.values()),
        "good": sum(count for key, count in outcomes.items() if key in {"create", "update"}),
        "refused": outcomes.get("refuse", 0),
        "outcome": outcome,
        "rows": rows,
        "heads": [labels.get(name, name) for name in report.fields],
        "counts": [
            (wording.counted(name, count), count)
            for name, count in row.trial.get("counts", {}).items()
            if name not in {"rows", "rows_rejected", "rows_held_back"}
        ],
        "after": rows[-1].line if len(rows) == foretold.PAGE else None,
        "kind_label": registries.import_kinds[row.kind].label,
    }
    return render(request, "imports/trial.html", context)


@require_GET
@page("import", "imports")
def rows_csv(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """What would become of every row, or of those of one outcome."""
    row = choosing.get_file(viewer(request), public_id)
    path = choosing.report_of(row)
    if row.status != ImportFile.Status.TRIED or not path.exists():
        raise StateError(_("The file was not tried yet; try it first."))
    outcome = request.GET.get("outcome", "")
    report = foretold.Report(path, viewer(request), row.kind, forms.labels_of(row.kind))
    stream = report.as_csv(outcome if outcome in OUTCOMES else "")
    response = StreamingHttpResponse(stream, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{Path(row.file_name).stem}-rows.csv"'
    return response


@require_POST
@page("import", "imports")
def start(request: HttpRequest, public_id: str) -> HttpResponse:
    """Import a file as it was tried."""
    row = choosing.get_file(viewer(request), public_id)
    choosing.request(actor(request), row, ImportFile.Work.IMPORT)
    return redirect("import-file", row.public_id)


@require_POST
@page("import", "imports")
def discard(request: HttpRequest, public_id: str) -> HttpResponse:
    """Put a file away that was not imported."""
    row = choosing.get_file(viewer(request), public_id)
    choosing.discard(actor(request), row)
    messages.success(request, _("%(file)s is put away; nothing of it was imported.") % {"file": row.file_name})
    return redirect(reverse("imports"))
