"""One customer, once, by program: the check before one is made, likely duplicates, decisions, merges and their undo."""

from datetime import date, datetime
from typing import Annotated, Literal

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Query, Router, Schema
from ninja.errors import ValidationError

from rondo.api import paging
from rondo.api.auth import TokenAuth, viewer
from rondo.api.parameters import key_of
from rondo.api.v1.schemas import Named
from rondo.api.writing import Body, actor
from rondo.customers import actions, queries
from rondo.customers.definitions import hidden_from
from rondo.customers.identifiers import LIMITS, normalise
from rondo.customers.models import Customer, Merge
from rondo.customers.picking import ATTRIBUTE, differing, read_sides
from rondo.duplicates import actions as duplicates
from rondo.duplicates.actions.automatic import longer_known
from rondo.duplicates.checking import likely_same
from rondo.duplicates.models import Pair
from rondo.duplicates.queries import open_pairs
from rondo.errors import InputError
from rondo.foundation import ids
from rondo.interactions.splitting.remains import merges_of

router = Router(tags=["merging"])

MERGE, PAIR = "mg", "dp"
"""What public ids of merges and of pairs begin with."""
MERGING = TokenAuth("merge")
Side = Literal["left", "right"]
_MOST_IDENTIFIERS = 20


class GivenIdentifier(Body):
    __doc__ = gettext_noop("An identifier to look for, as a person writes it.")

    kind: Literal["email", "phone", "card", "anonymous", "device"] = Field(..., examples=["email"])
    value: str = Field(..., max_length=255, examples=["ada@example.org"])


class CheckBody(Body):
    __doc__ = gettext_noop("What is known of a customer who is about to be made.")

    name: str = Field("", max_length=200)
    birth_date: date | None = None
    identifiers: list[GivenIdentifier] = Field([], max_length=_MOST_IDENTIFIERS)
    region: str | None = Field(
        None, max_length=2, description=gettext_noop("Country of phone numbers without one, ISO 3166 alpha-2.")
    )


class Likely(Schema):
    __doc__ = gettext_noop(
        "A customer who may be meant. `customer` is null where the token's user may not see who holds the identifier."
    )

    customer: Named | None
    why: str = Field(
        ..., description=gettext_noop("identifier (certain: it belongs to one customer), name_birth or name")
    )
    value: str = Field(..., description=gettext_noop("The identifier, in the form that people read; else empty."))


class Checked(Schema):
    __doc__ = gettext_noop("Who may be meant already, holders of the same identifier first; empty where nobody.")

    data: list[Likely]


class DuplicatePair(Schema):
    __doc__ = gettext_noop(
        "Two customers who are probably one. `stays` is the side that survives unless told otherwise; of `differing` "
        "fields both have a value, and not the same."
    )

    id: str = Field(..., examples=["dp_4m2kq8xw"])
    left: Named
    right: Named
    probability: float
    status: str = Field(..., description=gettext_noop("open, later, merged or different"))
    stays: str
    differing: list[str]
    merge: str | None = Field(..., description=gettext_noop("The merge by which the pair was decided."))


class DuplicatePairs(Schema):
    __doc__ = gettext_noop("A page of pairs, the most probable first; `next` is null on the last page.")

    data: list[DuplicatePair]
    next: str | None


class DecisionBody(Body):
    __doc__ = gettext_noop(
        "What is decided about a pair. Of a merge: the side that survives, and per field (`name`, `given_name`, "
        "`family_name`, `kind`, `language`, `birth_date`, `owner`, `team`, `address`, `attr.<key>`) the side whose "
        "value shows; otherwise the survivor's own, and the other's where it has none."
    )

    decided: Literal["merged", "different", "later"]
    survivor: Side | None = None
    fields: dict[str, Side] = Field({}, max_length=200)


class MergeBody(Body):
    __doc__ = gettext_noop(
        "Two customers who are one: `loser` is merged into `winner`. A known record always outlives an anonymous one. "
        "`fields`: per field the record whose value shows, as for a pair."
    )

    loser: str = Field(..., max_length=30, examples=["c_8fk2m9xq"])
    winner: str = Field(..., max_length=30, examples=["c_4m2kq8xw"])
    reason: str = Field("", max_length=200)
    fields: dict[str, Literal["loser", "winner"]] = Field({}, max_length=200)


class MergeMade(Schema):
    __doc__ = gettext_noop("A merge: `loser` points to `winner` until it is undone.")

    id: str = Field(..., examples=["mg_4m2kq8xw"])
    loser: str
    winner: str
    at: datetime
    by: str | None = Field(..., description=gettext_noop("E-mail address of who merged; null: the system."))
    reason: str
    undone_at: datetime | None


class Merges(Schema):
    __doc__ = gettext_noop("The merges that make up one customer, the last first.")

    data: list[MergeMade]


class Unmerged(Schema):
    __doc__ = gettext_noop(
        "An undone merge: `customer` stands for itself again. `left`: fields that somebody changed since and that are "
        "left as they are."
    )

    merge: MergeMade
    customer: str
    left: list[str]


@router.post(
    "/customers/check",
    response=Checked,
    summary=gettext_noop("Who may be meant"),
    operation_id="checkCustomer",
    description=gettext_noop(
        "Before a customer is made: who holds the same identifier, then who has the same name, unless both birth dates "
        "are known and differ. It changes nothing."
    ),
)
def check_customer(request: HttpRequest, body: CheckBody) -> Checked:
    user = viewer(request)
    for place, one in enumerate(body.identifiers):
        _check_identifier(place, one, body.region)
    found = likely_same(
        user,
        name=body.name,
        birth_date=body.birth_date,
        identifiers=[(one.kind, one.value) for one in body.identifiers],
        region=body.region,
    )
    return Checked(
        data=[
            Likely(customer=None if one.customer is None else _named(one.customer), why=one.why, value=one.value)
            for one in found
        ]
    )


def _check_identifier(place: int, one: GivenIdentifier, region: str | None) -> None:
    assert one.kind in LIMITS
    try:
        normalise(one.kind, one.value, region)
    except InputError as error:
        where = ("body", "body", "identifiers", place, "value")
        raise ValidationError([{"type": "identifier", "loc": where, "msg": str(error)}]) from error


@router.get(
    "/duplicates",
    auth=MERGING,
    response=DuplicatePairs,
    summary=gettext_noop("Likely duplicates"),
    operation_id="listDuplicates",
    description=gettext_noop(
        "Pairs that the last search found and nobody decided about, the most probable first. Both customers are the "
        "token's user's to see."
    ),
)
def list_duplicates(
    request: HttpRequest,
    status: Annotated[
        Literal["open", "later"], Query(description=gettext_noop("Those to decide, or those put off."))
    ] = "open",
    least: Annotated[float, Query(ge=0, le=1, description=gettext_noop("Only from this probability on."))] = 0.5,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> DuplicatePairs:
    rows = open_pairs(viewer(request), least, status)
    if after := paging.decode_key(cursor):
        weight = Pair.objects.filter(pk=after).values_list("weight", flat=True).first()
        if weight is None:
            raise InputError(_("cursor: a new search was made since; begin again without it."))
        rows = rows.filter(Q(weight__lt=weight) | Q(weight=weight, pk__gt=after))
    page, last = paging.split(list(rows.order_by("-weight", "pk")[: limit + 1]), limit)
    return DuplicatePairs(
        data=_pairs(request, page), next=paging.next_link(request, paging.encode_key(last.pk)) if last else None
    )


@router.post(
    "/duplicates/{pair_id}/decision",
    auth=MERGING,
    response=DuplicatePair,
    summary=gettext_noop("Decide about a pair"),
    operation_id="decideDuplicate",
    description=gettext_noop("Merge the two, tell them apart, or put the decision off."),
)
def decide_duplicate(request: HttpRequest, pair_id: str, body: DecisionBody) -> DuplicatePair:
    key = key_of(PAIR, pair_id)
    pair = Pair.objects.select_related("left", "right").filter(pk=key).first()
    survivor = body.survivor or (longer_known(pair.left, pair.right) if pair is not None else "left")
    fields = body.fields if body.decided == "merged" else None
    return _pair(request, duplicates.decide(actor(request), key, body.decided, survivor=survivor, fields=fields))


@router.post(
    "/duplicates/{pair_id}/undo",
    auth=MERGING,
    response=DuplicatePair,
    summary=gettext_noop("Take a decision back"),
    operation_id="undoDuplicate",
    description=gettext_noop("The pair is open again; what was merged stands for itself again."),
)
def undo_duplicate(request: HttpRequest, pair_id: str) -> DuplicatePair:
    return _pair(request, duplicates.take_back(actor(request), key_of(PAIR, pair_id)).pair)


@router.post(
    "/merges",
    auth=MERGING,
    response=MergeMade,
    summary=gettext_noop("Merge two customers"),
    operation_id="mergeCustomers",
    description=gettext_noop(
        "History, orders, consents and exposures of both show on the record that survives; nothing is moved, and it "
        "can be undone at any time."
    ),
)
def merge_customers(request: HttpRequest, body: MergeBody) -> MergeMade:
    sides = {"loser": body.loser, "winner": body.winner}
    fields = {name: sides[side] for name, side in body.fields.items()}
    return _merge(actions.merge(actor(request), body.loser, body.winner, body.reason, fields=fields))


@router.post(
    "/merges/{merge_id}/undo",
    auth=MERGING,
    response=Unmerged,
    summary=gettext_noop("Undo a merge"),
    operation_id="undoMerge",
    description=gettext_noop("The record that was merged stands for itself again, with what had been merged into it."),
)
def undo_merge(request: HttpRequest, merge_id: str) -> Unmerged:
    key = key_of(MERGE, merge_id)
    done = actions.unmerge(actor(request), key)
    hidden = {ATTRIBUTE + name for name in hidden_from(viewer(request))}
    return Unmerged(
        merge=_merge(Merge.objects.get(pk=key)),
        customer=done.customer.public_id,
        left=[name for name in done.left if name not in hidden],
    )


@router.get(
    "/customers/{customer_id}/merges",
    auth=MERGING,
    response=Merges,
    summary=gettext_noop("Merges of a customer"),
    operation_id="listMerges",
    description=gettext_noop("The standing merges of the records that one customer stands for."),
)
def list_merges(request: HttpRequest, customer_id: str) -> Merges:
    customer = queries.get_visible(viewer(request), customer_id)
    rows = merges_of(queries.record_ids(customer.pk)).select_related("by")
    return Merges(data=[_merge(row) for row in rows])


def _named(row: Customer) -> Named:
    return Named(id=row.public_id, name=row.name)


def _merge(row: Merge) -> MergeMade:
    return MergeMade(
        id=ids.encode(MERGE, row.pk),
        loser=ids.encode(Customer.PREFIX, row.loser_id),
        winner=ids.encode(Customer.PREFIX, row.winner_id),
        at=row.at,
        by=None if row.by is None else row.by.email,
        reason=row.reason,
        undone_at=row.undone_at,
    )


def _pair(request: HttpRequest, pair: Pair) -> DuplicatePair:
    (made,) = _pairs(request, [Pair.objects.select_related("left", "right").get(pk=pair.pk)])
    return made


def _pairs(request: HttpRequest, pairs: list[Pair]) -> list[DuplicatePair]:
    sides = read_sides({row.pk: row for pair in pairs for row in (pair.left, pair.right)}.values())
    hidden = {ATTRIBUTE + name for name in hidden_from(viewer(request))}
    return [
        DuplicatePair(
            id=ids.encode(PAIR, pair.pk),
            left=_named(pair.left),
            right=_named(pair.right),
            probability=pair.probability,
            status=pair.status,
            stays=longer_known(pair.left, pair.right),
            differing=[name for name in differing(sides[pair.left_id], sides[pair.right_id]) if name not in hidden],
            merge=None if pair.merge_id is None else ids.encode(MERGE, pair.merge_id),
        )
        for pair in pairs
    ]
