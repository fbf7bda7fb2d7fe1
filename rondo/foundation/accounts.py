"""Accounts: nobody signs up by themselves; one-time sign-in links; API tokens."""

import hashlib
from datetime import timedelta

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from rondo.foundation import audit, ids
from rondo.foundation.actors import Actor
from rondo.foundation.models import ApiToken, LoginLink, User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is closed: users are invited or made by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def digest(token: str) -> str:
    """What is kept of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_login_link(user: User, minutes: int = 60) -> str:
    """A single-use address that signs ``user`` in, valid for ``minutes``. Only for the demo and the first administrator."""
    token = ids.new_token("in")
    LoginLink.objects.create(
        user=user, token_hash=digest(token), expires_at=timezone.now() + timedelta(minutes=minutes)
    )
    return f"{settings.RONDO_URL}/in/{token}"


def use_login_link(token: str) -> User | None:
    """The user of an unused, unexpired link, which is used up by this call; None otherwise."""
    now = timezone.now()
    with transaction.atomic():
        taken = LoginLink.objects.filter(
            token_hash=digest(token), used_at=None, expires_at__gt=now, user__is_active=True
        )
        if not taken.update(used_at=now):
            return None
        return LoginLink.objects.select_related("user").get(token_hash=digest(token)).user


def make_api_token(actor: Actor, user: User, name: str, days: int = 90) -> str:
    """A bearer token for the REST API, acting as ``user``. The text is returned once and never kept."""
    if actor.user is not None and actor.user.pk != user.pk:
        actor.require("administer")
    token = ids.new_token("rondo")
    with transaction.atomic():
        row = ApiToken.objects.create(
            user=user, name=name[:80], token_hash=digest(token), expires_at=timezone.now() + timedelta(days=days)
        )
        audit.record(actor, "token.made", "user", user.pk, {"token": [None, f"{row.pk} {row.name}"]})
    return token


def revoke_api_token(actor: Actor, token_id: int) -> None:
    """End a token at once."""
    row = ApiToken.objects.get(pk=token_id)
    if actor.user is not None and actor.user.pk != row.user_id:
        actor.require("administer")
    with transaction.atomic():
        ApiToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=timezone.now())
        audit.record(actor, "token.revoked", "user", row.user_id, {"token": [f"{row.pk} {row.name}", None]})
