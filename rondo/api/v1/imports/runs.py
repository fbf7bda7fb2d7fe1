"""Import runs: what each brought, the rows that it refused, and taking it back."""

from django.http import FileResponse, HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router

from rondo.api import paging
from rondo.api.auth import viewer
from rondo.api.parameters import key_of
from rondo.api.references import RUN
from rondo.api.v1.imports.shapes import CSV, IMPORTING, FileOnItsWay, ImportRun, ImportRuns, file_told, run_told
from rondo.api.versions import alone
from rondo.api.writing import actor
from rondo.customers.actions.gate import one_at_a_time
from rondo.errors import NotFound
from rondo.foundation import ids
from rondo.foundation.models import Load
from rondo.interactions.importing import choosing, undo

router = Router(tags=["imports"])


@router.get(
    "/imports/runs",
    auth=IMPORTING,
    response=ImportRuns,
    summary=gettext_noop("Import runs"),
    operation_id="listImportRuns",
    description=gettext_noop("What came in so far, as far as the token's user sees imports."),
)
def list_runs(
    request: HttpRequest, limit: paging.Limit = paging.DEFAULT_LIMIT, cursor: paging.Cursor = None
) -> ImportRuns:
    rows = choosing.runs(viewer(request))
    if after := paging.decode_key(cursor):
        rows = rows.filter(pk__lt=after)
    page, last = paging.split(list(rows.order_by("-pk")[: limit + 1]), limit)
    return ImportRuns(
        data=[run_told(row) for row in page],
        next=paging.next_link(request, paging.encode_key(last.pk)) if last else None,
    )


@router.get(
    "/imports/runs/{run_id}",
    auth=IMPORTING,
    response=ImportRun,
    summary=gettext_noop("One import run"),
    operation_id="getImportRun",
    openapi_extra=alone(
        lambda run_id: Load.objects.filter(pk=ids.decode(RUN, run_id) or 0), first=lambda run_id: one_at_a_time()
    ),
    description=gettext_noop("What a run brought, and how its file was read."),
)
def get_run(request: HttpRequest, run_id: str) -> ImportRun:
    return run_told(choosing.get_load(viewer(request), key_of(RUN, run_id)))


@router.get(
    "/imports/runs/{run_id}/rejects.csv",
    auth=IMPORTING,
    openapi_extra=CSV,
    summary=gettext_noop("Refused rows"),
    operation_id="downloadRejects",
    description=gettext_noop("The rows that a run refused, each with its reason: to be mended and brought in again."),
)
def download_rejects(request: HttpRequest, run_id: str) -> FileResponse:
    path = choosing.rejects_of(choosing.get_load(viewer(request), key_of(RUN, run_id)))
    if path is None:
        raise NotFound(run_id)
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv; charset=utf-8")


@router.post(
    "/imports/runs/{run_id}/again",
    auth=IMPORTING,
    response=FileOnItsWay,
    summary=gettext_noop("Bring refused rows in again"),
    operation_id="retryImportRejects",
    description=gettext_noop("The refused rows of a run become a file of their own, to be read otherwise."),
)
def again(request: HttpRequest, run_id: str) -> FileOnItsWay:
    row = choosing.get_load(viewer(request), key_of(RUN, run_id))
    return file_told(choosing.take_rejects(actor(request), row))


@router.post(
    "/imports/runs/{run_id}/undo",
    auth=IMPORTING,
    response=ImportRun,
    summary=gettext_noop("Take an import back"),
    operation_id="undoImportRun",
    description=gettext_noop(
        "What it created is retracted, what it changed is restored, field by field, where nobody changed it since."
    ),
)
def take_back(request: HttpRequest, run_id: str) -> ImportRun:
    user = viewer(request)
    row = choosing.get_load(user, key_of(RUN, run_id))
    undo(actor(request), row.pk)
    return run_told(choosing.get_load(user, row.pk))
