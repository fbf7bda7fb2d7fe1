"""Where users are signed in: listed for themselves, ended by them or by an administrator.

A session ends by its row of :mod:`django.contrib.sessions` going away, which every process sees with the next request.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from allauth.account.adapter import get_adapter
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import NotFound
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import User, UserSession

SEEN_EVERY = timedelta(minutes=5)
"""How often it is noted that a session is in use, so that reads stay reads."""
_NOTED = "rondo_noted"
MEANS = "rondo_means"
"""Where a session keeps by which means it began: password, passkey, link, invitation."""

_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class SignedIn:
    """One of a user's sessions, as it is shown."""

    id: int
    device: str
    address: str
    means: str
    began_at: datetime
    seen_at: datetime
    is_this: bool


def note(request: HttpRequest) -> None:
    """Keep that the signed-in user's session is in use, from where and with what; once in :data:`SEEN_EVERY`."""
    session = request.session
    key, user = session.session_key, request.user
    if not key or not isinstance(user, User):
        return
    now = timezone.now()
    known_key, noted_at = session.get(_NOTED, ("", 0.0))
    if known_key == key and now.timestamp() - noted_at < SEEN_EVERY.total_seconds():
        return
    seen = {
        "user": user,
        "seen_at": now,
        "address": _shown_address(request),
        "agent": request.headers.get("User-Agent", "")[:300],
        "means": str(session.get(MEANS, ""))[:20],
    }
    with transaction.atomic():
        if known_key and known_key != key:  # the same session under a new key: after a new password, say
            UserSession.objects.filter(session_key=known_key, user=user).update(session_key=key)
        UserSession.objects.update_or_create(session_key=key, defaults=seen)
    session[_NOTED] = [key, now.timestamp()]


def sessions_of(user: User, this: str | None = None) -> list[SignedIn]:
    """The sessions of a user that stand, the one with the key ``this`` first, then the one seen last first."""
    now = timezone.now()
    rows = UserSession.objects.filter(
        user=user, session_key__in=Session.objects.filter(expire_date__gt=now).values("session_key")
    )
    found = [
        SignedIn(
            row.pk,
            device(row.agent),
            row.address or "",
            _means(row.means),
            row.began_at,
            row.seen_at,
            row.session_key == this,
        )
        for row in rows.order_by("-seen_at", "-pk")
    ]
    return sorted(found, key=lambda one: not one.is_this)


def end_session(actor: Actor, session_id: int) -> None:
    """End a session at once.

    Raises:
        NotFound: no such session, or somebody else's and the actor may not administer.
    """
    with transaction.atomic():
        row = UserSession.objects.select_for_update().filter(pk=session_id).first()
        own = row is not None and actor.user is not None and actor.user.pk == row.user_id
        if row is None or not (own or actor.may("administer")):
            raise NotFound(_("This session is not there; load the page again."))
        _end(actor, row.user_id, [row])


def end_sessions(actor: Actor, user: User, apart_from: str | None = None) -> int:
    """End all sessions of a user, but the one with the key ``apart_from``; returns how many there were.

    Raises:
        PermissionRefused: somebody else's, and the actor may not administer.
    """
    if actor.user is not None and actor.user.pk != user.pk:
        actor.require("administer")
    with transaction.atomic():
        held = UserSession.objects.select_for_update().filter(user=user).order_by("pk")
        rows = list(held.exclude(session_key=apart_from or ""))
        _end(actor, user.pk, rows)
    return len(rows)


def device(agent: str) -> str:
    """Browser and system in words, from what the browser says of itself; what is not known is said as it came."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or agent.split(" ")[0][:40] or _("Unknown device")


def _end(actor: Actor, user_id: int, rows: list[UserSession]) -> None:
    if not rows:
        return
    keys = [row.session_key for row in rows]
    stood = Session.objects.filter(session_key__in=keys).delete()[0]
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()
    if stood:
        audit.record(actor, "sessions.ended", "user", user_id, {"sessions": [stood, 0]})


def _shown_address(request: HttpRequest) -> str | None:
    given = str(get_adapter(request).get_client_ip(request))
    try:
        return str(ip_address(given))
    except ValueError:
        return None


def _means(key: str) -> str:
    return {
        "password": _("password"),
        "passkey": _("passkey"),
        "link": _("one-time link"),
        "invitation": _("invitation"),
    }.get(key, "")
