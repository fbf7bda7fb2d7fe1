"""What somebody may do and see, in words."""

from django.utils.translation import gettext as _

from rondo.foundation.models import Role, User
from rondo.foundation.registry import Room, registries
from rondo.foundation.rights import ADMINISTRATOR, MASKS, REACHES, RIGHTS, has_right, reach_of, role_reach


def role_rights(role: Role) -> list[str]:
    """What the role allows, in the order of the rights."""
    return [str(label) for key, label in RIGHTS.items() if role.key == ADMINISTRATOR or key in role.rights]


def role_sentence(role: Role) -> str:
    """What who has the role may do and see: may see customers, log contacts …; sees: Customers: All, …; masked: …"""
    rights = role_rights(role)
    if not rights:
        return _("May do nothing but change the own profile.")
    parts = [_("May %(rights)s.") % {"rights": _listed(rights)}]
    reaches = [f"{room.label}: {REACHES[role_reach(role, room.key)]}" for room in _rooms()]
    parts.append(_("Sees – %(reaches)s.") % {"reaches": "; ".join(reaches)})
    if role.masked and role.key != ADMINISTRATOR:
        parts.append(_("Masked: %(fields)s.") % {"fields": "; ".join(str(MASKS[one]) for one in role.masked)})
    return " ".join(parts)


def user_sentence(user: User) -> str:
    """What one person may do and see now, the own reach taken into account."""
    if not user.is_active:
        return _("%(user)s is switched off and may do nothing.") % {"user": user}
    rights = [str(label) for key, label in RIGHTS.items() if has_right(user, key)]
    if not rights:
        return _("%(user)s may do nothing but change the own profile.") % {"user": user}
    reaches = [f"{room.label}: {REACHES[reach_of(user, room.key)]}" for room in _rooms()]
    return _("%(user)s may %(rights)s. Sees – %(reaches)s.") % {
        "user": user,
        "rights": _listed(rights),
        "reaches": "; ".join(reaches),
    }


def _rooms() -> list[Room]:
    return sorted(registries.rooms, key=lambda room: room.order)


def _listed(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}
