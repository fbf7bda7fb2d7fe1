"""Files on their way in: brought, looked at, read as one says, tried, imported, put away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import File, Query, Router
from ninja.errors import ValidationError
from ninja.files import UploadedFile

from rondo.api import paging
from rondo.api.auth import viewer
from rondo.api.v1.imports.shapes import (
    CSV,
    IMPORTING,
    Changing,
    Column,
    FileOnItsWay,
    FilesOnTheirWay,
    FirstRows,
    ImportField,
    ImportKind,
    ImportKinds,
    Reading,
    ReadingBody,
    TriedRow,
    TriedRows,
    file_told,
)
from rondo.api.v1.schemas import Named
from rondo.api.versions import alone
from rondo.api.writing import actor
from rondo.errors import InputError, StateError
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.foundation.registry import registries
from rondo.interactions.importing import choosing, foretold
from rondo.interactions.importing.choices import Choice
from rondo.interactions.models import ImportFile

router = Router(tags=["imports"])
Outcome = Annotated[
    Literal["create", "update", "keep", "leave_out", "refuse"] | None,
    Query(description=gettext_noop("Only rows of which this would become.")),
]
_EXAMPLES = 3


@router.get(
    "/imports/kinds",
    auth=IMPORTING,
    response=ImportKinds,
    summary=gettext_noop("Kinds of files"),
    operation_id="listImportKinds",
    description=gettext_noop("What the rows of a file can be, and the fields of each, with the attributes there are."),
)
def list_kinds(request: HttpRequest) -> ImportKinds:
    return ImportKinds(
        data=[
            ImportKind(
                key=kind.key,
                label=str(kind.label),
                fields=[
                    ImportField(
                        name=name,
                        meaning=str(spec.meaning),
                        type=spec.type,
                        required=spec.required,
                        choices=list(spec.choices),
                    )
                    for name, spec in choosing.fields_for(viewer(request), kind.key).items()
                ],
            )
            for kind in registries.import_kinds
        ]
    )


@router.get(
    "/imports/files",
    auth=IMPORTING,
    response=FilesOnTheirWay,
    summary=gettext_noop("Files on their way in"),
    operation_id="listImportFiles",
    description=gettext_noop("Files that were brought in and are not imported yet, as far as the user sees imports."),
)
def list_files(request: HttpRequest) -> FilesOnTheirWay:
    return FilesOnTheirWay(data=[file_told(row) for row in choosing.files(viewer(request))])


@router.post(
    "/imports/files",
    auth=IMPORTING,
    response=FileOnItsWay,
    summary=gettext_noop("Bring a file in"),
    operation_id="uploadImportFile",
    url_name="import-files",
    description=gettext_noop(
        "A CSV, XLSX or Parquet file as multipart/form-data. It is written to disk as it comes, up to the limit that "
        "the installation sets. What it is and how its columns are read is guessed; nothing is imported yet."
    ),
)
def upload(request: HttpRequest, file: UploadedFile = File(...)) -> FileOnItsWay:  # type: ignore[type-arg]  # noqa: B008
    given = request.FILES["file"]
    if not isinstance(given, TemporaryUploadedFile):
        raise InputError(_("Choose a file first."))
    return file_told(choosing.take_upload(actor(request), given))


@router.get(
    "/imports/files/{file_id}",
    auth=IMPORTING,
    response=FileOnItsWay,
    summary=gettext_noop("One file"),
    operation_id="getImportFile",
    openapi_extra=alone(
        lambda file_id: ImportFile.objects.filter(pk=ids.decode(ImportFile.PREFIX, file_id) or 0),
        "rows_done",
        "rows_total",
        "seconds_left",
    ),
    description=gettext_noop("How a file is read, how far the work on it is, and what its dry run came to."),
)
def get_file(request: HttpRequest, file_id: str) -> FileOnItsWay:
    return file_told(choosing.get_file(viewer(request), file_id))


@router.get(
    "/imports/files/{file_id}/preview",
    auth=IMPORTING,
    response=FirstRows,
    summary=gettext_noop("First rows of a file"),
    operation_id="previewImportFile",
    description=gettext_noop("Its columns, what each is taken for, and the first rows."),
)
def preview(request: HttpRequest, file_id: str) -> FirstRows:
    row = choosing.get_file(viewer(request), file_id)
    choice = Choice.of(row.choice)
    seen = choosing.preview(row, choice)
    field_of = {column: name for name, column in choice.mapping.items()}
    return FirstRows(
        columns=[
            Column(
                name=name,
                field=field_of.get(name),
                examples=[cell for cell in dict.fromkeys(seen.cells(name)) if cell.strip()][:_EXAMPLES],
            )
            for name in seen.columns
        ],
        rows=[cells for _line, cells in seen.rows],
        found=seen.found,
        lacking=choosing.lacking(row.kind, choice),
    )


@router.put(
    "/imports/files/{file_id}/reading",
    auth=IMPORTING,
    response=FileOnItsWay,
    summary=gettext_noop("Say how a file is read"),
    operation_id="chooseImportReading",
    description=gettext_noop(
        "What the file is, and which column is which field. A dry run of before counts no longer."
    ),
)
def choose(request: HttpRequest, file_id: str, body: ReadingBody) -> FileOnItsWay:
    user = viewer(request)
    row = choosing.get_file(user, file_id)
    source = row.source if body.source is None else body.source
    if body.reading is None:
        row.source = source
        return file_told(choosing.take_for(actor(request), row, body.kind))
    if body.kind not in registries.import_kinds:
        kinds = ", ".join(registries.import_kinds.keys())
        raise _flaw(
            ("kind",),
            _("%(kind)r cannot be imported; one of %(kinds)s is needed.") % {"kind": body.kind, "kinds": kinds},
        )
    choice = _choice(user, row, body.kind, body.reading)
    return file_told(choosing.choose(actor(request), row, kind=body.kind, source=source, choice=choice))


def _choice(user: User, row: ImportFile, kind: str, reading: Reading) -> Choice:
    """What the body says, each name in it held against what there is."""
    owner = None
    if reading.owner is not None:
        owner = next((one.pk for one in choosing.owners(user) if one.email == reading.owner.strip().lower()), None)
        if owner is None:
            told = _("owner=%(owner)s: no active user; choose another.") % {"owner": reading.owner}
            raise _flaw(("reading", "owner"), told)
    plain = reading.dict(exclude={"define", "owner", "mapping"})
    define: dict[str, list[str]] = {key: [one.type, one.form] for key, one in reading.define.items()}
    choice = Choice(mapping=dict(reading.mapping), define=define, owner=owner, **plain)
    columns = choosing.preview(row, choice).columns
    fields = [*choosing.fields_for(user, kind), *(f"attribute:{key}" for key in define)]
    for field in reading.constants:
        if field not in fields or field in reading.mapping:
            told = _("There is no such field; there are: %(known)s.") % {"known": ", ".join(dict.fromkeys(fields))}
            if field in reading.mapping:
                told = _("Given by a column and by one value for every row; leave one out.")
            raise _flaw(("reading", "constants", field[:60]), told)
    for field, column in reading.mapping.items():
        if field not in fields:
            told = _("There is no such field; there are: %(known)s.") % {"known": ", ".join(dict.fromkeys(fields))}
            raise _flaw(("reading", "mapping", field[:60]), told)
        if column not in columns:
            told = _("There is no column “%(column)s”; there are: %(known)s.") % {
                "column": column[:60],
                "known": ", ".join(columns),
            }
            raise _flaw(("reading", "mapping", field[:60]), told)
    return choice


def _flaw(place: tuple[str, ...], told: str) -> ValidationError:
    return ValidationError([{"type": "value_error", "loc": ("body", "body", *place), "msg": told}])


@router.post(
    "/imports/files/{file_id}/trial",
    auth=IMPORTING,
    response=FileOnItsWay,
    summary=gettext_noop("Try a file"),
    operation_id="tryImportFile",
    description=gettext_noop(
        "A dry run, as a job: of every row what would become of it, and why. Nothing is imported."
    ),
)
def try_file(request: HttpRequest, file_id: str) -> FileOnItsWay:
    return _work(request, file_id, ImportFile.Work.TRIAL)


@router.post(
    "/imports/files/{file_id}/import",
    auth=IMPORTING,
    response=FileOnItsWay,
    summary=gettext_noop("Import a file"),
    operation_id="importFile",
    description=gettext_noop(
        "As a job; all rows become visible at once. Ask for the file again until its `status` is done or failed."
    ),
)
def import_file(request: HttpRequest, file_id: str) -> FileOnItsWay:
    return _work(request, file_id, ImportFile.Work.IMPORT)


def _work(request: HttpRequest, file_id: str, work: str) -> FileOnItsWay:
    row = choosing.get_file(viewer(request), file_id)
    if not row.kind:
        raise InputError(row.error)
    if missing := choosing.lacking(row.kind, Choice.of(row.choice)):
        raise InputError(_("No column for %(fields)s yet; choose one.") % {"fields": ", ".join(missing)})
    return file_told(choosing.request(actor(request), row, work))


@router.get(
    "/imports/files/{file_id}/rows",
    auth=IMPORTING,
    response=TriedRows,
    summary=gettext_noop("Rows of a dry run"),
    operation_id="listTriedRows",
    description=gettext_noop("Of every row of a tried file what would become of it, and why."),
)
def list_rows(
    request: HttpRequest,
    file_id: str,
    outcome: Outcome = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> TriedRows:
    row, path = _tried(request, file_id)
    report = foretold.Report(path, viewer(request), row.kind)
    found = report.read(after=paging.decode_key(cursor), outcome=outcome or "", limit=limit + 1)
    page, last = paging.split(found, limit)
    return TriedRows(
        data=[
            TriedRow(
                line=one.line,
                outcome=one.outcome,
                why=one.why,
                changes=[Changing(field=c.field, before=c.before, after=c.after) for c in one.changes],
                cells={name: cell for name, cell in zip(report.fields, one.cells, strict=True) if cell},
                customer=None if one.customer is None else Named(id=one.customer.public_id, name=one.customer.name),
            )
            for one in page
        ],
        next=paging.next_link(request, paging.encode_key(last.line)) if last else None,
    )


@router.get(
    "/imports/files/{file_id}/rows.csv",
    auth=IMPORTING,
    openapi_extra=CSV,
    summary=gettext_noop("Rows of a dry run as CSV"),
    operation_id="downloadTriedRows",
    description=gettext_noop("Of every row of a tried file what would become of it, and why."),
)
def download_rows(request: HttpRequest, file_id: str, outcome: Outcome = None) -> StreamingHttpResponse:
    row, path = _tried(request, file_id)
    lines: Iterator[str] = foretold.Report(path, viewer(request), row.kind).as_csv(outcome or "")
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{row.public_id}-rows.csv"'
    return response


def _tried(request: HttpRequest, file_id: str) -> tuple[ImportFile, Path]:
    row = choosing.get_file(viewer(request), file_id)
    path = choosing.report_of(row)
    if row.status != ImportFile.Status.TRIED or not path.exists():
        raise StateError(_("The file was not tried yet; try it first."))
    return row, path


@router.delete(
    "/imports/files/{file_id}",
    auth=IMPORTING,
    response=FileOnItsWay,
    summary=gettext_noop("Put a file away"),
    operation_id="discardImportFile",
    description=gettext_noop("Removes a file that is not being worked on; what was imported stays."),
)
def discard(request: HttpRequest, file_id: str) -> FileOnItsWay:
    row = choosing.get_file(viewer(request), file_id)
    told = file_told(row)
    choosing.discard(actor(request), row)
    return told
