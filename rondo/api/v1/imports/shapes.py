"""What the API says of files on their way in and of import runs, and takes to say how a file is read."""

from datetime import datetime
from typing import Any, Literal

from django.utils.translation import gettext_noop
from ninja import Field, Schema

from rondo.api.auth import TokenAuth
from rondo.api.references import RUN
from rondo.api.v1.attributes.shapes import Form, Type
from rondo.api.v1.said import Source
from rondo.api.v1.schemas import Named
from rondo.api.writing import Body
from rondo.foundation import ids
from rondo.foundation.models import Load, User
from rondo.interactions.importing.choices import Choice
from rondo.interactions.importing.choosing import ROOM, pace, rejects_of
from rondo.interactions.importing.undoing import undone_at
from rondo.interactions.models import ImportFile

IMPORTING = TokenAuth("import", ROOM)
_MOST = 500
CSV: dict[str, Any] = {
    "responses": {
        200: {"description": "OK", "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}
    }
}
"""What the document says of an operation that answers with a file."""


class ImportField(Schema):
    __doc__ = gettext_noop("A field that a column can be taken for.")

    name: str = Field(..., examples=["external_id"])
    meaning: str
    type: str
    required: bool
    choices: list[str] = Field(..., description=gettext_noop("The values allowed, where only some are."))


class ImportKind(Schema):
    __doc__ = gettext_noop("What the rows of a file can be.")

    key: str = Field(..., examples=["customers"])
    label: str
    fields: list[ImportField]


class ImportKinds(Schema):
    __doc__ = gettext_noop("All kinds of files.")

    data: list[ImportKind]


class Defined(Body):
    __doc__ = gettext_noop("An attribute that the import makes, if there is none of its key.")

    type: Type
    form: Form = "demographic"


class Reading(Body):
    __doc__ = gettext_noop(
        "How a file is read. `mapping`: the column that each field is taken from. `define`: attributes to be made, by "
        "key; a column is taken for one as `attribute:KEY`. `match`: create and update (both), or one of them. "
        "`owner`: e-mail address of the user who owns the customers created. `constants`: one value for every row, by "
        "field; tags come to those a customer has. `match_by`: the identifiers that tell who a row of customers is; "
        "none named: all. What is empty is detected."
    )

    mapping: dict[str, str] = Field(..., max_length=_MOST, examples=[{"external_id": "No", "name": "Name"}])
    define: dict[str, Defined] = Field({}, max_length=_MOST)
    match: Literal["both", "create", "update"] = "both"
    owner: str | None = Field(None, max_length=254)
    customer_by: Literal["external", "email", "phone", "card"] = Field(
        "external", description=gettext_noop("What the field `customer` holds.")
    )
    constants: dict[str, str] = Field({}, max_length=_MOST, examples=[{"attribute:tags": "fair"}])
    match_by: list[Literal["external", "email", "phone", "card"]] = Field([], max_length=4)
    region: str = Field("", max_length=2, description=gettext_noop("Country of phone numbers without one."))
    time_zone: str = Field("", max_length=60, description=gettext_noop("Zone of times that carry none."))
    date_format: str = Field(
        "", max_length=40, description=gettext_noop("As strptime takes it."), examples=["%d.%m.%Y"]
    )
    decimal: Literal["", ".", ","] = ""
    delimiter: str = Field("", max_length=1)
    encoding: str = Field("", max_length=40)
    header_line: int = Field(
        0, ge=0, le=10_000, description=gettext_noop("Line in which the names of the columns stand; 0: as detected.")
    )


class ReadingBody(Body):
    __doc__ = gettext_noop(
        "What a file is, and how it is read. Without `reading` its columns are read as those of the last file of this "
        "source and kind, or guessed."
    )

    kind: str = Field(..., max_length=30, examples=["customers"])
    source: Source | None = Field(None, min_length=1, max_length=60, examples=["shop"])
    reading: Reading | None = None


class Trial(Schema):
    __doc__ = gettext_noop(
        "What a dry run came to: rows by what would become of them, and figures of what would be made."
    )

    outcomes: dict[str, int] = Field(..., description=gettext_noop("create, update, keep, leave_out, refuse"))
    counts: dict[str, int]


class FileOnItsWay(Schema):
    __doc__ = gettext_noop(
        "A file on its way in. `status`: chosen, queued, running, tried, done or failed; `work`: trial or import. "
        "`run`: the run that it became."
    )

    id: str = Field(..., examples=["im_4m2kq8xw"])
    name: str = Field(..., examples=["customers.csv"])
    size: int = Field(..., description=gettext_noop("Bytes."))
    by: str = Field(..., description=gettext_noop("E-mail address of who brought it."))
    created_at: datetime
    kind: str
    source: str
    reading: Reading
    status: str
    work: str | None
    rows_done: int
    rows_total: int = Field(..., description=gettext_noop("0: not known yet."))
    seconds_left: int | None
    error: str
    trial: Trial | None
    run: str | None = Field(..., examples=["ld_4m2kq8xw"])


class FilesOnTheirWay(Schema):
    __doc__ = gettext_noop("Files on their way in, the newest first, at most 100.")

    data: list[FileOnItsWay]


class Column(Schema):
    __doc__ = gettext_noop("A column of a file, with some of its cells, and the field that it is taken for.")

    name: str
    field: str | None
    examples: list[str]


class FirstRows(Schema):
    __doc__ = gettext_noop("The columns of a file and its first 50 rows, read as was chosen, and what was detected.")

    columns: list[Column]
    rows: list[list[str]]
    found: dict[str, str] = Field(..., examples=[{"encoding": "utf-8", "delimiter": ";"}])
    lacking: list[str] = Field(..., description=gettext_noop("Fields that are needed and have no column yet."))


class Changing(Schema):
    __doc__ = gettext_noop("A field that an update would change.")

    field: str
    before: str
    after: str


class TriedRow(Schema):
    __doc__ = gettext_noop(
        "What would become of one row, and why. `customer`: whom the row is, where the token's user may see them."
    )

    line: int
    outcome: str = Field(..., description=gettext_noop("create, update, keep, leave_out or refuse"))
    why: str
    changes: list[Changing]
    cells: dict[str, str] = Field(
        ...,
        description=gettext_noop(
            "The fields as they were read: amounts in major units, times in the company's zone. Of a refused row as "
            "they stand in the file."
        ),
    )
    customer: Named | None


class TriedRows(Schema):
    __doc__ = gettext_noop("A page of the rows of a dry run, in their order; `next` is null on the last page.")

    data: list[TriedRow]
    next: str | None


class ImportRun(Schema):
    __doc__ = gettext_noop(
        "An import run. `status`: loading, visible, undone, failed or abandoned. Of one that was taken back: "
        "`restored` records, `left` values that somebody changed since, and rows `kept` since others need them."
    )

    id: str = Field(..., examples=["ld_4m2kq8xw"])
    kind: str
    source: str
    file: str
    by: str | None = Field(..., description=gettext_noop("E-mail address; null: the system."))
    status: str
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int] = Field(..., examples=[{"rows": 3, "customers_created": 2, "rows_rejected": 1}])
    mapping: dict[str, str]
    has_rejects: bool = Field(..., description=gettext_noop("Whether there is a file of refused rows."))
    undone_at: datetime | None
    restored: int
    left: int
    kept: dict[str, int]


class ImportRuns(Schema):
    __doc__ = gettext_noop("A page of import runs, the newest first; `next` is null on the last page.")

    data: list[ImportRun]
    next: str | None


def file_told(row: ImportFile) -> FileOnItsWay:
    """A file as the API tells of it."""
    tried = row.trial if "outcomes" in row.trial else None
    return FileOnItsWay(
        id=row.public_id,
        name=row.file_name,
        size=row.size,
        by=row.user.email,
        created_at=row.created_at,
        kind=row.kind,
        source=row.source,
        reading=reading_told(Choice.of(row.choice)),
        status=row.status,
        work=row.work or None,
        rows_done=row.done,
        rows_total=row.total,
        seconds_left=pace(row)[1] if row.under_way else None,
        error=row.error,
        trial=Trial(outcomes=tried["outcomes"], counts=tried["counts"]) if tried else None,
        run=None if row.load_id is None else ids.encode(RUN, row.load_id),
    )


def reading_told(choice: Choice) -> Reading:
    """How a file is read, as the API tells of it."""
    owner = None if choice.owner is None else User.objects.filter(pk=choice.owner).first()
    plain = (
        "mapping",
        "match",
        "customer_by",
        "constants",
        "match_by",
        "region",
        "time_zone",
        "date_format",
        "decimal",
        "delimiter",
        "encoding",
        "header_line",
    )
    defined = {key: Defined(type=kind, form=form) for key, (kind, form) in choice.define.items()}  # type: ignore[arg-type]
    return Reading(
        **{name: getattr(choice, name) for name in plain}, define=defined, owner=None if owner is None else owner.email
    )


def run_told(row: Load) -> ImportRun:
    """A run as the API tells of it."""
    return ImportRun(
        id=ids.encode(RUN, row.pk),
        kind=row.kind,
        source=row.source,
        file=row.file_name,
        by=None if row.actor is None else row.actor.email,
        status=row.status,
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=row.counts,
        mapping=row.options.get("mapping", {}),
        has_rejects=rejects_of(row) is not None,
        undone_at=undone_at(row),
        restored=row.undo.get("restored", 0),
        left=row.undo.get("left", 0),
        kept=row.undo.get("kept", {}),
    )
