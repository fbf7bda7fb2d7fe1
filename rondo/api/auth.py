"""Bearer tokens: a request acts as the token's user, with the user's rights and reach."""

from datetime import timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from rondo.foundation.accounts import digest
from rondo.foundation.actors import Actor
from rondo.foundation.models import ApiToken, User

USED_EVERY = timedelta(minutes=1)
"""A token's last use is written at most this often, so that reads stay reads."""


class TokenAuth(HttpBearer):
    """``Authorization: Bearer TOKEN``. Only the digest is compared; expired, revoked and unknown look the same."""

    openapi_bearerFormat = "opaque"

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """The token's active user, who must have the right to see customers (else 403), or None (401)."""
        now = timezone.now()
        row = (
            ApiToken.objects.select_related("user")
            .filter(token_hash=digest(token), revoked_at=None, expires_at__gt=now, user__is_active=True)
            .first()
        )
        if row is None:
            return None
        if row.last_used_at is None or row.last_used_at <= now - USED_EVERY:
            unused = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
            ApiToken.objects.filter(unused, pk=row.pk).update(last_used_at=now)
        Actor(row.user, "api").require("see")
        return row.user


def viewer(request: HttpRequest) -> User:
    """The user whom an authenticated API request acts as."""
    user = request.auth  # type: ignore[attr-defined]  # set by ninja from what authenticate returned
    assert isinstance(user, User)
    return user
