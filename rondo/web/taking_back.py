"""What one sign-in may still take back: kept in its session under a token, the latest few of each kind of change."""

from secrets import token_urlsafe
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

_KEPT = 10
"""Changes of one kind that one sign-in may still undo."""


def keep(request: HttpRequest, kind: str, done: dict[str, Any]) -> str:
    """Keep what a change needs to be taken back, as JSON can hold it; returns the token that asks for it."""
    token = token_urlsafe(9)
    kept = dict(list(request.session.get(kind, {}).items())[1 - _KEPT :])
    request.session[kind] = {**kept, token: done}
    return token


def kept(request: HttpRequest, kind: str, token: str) -> Any:
    """What was kept under a token.

    Raises:
        Http404: nothing is kept under it: taken back before, older than the latest few, or of another sign-in.
    """
    held = request.session.get(kind, {})
    if token not in held:
        raise Http404(_("This can no longer be undone here; the changes stand on the pages of the customers."))
    return held[token]


def used(request: HttpRequest, kind: str, token: str) -> None:
    """Forget what was kept under a token: it was taken back. What was refused may be tried again."""
    request.session[kind] = {key: done for key, done in request.session.get(kind, {}).items() if key != token}
