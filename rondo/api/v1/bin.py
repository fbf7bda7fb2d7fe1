"""The bin, by program: who is in it, some or a whole list put into it together, and put back together."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema
from ninja.errors import ValidationError

from rondo.api import paging
from rondo.api.auth import TokenAuth, viewer
from rondo.api.parameters import key_of
from rondo.api.v1.lists.customers import open_list
from rondo.api.versions import alone
from rondo.api.writing import Body, actor
from rondo.customers.actions import MOST_AT_ONCE, put_back, put_into_bin, request_binning
from rondo.customers.actions.gate import one_at_a_time
from rondo.customers.jobs import request_putting_back
from rondo.customers.models import Bin
from rondo.customers.queries import binned
from rondo.errors import NotFound, StateError
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.foundation.rights import has_right

router = Router(tags=["erasure"])
DELETING = TokenAuth("delete")
BIN = "bn"
"""What public ids begin with of what went into the bin together."""
_LONGEST = 4000


class Binned(Schema):
    __doc__ = gettext_noop(
        "Customers who went into the bin together. `status`: queued, running, done or failed; `count` of them went, "
        "`back` were put back since, of `total` where a job does it."
    )

    id: str = Field(..., examples=["bn_4m2kq8xw"])
    status: str
    count: int
    back: int
    done: int
    total: int
    error: str
    put_at: datetime
    by: str | None = Field(..., description=gettext_noop("E-mail address; null: the system."))


class BinnedCustomer(Schema):
    __doc__ = gettext_noop("A customer in the bin, and with which others they went.")

    id: str = Field(..., examples=["c_8fk2m9xq"])
    name: str
    kind: str
    bin: str = Field(..., examples=["bn_4m2kq8xw"])
    put_at: datetime


class BinnedCustomers(Schema):
    __doc__ = gettext_noop("A page of who is in the bin, the latest first; `next` is null on the last page.")

    data: list[BinnedCustomer]
    next: str | None


class BinBody(Body):
    __doc__ = gettext_noop(
        "Who goes into the bin: up to 500 `customers` by id, all or none; or a whole list, as the customers list takes "
        "it (`view`, `f`, `rule`, `q`), with the `count` that was read of it: where the list has another one "
        "meanwhile, nobody goes."
    )

    customers: list[str] = Field([], max_length=MOST_AT_ONCE, examples=[["c_8fk2m9xq"]])
    view: str = Field("", max_length=40)
    f: list[str] = Field([], max_length=50, examples=[["kind:is:household"]])
    rule: str = Field("", max_length=_LONGEST)
    q: str = Field("", max_length=200)
    count: int | None = Field(None, ge=0)


@router.get(
    "/bin",
    auth=DELETING,
    response=BinnedCustomers,
    summary=gettext_noop("Who is in the bin"),
    operation_id="listBin",
    description=gettext_noop("Customers of whom the token's user would see each, were they not in the bin."),
)
def list_bin(
    request: HttpRequest, limit: paging.Limit = paging.DEFAULT_LIMIT, cursor: paging.Cursor = None
) -> BinnedCustomers:
    rows = binned(viewer(request)).select_related("bin")
    if cursor is not None:
        (put, key), _end = paging.decode_change(cursor)
        rows = rows.filter(Q(bin_id__lt=put) | Q(bin_id=put, pk__gt=key))
    page, last = paging.split(list(rows.order_by("-bin_id", "pk")[: limit + 1]), limit)
    return BinnedCustomers(
        data=[
            BinnedCustomer(
                id=row.public_id,
                name=row.name,
                kind=row.kind,
                bin=ids.encode(BIN, row.bin.pk),
                put_at=row.bin.created_at,
            )
            for row in page
            if row.bin is not None
        ],
        next=paging.next_link(request, paging.encode_change(last.bin_id or 0, last.pk)) if last else None,
    )


@router.post(
    "/bin",
    auth=DELETING,
    response=Binned,
    summary=gettext_noop("Put many customers into the bin"),
    operation_id="binCustomers",
    description=gettext_noop(
        "Customers named go at once. A whole list goes by a job: ask for what it answers until its `status` is done."
    ),
)
def bin_customers(request: HttpRequest, body: BinBody) -> Binned:
    asked: dict[str, Any] = {"view": body.view, "f": body.f, "rule": body.rule, "q": body.q}
    is_list = body.count is not None or any(asked.values())
    if is_list == bool(body.customers):
        raise _flaw("customers", _("Name customers, or a list with its count: one of the two."))
    if not is_list:
        return _told(put_into_bin(actor(request), list(dict.fromkeys(body.customers))))
    if body.count is None:
        raise _flaw(
            "count", _("Say how many customers the list has, as you counted it; then nobody else goes with it.")
        )
    actor(request).require("see")  # to ask a list is to ask about all customers
    keys = open_list(viewer(request), **asked).keys()
    if len(keys) != body.count:
        raise StateError(
            _("The list has %(now)d customers now, not %(seen)d; count it again.")
            % {"now": len(keys), "seen": body.count}
        )
    return _told(request_binning(actor(request), keys))


@router.get(
    "/bin/{bin_id}",
    auth=DELETING,
    response=Binned,
    summary=gettext_noop("What went into the bin together"),
    operation_id="getBin",
    openapi_extra=alone(
        lambda bin_id: Bin.objects.filter(pk=ids.decode(BIN, bin_id) or 0),
        "done",
        "total",
        first=lambda bin_id: one_at_a_time(),
    ),
    description=gettext_noop("How far it is, and how many were put back since."),
)
def get_bin(request: HttpRequest, bin_id: str) -> Binned:
    return _told(_find(viewer(request), bin_id))


@router.post(
    "/bin/{bin_id}/restore",
    auth=DELETING,
    response=Binned,
    summary=gettext_noop("Put back what went together"),
    operation_id="restoreBin",
    description=gettext_noop(
        "All who are still in the bin and whom the token's user sees; more than 500 by a job, and `back` says how far "
        "it is."
    ),
)
def restore_bin(request: HttpRequest, bin_id: str) -> Binned:
    user = viewer(request)
    row = _find(user, bin_id)
    if binned(user).filter(bin_id=row.pk)[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
        actor(request).require("delete")
        request_putting_back(user, row.pk)
    else:
        put_back(actor(request), row.pk)
    row.refresh_from_db()
    return _told(row)


def _find(user: User, bin_id: str) -> Bin:
    """What went together, for who put it there, who sees any of it, and administrators; raises NotFound."""
    row = Bin.objects.select_related("actor").filter(pk=key_of(BIN, bin_id)).first()
    if row is None or not (
        row.actor_id == user.pk or has_right(user, "administer") or binned(user).filter(bin_id=row.pk).exists()
    ):
        raise NotFound(bin_id)
    return row


def _flaw(place: str, told: str) -> ValidationError:
    return ValidationError([{"type": "value_error", "loc": ("body", "body", place), "msg": told}])


def _told(row: Bin) -> Binned:
    return Binned(
        id=ids.encode(BIN, row.pk),
        status=row.status,
        count=row.count,
        back=row.back,
        done=row.done,
        total=row.total,
        error=row.error,
        put_at=row.created_at,
        by=row.actor.email if row.actor else None,
    )
