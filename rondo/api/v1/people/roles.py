"""Roles and teams: listed, made, changed, put back to what they were, deleted."""

from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema

from rondo.api.parameters import key_of
from rondo.api.references import TEAM, change_of
from rondo.api.v1.people.shapes import ADMINISTERING, NewTeam, TeamFields, TeamsTold, TeamTold, team_given
from rondo.api.versions import alone
from rondo.api.writing import Body, Fields, actor
from rondo.foundation import audit, ids
from rondo.foundation import roles as actions
from rondo.foundation import teams as team_actions
from rondo.foundation.models import Role, Team
from rondo.foundation.registry import registries
from rondo.foundation.rights import ADMINISTRATOR, RIGHTS, role_reach

router = Router(tags=["people"])
Reach = Literal["none", "own", "team", "all"]


class RoleTold(Schema):
    __doc__ = gettext_noop(
        "A role: what who has it may do (`rights`), how far they see in each room (`reaches`), and what is masked for "
        "them. `change`: what this call changed, by which it is taken back."
    )

    key: str = Field(..., examples=["sales"])
    name: str
    built_in: bool
    rights: list[str] = Field(..., examples=[["see", "contact", "edit"]])
    reaches: dict[str, str] = Field(..., examples=[{"customers": "team", "segments": "all"}])
    masked: list[str] = Field(..., examples=[["notes"]])
    users: int = Field(..., description=gettext_noop("Who has it."))
    change: str | None = None


class RolesTold(Schema):
    __doc__ = gettext_noop("Roles: the built-in ones, then the company's own by name.")

    data: list[RoleTold]


class NewRole(Body):
    __doc__ = gettext_noop("A role that begins as a copy of another one.")

    name: str = Field(..., min_length=1, max_length=80, examples=["Field sales"])
    like: str = Field(..., max_length=40, examples=["sales"])


class RoleFields(Fields):
    __doc__ = gettext_noop(
        "What is to change of a role; what is left out stays. `rights` and `masked` come as a whole, `reaches` may "
        "name some rooms alone."
    )

    name: str = Field("", max_length=80)
    rights: list[str] = Field([], max_length=50)
    reaches: dict[str, Reach] = Field({}, max_length=50)
    masked: list[str] = Field([], max_length=10)


@router.get(
    "/roles",
    auth=ADMINISTERING,
    response=RolesTold,
    summary=gettext_noop("Roles"),
    operation_id="listRoles",
    description=gettext_noop("All roles with their rights, reaches and masks."),
)
def list_roles(request: HttpRequest) -> RolesTold:
    return RolesTold(data=[_role(row) for row in actions.roles()])


@router.get(
    "/roles/{key}",
    auth=ADMINISTERING,
    response=RoleTold,
    summary=gettext_noop("One role"),
    operation_id="getRole",
    openapi_extra=alone(
        lambda key: Role.objects.filter(key=key), "users", first=lambda key: actions.hold_administrators()
    ),
    description=gettext_noop("A role by its key."),
)
def get_role(request: HttpRequest, key: str) -> RoleTold:
    return _role(actions.find_role(key))


@router.post(
    "/roles",
    auth=ADMINISTERING,
    response=RoleTold,
    summary=gettext_noop("Make a role"),
    operation_id="createRole",
    description=gettext_noop("A role of the company's own, as a copy of another one."),
)
def add_role(request: HttpRequest, body: NewRole) -> RoleTold:
    row = actions.add_role(actor(request), body.name, body.like)
    return _role(row, change_of(audit.entries_of("role", row.pk, 1)[0]))


@router.patch(
    "/roles/{key}",
    auth=ADMINISTERING,
    response=RoleTold,
    summary=gettext_noop("Change a role"),
    operation_id="changeRole",
    description=gettext_noop("It holds with the next request. The administrator's role is fixed."),
)
def change_role(request: HttpRequest, key: str, body: RoleFields) -> RoleTold:
    fields: dict[str, Any] = body.dict(exclude_unset=True)
    row, entry = actions.change_role(actor(request), key, **fields)
    return _role(row, change_of(entry))


@router.post(
    "/roles/{key}/reset",
    auth=ADMINISTERING,
    response=RoleTold,
    summary=gettext_noop("Put a role back"),
    operation_id="resetRole",
    description=gettext_noop("A built-in role becomes what it was at first."),
)
def reset_role(request: HttpRequest, key: str) -> RoleTold:
    row, entry = actions.reset_role(actor(request), key)
    return _role(row, change_of(entry))


@router.delete(
    "/roles/{key}",
    auth=ADMINISTERING,
    response=RoleTold,
    summary=gettext_noop("Delete a role"),
    operation_id="deleteRole",
    description=gettext_noop("One of the company's own that nobody has; its `change` puts it back."),
)
def delete_role(request: HttpRequest, key: str) -> RoleTold:
    told = _role(actions.find_role(key))
    return told.model_copy(update={"change": change_of(actions.delete_role(actor(request), key))})


@router.get(
    "/teams",
    auth=ADMINISTERING,
    response=TeamsTold,
    summary=gettext_noop("Teams"),
    operation_id="listTeams",
    description=gettext_noop("The tree of teams."),
)
def list_teams(request: HttpRequest) -> TeamsTold:
    return TeamsTold(data=[_team(one.team, one.people) for one in team_actions.tree()])


@router.post(
    "/teams",
    auth=ADMINISTERING,
    response=TeamTold,
    summary=gettext_noop("Make a team"),
    operation_id="createTeam",
    description=gettext_noop("At the top, or below another one."),
)
def add_team(request: HttpRequest, body: NewTeam) -> TeamTold:
    row, entry = team_actions.add_team(actor(request), body.name, team_given(body.parent, "parent"))
    return _team(row, 0, change_of(entry))


@router.get(
    "/teams/{team_id}",
    auth=ADMINISTERING,
    response=TeamTold,
    summary=gettext_noop("One team"),
    operation_id="getTeam",
    openapi_extra=alone(
        lambda team_id: Team.objects.filter(pk=ids.decode(TEAM, team_id) or 0),
        "people",
        first=lambda team_id: team_actions.hold_teams(),
    ),
    description=gettext_noop("A team, and the one that it is below."),
)
def get_team(request: HttpRequest, team_id: str) -> TeamTold:
    row = team_actions.find_team(key_of(TEAM, team_id))
    return _team(row, _people(row))


@router.patch(
    "/teams/{team_id}",
    auth=ADMINISTERING,
    response=TeamTold,
    summary=gettext_noop("Change a team"),
    operation_id="changeTeam",
    description=gettext_noop("Names it, or puts it below another one (null: at the top)."),
)
def change_team(request: HttpRequest, team_id: str, body: TeamFields) -> TeamTold:
    row = team_actions.find_team(key_of(TEAM, team_id))
    name = body.name if "name" in body.model_fields_set else row.name
    parent = team_given(body.parent, "parent") if "parent" in body.model_fields_set else row.parent
    row, entry = team_actions.change_team(actor(request), row.pk, name=name, parent=parent)
    return _team(row, _people(row), change_of(entry))


@router.delete(
    "/teams/{team_id}",
    auth=ADMINISTERING,
    response=TeamTold,
    summary=gettext_noop("Delete a team"),
    operation_id="deleteTeam",
    description=gettext_noop("One that nobody and nothing belongs to; its `change` puts it back."),
)
def delete_team(request: HttpRequest, team_id: str) -> TeamTold:
    row = team_actions.find_team(key_of(TEAM, team_id))
    told = _team(row, _people(row))
    return told.model_copy(update={"change": change_of(team_actions.delete_team(actor(request), row.pk))})


def _people(row: Team) -> int:
    return row.members.filter(is_active=True).count()


def _team(row: Team, people: int, change: str | None = None) -> TeamTold:
    parent = None if row.parent_id is None else ids.encode(TEAM, row.parent_id)
    return TeamTold(id=ids.encode(TEAM, row.pk), name=row.name, parent=parent, people=people, change=change)


def _role(row: Role, change: str | None = None) -> RoleTold:
    return RoleTold(
        key=row.key,
        name=str(row),
        built_in=row.is_builtin,
        rights=sorted(RIGHTS) if row.key == ADMINISTRATOR else list(row.rights),
        reaches={room.key: role_reach(row, room.key) for room in registries.rooms},
        masked=list(row.masked),
        users=row.users.count(),
        change=change,
    )
