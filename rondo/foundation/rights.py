"""Roles as sets of rights, and how far a viewer's reads reach (own, team, all)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rondo.foundation.models import User

RIGHTS: dict[str, str] = {
    "see": "see customers",
    "contact": "log contacts with customers",
    "edit": "change customers",
    "merge": "merge customers",
    "import": "import and take imports back",
    "export": "export lists",
    "analyse": "run the analysis",
    "campaign": "change campaigns",
    "administer": "administer the installation",
}

ROLES: dict[str, frozenset[str]] = {
    "administrator": frozenset(RIGHTS),
    "manager": frozenset({"see", "contact", "edit", "merge", "import", "export", "analyse", "campaign"}),
    "marketing": frozenset({"see", "contact", "edit", "import", "export", "analyse", "campaign"}),
    "sales": frozenset({"see", "contact", "edit", "export"}),
    "service": frozenset({"see", "contact", "edit"}),
    "analyst": frozenset({"see", "export", "analyse"}),
    "reader": frozenset({"see"}),
}


def has_right(user: "User", right: str) -> bool:
    """Whether the user's role includes ``right``; an inactive user has none."""
    return bool(user.is_active) and right in ROLES.get(user.role, frozenset())
