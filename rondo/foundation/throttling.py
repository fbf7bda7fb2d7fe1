"""Doors that may be tried only so often: signing in, forgotten passwords, second factors.

Attempts are rows, so that all web processes count them together and a restart gives nobody further ones. A row holds a
keyed digest of whom or where from it was, never the address or what was typed.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from rondo.errors import TooManyAttempts
from rondo.foundation.models import Attempt


@dataclass(frozen=True)
class Limit:
    """At most ``times`` attempts within ``window``; those that were refused do not count."""

    key: str
    times: int
    window: timedelta


_SHORT = timedelta(minutes=5)
ACCOUNT = Limit("account", 5, _SHORT)
"""Wrong passwords for one account, whether or not there is such an account."""
FAILED = Limit("failed", 20, _SHORT)
"""Wrong passwords from one address of the network."""
DOORS = {
    "account_login": Limit("login", 60, _SHORT),
    "mfa_login_webauthn": Limit("passkey", 60, _SHORT),
    "mfa_authenticate": Limit("second", 30, _SHORT),
    "account_reset_password": Limit("reset", 20, timedelta(hours=1)),
    "account_reset_password_from_key": Limit("reset-key", 20, _SHORT),
    "invitation": Limit("invitation", 30, _SHORT),
}
"""Posts to a page of this name, from one address of the network."""
CODE = Limit("code", 5, _SHORT)
"""Wrong codes or passkeys of one user."""
CONFIRM = Limit("confirm", 10, _SHORT)
"""Posts to the pages where one signed-in user confirms who they are, or changes the password."""
CONFIRMING = frozenset({"account_reauthenticate", "mfa_reauthenticate", "account_change_password"})
MAILBOX = Limit("mailbox", 3, timedelta(hours=1))
"""Mails about a forgotten password to one address."""
ONCE = Limit("once", 1, timedelta(minutes=2))
"""A code of an authenticator app opens once, in whichever process."""


def try_once_more(limit: Limit, whom: str) -> float:
    """Count an attempt, unless there were too many; 0 if it may go on, else after how many seconds it may.

    The row is written first and counted with, so that of any number of processes no more than ``times`` go on.
    """
    key = _digest(limit, whom)
    now = timezone.now()
    row = Attempt.objects.create(key=key, at=now)
    if (wait := _wait(limit, key, now, limit.times)) > 0:
        row.delete()
    return wait


def waiting(limit: Limit, whom: str) -> float:
    """After how many seconds a further attempt may be made; 0: now. Counts none."""
    return _wait(limit, _digest(limit, whom), timezone.now(), limit.times - 1)


def forget(limit: Limit, whom: str) -> None:
    """Count anew: somebody got in."""
    Attempt.objects.filter(key=_digest(limit, whom)).delete()


def check(limit: Limit, whom: str) -> None:
    """Count an attempt; raises TooManyAttempts."""
    if (wait := try_once_more(limit, whom)) > 0:
        raise refusal(wait)


def refusal(seconds: float) -> TooManyAttempts:
    """The error that says when to try again."""
    return TooManyAttempts(math.ceil(seconds), in_words(seconds))


def in_words(seconds: float) -> str:
    """The refusal as a sentence."""
    minutes = max(1, math.ceil(seconds / 60))
    return ngettext(
        "Too many attempts. Try again in one minute.", "Too many attempts. Try again in %(minutes)d minutes.", minutes
    ) % {"minutes": minutes}


def address_of(request: HttpRequest) -> str:
    """The client's address on the network, as far as a proxy may be believed; of IPv6 the network that one household or
    company has, since it has as many addresses as it likes."""
    given = get_adapter(request).get_client_ip(request)
    try:
        found = ip_address(given)
    except ValueError:
        return str(given)
    return str(found if found.version == 4 else ip_network((found, 64), strict=False).network_address)


def _wait(limit: Limit, key: str, now: datetime, allowed: int) -> float:
    since = now - limit.window
    counted = Attempt.objects.filter(key=key, at__gt=since).order_by("-at", "-id")
    oldest = counted.values_list("at", flat=True)[allowed : allowed + 1]
    for at in oldest:
        return max(0.001, (at - since).total_seconds())
    return 0.0


def _digest(limit: Limit, whom: str) -> str:
    return salted_hmac(f"rondo.throttling.{limit.key}", whom.strip().lower(), algorithm="sha256").hexdigest()
