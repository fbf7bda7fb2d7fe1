"""Signing in and out by password: who may, how often one may try, and what the audit log is told of it.

Failed attempts are counted where every web process sees them, in the audit log: neither a second process nor a restart
gives anybody further attempts. The limits per client address are allauth's, counted in each process.
"""

from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, User

ATTEMPTS = 5
"""Wrong passwords in a row, within :data:`WINDOW`, after which an account takes none for that long."""
WINDOW = timedelta(minutes=5)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is closed: users are made by an administrator. What happens at the door stands in the audit log."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        super().pre_authenticate(request, **credentials)
        if (user := _meant(credentials)) is not None and _too_many(user):
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """An attempt on somebody's account is told, by nobody known; one on no account is
        not: what was typed may be a password."""
        if (user := _meant(credentials)) is not None:
            audit.record(Actor(None, "web"), "user.sign_in_failed", "user", user.pk, {})

    def login(self, request: HttpRequest, user: User) -> None:
        with transaction.atomic():
            super().login(request, user)
            audit.record(Actor(user, "web"), "user.signed_in", "user", user.pk, {})

    def logout(self, request: HttpRequest) -> None:
        with transaction.atomic():
            if isinstance(request.user, User):
                audit.record(Actor(request.user, "web"), "user.signed_out", "user", request.user.pk, {})
            super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        """Of the user, by the user: on the page for it, or by the link that was mailed to them."""
        user.set_password(password)
        with transaction.atomic():
            user.save(update_fields=["password"])
            audit.record(Actor(user, "web"), "password.set", "user", user.pk, {})


def _meant(credentials: dict[str, Any]) -> User | None:
    email = str(credentials.get("email") or credentials.get("username") or "").strip()
    return User.objects.filter(email__iexact=email).first() if email else None


def _too_many(user: User) -> bool:
    told = AuditEntry.objects.filter(record_type="user", record_id=user.pk, at__gt=timezone.now() - WINDOW)
    ended = ["user.signed_in", "link.used", "password.set"]
    last = told.filter(verb__in=ended).order_by("-id").values_list("id", flat=True).first() or 0
    return told.filter(verb="user.sign_in_failed", id__gt=last).count() >= ATTEMPTS
