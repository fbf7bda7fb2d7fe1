"""Links between customers: listed, made, changed, ended, removed, put back."""

from datetime import date
from typing import Annotated, Any, Literal

from django.core import signing
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Query, Router, Schema
from ninja.errors import ValidationError

from rondo.api.auth import TokenAuth, viewer
from rondo.api.parameters import key_of
from rondo.api.v1.schemas import Named
from rondo.api.versions import alone
from rondo.api.writing import Body, Fields, actor
from rondo.customers import actions, queries
from rondo.customers.actions.links import hold_link
from rondo.customers.models import Customer, Link
from rondo.errors import InputError, NotFound
from rondo.foundation import ids
from rondo.foundation.loads import shown
from rondo.foundation.models import User

router = Router(tags=["households"])
EDITING = TokenAuth("edit")
LINK = "ln"
"""What public ids of links begin with."""
Role = Literal["member", "employee", "partner", "referred", "subsidiary"]
_SALT = "rondo.api.links"
_GOOD_FOR = 24 * 3600
"""Seconds for which a removal can be taken back by its answer."""


class LinkTold(Schema):
    __doc__ = gettext_noop(
        "A link: `subject` is ROLE of `object`, such as member of a household. `since` and `until`: first and last "
        "day, null where not known, or while it stands."
    )

    id: str = Field(..., examples=["ln_4m2kq8xw"])
    subject: Named
    object: Named
    role: str = Field(..., description=gettext_noop("member, employee, partner, referred or subsidiary"))
    position: str = Field(..., description=gettext_noop("as what, such as a buyer; empty where it is not known"))
    since: date | None
    until: date | None


class LinksTold(Schema):
    __doc__ = gettext_noop("Links of a customer to others whom the token's user sees.")

    data: list[LinkTold]


class NewLink(Body):
    __doc__ = gettext_noop(
        "A link of the customer of the address: `out`, it is ROLE of the other one; `in`, the other one is of it. The "
        "other one by id; or by `name`, to be made, of the kind that the role needs."
    )

    role: Role
    direction: Literal["out", "in"] = "out"
    customer: str | None = Field(None, max_length=30, examples=["c_4m2kq8xw"])
    name: str | None = Field(None, max_length=200)
    position: str = Field("", max_length=100)
    since: date | None = None


class LinkFields(Fields):
    __doc__ = gettext_noop(
        "What is to change of a link; what is left out stays. With `until`, its last day, it has ended; null opens it "
        "again."
    )

    position: str = Field("", max_length=100)
    since: date | None = None
    until: date | None = None


class NewHousehold(Body):
    __doc__ = gettext_noop("A household to make, and who its members are.")

    name: str = Field(..., min_length=1, max_length=200, examples=["Miller household"])
    members: list[str] = Field(..., min_length=1, max_length=100, examples=[["c_8fk2m9xq"]])


class Unlinked(Schema):
    __doc__ = gettext_noop("A link that was removed; `undo` puts it back, for a day.")

    undo: str


class UndoBody(Body):
    __doc__ = gettext_noop("What the removal answered.")

    undo: str = Field(..., max_length=4000)


@router.get(
    "/customers/{customer_id}/links",
    response=LinksTold,
    summary=gettext_noop("Links of a customer"),
    operation_id="listLinks",
    description=gettext_noop("To members, households, employers, partners and the like."),
)
def list_links(
    request: HttpRequest,
    customer_id: str,
    ended: Annotated[bool, Query(description=gettext_noop("Those that have ended instead."))] = False,
) -> LinksTold:
    user = viewer(request)
    customer = queries.get_visible(user, customer_id)
    found = queries.links_of(user, queries.record_ids(customer.pk), ended=ended)
    return LinksTold(data=[_told(one.link, customer, one.other, outward=one.outward) for one in found])


@router.post(
    "/customers/{customer_id}/links",
    auth=EDITING,
    response=LinkTold,
    summary=gettext_noop("Link customers"),
    operation_id="createLink",
    description=gettext_noop("The same link again is answered as it is."),
)
def create_link(request: HttpRequest, customer_id: str, body: NewLink) -> LinkTold:
    user = viewer(request)
    customer = queries.get_visible(user, customer_id)
    outward = body.direction == "out"
    more: dict[str, Any] = {"position": body.position, "since": body.since}
    if (body.customer is None) == (body.name is None):
        told = _("Give the other customer by id, or a name to make one: one of the two.")
        raise ValidationError([{"type": "value_error", "loc": ("body", "body", "customer"), "msg": told}])
    if body.customer is None:
        made = actions.link_new(actor(request), customer.pk, body.role, body.name or "", outward=outward, **more)
    else:
        other = queries.get_visible(user, body.customer).pk
        first, second = (customer.pk, other) if outward else (other, customer.pk)
        made = actions.link(actor(request), first, second, body.role, **more)
    return _one(user, made)


@router.post(
    "/households",
    auth=EDITING,
    response=LinksTold,
    summary=gettext_noop("Make a household"),
    operation_id="createHousehold",
    description=gettext_noop("With its members, all or none; the answer is their links."),
)
def create_household(request: HttpRequest, body: NewHousehold) -> LinksTold:
    user = viewer(request)
    members = [queries.get_visible(user, one).pk for one in body.members]
    made = actions.link_as_household(actor(request), members, body.name)
    return LinksTold(data=[_one(user, row) for row in made])


@router.get(
    "/links/{link_id}",
    response=LinkTold,
    summary=gettext_noop("One link"),
    operation_id="getLink",
    openapi_extra=alone(
        lambda link_id: Link.objects.filter(pk=ids.decode(LINK, link_id) or 0),
        first=lambda link_id: hold_link(ids.decode(LINK, link_id) or 0),
    ),
    description=gettext_noop("Between two customers whom the token's user sees."),
)
def get_link(request: HttpRequest, link_id: str) -> LinkTold:
    row = Link.objects.filter(shown(), pk=key_of(LINK, link_id)).first()
    if row is None:
        raise NotFound(link_id)
    return _one(viewer(request), row)


@router.patch(
    "/links/{link_id}",
    auth=EDITING,
    response=LinkTold,
    summary=gettext_noop("Change a link"),
    operation_id="changeLink",
    description=gettext_noop("As what and since when; with a last day it has ended."),
)
def change_link(request: HttpRequest, link_id: str, body: LinkFields) -> LinkTold:
    row = actions.change_link(actor(request), key_of(LINK, link_id), **body.dict(exclude_unset=True))
    return _one(viewer(request), row)


@router.delete(
    "/links/{link_id}",
    auth=EDITING,
    response=Unlinked,
    summary=gettext_noop("Remove a link"),
    operation_id="removeLink",
    description=gettext_noop("As one that was a mistake; one that was true ends with a last day instead."),
)
def remove_link(request: HttpRequest, link_id: str) -> Unlinked:
    gone = actions.unlink(actor(request), key_of(LINK, link_id))
    return Unlinked(undo=signing.dumps([one.to_dict() for one in gone], salt=_SALT, compress=True))


@router.post(
    "/links/removals/undo",
    auth=EDITING,
    response=LinksTold,
    summary=gettext_noop("Put a link back"),
    operation_id="undoRemovedLink",
    description=gettext_noop("One that was removed; what has been linked again since is left as it is."),
)
def put_back(request: HttpRequest, body: UndoBody) -> LinksTold:
    try:
        known = signing.loads(body.undo, salt=_SALT, max_age=_GOOD_FOR)
    except signing.BadSignature as error:
        raise InputError(_("This can no longer be undone here; make the link again.")) from error
    removed = [actions.Removed.from_dict(one) for one in known]
    actions.put_back_link(actor(request), removed)
    user = viewer(request)
    rows = [
        Link.objects.filter(subject_id=one.subject, object_id=one.object, role=one.role).order_by("-pk").first()
        for one in removed
    ]
    return LinksTold(data=[_one(user, row) for row in rows if row is not None])


def _one(user: User, row: Link) -> LinkTold:
    """A link whose ends the user sees: the action that wrote it has looked."""
    ends = [queries.get_visible(user, ids.encode(Customer.PREFIX, key)) for key in (row.subject_id, row.object_id)]
    return _told(row, ends[0], ends[1], outward=True)


def _told(row: Link, customer: Customer, other: Customer, *, outward: bool) -> LinkTold:
    one, two = (Named(id=end.public_id, name=end.name) for end in (customer, other))
    subject, object = (one, two) if outward else (two, one)
    return LinkTold(
        id=ids.encode(LINK, row.pk),
        subject=subject,
        object=object,
        role=row.role,
        position=row.position,
        since=row.since,
        until=row.until,
    )
