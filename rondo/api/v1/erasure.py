"""What is held about a customer, as an archive; and the erasure of a customer: foretold, done, followed."""

from datetime import date, datetime
from typing import Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from rondo.api.auth import TokenAuth
from rondo.api.writing import Body, actor
from rondo.customers.models import Customer
from rondo.erasure.actions import end_hold, put_hold, request_erasure
from rondo.erasure.bundle import make_bundle
from rondo.erasure.jobs import enqueue_erasure
from rondo.erasure.models import Erasure, Hold
from rondo.erasure.queries import get_erasure, person, preview
from rondo.errors import InputError
from rondo.foundation import ids

router = Router(tags=["erasure"])
ERASING = TokenAuth("erase")


class KindOfRows(Schema):
    __doc__ = gettext_noop(
        "Rows of one kind. `fate`: `delete` (they go) or `blank` (they stay without the person; `why` says why)."
    )

    kind: str = Field(..., examples=["interactions"])
    rows: int
    fate: Literal["delete", "blank"]
    why: str


class KeptRows(Schema):
    __doc__ = gettext_noop("Figures that the law asks for, which are kept without the person for so many years.")

    kind: str
    rows: int
    years: int


class HeldBy(Schema):
    __doc__ = gettext_noop("Why the customer cannot be erased for now; `until`: its last day, where it is known.")

    reason: str
    until: date | None


class Foretold(Schema):
    __doc__ = gettext_noop(
        "What an erasure would do: to all records that were merged into this customer, the survivor first; `entries` "
        "of the audit log lose their values. `held` is empty where it can be done."
    )

    customer: str
    records: list[str]
    kinds: list[KindOfRows]
    entries: int
    kept: list[KeptRows]
    held: list[HeldBy]


class EraseBody(Body):
    __doc__ = gettext_noop(
        "An erasure cannot be undone: `confirm` is the id of the customer once more. `reason`: the person asked for "
        "it, the time to keep the data is over, or the data should not have been kept."
    )

    confirm: str = Field(..., max_length=30, examples=["c_8fk2m9xq"])
    reason: Literal["asked", "retention", "wrong"] = "asked"


class HoldBody(Body):
    __doc__ = gettext_noop("Why a customer is not to be erased for now, and the last day, where it is known.")

    reason: str = Field(..., min_length=1, max_length=200)
    until: date | None = None


class HoldPut(Schema):
    __doc__ = gettext_noop("A hold against the erasure of a customer.")

    id: str = Field(..., examples=["ho_4m2kq8xw"])
    reason: str
    until: date | None
    put_at: datetime
    ended_at: datetime | None


class ErasureState(Schema):
    __doc__ = gettext_noop(
        "How far an erasure is. `status`: queued, running, done or failed (then `error` says why; it goes on by itself "
        "at night). `results`: how many rows of which kind went, stayed without the person, are kept as figures."
    )

    id: str = Field(..., examples=["er_4m2kq8xw"])
    status: str
    reason: str
    persons: int
    asked_at: datetime
    finished_at: datetime | None
    error: str
    results: dict[str, dict[str, int]]


@router.get(
    "/customers/{customer_id}/erasure",
    auth=ERASING,
    response=Foretold,
    summary=gettext_noop("What an erasure would do"),
    operation_id="foretellErasure",
    description=gettext_noop("What is held about a customer, what of it goes, what stays and why. Nothing changes."),
)
def foretell_erasure(request: HttpRequest, customer_id: str) -> Foretold:
    customer = person(actor(request), customer_id)
    found = preview(actor(request), customer)
    return Foretold(
        customer=customer.public_id,
        records=[ids.encode(Customer.PREFIX, key) for key in found.records],
        kinds=[
            KindOfRows(kind=one.key, rows=one.rows, fate=one.fate, why=str(one.why))  # type: ignore[arg-type]
            for one in found.kinds
        ],
        entries=found.entries,
        kept=[KeptRows(kind=one.key, rows=one.rows, years=one.years) for one in found.kept],
        held=[HeldBy(reason=one.reason, until=one.until) for one in found.held],
    )


@router.post(
    "/customers/{customer_id}/erasure",
    auth=ERASING,
    response=ErasureState,
    summary=gettext_noop("Erase a customer"),
    operation_id="eraseCustomer",
    description=gettext_noop(
        "For good, with all records that were merged into it. From the answer on nobody sees the customer; a job does "
        "the rest, and its state can be asked for."
    ),
)
def erase_customer(request: HttpRequest, customer_id: str, body: EraseBody) -> ErasureState:
    customer = person(actor(request), customer_id)
    if body.confirm != customer.public_id:
        raise InputError(_("confirm: %(id)s is needed; nothing was erased.") % {"id": customer.public_id})
    return _state(request_erasure(actor(request), [customer], body.reason))


@router.get(
    "/erasures/{erasure_id}",
    auth=ERASING,
    response=ErasureState,
    summary=gettext_noop("State of an erasure"),
    operation_id="getErasure",
    description=gettext_noop("How far an erasure is, and what it did."),
)
def show_erasure(request: HttpRequest, erasure_id: str) -> ErasureState:
    return _state(get_erasure(actor(request), erasure_id))


@router.post(
    "/erasures/{erasure_id}/again",
    auth=ERASING,
    response=ErasureState,
    summary=gettext_noop("Let an erasure go on"),
    operation_id="resumeErasure",
    description=gettext_noop("One that failed; it would go on by itself at night. Any other is answered as it is."),
)
def go_on(request: HttpRequest, erasure_id: str) -> ErasureState:
    row = get_erasure(actor(request), erasure_id)
    if row.status == Erasure.Status.FAILED:
        enqueue_erasure(row.pk)
    return _state(row)


@router.get(
    "/customers/{customer_id}/bundle",
    auth=TokenAuth("export"),
    summary=gettext_noop("All data of a customer"),
    operation_id="getBundle",
    description=gettext_noop(
        "A ZIP archive: JSON per kind, manifest.json and an index that people read. Refused where the token's user "
        "does not see all fields, since it would not be all."
    ),
    openapi_extra={
        "responses": {
            200: {
                "description": "The archive",
                "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
            },
        }
    },
)
def show_bundle(request: HttpRequest, customer_id: str) -> StreamingHttpResponse:
    made = make_bundle(actor(request), person(actor(request), customer_id))
    response = StreamingHttpResponse(made.blocks, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response


@router.post(
    "/customers/{customer_id}/holds",
    auth=ERASING,
    response=HoldPut,
    summary=gettext_noop("Put a hold against erasure"),
    operation_id="putHold",
    description=gettext_noop("Nobody can erase the customer until the hold ends."),
)
def hold_customer(request: HttpRequest, customer_id: str, body: HoldBody) -> HoldPut:
    customer = person(actor(request), customer_id)
    return _hold(put_hold(actor(request), customer, body.reason, body.until))


@router.post(
    "/customers/{customer_id}/holds/{hold_id}/end",
    auth=ERASING,
    response=HoldPut,
    summary=gettext_noop("End a hold"),
    operation_id="endHold",
    description=gettext_noop("The customer can be erased again, where nothing else stands against it."),
)
def release_customer(request: HttpRequest, customer_id: str, hold_id: str) -> HoldPut:
    customer = person(actor(request), customer_id)
    return _hold(end_hold(actor(request), customer, ids.decode(Hold.PREFIX, hold_id) or 0))


def _hold(row: Hold) -> HoldPut:
    return HoldPut(id=row.public_id, reason=row.reason, until=row.until, put_at=row.at, ended_at=row.ended_at)


def _state(row: Erasure) -> ErasureState:
    return ErasureState(
        id=row.public_id,
        status=row.status,
        reason=row.reason,
        persons=row.persons,
        asked_at=row.created_at,
        finished_at=row.finished_at,
        error=row.error,
        results=row.results,
    )
