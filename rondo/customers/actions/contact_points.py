"""Identifiers and postal addresses of a customer."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from babel import Locale
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, check_fields, locked, not_found
from rondo.customers.changed import noted
from rondo.customers.identifiers import check_limit, normalise
from rondo.customers.models import Address, Customer, Identifier, Source
from rondo.customers.queries import record_ids, survivor_id, visible
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.loads import hidden_loads, shown
from rondo.foundation.models import Load
from rondo.foundation.prepared import prepared


class IdentifierTaken(StateError):
    """An identifier belongs to somebody else: to ``customer``, or to one whom the actor may not see (None).
    ``is_named``: whether the actor may know what the customer is called."""

    def __init__(self, customer: Customer | None, message: object = "", *, is_named: bool = True) -> None:
        super().__init__(message)
        self.customer, self.is_named = customer, is_named

    @classmethod
    def by(cls, actor: Actor, held: Identifier) -> "IdentifierTaken":
        """The error that names the other customer, only to those who may see it."""
        other = visible(actor.user).filter(pk=survivor_id(held.customer_id)).first()
        if other is not None and not actor.may("see"):
            said = _("%(value)s belongs to another customer already (%(id)s).") % {
                "value": held.shown,
                "id": other.public_id,
            }
            return cls(other, said, is_named=False)
        if other is None:
            said = _("%(value)s belongs to another customer; ask an administrator who it is.") % {"value": held.shown}
        else:
            said = _("%(value)s belongs to %(other)s (%(id)s) already; merge the two if they are one.") % {
                "value": held.shown,
                "other": other,
                "id": other.public_id,
            }
        return cls(other, said)


def add_identifier(
    actor: Actor,
    ref: CustomerRef,
    kind: str,
    value: str,
    *,
    source: str = "",
    region: str | None = None,
    is_demo: bool = False,
) -> Identifier:
    """Give a customer one more identifier; one that the customer has already is returned as it is.

    ``source`` names the system that an external number belongs to; ``region`` is the country (ISO 3166 alpha-2) of a
    phone number without one, by default the country of the customer's address.

    Raises:
        InputError: not of its kind, blocked, or beyond the limit of the kind.
        IdentifierTaken: it belongs to another customer.
    """
    actor.require("edit")
    with transaction.atomic():
        row = locked(actor, ref)
        return attach_identifier(actor, row, kind, value, source=source, region=region, is_demo=is_demo)


def attach_identifier(
    actor: Actor,
    row: Customer,
    kind: str,
    value: str,
    *,
    source: str,
    region: str | None,
    is_demo: bool = False,
    is_new: bool = False,
) -> Identifier:
    """:func:`add_identifier` on a customer that the caller has locked, or just made (``is_new``)."""
    if kind == Identifier.Kind.EXTERNAL and not source:
        raise InputError(_("Number %(value)r needs the name of the system it belongs to.") % {"value": value})
    records = [row.pk] if is_new else record_ids(row.pk)
    if kind == Identifier.Kind.PHONE and region is None:
        region = (
            Address.objects.filter(customer_id__in=records)
            .exclude(country="")
            .values_list("country", flat=True)
            .first()
        )
    normal = normalise(kind, value, region)
    origin = _source(source) if kind == Identifier.Kind.EXTERNAL else None
    held = _holding(kind, origin, normal.value)
    if held is not None and held.load_id in hidden_loads():
        _give_up(actor, held)
        held = None
    if held is not None:
        if held.customer_id in records:
            return held
        if held.customer.bin_id is not None:
            raise StateError(
                _("%(value)s belongs to a customer in the bin; put that one back, or erase it.")
                % {"value": normal.shown}
            )
        raise IdentifierTaken.by(actor, held)
    check_limit(kind, _sources_of_kind(records, kind).count(None if origin is None else origin.pk), str(row))
    made = Identifier(
        customer=row,
        kind=kind,
        source=origin,
        value=normal.value,
        shown=normal.shown,
        is_demo=is_demo,
        load_id=actor.load_id,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:  # somebody was quicker
        taken = _holding(kind, origin, normal.value)
        if taken is None:
            raise
        raise IdentifierTaken.by(actor, taken) from error
    noted(actor, "identifier.added", row.pk, {kind: [None, normal.shown]})
    return made


def _source(name: str) -> Source:
    found = _sources_named(name)
    return found[0] if found else Source.objects.get_or_create(name=name)[0]


@prepared
def _sources_named(name: str) -> QuerySet[Source]:
    return Source.objects.filter(name=name)


def _holding(kind: str, origin: Source | None, value: str) -> Identifier | None:
    """The identifier of this value, whoever has it."""
    key = None if origin is None else origin.pk
    return next((one for one in _of_value(kind, value) if one.source_id == key), None)


@prepared
def _of_value(kind: str, value: str) -> QuerySet[Identifier]:
    return Identifier.objects.filter(kind=kind, value=value).order_by("pk")


@prepared
def _sources_of_kind(records: list[int], kind: str) -> QuerySet[Identifier, int | None]:
    """For each identifier of this kind that the records have, the key of its source."""
    rows = Identifier.objects.filter(shown(), customer_id__in=records, kind=kind)
    return rows.values_list("source_id", flat=True)


def _give_up(actor: Actor, held: Identifier) -> None:
    """Free an identifier that only an import holds which was taken back.

    Raises:
        StateError: the import is still running.
    """
    if held.load is not None and held.load.status == Load.Status.LOADING:
        raise StateError(
            _("%(value)s is being imported by run %(run)s at this moment; try again when it has ended.")
            % {"value": held.shown, "run": held.load_id}
        )
    noted(actor, "identifier.removed", held.customer_id, {held.kind: [held.shown, None]})
    held.delete()


def remove_identifier(actor: Actor, identifier_id: int) -> None:
    """Take an identifier away from its customer; raises NotFound if it is not there or not the actor's to see."""
    actor.require("edit")
    with transaction.atomic():
        row = Identifier.objects.filter(pk=identifier_id).first()
        if row is None:
            raise NotFound(_("This identifier is not there any more; load the page again."))
        customer = locked(actor, row.customer_id)
        mine = Identifier.objects.filter(pk=identifier_id, customer_id__in=record_ids(customer.pk))
        if not mine.delete()[0]:  # taken away meanwhile, or given to another customer by a split
            raise not_found(customer)
        noted(actor, "identifier.removed", customer.pk, {row.kind: [row.shown, None]})


def add_address(actor: Actor, ref: CustomerRef, *, is_demo: bool = False, **fields: str) -> Address:
    """Give a customer a postal address from ``street``, ``postal_code``, ``city``, ``region`` and ``country`` (ISO).

    Raises:
        InputError: nothing is filled in, a field is unknown or too long, or the country is no ISO 3166 alpha-2 code.
    """
    actor.require("edit")
    clean = _checked_address(fields)
    with transaction.atomic():
        return attach_address(actor, locked(actor, ref), clean, is_demo=is_demo)


def attach_address(actor: Actor, row: Customer, fields: Mapping[str, str], *, is_demo: bool = False) -> Address:
    """:func:`add_address` on a customer that the caller has locked or just made."""
    clean = _checked_address(fields)
    address = Address(customer=row, is_demo=is_demo, load_id=actor.load_id, **clean)
    check_fields(address, clean)
    address.save(force_insert=True)
    noted(actor, "address.added", row.pk, {"address": [None, one_line(address)]})
    return address


def _checked_address(fields: Mapping[str, str]) -> dict[str, Any]:
    allowed = ("street", "postal_code", "city", "region", "country")
    if unknown := sorted(set(fields) - set(allowed)):
        raise InputError(
            _("%(field)s is no field of an address; one of %(fields)s is needed.")
            % {"field": unknown[0], "fields": ", ".join(allowed)}
        )
    clean: dict[str, Any] = {name: " ".join(text.split()) for name, text in fields.items()}
    if not any(clean.values()):
        raise InputError(_("The address is empty; fill in a street or a city at least."))
    country = clean["country"] = clean.get("country", "").upper()
    if country and (len(country) != 2 or country not in _countries()):
        raise InputError(
            _("country = %(value)r is no country; write its two letters, such as DE or US.") % {"value": country}
        )
    return clean


@cache
def _countries() -> frozenset[str]:
    return frozenset(Locale("en").territories)


def remove_address(actor: Actor, address_id: int) -> None:
    """Take an address away; raises NotFound if it is not there or its customer not the actor's to see."""
    actor.require("edit")
    with transaction.atomic():
        address = Address.objects.filter(pk=address_id).first()
        if address is None:
            raise NotFound(_("This address is not there any more; load the page again."))
        customer = locked(actor, address.customer_id)
        Address.objects.filter(pk=address_id).delete()
        noted(actor, "address.removed", customer.pk, {"address": [one_line(address), None]})


def one_line(address: Address) -> str:
    """An address as the audit log tells it."""
    place = " ".join(filter(None, (address.postal_code, address.city)))
    return ", ".join(filter(None, (address.street, place, address.region, address.country)))
