"""The audit log: who changed which field from what to what, when, through which door; searched, paged by key."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Field, Query, Router, Schema

from rondo.analysis.segments.models import Segment
from rondo.api import paging
from rondo.api.auth import TokenAuth, viewer
from rondo.api.parameters import check_texts
from rondo.api.references import CHANGE, INVITATION, RUN, TEAM, USER
from rondo.customers.models import AttributeDefinition, Customer
from rondo.customers.queries import survivors_of, visible
from rondo.foundation import ids
from rondo.foundation.models import AuditEntry, Role, User
from rondo.interactions import audited
from rondo.interactions.models import ImportFile, Interaction
from rondo.lists.models import SavedView

router = Router(tags=["audit"])
_PREFIX = {
    "customer": Customer.PREFIX,
    "interaction": Interaction.PREFIX,
    "user": USER,
    "team": TEAM,
    "view": SavedView.PREFIX,
    "load": RUN,
    "import_file": ImportFile.PREFIX,
    "invitation": INVITATION,
}
_KEYED: dict[str, Any] = {"role": Role, "segment": Segment, "attribute": AttributeDefinition}
_REFERS = {"owner": USER, "team": TEAM, "parent": TEAM}
"""Fields that hold the key of a record, and what its public id begins with."""


class FieldChanged(Schema):
    __doc__ = gettext_noop("One field: from what to what. `masked`: both are kept from the token's user.")

    field: str
    before: Any = Field(..., description=gettext_noop("As the log keeps it; records by their public ids."))
    after: Any
    masked: bool


class EntryTold(Schema):
    __doc__ = gettext_noop("An entry of the audit log. `record`: by public id or key, null where it has neither.")

    id: str = Field(..., examples=["ch_4m2kq8xw"])
    at: datetime
    by: str | None = Field(..., description=gettext_noop("E-mail address; null: the system."))
    door: str = Field(..., description=gettext_noop("web, api, import, job or command"))
    verb: str = Field(..., examples=["customer.changed"])
    record_type: str
    record: str | None
    fields: list[FieldChanged]


class EntriesTold(Schema):
    __doc__ = gettext_noop("A page of entries, the newest first; `next` is null on the last page.")

    data: list[EntryTold]
    next: str | None


@router.get(
    "/audit",
    auth=TokenAuth("audit"),
    response=EntriesTold,
    summary=gettext_noop("The audit log"),
    operation_id="listAuditEntries",
    description=gettext_noop(
        "Entries in the reach of the token's user, and never of a customer whom the user may not see. What is masked "
        "for the user is neither told nor searched."
    ),
)
def list_entries(
    request: HttpRequest,
    who: Annotated[
        str | None, Query(max_length=120, description=gettext_noop("By whose name or address holds this."))
    ] = None,
    record: Annotated[
        str | None, Query(max_length=30, description=gettext_noop("Only of records of this type, such as customer."))
    ] = None,
    door: Annotated[
        Literal["web", "api", "import", "job", "command"] | None,
        Query(description=gettext_noop("Only through this door.")),
    ] = None,
    since: Annotated[date | None, Query(description=gettext_noop("From this day on, in the company's zone."))] = None,
    until: Annotated[date | None, Query(description=gettext_noop("Up to this day, included."))] = None,
    text: Annotated[
        str | None, Query(max_length=100, description=gettext_noop("Only where verb, fields or values hold this."))
    ] = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> EntriesTold:
    check_texts("text", [who or "", record or "", text or ""])
    user = viewer(request)
    rows = audited.searched(
        user, who=who or "", record=record or "", door=door or "", since=since, until=until, text=text or ""
    )
    if after := paging.decode_key(cursor):
        rows = rows.filter(pk__lt=after)
    page, last = paging.split(list(rows[: limit + 1]), limit)
    return EntriesTold(
        data=told(user, page), next=paging.next_link(request, paging.encode_key(last.pk)) if last else None
    )


def told(user: User, rows: Sequence[AuditEntry]) -> list[EntryTold]:
    """The entries for ``user``, in a number of queries that does not grow with them."""
    keys: dict[tuple[str, int], str] = {}
    for kind, model in _KEYED.items():
        wanted = {row.record_id for row in rows if row.record_type == kind}
        manager = getattr(model, "everything", model.objects)
        keys |= {(kind, pk): key for pk, key in manager.filter(pk__in=wanted).values_list("pk", "key") if wanted}
    others = _others(user, rows)
    return [
        EntryTold(
            id=ids.encode(CHANGE, row.pk),
            at=row.at,
            by=None if row.actor is None else row.actor.email,
            door=row.door,
            verb=row.verb,
            record_type=row.record_type,
            record=ids.encode(_PREFIX[row.record_type], row.record_id)
            if row.record_type in _PREFIX
            else keys.get((row.record_type, row.record_id)),
            fields=[_field(user, row, name, values, others) for name, values in row.changes.items()],
        )
        for row in rows
    ]


def _others(user: User, rows: Sequence[AuditEntry]) -> dict[int, str]:
    """Public ids of other customers whose keys stand in the entries, of those whom the user sees."""
    wanted = {
        value
        for row in rows
        for name, values in row.changes.items()
        if audited.holds_others(row, name) and isinstance(values, list)
        for value in values
        if isinstance(value, int)
    }
    if not wanted:
        return {}
    stands = survivors_of(user, list(wanted))
    seen = set(visible(user).filter(pk__in={stands.get(key, key) for key in wanted}).values_list("pk", flat=True))
    return {key: ids.encode(Customer.PREFIX, key) for key in wanted if stands.get(key, key) in seen}


def _field(user: User, row: AuditEntry, name: str, values: Any, others: dict[int, str]) -> FieldChanged:
    before, after = values if isinstance(values, list) and len(values) == 2 else (None, values)
    if name == "unique_key":  # follows the value, and is masked as it is
        hidden = any(audited.hides(user, row.verb, one) for one in row.changes)
    else:
        hidden = audited.hides(user, row.verb, name) or audited.names_hidden(user, name, values)
    if hidden:
        return FieldChanged(field=name, before=None, after=None, masked=True)
    if audited.holds_others(row, name):
        before, after = (others.get(one) if isinstance(one, int) else one for one in (before, after))
    elif prefix := _REFERS.get(name):
        before, after = (ids.encode(prefix, one) if isinstance(one, int) else one for one in (before, after))
    return FieldChanged(field=name, before=before, after=after, masked=False)
