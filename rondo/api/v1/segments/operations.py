"""Segments: listed, made, changed, computed, kept as they stand, deleted and put back; rules tried without one."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router
from ninja.errors import ValidationError

from rondo.analysis.segments import actions, queries
from rondo.analysis.segments.jobs import request_refresh
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import ROOM
from rondo.api import paging
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.api.v1.customers import fields_of
from rondo.api.v1.segments.shapes import (
    SEEING,
    SEGMENTING,
    MembersBody,
    MembersChanged,
    NewSegment,
    RuleBody,
    RuleChecked,
    SegmentFields,
    SegmentsTold,
    SegmentTold,
    SnapshotBody,
    told,
)
from rondo.api.versions import alone, gone
from rondo.api.writing import actor
from rondo.customers.queries import sees_few, visible
from rondo.errors import NotFound
from rondo.foundation import change_numbers
from rondo.foundation.models import User
from rondo.foundation.rights import owned
from rondo.rules import RuleError, compile_q, format_rule, from_json, parse, schema, to_json

router = Router(tags=["segments"])


@router.get(
    "/segments",
    auth=SEEING,
    response=SegmentsTold,
    summary=gettext_noop("Segments"),
    operation_id="listSegments",
    description=gettext_noop("The segments that the token's user sees."),
)
def list_segments(request: HttpRequest) -> SegmentsTold:
    rows = queries.overview(viewer(request), 1)
    return SegmentsTold(data=[told(request, one.segment, one) for one in rows])


@router.post(
    "/segments",
    auth=SEGMENTING,
    response=SegmentTold,
    summary=gettext_noop("Make a segment"),
    operation_id="createSegment",
    description=gettext_noop("One by rule is computed by a job: its `status` is new until that is done."),
)
def create(request: HttpRequest, body: NewSegment) -> SegmentTold:
    fields = body.dict(include={"name", "key", "kind", "description", "form"})
    text = _rule(viewer(request), body)
    row = _checked("rule", lambda: actions.create_with_members(actor(request), body.members, text=text, **fields))
    return told(request, row)


@router.post(
    "/rules/check",
    auth=SEGMENTING,
    response=RuleChecked,
    summary=gettext_noop("Try a rule"),
    operation_id="checkRule",
    description=gettext_noop("What is wrong with a rule, each with its place; or how many customers it finds now."),
)
def check(request: HttpRequest, body: RuleBody) -> RuleChecked:
    user = viewer(request)
    known = schema(user)
    text = _rule(user, body)
    node = _checked("rule", lambda: parse(text, known))
    _checked("rule" if body.rule_json is None else "rule_json", lambda: actions.check_rule("", node, text, user))
    condition = compile_q(node, known, queries.list_context(user), as_set=not sees_few(user))
    count = visible(user).filter(condition).count()
    return RuleChecked(rule=format_rule(node, known), rule_json=to_json(node), count=count)


@router.get(
    "/segments/{key}",
    auth=SEEING,
    response=SegmentTold,
    summary=gettext_noop("One segment"),
    operation_id="getSegment",
    openapi_extra=alone(lambda key: Segment.objects.filter(key=key)),
    description=gettext_noop("A segment by its key."),
)
def get_segment(request: HttpRequest, key: str) -> SegmentTold:
    return told(request, queries.find(key, viewer(request)))


@router.patch(
    "/segments/{key}",
    auth=SEGMENTING,
    response=SegmentTold,
    summary=gettext_noop("Change a segment"),
    operation_id="changeSegment",
    description=gettext_noop("Sets the fields that are given. The key never changes."),
)
def change(request: HttpRequest, key: str, body: SegmentFields) -> SegmentTold:
    user = viewer(request)
    row = queries.find(key, user)
    actions.check_readable(actor(request), row)
    fields: dict[str, Any] = body.dict(exclude_unset=True, exclude={"version", "rule", "rule_json"})
    if body.model_fields_set & {"rule", "rule_json"}:
        fields["text"] = _rule(user, body)
    changed = _checked(
        "rule", lambda: actions.change_segment(actor(request), key, expected_version=body.version, **fields)
    )
    return told(request, changed)


@router.get(
    "/segments/{key}/members",
    auth=SEEING,
    response=schemas.CustomerPage,
    summary=gettext_noop("Members of a segment"),
    operation_id="listSegmentMembers",
    description=gettext_noop("The members as of its last computation that the token's user sees, as they came in."),
)
def list_members(
    request: HttpRequest, key: str, limit: paging.Limit = paging.DEFAULT_LIMIT, cursor: paging.Cursor = None
) -> schemas.CustomerPage:
    user = viewer(request)
    rows = queries.members(user, queries.find(key, user)).filter(pk__gt=paging.decode_key(cursor))
    found = list(rows.select_related("owner", "team", "load").order_by("pk")[: limit + 1])
    page, last = paging.split(found, limit)
    moments = change_numbers.moments({row.changed_in for row in page})
    return schemas.CustomerPage(
        data=[schemas.Customer(**fields_of(row, moments)) for row in page],
        next=paging.next_link(request, paging.encode_key(last.pk)) if last else None,
    )


@router.post(
    "/segments/{key}/members",
    auth=SEGMENTING,
    response=MembersChanged,
    summary=gettext_noop("Change members by name"),
    operation_id="changeSegmentMembers",
    description=gettext_noop("Of a static segment. Where one customer is not there, nobody is put in or taken out."),
)
def change_members(request: HttpRequest, key: str, body: MembersBody) -> MembersChanged:
    queries.find(key, viewer(request))
    added, removed = actions.change_members(actor(request), key, add=body.add, remove=body.remove)
    return MembersChanged(added=added, removed=removed)


@router.post(
    "/segments/{key}/refresh",
    auth=SEGMENTING,
    response=SegmentTold,
    summary=gettext_noop("Compute a segment"),
    operation_id="refreshSegment",
    description=gettext_noop("A job computes its members anew; ask for the segment until `refreshed_at` is later."),
)
def refresh(request: HttpRequest, key: str) -> SegmentTold:
    row = queries.find(key, viewer(request))
    request_refresh(row)
    return told(request, row)


@router.post(
    "/segments/{key}/snapshot",
    auth=SEGMENTING,
    response=SegmentTold,
    summary=gettext_noop("Keep a segment as it stands"),
    operation_id="snapshotSegment",
    description=gettext_noop("Makes a static segment of its present members, which no computation changes."),
)
def snapshot(request: HttpRequest, key: str, body: SnapshotBody) -> SegmentTold:
    queries.find(key, viewer(request))
    return told(request, actions.keep_snapshot(actor(request), key, body.name))


@router.delete(
    "/segments/{key}",
    auth=SEGMENTING,
    response=SegmentTold,
    summary=gettext_noop("Delete a segment"),
    operation_id="deleteSegment",
    description=gettext_noop("Takes it out of use; it can be restored. Refused where other segments refer to it."),
)
def delete(request: HttpRequest, key: str) -> SegmentTold:
    before = told(request, queries.find(key, viewer(request)))
    row = actions.delete_segment(actor(request), key)
    return before.model_copy(update={"version": row.version})


def _get_deleted(request: HttpRequest, key: str) -> SegmentTold:
    row = Segment.objects.filter(owned(viewer(request), ROOM), key=key).first()
    if row is None:
        raise NotFound(key)
    return told(request, row)


@router.post(
    "/segments/{key}/restore",
    auth=SEGMENTING,
    response=SegmentTold,
    summary=gettext_noop("Restore a segment"),
    operation_id="restoreSegment",
    openapi_extra=gone(_get_deleted),
    description=gettext_noop("Puts a deleted segment back; its members are computed anew."),
)
def restore(request: HttpRequest, key: str) -> SegmentTold:
    return told(request, actions.restore_segment(actor(request), key))


def _rule(user: User, body: NewSegment | SegmentFields | RuleBody) -> str:
    """The rule of a body as text; one that was given as JSON is read, and written."""
    if body.rule_json is None:
        return body.rule
    given, known = body.rule_json, schema(user)
    return format_rule(_checked("rule_json", lambda: from_json(given, known)), known)


def _checked(place: str, read: Any) -> Any:
    """What ``read`` gives; each problem of a rule is told with its place in the body."""
    try:
        return read()
    except RuleError as error:
        flaws = [{"type": "rule", "loc": ("body", "body", place), "msg": str(one)} for one in error.problems]
        raise ValidationError(flaws) from error
