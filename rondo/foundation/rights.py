"""Roles as sets of rights, and how far a viewer's reads reach (own, team, all)."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

    from rondo.foundation.models import User

RIGHTS: "dict[str, _StrOrPromise]" = {
    "see": _("see customers"),
    "contact": _("log contacts with customers"),
    "edit": _("change customers"),
    "merge": _("merge customers"),
    "import": _("import and take imports back"),
    "export": _("export lists"),
    "analyse": _("run the analysis"),
    "segment": _("change segments"),
    "campaign": _("change campaigns"),
    "administer": _("administer the installation"),
}

ROLES: dict[str, frozenset[str]] = {
    "administrator": frozenset(RIGHTS),
    "manager": frozenset({"see", "contact", "edit", "merge", "import", "export", "analyse", "campaign", "segment"}),
    "marketing": frozenset({"see", "contact", "edit", "import", "export", "analyse", "campaign", "segment"}),
    "sales": frozenset({"see", "contact", "edit", "export"}),
    "service": frozenset({"see", "contact", "edit"}),
    "analyst": frozenset({"see", "export", "analyse", "segment"}),
    "reader": frozenset({"see"}),
}


def has_right(user: "User", right: str) -> bool:
    """Whether the user's role includes ``right``; an inactive user has none."""
    return bool(user.is_active) and right in ROLES.get(user.role, frozenset())
