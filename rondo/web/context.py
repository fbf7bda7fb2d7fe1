"""What every page's frame needs: navigation, theme, language."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.registry import registries
from rondo.foundation.rights import enters, has_right
from rondo.web.reports.opening import reportable

THEMES = (
    {"key": "system", "label": _("As the system"), "icon": "monitor"},
    {"key": "light", "label": _("Light"), "icon": "sun"},
    {"key": "dark", "label": _("Dark"), "icon": "moon"},
)
_ON_PHONE = 4
"""Entries in the bar of a phone before "More"; five fit, and the fifth is "More" or the last entry."""


def navigation(user: User, path: str) -> list[dict[str, Any]]:
    """The entries that ``user`` may open, in order; ``letter`` is the first letter not yet taken by another entry."""
    entries: list[dict[str, Any]] = []
    taken: set[str] = set()
    for item in sorted(registries.nav, key=lambda item: item.order):
        rights = (item.right, *item.also)
        if not any(has_right(user, right) for right in rights) or (item.room and not enters(user, item.room)):
            continue
        url = reverse(item.url_name)
        letter = next((c for c in item.key if c not in taken and c.isascii()), "")
        taken.add(letter)
        current = path == url or (url != "/" and path.startswith(url))
        entries.append(
            {
                "key": item.key,
                "label": str(item.label),
                "icon": item.icon,
                "url": url,
                "letter": letter,
                "current": current,
            }
        )
    return entries


def initials(user: User) -> str:
    """One or two letters that stand for a person."""
    words = str(user).replace("@", " ").split()
    return "".join(word[0] for word in words[:2]).upper()


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of the shell."""
    user = getattr(request, "user", None)
    frame: dict[str, Any] = {
        "theme": "system",
        "themes": THEMES,
        "nav_width": "wide",
        "company": installation().company,
    }
    if isinstance(user, User):
        entries = navigation(user, request.path)
        split = len(entries) if len(entries) <= _ON_PHONE + 1 else _ON_PHONE
        frame |= {
            "theme": user.theme,
            "nav_width": "narrow" if request.COOKIES.get("rondo_nav") == "narrow" else "wide",
            "nav": entries,
            "nav_first": entries[:split],
            "nav_rest": entries[split:],
            "initials": initials(user),
            "as_report": reportable(request),
        }
    return {"shell": frame}
