"""Takes back what was done to users, teams and roles, from what its audit entry tells."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.errors import NotFound, StateError
from rondo.foundation.accounts import change_user
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, Role, User
from rondo.foundation.roles import change_role, find_role, put_back_role
from rondo.foundation.teams import change_team, find_team, put_back_team


def take_back(actor: Actor, entry_id: int) -> AuditEntry:
    """Undo one change or deletion of a user, a team or a role; which is told as a change, too. Returns the entry.

    Raises:
        NotFound: no such entry, or none that can be taken back. StateError: what it set was changed since, or the
        undoing would leave nobody who may administer.
    """
    actor.require("administer")
    with transaction.atomic():
        # Two who take the same back come one after the other.
        entry = AuditEntry.objects.select_for_update(no_key=True).filter(pk=entry_id).first()
        undo = None if entry is None else _UNDO.get(entry.verb)
        if entry is None or undo is None:
            raise NotFound(_("This change cannot be taken back here; change the record by hand."))
        undo(actor, entry)
    return entry


def _unchanged(entry: AuditEntry, present: dict[str, Any]) -> dict[str, Any]:
    """The values before the change, where those that it set still stand."""
    for name, (_before, after) in entry.changes.items():
        if present[name] != after:
            raise StateError(_("This was changed again meanwhile; change it by hand, looking at what stands now."))
    return {name: before for name, (before, _after) in entry.changes.items()}


def _user(actor: Actor, entry: AuditEntry) -> None:
    row = User.objects.filter(pk=entry.record_id).first()
    if row is None:
        raise NotFound(_("This user is not there any more."))
    present = {name: getattr(row, name, None) for name in entry.changes}
    before = _unchanged(entry, present | {"role": row.role.key, "team": row.team_id})
    if "team" in before:
        before["team"] = None if before["team"] is None else find_team(before["team"])
    change_user(actor, row, **before)


def _role(actor: Actor, entry: AuditEntry) -> None:
    row = Role.objects.filter(pk=entry.record_id).first() or find_role(str(entry.record_id))
    change_role(actor, row.key, **_unchanged(entry, {name: getattr(row, name) for name in entry.changes}))


def _deleted_role(actor: Actor, entry: AuditEntry) -> None:
    put_back_role(actor, entry)


def _team(actor: Actor, entry: AuditEntry) -> None:
    row = find_team(entry.record_id)
    before = {"name": row.name, "parent": row.parent_id} | _unchanged(
        entry, {"name": row.name, "parent": row.parent_id}
    )
    parent = None if before["parent"] is None else find_team(before["parent"])
    change_team(actor, row.pk, name=before["name"], parent=parent)


def _deleted_team(actor: Actor, entry: AuditEntry) -> None:
    put_back_team(actor, entry)


_UNDO = {
    "user.changed": _user,
    "role.changed": _role,
    "role.deleted": _deleted_role,
    "team.changed": _team,
    "team.deleted": _deleted_team,
}
