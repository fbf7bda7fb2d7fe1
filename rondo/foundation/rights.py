"""Roles as sets of rights, how far a viewer's reads reach in each room (none, own, team, all), and what is masked.

A role is a row (:class:`rondo.foundation.models.Role`); :data:`BUILT_IN` are those that every installation has. Which
rooms there are is registered by the rooms themselves (:class:`rondo.foundation.registry.Room`). ``docs/rights.md`` has
the matrix of both.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rondo.foundation.registry import registries

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

    from rondo.foundation.models import Role, User

Reach = Literal["none", "own", "team", "all"]

RIGHTS: "dict[str, _StrOrPromise]" = {
    "see": _("see customers"),
    "contact": _("log contacts with customers"),
    "edit": _("change customers"),
    "merge": _("merge customers"),
    "delete": _("put customers into the bin and back"),
    "import": _("import and take imports back"),
    "export": _("export lists"),
    "erase": _("erase customers for good"),
    "analyse": _("run the analysis"),
    "segment": _("change segments"),
    "share": _("share views of lists"),
    "campaign": _("change campaigns"),
    "audit": _("read the audit log"),
    "integrate": _("set up webhooks"),
    "administer": _("administer the installation"),
}

REACHES: "dict[Reach, _StrOrPromise]" = {
    "none": pgettext_lazy("reach", "Nothing"),
    "own": pgettext_lazy("reach", "Own"),
    "team": pgettext_lazy("reach", "The team's"),
    "all": pgettext_lazy("reach", "All"),
}
"""How far reads go, the narrowest first."""

MASKS: "dict[str, _StrOrPromise]" = {
    "identifiers": _("Identifiers of customers: e-mail addresses, phone, card and other numbers"),
    "notes": _("What was written or said: the text of contacts"),
}
"""Fields that a role may see masked."""

ADMINISTRATOR = "administrator"
"""The role that has every right and sees everything; it is fixed, so that a company cannot lock itself out of it."""


@dataclass(frozen=True)
class BuiltIn:
    """A role that every installation has, as it is unless somebody changes it."""

    name: "_StrOrPromise"
    rights: frozenset[str]
    reaches: dict[str, Reach]


def _rooms(segments: Reach, reports: Reach, imports: Reach, audit: Reach) -> dict[str, Reach]:
    return {"customers": "all", "segments": segments, "reports": reports, "imports": imports, "audit": audit}


BUILT_IN: dict[str, BuiltIn] = {
    ADMINISTRATOR: BuiltIn(_("Administrator"), frozenset(RIGHTS), _rooms("all", "all", "all", "all")),
    "manager": BuiltIn(
        _("Manager"),
        frozenset(
            {
                "see",
                "contact",
                "edit",
                "merge",
                "delete",
                "import",
                "export",
                "analyse",
                "campaign",
                "segment",
                "share",
                "audit",
            }
        ),
        _rooms("all", "own", "all", "team"),
    ),
    "marketing": BuiltIn(
        _("Marketing"),
        frozenset({"see", "contact", "edit", "import", "export", "analyse", "campaign", "segment", "share"}),
        _rooms("all", "own", "all", "own"),
    ),
    "sales": BuiltIn(_("Sales"), frozenset({"see", "contact", "edit", "export"}), _rooms("all", "own", "own", "own")),
    "service": BuiltIn(_("Service"), frozenset({"see", "contact", "edit"}), _rooms("all", "own", "own", "own")),
    "analyst": BuiltIn(
        _("Analyst"), frozenset({"see", "export", "analyse", "segment", "share"}), _rooms("all", "own", "own", "own")
    ),
    "reader": BuiltIn(_("Reader"), frozenset({"see"}), _rooms("all", "own", "own", "own")),
}


def role_name(role: "Role") -> str:
    """What a role is called: by its own name, else by that of the built-in role."""
    return role.name or (str(BUILT_IN[role.key].name) if role.key in BUILT_IN else role.key)


def built_in(key: str) -> "Role":
    """A built-in role as it is unless somebody changes it, not yet in the database."""
    from rondo.foundation.models import Role

    made = BUILT_IN[key]
    return Role(key=key, rights=sorted(made.rights), reaches=dict(made.reaches), is_builtin=True)


def has_right(user: "User", right: str) -> bool:
    """Whether the user has ``right``; an inactive user has none."""
    return bool(user.is_active) and right in rights_of(user)


def rights_of(user: "User") -> frozenset[str]:
    """The rights of the user's role; where the request came with a token, those of them that it is made for."""
    of_role = frozenset(RIGHTS) if user.role_id == ADMINISTRATOR else frozenset(user.role.rights)
    return of_role if user.limited_to is None else of_role & user.limited_to


def role_reach(role: "Role", room: str) -> Reach:
    """How far the role sees in a room; one that the role says nothing of is as the room offers it at first."""
    if role.key == ADMINISTRATOR:
        return "all"
    found = registries.rooms[room]
    said = role.reaches.get(room, found.usual)
    return said if said in found.reaches else found.usual


def reach_of(viewer: "User | None", room: str) -> Reach:
    """How far ``viewer`` sees in a room: as far as the role, and no further than the user's own reach where the room's
    rows tell of customers. None is the system, which sees all."""
    if viewer is None:
        return "all"
    of_role: Reach = "all" if viewer.role_id == ADMINISTRATOR else role_reach(viewer.role, room)
    if not registries.rooms[room].narrowed:
        return of_role
    return narrower(of_role, viewer.reach)


def narrower(one: str, other: str) -> Reach:
    """The one of two reaches that sees less."""
    order = list(REACHES)
    return next(reach for reach in order if reach in {one, other})


def owned(viewer: "User | None", room: str, column: str = "owner") -> Q:
    """The condition on rows of a room, which belong to the user in ``column``, that ``viewer``'s reads obey.

    The team's rows are those of users who are in the viewer's team or in one below it now.
    """
    reach = reach_of(viewer, room)
    if viewer is None or reach == "all":
        return Q()
    if reach == "none":
        return Q(pk__in=())
    own = Q(**{column: viewer.pk})
    return own | Q(**{f"{column}__team__in": teams}) if reach == "team" and (teams := branch_of(viewer)) else own


def enters(viewer: "User | None", room: str) -> bool:
    """Whether ``viewer`` sees anything in a room at all."""
    return reach_of(viewer, room) != "none"


def masked(viewer: "User | None", what: str) -> bool:
    """Whether ``what`` (a key of :data:`MASKS`) is masked for ``viewer``; nothing is for the system."""
    return viewer is not None and viewer.role_id != ADMINISTRATOR and what in viewer.role.masked


def branch_of(viewer: "User") -> list[int]:
    """The viewer's team and all teams below it; none without a team. Asked once for each user object and team."""
    if viewer.team_id is None:
        return []
    kept: tuple[int, list[int]] | None = viewer.__dict__.get("_branch")
    if kept is None or kept[0] != viewer.team_id:
        kept = viewer.__dict__["_branch"] = (viewer.team_id, team_branch(viewer.team_id))
    return kept[1]


def team_branch(team_id: int) -> list[int]:
    """A team and all teams below it."""
    from rondo.foundation.models import Team

    found = [team_id]
    level = [team_id]
    while level:
        level = [pk for pk in Team.objects.filter(parent_id__in=level).values_list("pk", flat=True) if pk not in found]
        found += level
    return found
