"""Customers: the list, and one with identifiers, addresses, attributes and links."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import AfterValidator, AwareDatetime

from rondo.api import paging
from rondo.api.auth import viewer
from rondo.api.v1 import schemas
from rondo.customers import queries
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer
from rondo.foundation import ids
from rondo.foundation.installation import installation
from rondo.foundation.models import AuditEntry

router = Router(tags=["customers"])


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(_("no moment of our calendar")) from error


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]


@router.get("/customers", response=schemas.CustomerPage, summary="List customers", operation_id="listCustomers")
def list_customers(
    request: HttpRequest,
    kind: Annotated[Customer.Kind | None, Query(description="Only customers of this kind.")] = None,
    created_since: Annotated[
        Moment | None, Query(description="Only customers whose record was made at or after this time.")
    ] = None,
    changed_since: Annotated[
        Moment | None,
        Query(description="Only customers whose record was made or changed by anyone at or after this time."),
    ] = None,
    limit: paging.Limit = paging.DEFAULT_LIMIT,
    cursor: paging.Cursor = None,
) -> schemas.CustomerPage:
    """Customers that the token's user may see, in the order they came in. Merged records appear as their survivor."""
    rows = queries.visible(viewer(request)).filter(pk__gt=paging.decode_key(cursor))
    if kind is not None:
        rows = rows.filter(kind=kind)
    if created_since is not None:
        rows = rows.filter(created_at__gte=created_since)
    if changed_since is not None:
        changes = AuditEntry.objects.filter(record_type="customer", record_id=OuterRef("pk"), at__gte=changed_since)
        rows = rows.filter(Q(created_at__gte=changed_since) | Exists(changes))
    found = list(rows.select_related("owner", "team").order_by("pk")[: limit + 1])
    page, last = paging.split(found, limit)
    return schemas.CustomerPage(
        data=[schemas.Customer(**_fields(row)) for row in page],
        next=paging.next_link(request, paging.encode_key(last.pk)) if last else None,
    )


@router.get(
    "/customers/{customer_id}", response=schemas.CustomerDetail, summary="One customer", operation_id="getCustomer"
)
def get_customer(request: HttpRequest, customer_id: str) -> schemas.CustomerDetail:
    """One customer; the id of a merged record answers with the record that survived."""
    user = viewer(request)
    customer = queries.get_visible(user, customer_id)
    records = queries.record_ids(customer.pk)
    return schemas.CustomerDetail(
        **_fields(customer),
        birth_date=customer.birth_date,
        identifiers=[
            schemas.Identifier(
                kind=row.kind, value=row.value, shown=row.shown, source=row.source.name if row.source else None
            )
            for row in queries.identifiers_of(records)
        ],
        addresses=[
            schemas.Address(
                street=row.street, postal_code=row.postal_code, city=row.city, region=row.region, country=row.country
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
            for row in queries.attributes_of(records)
        ],
        links=[
            schemas.Link(
                role=seen.link.role,
                direction="out" if seen.outward else "in",
                customer=seen.other.public_id,
                name=seen.other.name,
            )
            for seen in queries.links_of(user, records)
        ],
        merged=[ids.encode(Customer.PREFIX, key) for key in records[1:]],
    )


def _fields(row: Customer) -> dict[str, Any]:
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
        "created_at": row.created_at,
        "version": row.version,
    }


def _value(row: AttributeValue) -> str | bool | float | date | schemas.Money | None:
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
        case _:
            return row.text
