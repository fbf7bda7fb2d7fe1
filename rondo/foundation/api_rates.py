"""How many requests a token of the REST API makes in a minute, counted together by all web processes.

A process reserves a few requests at a time in the token's row and hands them out from its memory, so that most requests
write nothing. What is reserved counts as used: all processes together never let more through than the limit. What one
of them has left over when the minute ends is lost; :data:`SLICES` bounds it to a twentieth of the limit a process.
"""

import math
import time
from dataclasses import dataclass, field
from threading import Lock

from django.db.models import F
from django.utils.translation import gettext as _

from rondo.errors import TooManyAttempts
from rondo.foundation.models import ApiToken

WINDOW = 60
"""Seconds that are counted together; they begin with the minute of the clock."""
SLICES = 20
_MOST_KEPT = 10_000


@dataclass(frozen=True)
class Standing:
    """How a token stands in a minute: ``remaining`` requests at least, until a new one begins in ``reset`` seconds."""

    limit: int
    remaining: int
    reset: int
    allowed: bool = True


@dataclass
class _Held:
    """What this process has reserved of a minute: ``left`` to hand out, and what the token had ``free`` then."""

    minute: int = -1
    left: int = 0
    free: int = 0
    lock: Lock = field(default_factory=Lock)


class Meter:
    """The count of one process. What reserves writes, and may wait for whoever else does: only its own token waits for
    it."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._lock = Lock()

    def take(self, token: ApiToken, limit: int, now: float | None = None) -> Standing:
        """Count one request of a token; ``allowed`` says whether it may go on."""
        at = time.time() if now is None else now
        minute = int(at // WINDOW) * WINDOW
        reset = max(1, math.ceil(minute + WINDOW - at))
        with self._lock:
            if len(self._held) >= _MOST_KEPT:
                self._held = {key: one for key, one in self._held.items() if one.minute == minute}
            held = self._held.setdefault(token.token_hash, _Held())
        with held.lock:
            if held.minute != minute or (not held.left and held.free):
                held.left, held.free = _reserve(token.pk, minute, limit)
                held.minute = minute
            if not held.left:
                return Standing(limit, 0, reset, allowed=False)
            held.left -= 1
            return Standing(limit, held.left + held.free, reset)


def _reserve(token_id: int, minute: int, limit: int) -> tuple[int, int]:
    """Reserve a slice, else one; nothing where the minute's are used up. A process whose clock is ahead begins the
    minute for all. Returns how many were reserved, and how many are free then."""
    rows = ApiToken.objects.filter(pk=token_id)
    for wanted in dict.fromkeys((max(1, limit // SLICES), 1)):
        begun = rows.filter(minute__lt=minute).update(minute=minute, used=wanted)
        if begun or rows.filter(minute__gte=minute, used__lte=limit - wanted).update(used=F("used") + wanted):
            used = rows.values_list("used", flat=True).first() or 0
            return wanted, max(0, limit - used)
    return 0, 0


METER = Meter()
"""Of this process."""


def refusal(standing: Standing) -> TooManyAttempts:
    """The error of a request beyond the limit."""
    return TooManyAttempts(
        standing.reset,
        _("This token made %(limit)d requests in this minute already; go on in %(seconds)d s.")
        % {"limit": standing.limit, "seconds": standing.reset},
    )
