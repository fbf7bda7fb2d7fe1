"""A customer given as a whole: fields, owner and team, identifiers, addresses, attributes and consents together.

For programs that bring customers one by one or by the thousand: who has an identifier already is found by it, and
nothing is told twice. What is done is done by the verbs for each part, in one transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rondo.customers import consents
from rondo.customers.actions.attributes import set_attribute
from rondo.customers.actions.consents import attach_consent, note_consent
from rondo.customers.actions.contact_points import (
    IdentifierTaken,
    attach_address,
    attach_identifier,
)
from rondo.customers.actions.gate import CustomerRef, locked
from rondo.customers.actions.records import change_held, create_customer, hand_over
from rondo.customers.actions.together import ATTRIBUTE, change_together
from rondo.customers.changed import noted_together
from rondo.customers.identifiers import normalise
from rondo.customers.models import Address, Consent, Customer, Identifier
from rondo.customers.queries import addresses_of, record_ids, survivor_id, visible
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.loads import shown
from rondo.foundation.models import Team, User
from rondo.foundation.prepared import prepared

OnDuplicate = Literal["refuse", "update", "skip", "create"]
OnMissing = Literal["create", "refuse"]
Outcome = Literal["created", "updated", "unchanged", "skipped"]
Check = Callable[[Customer], object]
"""Called with the locked record before anything is changed; what it raises ends the change."""


@dataclass(frozen=True)
class GivenIdentifier:
    """An identifier as a person writes it; ``source`` is the system that a number belongs to."""

    kind: str
    value: str
    source: str = ""


@dataclass(frozen=True)
class GivenConsent:
    """What a customer said of a channel and purpose (see :func:`~rondo.customers.actions.note_consent`)."""

    channel: str
    state: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """What is said of a customer; what is not said is left as it is.

    ``fields`` by name (:data:`~rondo.customers.actions.records.FIELDS`). ``owner`` by e-mail address and ``team`` by
    name, where their keys are in ``handed``; None: nobody. ``attributes`` by key, None takes one away; ``add`` and
    ``remove`` are choices by key of an attribute of several. ``region``: country of phone numbers without one.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    handed: Mapping[str, str | None] = field(default_factory=dict)
    identifiers: Sequence[GivenIdentifier] = ()
    addresses: Sequence[Mapping[str, Any]] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Sequence[str]] = field(default_factory=dict)
    remove: Mapping[str, Sequence[str]] = field(default_factory=dict)
    consents: Sequence[GivenConsent] = ()
    region: str | None = None


@dataclass(frozen=True)
class Taken:
    """The customer that came of it, and what was done."""

    customer: Customer
    outcome: Outcome


def take_customer(
    actor: Actor,
    given: Given,
    *,
    on_duplicate: OnDuplicate = "refuse",
    on_missing: OnMissing = "create",
    check: Check | None = None,
) -> Taken:
    """Make a customer, unless somebody has one of the identifiers already: ``on_duplicate`` says whether that is
    refused, or that customer is updated, left alone (``skip``), or another one made beside them, without the
    identifiers that are taken (``create``). Where nobody has one, ``on_missing`` says whether to make one. ``check`` is
    asked before a customer who is there is updated.

    Raises:
        IdentifierTaken: somebody has an identifier, and that is refused, or the actor may not see who. StateError: two
        customers have identifiers of these. NotFound: nobody has one, and none is to be made. InputError: something
        that is not usable.
    """
    actor.require("edit")
    try:
        with transaction.atomic():
            return _taken(actor, given, on_duplicate, on_missing, check)
    except IdentifierTaken:
        if on_duplicate == "refuse":
            raise
    # Somebody brought the same customer at the same moment: by now there is one.
    with transaction.atomic():
        return _taken(actor, given, on_duplicate, on_missing, check)


def holder_of(actor: Actor, one: GivenIdentifier) -> Customer:
    """The customer who has an identifier; raises NotFound where nobody has it whom the actor may see."""
    key = _holder(Given(), one)
    row = None if key is None else visible(actor.user).filter(pk=key).first()
    if row is None:
        raise NotFound(_("Nobody whom you may see has the identifier %(value)s.") % {"value": one.value[:60]})
    return row


def update_customer(actor: Actor, ref: CustomerRef, given: Given, *, check: Check | None = None) -> Taken:
    """Say more of a customer: named fields, owner and team, attributes; identifiers and addresses are added.

    Raises:
        NotFound: not there, or not the actor's to see; and as the verbs for each part.
    """
    actor.require("edit")
    with transaction.atomic():
        row = locked(actor, ref)
        if check is not None:
            check(row)
        return _put(actor, row, given)


def _taken(actor: Actor, given: Given, on_duplicate: OnDuplicate, on_missing: OnMissing, check: Check | None) -> Taken:
    held = [(one, _holder(given, one)) for one in given.identifiers]
    holders = {holder for _one, holder in held if holder is not None}
    if not holders:
        if on_missing == "refuse":
            raise NotFound(_("Nobody has one of these identifiers."))
        return _made(actor, given, given.identifiers)
    if on_duplicate == "create":
        return _made(actor, given, [one for one, holder in held if holder is None])
    row = visible(actor.user).filter(pk=min(holders)).first()
    if on_duplicate == "refuse" or row is None:
        first = next(one for one, holder in held if holder is not None)
        kept = Identifier.objects.filter(shown(), **_columns(given, first)).select_related("customer").get()
        raise IdentifierTaken.by(actor, kept)
    if len(holders) > 1:
        raise StateError(_("These identifiers belong to several customers; merge them first, or send them apart."))
    if on_duplicate == "skip":
        return Taken(row, "skipped")
    row = locked(actor, row)
    if check is not None:
        check(row)
    return _put(actor, row, given)


def _made(actor: Actor, given: Given, identifiers: Sequence[GivenIdentifier]) -> Taken:
    """The customer, and all that is said of them, told together. Nobody else knows of a record just made, so that it is
    written without being looked at once more for each part."""
    plain = [(one.kind, one.value) for one in identifiers if not one.source]
    sourced = [one for one in identifiers if one.source]
    region = _region(given)
    with noted_together():
        if not plain and sourced and not given.fields.get("name"):
            first = sourced.pop(0)
            row = create_customer(
                actor,
                identifiers=[(first.kind, first.value)],
                source=first.source,
                attributes=given.attributes,
                **given.fields,
            )
        else:
            row = create_customer(actor, identifiers=plain, region=region, attributes=given.attributes, **given.fields)
        for one in sourced:
            attach_identifier(actor, row, one.kind, one.value, source=one.source, region=region, is_new=True)
        there: list[Address] = []
        for address in given.addresses:
            if not _is_among(there, address):
                there.append(attach_address(actor, row, address))
        said: dict[tuple[str, str], str] = {}
        for consent in given.consents:
            key = (consent.channel, consent.more.get("purpose", Consent.Purpose.MARKETING))
            if said.get(key) != consent.state:
                attach_consent(actor, row, consent.channel, consent.state, is_first=key not in said, **consent.more)
                said[key] = consent.state if key not in said else consents.state([row.pk], *key)
    return Taken(_put(actor, row, Given(handed=given.handed, add=given.add)).customer, "created")


def _put(actor: Actor, row: Customer, given: Given) -> Taken:
    """Everything that is given, onto a record that the transaction holds: it is looked up and locked once, not anew for
    each part."""
    before = row.changed_in
    if given.fields:
        row = change_held(actor, row, **given.fields)
    for one in given.identifiers:
        attach_identifier(actor, row, one.kind, one.value, source=one.source, region=_region(given))
    for address in given.addresses:
        if not _lives_there(row, address):
            attach_address(actor, row, address)
    for key, value in given.attributes.items():
        set_attribute(actor, row.pk, key, value)
    for how, choices in (("add", given.add), ("remove", given.remove)):
        for key, some in choices.items():
            change_together(actor, [row.public_id], ATTRIBUTE + key, list(some), how=how)  # type: ignore[arg-type]
    for said in given.consents:
        purpose = said.more.get("purpose", "marketing")
        if consents.state(record_ids(row.pk), said.channel, purpose) != said.state:
            note_consent(actor, row.pk, said.channel, said.state, **said.more)
    if given.handed:  # last: it may take the customer out of the actor's reach
        called: Mapping[str, Callable[[str | None], User | Team | None]] = {"owner": _user, "team": _team}
        hand_over(actor, row.pk, {name: called[name](text) for name, text in given.handed.items()})
    (row,) = _as_it_is(row.pk)
    return Taken(row, "unchanged" if row.changed_in == before else "updated")


@prepared
def _as_it_is(key: int) -> QuerySet[Customer]:
    return Customer.objects.select_related("owner", "team", "load").filter(pk=key)


def _holder(given: Given, one: GivenIdentifier) -> int | None:
    """The record that stands for the holder of an identifier."""
    columns = _columns(given, one)
    source = columns.get("source__name")
    found = [holder for holder, name in _holders(columns["kind"], columns["value"]) if name == source]
    return survivor_id(found[0]) if found else None


@prepared
def _holders(kind: str, value: str) -> QuerySet[Identifier, tuple[int, str | None]]:
    rows = Identifier.objects.filter(shown(), kind=kind, value=value).order_by("pk")
    return rows.values_list("customer_id", "source__name")


def _columns(given: Given, one: GivenIdentifier) -> dict[str, Any]:
    value = normalise(one.kind, one.value, _region(given)).value
    if one.kind == Identifier.Kind.EXTERNAL:
        if not one.source:
            raise InputError(_("Number %(value)r needs the name of the system it belongs to.") % {"value": one.value})
        return {"kind": one.kind, "value": value, "source__name": one.source}
    return {"kind": one.kind, "value": value, "source": None}


def _region(given: Given) -> str | None:
    """The country of phone numbers: as given, else that of the first address."""
    return given.region or next((one["country"] for one in given.addresses if one.get("country")), None)


def _lives_there(row: Customer, address: Mapping[str, Any]) -> bool:
    return _is_among(addresses_of(record_ids(row.pk)), address)


def _is_among(addresses: Iterable[Address], address: Mapping[str, Any]) -> bool:
    wanted = {name: " ".join(text.split()).casefold() for name, text in address.items() if text.strip()}
    return any(all(getattr(known, name).casefold() == text for name, text in wanted.items()) for known in addresses)


def _user(email: str | None) -> User | None:
    if email is None:
        return None
    found = User.objects.filter(email=email.strip().lower(), is_active=True, is_service=False).first()
    if found is None:
        raise InputError(_("owner = %(email)s: no active user has this address.") % {"email": email[:80]})
    return found


def _team(name: str | None) -> Team | None:
    if name is None:
        return None
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise InputError(_("team = %(name)s: there is no such team.") % {"name": name[:80]})
    return found
