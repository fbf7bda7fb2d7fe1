"""Language and theme: kept with the user, or in a cookie for who is not signed in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rondo.errors import InputError
from rondo.foundation.accounts import change_preferences
from rondo.foundation.models import User
from rondo.web.access import actor


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else "/"


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Speak ``language`` from now on."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        raise InputError(
            _("language=%(value)r: one of %(values)s is needed.")
            % {"value": chosen, "values": ", ".join(dict(settings.LANGUAGES))}
        )
    if isinstance(request.user, User):
        change_preferences(actor(request), language=chosen)
    response = redirect(_back(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=365 * 86400,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
    )
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Show light, dark, or as the system does."""
    chosen = request.POST.get("theme", "")
    if chosen not in User.Theme.values:
        raise InputError(
            _("theme=%(value)r: one of %(values)s is needed.")
            % {"value": chosen, "values": ", ".join(User.Theme.values)}
        )
    if isinstance(request.user, User):
        change_preferences(actor(request), theme=chosen)
    return redirect(_back(request))
