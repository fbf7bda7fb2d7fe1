"""Bearer tokens: a request acts as the token's user, with the user's rights and reach."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from rondo.foundation.accounts import use_api_token
from rondo.foundation.actors import Actor
from rondo.foundation.models import User


class TokenAuth(HttpBearer):
    """``Authorization: Bearer TOKEN``. Only the digest is compared; expired, revoked and unknown look the same."""

    openapi_bearerFormat = "opaque"

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """The token's active user, who must have the right to see customers (else 403), or None (401)."""
        user = use_api_token(token)
        if user is not None:
            Actor(user, "api").require("see")
        return user


def viewer(request: HttpRequest) -> User:
    """The user whom an authenticated API request acts as."""
    user = request.auth  # type: ignore[attr-defined]  # set by ninja from what authenticate returned
    assert isinstance(user, User)
    return user
