"""What the API says of segments, and takes to make and change them."""

from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Field, Schema

from rondo.analysis.segments import queries
from rondo.analysis.segments.models import Segment
from rondo.api.auth import TokenAuth, viewer
from rondo.api.v1 import schemas
from rondo.api.writing import Body, Fields
from rondo.foundation.installation import installation
from rondo.rules import RuleError, format_rule, from_json, schema

SEEING, SEGMENTING = TokenAuth("see", queries.ROOM), TokenAuth("segment", queries.ROOM)
Form = Literal["", "geographic", "demographic", "behavioural", "benefit", "psychographic"]
_LONGEST = 20_000


class SegmentTold(Schema):
    __doc__ = gettext_noop(
        "A segment: by rule, or static (by name). `size` and `value` are of the members that the token's user sees. "
        "`rule` is null where it asks for attributes that the user's role does not see. `status`: new, fresh or failed."
    )

    key: str = Field(..., examples=["good-households"])
    name: str
    description: str
    kind: str
    form: str
    rule: str | None = Field(..., examples=["kind = household and value >= 100"])
    rule_json: dict[str, Any] | None
    owner: str | None = Field(..., description=gettext_noop("E-mail address."))
    status: str
    error: str
    size: int
    value: schemas.Money | None
    as_of: date | None = Field(..., description=gettext_noop("The day that the members were computed for."))
    refreshed_at: datetime | None
    version: int = Field(..., description=gettext_noop("Counts changes."))


class SegmentsTold(Schema):
    __doc__ = gettext_noop("Segments, failed ones first, then by name.")

    data: list[SegmentTold]


class NewSegment(Body):
    __doc__ = gettext_noop(
        "A segment to make: by a rule in its text form or as JSON, or static with the ids of its members. Without "
        "`key` it is made from the name."
    )

    name: str = Field(..., min_length=1, max_length=120, examples=["Good households"])
    key: str = Field("", max_length=60)
    kind: Literal["rule", "static"] = "rule"
    rule: str = Field("", max_length=_LONGEST, examples=["kind = household"])
    rule_json: dict[str, Any] | None = None
    members: list[str] = Field([], max_length=10_000)
    description: str = Field("", max_length=4000)
    form: Form = ""


class SegmentFields(Fields):
    __doc__ = gettext_noop(
        "What is to change of a segment; what is left out stays. With `version` the change is refused where somebody "
        "else changed the segment since. A new rule is computed by a job."
    )

    version: int | None = Field(None, ge=1, le=2_000_000_000)
    name: str = Field("", min_length=1, max_length=120)
    rule: str = Field("", max_length=_LONGEST)
    rule_json: dict[str, Any] | None = None
    description: str = Field("", max_length=4000)
    form: Form = ""


class MembersBody(Body):
    __doc__ = gettext_noop("Customers, by id, to put into a static segment or to take out of it.")

    add: list[str] = Field([], max_length=10_000, examples=[["c_8fk2m9xq"]])
    remove: list[str] = Field([], max_length=10_000)


class MembersChanged(Schema):
    __doc__ = gettext_noop("How many customers were put in who were not in it, and taken out who were.")

    added: int
    removed: int


class SnapshotBody(Body):
    __doc__ = gettext_noop("What the segment that is kept is called; its name and day where this is empty.")

    name: str = Field("", max_length=120)


class RuleBody(Body):
    __doc__ = gettext_noop("A rule, as text or as JSON.")

    rule: str = Field("", max_length=_LONGEST, examples=["kind = household"])
    rule_json: dict[str, Any] | None = None


class RuleChecked(Schema):
    __doc__ = gettext_noop("A rule that was understood, in both forms, and how many of the user's customers it finds.")

    rule: str
    rule_json: dict[str, Any]
    count: int


def told(request: HttpRequest, row: Segment, sized: queries.Sized | None = None) -> SegmentTold:
    """A segment as the API tells of it."""
    user = viewer(request)
    sized = sized or queries.sized(user, row, 1)
    currency = installation().currency
    readable = queries.may_read(row, user) and row.kind == Segment.Kind.RULE
    return SegmentTold(
        key=row.key,
        name=row.name,
        description=row.description,
        kind=row.kind,
        form=row.form,
        rule=_text(row) if readable else None,
        rule_json=row.rule if readable else None,
        owner=None if row.owner is None else row.owner.email,
        status=row.status,
        error=row.error,
        size=sized.size,
        value=None if sized.value is None else schemas.Money(minor=sized.value, currency=currency),
        as_of=row.as_of,
        refreshed_at=row.refreshed_at,
        version=row.version,
    )


def _text(row: Segment) -> str:
    """The rule as text; as its author wrote it where it names what is gone."""
    known = schema()
    try:
        return format_rule(from_json(row.rule, known), known)
    except RuleError:
        return row.text
