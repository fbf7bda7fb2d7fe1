"""Teams in a tree: made, named, moved and deleted. Who reads "team" reads the own team and those below it."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, ProtectedError, Q
from django.utils.translation import gettext as _

from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, Team
from rondo.foundation.rights import team_branch


@dataclass(frozen=True)
class Branch:
    """A team in the tree: ``depth`` levels below the top, with so many people who are active."""

    team: Team
    depth: int
    people: int

    @property
    def indent(self) -> range:
        """As many items as there are levels above."""
        return range(self.depth)

    @property
    def level(self) -> int:
        """1 at the top."""
        return self.depth + 1


def tree() -> list[Branch]:
    """All teams, each under its parent, those of one level by name."""
    people = Count("members", filter=Q(members__is_active=True))
    below: dict[int | None, list[Team]] = {}
    counts: dict[int, int] = {}
    for team, count in ((row, row.people) for row in Team.objects.annotate(people=people).order_by("name")):
        below.setdefault(team.parent_id, []).append(team)
        counts[team.pk] = count
    found: list[Branch] = []

    def walk(parent: int | None, depth: int) -> None:
        for team in below.get(parent, []):
            found.append(Branch(team, depth, counts[team.pk]))
            walk(team.pk, depth + 1)

    walk(None, 0)
    return found


def find_team(team_id: int) -> Team:
    """The team of a key; raises NotFound."""
    row = Team.objects.filter(pk=team_id).first()
    if row is None:
        raise NotFound(_("This team is not there; load the list of teams again."))
    return row


def hold_teams() -> None:
    """Lock all teams until the transaction ends: two moves at once could each be fine and make a circle together."""
    list(Team.objects.select_for_update(no_key=True).order_by("pk"))


def add_team(actor: Actor, name: str, parent: Team | None = None) -> tuple[Team, AuditEntry]:
    """A new team, at the top or below another.

    Raises:
        InputError: the name is empty, too long or taken.
    """
    actor.require("administer")
    with transaction.atomic():
        row = Team(name=_name(name, None), parent=parent)
        row.save(force_insert=True)
        return row, audit.record(actor, "team.added", "team", row.pk, {"name": [None, row.name], **_under(None, row)})


def change_team(actor: Actor, team_id: int, *, name: str, parent: Team | None) -> tuple[Team, AuditEntry | None]:
    """Name a team, and put it below ``parent`` (None: at the top). The entry is None if nothing changed.

    Raises:
        InputError: the name is not usable, or the parent is the team itself or below it; NotFound: no such team.
    """
    actor.require("administer")
    with transaction.atomic():
        hold_teams()
        row = find_team(team_id)
        was = Team(name=row.name, parent_id=row.parent_id)
        if parent is not None and parent.pk in team_branch(row.pk):
            raise InputError(
                _("%(team)s cannot be below %(parent)s, which is below it; choose a team of another branch.")
                % {"team": row, "parent": parent}
                if parent.pk != row.pk
                else _("%(team)s cannot be below itself; choose another team.") % {"team": row}
            )
        row.name, row.parent = _name(name, row), parent
        told: dict[str, list[Any]] = {"name": [was.name, row.name]} if was.name != row.name else {}
        if was.parent_id != row.parent_id:
            told |= _under(was, row)
        if not told:
            return row, None
        row.save(update_fields=["name", "parent"])
        return row, audit.record(actor, "team.changed", "team", row.pk, told)


def delete_team(actor: Actor, team_id: int) -> AuditEntry:
    """Delete a team that nobody and nothing belongs to.

    Raises:
        StateError: it has people, customers or teams below it; NotFound: no such team.
    """
    actor.require("administer")
    row = find_team(team_id)
    try:
        with transaction.atomic():
            entry = audit.record(
                actor, "team.deleted", "team", row.pk, {"name": [row.name, None], "parent": [row.parent_id, None]}
            )
            row.delete()
    except ProtectedError as error:
        raise StateError(
            _("%(team)s has people, customers or teams below it; move them to another team first.") % {"team": row}
        ) from error
    return entry


def put_back_team(actor: Actor, deletion: AuditEntry) -> Team:
    """Make a deleted team again from what its audit entry tells: what named it by its key names it again.

    Raises:
        StateError: it is back already; InputError: the name is taken meanwhile; NotFound: what it was below is gone.
    """
    actor.require("administer")
    name, parent = deletion.changes["name"][0], deletion.changes["parent"][0]
    with transaction.atomic():
        if back := Team.objects.filter(pk=deletion.record_id).first():
            raise StateError(_("This team is back already, as %(team)s.") % {"team": back})
        above = None if parent is None else find_team(parent)
        row = Team(pk=deletion.record_id, name=_name(name, None), parent=above)
        row.save(force_insert=True)
        audit.record(actor, "team.restored", "team", row.pk, {"name": [None, row.name], **_under(None, row)})
    return row


def _under(was: Team | None, row: Team) -> dict[str, list[int | None]]:
    return {"parent": [None if was is None else was.parent_id, row.parent_id]}


def _name(value: str, row: Team | None) -> str:
    wanted = " ".join(value.split())
    if not wanted or len(wanted) > 120 or "\x00" in wanted:
        raise InputError(_("team = %(name)r: a name of 1 to 120 characters is needed.") % {"name": value[:130]})
    others = Team.objects.filter(name__iexact=wanted)
    if (others.exclude(pk=row.pk) if row is not None else others).exists():
        raise InputError(_("There is a team %(name)s already; choose another name.") % {"name": wanted})
    return wanted
