"""Bearer tokens: a request acts as the token's user, with the user's reach and those rights that the token names."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from rondo.api import rates
from rondo.foundation.actors import Actor
from rondo.foundation.api_tokens import use_api_token
from rondo.foundation.models import User


class TokenAuth(HttpBearer):
    """``Authorization: Bearer TOKEN``. Only the digest is compared; expired, revoked and unknown look the same.

    ``scope`` is the right that every operation needs of the token and of its user, ``room`` the room of rights that the
    user has to see anything in.
    """

    openapi_bearerFormat = "opaque"

    def __init__(self, scope: str, room: str = "") -> None:
        super().__init__()
        self.scope, self.room = scope, room

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """The token's active user, limited to its scopes (a missing one is a 403), or None (401)."""
        user = use_api_token(token)
        if user is not None and user.token is not None:
            rates.count(request, user.token)
            acting = Actor(user, "api")
            acting.require(self.scope)
            if self.room:
                acting.enter(self.room)
        return user


def viewer(request: HttpRequest) -> User:
    """The user whom an authenticated API request acts as."""
    user = request.auth  # type: ignore[attr-defined]  # set by ninja from what authenticate returned
    assert isinstance(user, User)
    return user
