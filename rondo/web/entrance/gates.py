"""Middleware in front of all pages: what is tried too often waits, and what has to be chosen first is chosen first."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from rondo.errors import TooManyAttempts
from rondo.foundation import second_factor, throttling
from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.web.middleware import ErrorsAsPages

_MUST_CHOOSE = "rondo_must_choose"
_BEFORE_CHOOSING = frozenset(
    {
        "welcome", "mfa_add_webauthn", "account_logout", "set-language", "set-theme", "sign-in-by-link", "invitation",
        "account_reauthenticate",
    }
)  # fmt: skip
_BEFORE_SECOND = _BEFORE_CHOOSING | {
    "security", "mfa_activate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes", "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn", "account_change_password", "account_set_password",
}  # fmt: skip
_NO_PAGES = ("/api/", "/health")


class Gates:
    """Counts what is posted to the doors; leads who has neither password nor passkey to choosing one, and who needs a
    second factor and has none to adding it, before anything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """The answer of a gate that is closed; None where all are open."""
        if request.path.startswith(_NO_PAGES):
            return None
        name = request.resolver_match.url_name if request.resolver_match else None
        if request.method == "POST":
            try:
                _count(request, name or "")
            except TooManyAttempts as error:
                return ErrorsAsPages(self.get_response).page(request, error)
        user = request.user
        if not isinstance(user, User):
            return None
        if request.session.get(_MUST_CHOOSE) and name not in _BEFORE_CHOOSING:
            if not has_means(user):
                return _to(request, "welcome")
            del request.session[_MUST_CHOOSE]
        if name not in _BEFORE_SECOND and second_factor.is_required(user) and not second_factor.has_factor(user):
            return _to(request, "security")
        return None


def has_means(user: User) -> bool:
    """Whether a user can sign in by themselves."""
    return user.has_usable_password() or second_factor.has_factor(user)


def choose_first(request: HttpRequest, user: User) -> bool:
    """Let who came by a link choose a password or a passkey before anything else; False if there is no need.

    In the demo nobody has to: its data is invented or public, and it is there to be looked at.
    """
    if installation().has_demo or has_means(user):
        return False
    request.session[_MUST_CHOOSE] = True
    return True


def _count(request: HttpRequest, name: str) -> None:
    if limit := throttling.DOORS.get(name):
        throttling.check(limit, throttling.address_of(request))
    if name in throttling.CONFIRMING and isinstance(request.user, User):
        throttling.check(throttling.CONFIRM, str(request.user.pk))


def _to(request: HttpRequest, name: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse(name)})
    return redirect(name)
