"""Roles: made as a copy, named, given rights, reaches and masks, put back to what they were, deleted.

The administrator's role is fixed. Somebody who may administer always remains, whoever changes what at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, Role, User
from rondo.foundation.registry import registries
from rondo.foundation.rights import ADMINISTRATOR, BUILT_IN, MASKS, RIGHTS, built_in, role_reach

FIELDS = ("name", "rights", "reaches", "masked")
"""What :func:`change_role` may set."""
_KEY_LENGTH = 40


def roles() -> list[Role]:
    """All roles: the built-in ones in their order, then the company's own by name."""
    order = list(BUILT_IN)
    return sorted(
        Role.objects.all(),
        key=lambda role: (order.index(role.key) if role.key in BUILT_IN else len(order), str(role).casefold()),
    )


def find_role(key: str) -> Role:
    """The role of a key; raises NotFound."""
    row = Role.objects.filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no role %(key)r; load the list of roles.") % {"key": key[:60]})
    return row


def administers(role: Role) -> bool:
    """Whether the role includes the right to administer."""
    return role.key == ADMINISTRATOR or "administer" in role.rights


def administrators() -> QuerySet[User]:
    """Who may administer and is a person that can sign in."""
    keys = [role.key for role in Role.objects.all() if administers(role)]
    return User.objects.filter(role__key__in=keys, is_active=True, is_service=False)


def hold_administrators() -> None:
    """Lock, until the transaction ends, what everybody locks first who changes a user or a role."""
    Role.objects.select_for_update(no_key=True).filter(key=ADMINISTRATOR).first()


@contextmanager
def keeps_an_administrator() -> Iterator[None]:
    """Within a transaction: refuse what is done in the block if nobody would be left who may administer.

    Whoever changes users or roles holds the row of the administrator's role meanwhile (:func:`hold_administrators`), so
    that two cannot each take the other's right away.

    Raises:
        StateError: the last administrator would go.
    """
    hold_administrators()
    before = list(administrators().order_by("pk")[:2])
    yield
    if before and not administrators().exists():
        raise StateError(
            _("%(user)s is the last administrator; give somebody else that role first.") % {"user": before[0]}
        )


def add_role(actor: Actor, name: str, like: str) -> Role:
    """A role of the company's own, which begins as a copy of the role ``like``.

    Raises:
        InputError: the name is not usable or taken; NotFound: there is no such role to copy.
    """
    actor.require("administer")
    with transaction.atomic():
        first = find_role(like)
        reaches = {room.key: role_reach(first, room.key) for room in registries.rooms}
        rights = sorted(RIGHTS) if first.key == ADMINISTRATOR else list(first.rights)
        row = Role(name=_name(name, None), rights=rights, reaches=reaches, masked=list(first.masked))
        row.key = _free_key(row.name)
        row.save(force_insert=True)
        told = {field: [None, getattr(row, field)] for field in FIELDS} | {"key": [None, row.key]}
        audit.record(actor, "role.added", "role", row.pk, told)
    return row


def change_role(actor: Actor, key: str, **fields: Any) -> tuple[Role, AuditEntry | None]:
    """Set named fields of a role (see :data:`FIELDS`); ``reaches`` may name some rooms alone.

    Returns the role and the audit entry, None if nothing changed.

    Raises:
        InputError: a field is not usable; NotFound: no such role; StateError: the role is fixed, or nobody would be
        left who may administer.
    """
    actor.require("administer")
    with transaction.atomic(), keeps_an_administrator():
        row = Role.objects.select_for_update(no_key=True).filter(key=key).first() or find_role(key)
        if row.key == ADMINISTRATOR:
            raise StateError(
                _("The role %(role)s is fixed, so that nobody is locked out; make a copy and change that.")
                % {"role": row}
            )
        before = {name: getattr(row, name) for name in FIELDS}
        for name, value in fields.items():
            setattr(row, name, _checked(row, name, value))
        told = {name: [before[name], getattr(row, name)] for name in FIELDS if before[name] != getattr(row, name)}
        if not told:
            return row, None
        row.save(update_fields=sorted(told))
        return row, audit.record(actor, "role.changed", "role", row.pk, told)


def reset_role(actor: Actor, key: str) -> tuple[Role, AuditEntry | None]:
    """Put a built-in role back to what it was at first.

    Raises:
        StateError: the role is the company's own.
    """
    if key not in BUILT_IN:
        raise StateError(_("A role of your own has nothing to go back to; change it by hand."))
    if key == ADMINISTRATOR:
        return find_role(key), None
    first = built_in(key)
    return change_role(actor, key, name="", rights=first.rights, reaches=first.reaches, masked=[])


def delete_role(actor: Actor, key: str) -> AuditEntry:
    """Delete a role of the company's own that nobody has.

    Raises:
        StateError: somebody has it, or it is built in.
    """
    actor.require("administer")
    with transaction.atomic():
        row = Role.objects.select_for_update().filter(key=key).first() or find_role(key)
        if row.is_builtin:
            raise StateError(_("The role %(role)s is built in and stays; take its rights instead.") % {"role": row})
        if used := row.users.count():
            raise StateError(
                ngettext(
                    "%(count)d user has the role %(role)s; give them another one first.",
                    "%(count)d users have the role %(role)s; give them another one first.",
                    used,
                )
                % {"count": used, "role": row}
            )
        told = {field: [getattr(row, field), None] for field in FIELDS} | {"key": [row.key, None]}
        entry = audit.record(actor, "role.deleted", "role", row.pk, told)
        row.delete()
    return entry


def put_back_role(actor: Actor, deletion: AuditEntry) -> Role:
    """Make a deleted role again from what its audit entry tells.

    Raises:
        StateError: it is back already; InputError: the name is taken meanwhile.
    """
    actor.require("administer")
    told: Mapping[str, Sequence[Any]] = deletion.changes
    with transaction.atomic():
        if back := Role.objects.filter(pk=deletion.record_id).first():
            raise StateError(_("This role is back already, as %(role)s.") % {"role": back})
        row = Role(pk=deletion.record_id, name=_name(str(told["name"][0]), None), key=str(told["key"][0]))
        if Role.objects.filter(key=row.key).exists():
            row.key = _free_key(row.name)
        for name in ("rights", "reaches", "masked"):
            setattr(row, name, _checked(row, name, told[name][0]))
        row.save(force_insert=True)
        put = {field: [None, getattr(row, field)] for field in FIELDS} | {"key": [None, row.key]}
        audit.record(actor, "role.restored", "role", row.pk, put)
    return row


def _checked(row: Role, name: str, value: Any) -> Any:
    if name == "name":
        return _name(value, row)
    if name == "rights":
        return _subset(name, value, RIGHTS)
    if name == "masked":
        return _subset(name, value, MASKS)
    if name == "reaches":
        reaches = dict(row.reaches)
        for key, reach in dict(value).items():
            room = registries.rooms.get(key)
            if room is None or reach not in room.reaches:
                offered = ", ".join(room.reaches if room else registries.rooms.keys())
                raise InputError(
                    _("%(field)s = %(value)r: one of %(values)s is needed.")
                    % {"field": f"reaches.{key}"[:60], "value": reach, "values": offered}
                )
            reaches[key] = reach
        return reaches
    raise InputError(
        _("%(field)s cannot be set; one of %(fields)s is needed.") % {"field": name, "fields": ", ".join(FIELDS)}
    )


def _subset(field: str, value: Any, known: Mapping[str, object]) -> list[str]:
    wanted = {str(one) for one in value}
    if unknown := sorted(wanted - set(known)):
        raise InputError(
            _("%(field)s = %(value)r: one of %(values)s is needed.")
            % {"field": field, "value": unknown[0][:60], "values": ", ".join(known)}
        )
    return sorted(wanted)


def _name(value: str, row: Role | None) -> str:
    """The name without stray blanks; built-in roles may have none of their own."""
    wanted = " ".join(value.split())
    if row is not None and row.is_builtin and wanted in {"", str(BUILT_IN[row.key].name)}:
        return ""
    if not wanted or len(wanted) > 80 or "\x00" in wanted:
        raise InputError(_("name = %(name)r: a name of 1 to 80 characters is needed.") % {"name": value[:90]})
    others = [other for other in Role.objects.all() if row is None or other.pk != row.pk]
    if any(str(other).casefold() == wanted.casefold() for other in others):
        raise InputError(_("There is a role %(name)s already; choose another name.") % {"name": wanted})
    return wanted


def _free_key(name: str) -> str:
    """A key made of the name that no role has."""
    stem = slugify(name)[: _KEY_LENGTH - 4].strip("-") or "role"
    taken = {*BUILT_IN, *Role.objects.filter(key__startswith=stem).values_list("key", flat=True)}
    number = 1
    key = stem
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key
