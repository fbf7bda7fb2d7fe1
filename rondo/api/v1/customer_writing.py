"""Customers are made and changed by program: one, or up to a thousand in a call."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router, Status

from rondo.api import bulk
from rondo.api.auth import TokenAuth, viewer
from rondo.api.v1 import schemas
from rondo.api.v1.customer_bodies import (
    AddressIn,
    ConsentIn,
    CustomerIn,
    CustomerItem,
    CustomerPatch,
    IdentifierIn,
)
from rondo.api.v1.customers import detail_of, etag_of, router
from rondo.api.writing import MAY_MATCH, TELLS, actor, check_match, match, say
from rondo.customers import actions
from rondo.customers.actions.gate import hold_all, key_of, locked, one_at_a_time
from rondo.customers.models import Address, Customer, Identifier
from rondo.customers.queries import binned, get_visible, record_ids, survivor_id, visible
from rondo.errors import NotFound
from rondo.foundation import ids
from rondo.foundation.loads import shown

many = Router(tags=["customers"])
"""Of calls for many at once: before what takes any word behind /customers/ for an id."""
EDITING = TokenAuth("edit")
DELETING = TokenAuth("delete")
IDENTIFIER, ADDRESS, CONSENT = "id", "ad", "cn"
"""What public ids of identifiers, addresses and entries about consent begin with."""
OnDuplicate = Literal["refuse", "update", "skip", "create"]


class CustomerMade(CustomerIn):
    __doc__ = gettext_noop(
        "A customer to make. Where somebody has one of the identifiers already, `on_duplicate` says what is done: "
        "`refuse` it (409, with that customer), `update` them, leave them as they are (`skip`), or `create` another "
        "one without the identifiers that are taken."
    )

    on_duplicate: OnDuplicate = "refuse"


class CustomersBody(bulk.BulkBody):
    __doc__ = gettext_noop(
        "Customers to make or to change. `on_duplicate` is as for one; `on_missing` says what is done where nobody has "
        "one of the identifiers: `create` or `refuse` (404). Both together: to make (`refuse`, `create`), to change "
        "(`update`, `refuse`), or whichever it is (`update`, `create`)."
    )

    items: list[Annotated[CustomerItem, bulk.Lenient]] = bulk.Counted
    on_duplicate: OnDuplicate = "refuse"
    on_missing: Literal["create", "refuse"] = "create"


@router.post(
    "/customers",
    auth=EDITING,
    response={201: schemas.CustomerDetail, 200: schemas.CustomerDetail},
    summary=gettext_noop("Make a customer"),
    operation_id="createCustomer",
    openapi_extra=TELLS,
    description=gettext_noop(
        "201 with the customer made; 200 with the one who had an identifier already, where `on_duplicate` says so."
    ),
)
def create_customer(request: HttpRequest, body: CustomerMade) -> Status[schemas.CustomerDetail]:
    taken = actions.take_customer(actor(request), body.given(), on_duplicate=body.on_duplicate)
    return Status(201 if taken.outcome == "created" else 200, _told(request, taken.customer))


@many.post(
    "/customers/bulk",
    auth=EDITING,
    response=bulk.BulkResult,
    summary=gettext_noop("Make or change many customers"),
    operation_id="writeCustomers",
    description=gettext_noop(
        "Up to 1,000 in the order given, each with a result of its own: 201 made, 200 changed or left as it was, else "
        "the problem. One that is refused leaves the others alone."
    ),
)
def write_customers(request: HttpRequest, body: CustomersBody) -> bulk.BulkResult:
    def write(item: CustomerItem) -> bulk.Done:
        def check(row: Customer) -> None:
            if item.if_match is not None:
                match(item.if_match, etag_of(row))

        if item.id is None:
            taken = actions.take_customer(
                actor(request), item.given(), on_duplicate=body.on_duplicate, on_missing=body.on_missing, check=check
            )
        else:
            taken = actions.update_customer(actor(request), item.id, item.given(), check=check)
        return (201 if taken.outcome == "created" else 200), taken.customer.public_id

    return bulk.each(request, body.items, write)


@router.patch(
    "/customers/{customer_id}",
    auth=EDITING,
    response=schemas.CustomerDetail,
    summary=gettext_noop("Change a customer"),
    operation_id="updateCustomer",
    openapi_extra=MAY_MATCH,
    description=gettext_noop(
        "Sets the fields that the body names. With `If-Match` it is refused (412) where anything of the customer "
        "changed since; without it what others changed in other fields stands beside it."
    ),
)
def update_customer(request: HttpRequest, customer_id: str, body: CustomerPatch) -> schemas.CustomerDetail:
    taken = actions.update_customer(
        actor(request), customer_id, body.given(), check=lambda row: check_match(request, etag_of(row))
    )
    return _told(request, taken.customer)


@router.delete(
    "/customers/{customer_id}",
    auth=DELETING,
    response={204: None},
    summary=gettext_noop("Put a customer into the bin"),
    operation_id="deleteCustomer",
    openapi_extra=MAY_MATCH,
    description=gettext_noop(
        "The customer, with all records merged into it, is in no list, search, figure or export from now on; the call "
        "`restoreCustomer` puts it back as it was."
    ),
)
def delete_customer(request: HttpRequest, customer_id: str) -> Status[None]:
    with transaction.atomic():
        one_at_a_time()  # before any customer is held, as everybody does who puts some into the bin
        with _held(request, customer_id) as row:
            actions.put_into_bin(actor(request), [row])
        say(request, etag=etag_of(Customer.objects.get(pk=row.pk)))
    return Status(204, None)


@router.post(
    "/customers/{customer_id}/restore",
    auth=DELETING,
    response=schemas.CustomerDetail,
    summary=gettext_noop("Put a customer back from the bin"),
    operation_id="restoreCustomer",
    openapi_extra=MAY_MATCH,
    description=gettext_noop("One who is not in the bin is a 404."),
)
def restore_customer(request: HttpRequest, customer_id: str) -> schemas.CustomerDetail:
    with transaction.atomic():
        one_at_a_time()
        key = survivor_id(key_of(customer_id))
        hold_all([key])
        if row := binned(viewer(request)).filter(pk=key).first():
            check_match(request, etag_of(row))
        actions.put_back_some(actor(request), [customer_id])
    return _told(request, get_visible(viewer(request), customer_id))


@router.post(
    "/customers/{customer_id}/identifiers",
    auth=EDITING,
    response={201: schemas.CustomerDetail},
    summary=gettext_noop("Add an identifier"),
    operation_id="addIdentifier",
    openapi_extra=MAY_MATCH,
    description=gettext_noop("One that the customer has already is left as it is; one of somebody else is a 409."),
)
def add_identifier(request: HttpRequest, customer_id: str, body: IdentifierIn) -> Status[schemas.CustomerDetail]:
    one = body.given()
    with _held(request, customer_id) as row:
        actions.add_identifier(actor(request), row, one.kind, one.value, source=one.source)
    return Status(201, _told(request, row))


@router.delete(
    "/customers/{customer_id}/identifiers/{identifier_id}",
    auth=EDITING,
    response=schemas.CustomerDetail,
    summary=gettext_noop("Remove an identifier"),
    operation_id="removeIdentifier",
    openapi_extra=MAY_MATCH,
    description=gettext_noop("The customer is not recognised by it any more."),
)
def remove_identifier(request: HttpRequest, customer_id: str, identifier_id: str) -> schemas.CustomerDetail:
    key = ids.decode(IDENTIFIER, identifier_id) or 0
    with _held(request, customer_id) as row:
        if not Identifier.objects.filter(shown(), pk=key, customer_id__in=record_ids(row.pk)).exists():
            raise NotFound(identifier_id)
        actions.remove_identifier(actor(request), key)
    return _told(request, row)


@router.post(
    "/customers/{customer_id}/addresses",
    auth=EDITING,
    response={201: schemas.CustomerDetail},
    summary=gettext_noop("Add an address"),
    operation_id="addAddress",
    openapi_extra=MAY_MATCH,
    description=gettext_noop("A postal address beside those that the customer has."),
)
def add_address(request: HttpRequest, customer_id: str, body: AddressIn) -> Status[schemas.CustomerDetail]:
    with _held(request, customer_id) as row:
        actions.add_address(actor(request), row, **body.given())
    return Status(201, _told(request, row))


@router.delete(
    "/customers/{customer_id}/addresses/{address_id}",
    auth=EDITING,
    response=schemas.CustomerDetail,
    summary=gettext_noop("Remove an address"),
    operation_id="removeAddress",
    openapi_extra=MAY_MATCH,
    description=gettext_noop("The address is taken away."),
)
def remove_address(request: HttpRequest, customer_id: str, address_id: str) -> schemas.CustomerDetail:
    key = ids.decode(ADDRESS, address_id) or 0
    with _held(request, customer_id) as row:
        if not Address.objects.filter(shown(), pk=key, customer_id__in=record_ids(row.pk)).exists():
            raise NotFound(address_id)
        actions.remove_address(actor(request), key)
    return _told(request, row)


@router.post(
    "/customers/{customer_id}/consents",
    auth=EDITING,
    response={201: schemas.CustomerDetail},
    summary=gettext_noop("Note a consent"),
    operation_id="noteConsent",
    openapi_extra=MAY_MATCH,
    description=gettext_noop("An entry of the ledger: the customer gave or withdrew consent. Entries are only added."),
)
def note_consent(request: HttpRequest, customer_id: str, body: ConsentIn) -> Status[schemas.CustomerDetail]:
    said = body.given()
    with _held(request, customer_id) as row:
        actions.note_consent(actor(request), row, said.channel, said.state, **said.more)
    return Status(201, _told(request, row))


@router.post(
    "/customers/{customer_id}/consents/{consent_id}/undo",
    auth=EDITING,
    response=schemas.CustomerDetail,
    summary=gettext_noop("Take an entry about consent back"),
    operation_id="undoConsent",
    openapi_extra=MAY_MATCH,
    description=gettext_noop("What held before the last entry about a channel and purpose holds again."),
)
def undo_consent(request: HttpRequest, customer_id: str, consent_id: str) -> schemas.CustomerDetail:
    with _held(request, customer_id) as row:
        actions.take_back_consent(actor(request), row, ids.decode(CONSENT, consent_id) or 0)
    return _told(request, row)


@contextmanager
def _held(request: HttpRequest, customer_id: str) -> Iterator[Customer]:
    """The customer, whom nobody else changes until the block ends, in the version that the request names."""
    with transaction.atomic():
        row = locked(actor(request), customer_id)
        check_match(request, etag_of(row))
        yield row


def _told(request: HttpRequest, row: Customer) -> schemas.CustomerDetail:
    """The customer as they are now, with the version and the address of the record in the headers; also when the
    change itself gave them to somebody whose customers the token's user does not see."""
    row = visible(viewer(request)).select_related("owner", "team", "load").filter(pk=row.pk).first() or row
    say(request, etag=etag_of(row), location=f"/api/v1/customers/{row.public_id}")
    return detail_of(request, row)
