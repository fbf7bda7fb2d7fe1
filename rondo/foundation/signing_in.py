"""Signing in and out: who may, how often one may try, and what the audit log is told of it.

Attempts are counted where every web process sees them (:mod:`rondo.foundation.throttling`), for an account as for an
address that is none: neither a second process nor a restart gives anybody further ones, and a refusal tells nobody
whether there is such an account.
"""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from django.contrib.auth import login as django_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from rondo.foundation import account_mails, audit, second_factor, sessions, throttling
from rondo.foundation.actors import Actor
from rondo.foundation.models import User

ENTERED = "rondo_entered"
"""Where a session keeps when its user signed in; so shortly after, nobody is asked who they are."""
FRESH_SECONDS = 300
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is closed: users are made by an administrator. What happens at the door stands in the audit log."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        typed = _typed(credentials)
        wait = throttling.try_once_more(throttling.ACCOUNT, typed)
        wait = wait or throttling.waiting(throttling.FAILED, throttling.address_of(request))
        if wait > 0:
            raise throttling.refusal(wait)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The user whose password is right; their attempts count anew, those at the second factor are counted apart."""
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            throttling.forget(throttling.ACCOUNT, _typed(credentials))
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """An attempt on somebody's account is told, by nobody known; one on no account is
        not: what was typed may be a password."""
        throttling.try_once_more(throttling.FAILED, throttling.address_of(request))
        if (user := _meant(credentials)) is not None:
            audit.record(Actor(None, "web"), "user.sign_in_failed", "user", user.pk, {})

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether the password of somebody who is signed in is right."""
        return self.authenticate(context.request, email=user.email, password=password) is not None

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Who is off and what is no person does not come in."""
        refused: HttpResponse | None = (
            self.respond_user_inactive(request, user) if user.is_service else super().pre_login(request, user, **kwargs)
        )
        return refused

    def login(self, request: HttpRequest, user: User) -> None:
        records = get_authentication_records(request, user)
        passkey = any(record.get("passwordless") for record in records)
        factors = sorted({str(record["type"]) for record in records if record.get("method") == "mfa"})
        enter(request, user, "passkey" if passkey else "password", {"factors": [None, factors]} if factors else {})

    def logout(self, request: HttpRequest) -> None:
        with transaction.atomic():
            if isinstance(request.user, User):
                audit.record(Actor(request.user, "web"), "user.signed_out", "user", request.user.pk, {})
            super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        """Of the user, by the user: on the page for it, or by the link that was mailed to them. Other sessions end."""
        from rondo.foundation.accounts import choose_password

        here = context.request.session.session_key if context.request.user == user else None
        choose_password(Actor(user, "web"), password, session_key=here)
        throttling.forget(throttling.ACCOUNT, user.email)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """By a job, and at most so many an hour to one address; beyond them nothing is sent, and nothing said."""
        if throttling.try_once_more(throttling.MAILBOX, email) == 0:
            account_mails.ask_for_reset(user)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """To an address without an account nothing is sent; the page takes as long, and says the same."""
        if throttling.try_once_more(throttling.MAILBOX, email) == 0:
            account_mails.ask_for_reset(None)

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """allauth calls this after each change of a second factor (and of the password, of which we tell ourselves)."""
        second_factor.tell_of_change(user, template_prefix.rpartition("/")[2])

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Nobody is asked who they are within five minutes of signing in."""
        entered = float(context.request.session.get(ENTERED, 0.0))
        return time.time() - entered > FRESH_SECONDS and bool(super().is_reauthentication_required(app=app, **kwargs))


def enter(request: HttpRequest, user: User, means: str, told: dict[str, list[Any]] | None = None) -> None:
    """Sign a user in, who has proven who they are by ``means`` (password, passkey, link, invitation)."""
    with transaction.atomic():
        django_login(request, user, backend=BACKEND)
        request.session[sessions.MEANS] = means
        request.session[ENTERED] = time.time()
        audit.record(Actor(user, "web"), "user.signed_in", "user", user.pk, told or {})


def _typed(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "").strip()


def _meant(credentials: dict[str, Any]) -> User | None:
    email = _typed(credentials)
    return User.objects.filter(email__iexact=email).first() if email else None
