"""Customers: the list, and one with identifiers, addresses, attributes and links."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Query, Router
from pydantic import AfterValidator, AwareDatetime

from rondo.api import paging
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.api.v1.lists.customers import open_list
from rondo.api.writing import TELLS, say, tag
from rondo.customers import consents, queries
from rondo.customers.attribute_values import unpack
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer
from rondo.foundation import change_numbers, ids
from rondo.foundation.installation import installation
from rondo.foundation.models import Change, Load, User
from rondo.rules import parse, schema

router = Router(tags=["customers"])


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(_("no moment of our calendar")) from error


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]


@router.get(
    "/customers",
    response=schemas.CustomerPage,
    summary=gettext_noop("List customers"),
    operation_id="listCustomers",
    description=gettext_noop(
        "Customers that the token's user may see, in the order they came in. Merged records appear as their survivor."
    ),
)
def list_customers(
    request: HttpRequest,
    kind: Annotated[Customer.Kind | None, Query(description=gettext_noop("Only customers of this kind."))] = None,
    created_since: Annotated[
        Moment | None, Query(description=gettext_noop("Only customers whose record came in at or after this time."))
    ] = None,
    changed_since: Annotated[
        Moment | None,
        Query(
            description=gettext_noop(
                "Only customers whose record came in or changed since then; to keep a copy, follow the changes."
            )
        ),
    ] = None,
    rule: Annotated[
        str | None,
        Query(
            max_length=4000,
            description=gettext_noop("Only customers of whom this rule holds, in the language of lists and segments."),
            examples=["kind = household and owner is known"],
        ),
    ] = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> schemas.CustomerPage:
    user = viewer(request)
    rows = (queries.visible(user) if rule is None else _ruled(rule, user)).filter(pk__gt=paging.decode_key(cursor))
    if kind is not None:
        rows = rows.filter(kind=kind)
    if created_since is not None:
        finished = Load.objects.filter(status=Load.Status.VISIBLE, finished_at__gte=created_since).values("pk")
        made = Q(load_id__isnull=True, created_at__gte=created_since)
        rows = rows.filter(made | Q(load_id__in=finished))
    if changed_since is not None:
        changes = Change.objects.filter(at__gte=changed_since).values("pk")
        rows = rows.filter(Q(changed_in__in=changes) | Q(changed_in=0, created_at__gte=changed_since))
    found = list(rows.select_related("owner", "team", "load").order_by("pk")[: limit + 1])
    page, last = paging.split(found, limit)
    moments = change_numbers.moments({row.changed_in for row in page})
    return schemas.CustomerPage(
        data=[schemas.Customer(**fields_of(row, moments)) for row in page],
        next=paging.next_link(request, paging.encode_key(last.pk)) if last else None,
    )


@router.get(
    "/customers/{customer_id}",
    response=schemas.CustomerDetail,
    summary=gettext_noop("One customer"),
    operation_id="getCustomer",
    openapi_extra=TELLS,
    description=gettext_noop("One customer; the id of a merged record answers with the record that survived."),
)
def get_customer(request: HttpRequest, customer_id: str) -> schemas.CustomerDetail:
    customer = queries.get_visible(viewer(request), customer_id)
    say(request, etag=etag_of(customer))
    return detail_of(request, customer)


def _ruled(text: str, user: User) -> QuerySet[Customer]:
    """The customers of whom a rule holds, found as the list on the page finds them.

    Raises:
        InputError: it cannot be understood, or names a segment that is not there or not to be seen.
    """
    if not text.strip():
        parse(text, schema(user))  # no rule is refused, where a list would be everybody
    return open_list(user, rule=text).records()


def etag_of(row: Customer) -> str:
    """The version of a record: another one after every change of anything that belongs to it."""
    return tag(row.pk, row.version, row.changed_in)


def detail_of(request: HttpRequest, customer: Customer) -> schemas.CustomerDetail:
    """All that is told of one customer."""
    user = viewer(request)
    records = queries.record_ids(customer.pk)
    return schemas.CustomerDetail(
        **fields_of(customer, change_numbers.moments({customer.changed_in})),
        birth_date=customer.birth_date,
        identifiers=[
            schemas.Identifier(
                id=ids.encode("id", row.pk),
                kind=row.kind,
                value=row.value,
                shown=row.shown,
                source=row.source.name if row.source else None,
            )
            for row in queries.identifiers_of(viewer(request), records)
        ],
        addresses=[
            schemas.Address(
                id=ids.encode("ad", row.pk),
                street=row.street,
                postal_code=row.postal_code,
                city=row.city,
                region=row.region,
                country=row.country,
            )
            for row in queries.addresses_of(records)
        ],
        attributes=[
            schemas.Attribute(
                key=row.definition.key,
                label=row.definition.label,
                type=row.definition.type,
                form=row.definition.form,
                value=_value(row),
            )
            for row in queries.attributes_of(user, records)
        ],
        links=[
            schemas.Link(
                id=ids.encode("ln", seen.link.pk),
                role=seen.link.role,
                direction="out" if seen.outward else "in",
                customer=seen.other.public_id,
                name=seen.other.name,
                position=seen.link.position,
                since=seen.link.since,
            )
            for seen in queries.links_of(user, records)
        ],
        consents=[
            schemas.Consent(
                id=ids.encode("cn", one.last.pk),
                channel=one.last.channel,
                purpose=one.last.purpose,
                state=one.last.state,
                at=one.last.at,
                source=one.last.source,
            )
            for one in consents.standing(records)
        ],
        merged=[ids.encode(Customer.PREFIX, key) for key in records[1:]],
    )


def fields_of(row: Customer, moments: Mapping[int, datetime]) -> dict[str, Any]:
    """What lists say of a customer; ``moments`` tell when the changes with these numbers were made."""
    came_in = row.load.finished_at if row.load is not None else None
    return {
        "id": row.public_id,
        "kind": row.kind,
        "name": row.name,
        "given_name": row.given_name,
        "family_name": row.family_name,
        "language": row.language,
        "owner": schemas.Owner(email=row.owner.email, name=row.owner.name) if row.owner else None,
        "team": row.team.name if row.team else None,
        "known_since": row.known_since,
        "known_since_at_least": row.known_since_at_least,
        "is_demo": row.is_demo,
        "created_at": came_in or row.created_at,
        "changed_at": moments.get(row.changed_in, row.created_at),
        "version": row.version,
    }


def _value(row: AttributeValue) -> str | bool | float | date | list[str] | schemas.Money | None:
    types = AttributeDefinition.Type
    match row.definition.type:
        case types.NUMBER:
            return row.number
        case types.BOOLEAN:
            return None if row.number is None else bool(row.number)
        case types.MONEY:
            if row.number is None:
                return None
            return schemas.Money(minor=round(row.number), currency=installation().currency)
        case types.DATE:
            return row.day
        case types.MULTI:
            return unpack(row.text)
        case _:
            return row.text
