"""The customer's own fields: create, change, hand over."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.customers import names
from rondo.customers.actions.attributes import give_at_first
from rondo.customers.actions.contact_points import attach_identifier
from rondo.customers.actions.gate import CustomerRef, check_fields, locked, plain
from rondo.customers.changed import noted
from rondo.customers.models import Customer
from rondo.customers.queries import sees_all
from rondo.errors import InputError, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.installation import business_now
from rondo.foundation.models import Team, User
from rondo.foundation.search import fold

FIELDS = frozenset(
    {
        "kind",
        "name",
        "given_name",
        "family_name",
        "language",
        "birth_date",
        "known_since",
        "known_since_at_least",
    }
)
"""What :func:`create_customer` and :func:`change_customer` may set."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")


def create_customer(
    actor: Actor,
    *,
    identifiers: Iterable[tuple[str, str]] = (),
    source: str = "",
    region: str | None = None,
    is_demo: bool = False,
    attributes: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Customer:
    """Make a customer from named fields (see :data:`FIELDS`) with ``identifiers`` as pairs of kind and value, and
    ``attributes`` by key; those without a value get their default.

    Whoever reads only own (or the team's) customers owns what they make (or gives it to their team), so that it does
    not vanish from their eyes. ``region`` is the country of phone numbers without one; ``source`` the system that
    external numbers belong to.

    Raises:
        InputError: a field, identifier or attribute is not usable, or a required attribute is missing; NotFound: no
        such attribute; StateError: an identifier, or the value of a unique attribute, belongs to somebody else.
    """
    actor.require("edit")
    row = Customer(is_demo=is_demo, load_id=actor.load_id)
    _put(row, fields)
    if actor.user is not None and not sees_all(actor.user):
        row.owner = actor.user
        row.team_id = actor.user.team_id
    wanted = list(identifiers)
    if not row.name and not wanted:
        raise InputError(_("A customer needs a name or an identifier such as an e-mail address; give one of them."))
    with transaction.atomic():
        row.save(force_insert=True)
        names.add(row)
        changes = _begun_with(row)
        changes |= give_at_first(actor, row, attributes or {})
        noted(actor, "customer.created", row.pk, changes)
        for kind, value in wanted:
            attach_identifier(actor, row, kind, value, source=source, region=region, is_demo=is_demo, is_new=True)
    return row


def part_off(actor: Actor, row: Customer, **named: str) -> Customer:
    """A second customer out of ``row``, which the caller has locked: with a name of their own; kind, language, owner
    and team are as of the first. Attributes are not known, required ones neither. Merging is the right, as of every
    change of who is who.

    Raises:
        InputError: no name, or one that is not usable.
    """
    actor.require("merge")
    made = Customer(is_demo=row.is_demo, owner_id=row.owner_id, team_id=row.team_id)
    _put(made, {"kind": row.kind, "language": row.language, **named})
    if not made.name:
        raise InputError(_("The new record needs a name; give one."))
    with transaction.atomic():
        made.save(force_insert=True)
        names.add(made)
        noted(actor, "customer.created", made.pk, _begun_with(made))
    return made


def change_customer(actor: Actor, ref: CustomerRef, *, expected_version: int, **fields: Any) -> Customer:
    """Set named fields (see :data:`FIELDS`) of a customer that the editor saw in ``expected_version``.

    Raises:
        StateError: somebody changed the customer in between (both versions are named), or it has been merged.
        InputError: a field is unknown or its value not usable.
    """
    actor.require("edit")
    with transaction.atomic():
        row = locked(actor, ref, follow=False)
        _refuse_stale(row, expected_version)
        return change_held(actor, row, **fields)


def change_held(actor: Actor, row: Customer, **fields: Any) -> Customer:
    """:func:`change_customer` on a customer that the caller has locked."""
    before = {name: getattr(row, name) for name in (*FIELDS, "folded_name")}
    _put(row, fields)
    return _write(actor, row, before, "customer.changed")


def assign_owner(
    actor: Actor, ref: CustomerRef, owner: User | None, *, expected_version: int | None = None
) -> Customer:
    """Give a customer to ``owner`` (None: to nobody).

    Raises:
        InputError: the owner is not active; StateError: the customer was changed since ``expected_version``.
    """
    return hand_over(actor, ref, {"owner": owner}, expected_version=expected_version)


def assign_team(actor: Actor, ref: CustomerRef, team: Team | None, *, expected_version: int | None = None) -> Customer:
    """Give a customer to a team (None: to none); raises StateError if it was changed since ``expected_version``."""
    return hand_over(actor, ref, {"team": team}, expected_version=expected_version)


def hand_over(
    actor: Actor, ref: CustomerRef, to: Mapping[str, User | Team | None], *, expected_version: int | None = None
) -> Customer:
    """Give a customer to an ``owner``, to a ``team``, or to both at once: after one of them alone the actor might not
    see the customer any more. As :func:`assign_owner`."""
    actor.require("edit")
    owner = to.get("owner")
    if isinstance(owner, User) and not owner.is_active:
        raise InputError(_("%(owner)s no longer works here; choose an active user.") % {"owner": owner})
    with transaction.atomic():
        row = locked(actor, ref)
        _refuse_stale(row, expected_version)
        before = {name: getattr(row, f"{name}_id") for name in to}
        for name, value in to.items():
            setattr(row, name, value)
        return _write(actor, row, before, "customer.assigned")


def _begun_with(row: Customer) -> dict[str, list[Any]]:
    """What the log tells of a customer just made."""
    said = {name: getattr(row, name) for name in sorted(FIELDS)} | {"owner": row.owner_id, "team": row.team_id}
    return {name: [None, plain(value)] for name, value in said.items() if value}


def _refuse_stale(row: Customer, expected_version: int | None) -> None:
    if expected_version is not None and row.version != expected_version:
        raise StateError(
            _(
                "%(customer)s was changed meanwhile: you saw version %(seen)d, now it is version %(now)d. "
                "Look at the present values, then save again."
            )
            % {"customer": row, "seen": expected_version, "now": row.version}
        )


def _put(row: Customer, fields: dict[str, Any]) -> None:
    """Set and check named fields on the unsaved row, with what follows from them (name from its parts, folded name)."""
    if unknown := sorted(set(fields) - FIELDS):
        raise InputError(
            _("%(field)s is no field of a customer that can be set; one of %(fields)s is needed.")
            % {"field": unknown[0], "fields": ", ".join(sorted(FIELDS))}
        )
    composed = " ".join(filter(None, (row.given_name, row.family_name)))
    followed = row.name == composed
    for name, value in fields.items():
        setattr(row, name, " ".join(value.split()) if isinstance(value, str) else value)
    if "name" not in fields and followed:
        row.name = " ".join(filter(None, (row.given_name, row.family_name)))
    row.folded_name = fold(row.name)[: Customer._meta.get_field("folded_name").max_length]
    check_fields(row, {*fields, "name"} if row.name else set(fields))
    today = business_now().date()
    if row.language and not _LANGUAGE.fullmatch(row.language):
        raise InputError(_("language = %(value)r: write a code such as en or de.") % {"value": row.language})
    for name in ("birth_date", "known_since"):
        day = getattr(row, name)
        if isinstance(day, date) and day > today:
            raise InputError(_("%(field)s = %(day)s lies in the future; check the year.") % {"field": name, "day": day})


def _write(actor: Actor, row: Customer, before: dict[str, Any], verb: str) -> Customer:
    """Save what differs from ``before``, count the version up and write the audit entry; else do nothing."""
    after = {name: getattr(row, name if name in FIELDS or name == "folded_name" else f"{name}_id") for name in before}
    changed = sorted(name for name in before if before[name] != after[name])
    if changed:
        row.version += 1
        row.save(update_fields=[*changed, "version"])
        if "folded_name" in changed:
            names.reindex([row.pk])
        told = {n: [plain(before[n]), plain(after[n])] for n in changed if n != "folded_name"}
        noted(actor, verb, row.pk, told)
    return row
