"""Who acts, and through which door. Every action takes an :class:`Actor`."""

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from rondo.errors import PermissionRefused, ScopeMissing
from rondo.foundation.models import User
from rondo.foundation.registry import registries
from rondo.foundation.rights import RIGHTS, enters, has_right

Door = Literal["web", "api", "import", "job", "command"]


@dataclass(frozen=True)
class Actor:
    """A user, or the system itself (``user`` None), acting through a door."""

    user: User | None
    door: Door
    load_id: int | None = None

    def may(self, right: str) -> bool:
        """Whether the actor has ``right`` (the system has every right)."""
        return self.user is None or has_right(self.user, right)

    def require(self, right: str) -> None:
        """Raise PermissionRefused unless the actor has ``right`` (the system has every right); ScopeMissing where the
        token of the request is not made for it."""
        if self.user is not None and self.user.limited_to is not None and right not in self.user.limited_to:
            raise ScopeMissing(
                right,
                _("This token lacks the scope “%(scope)s” (%(right)s); make one that has it.")
                % {"scope": right, "right": RIGHTS[right]},
            )
        if self.user is not None and not self.may(right):
            raise PermissionRefused(
                _("%(user)s may not %(right)s (role %(role)s); ask an administrator for a role that may.")
                % {"user": self.user.email, "right": RIGHTS[right], "role": self.user.role}
            )

    def enter(self, room: str) -> None:
        """Raise PermissionRefused unless the actor sees anything in ``room`` (the system sees everything)."""
        if self.user is not None and not enters(self.user, room):
            raise PermissionRefused(
                _("Your role %(role)s does not show “%(room)s”; ask an administrator for one that does.")
                % {"role": self.user.role, "room": registries.rooms[room].label}
            )


def system(door: Door = "command") -> Actor:
    """The system as actor: commands and jobs that nobody in particular started."""
    return Actor(None, door)
