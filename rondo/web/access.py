"""Who may open a page: the one decorator of all page views."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from rondo.foundation.actors import Actor
from rondo.foundation.models import User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def viewer(request: HttpRequest) -> User:
    """The signed-in user of a request that :func:`page` let through."""
    return cast(User, request.user)


def actor(request: HttpRequest) -> Actor:
    """The signed-in user as actor through the web."""
    return Actor(viewer(request), "web")


def page(right: str = "see", room: str = "") -> Callable[[View[P]], View[P]]:
    """Lets in who is signed in, has ``right`` and sees anything in ``room``; others are sent to sign in, or get
    PermissionRefused (a 403 page).

    Pages hold what one person may see: no cache on the way may keep them. One address answers htmx with a part of its
    page, which the browser's own cache must not show for the page when somebody goes back.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _ask_to_sign_in(request)
            actor(request).require(right)
            if room:
                actor(request).enter(room)
            response = view(request, *args, **kwargs)
            response.headers.setdefault("Cache-Control", "private, no-cache")
            patch_vary_headers(response, ["HX-Request", "HX-Target"])
            return response

        guarded.is_page = True  # type: ignore[attr-defined]  # what may be opened as a report (rondo.web.reports)
        guarded.asks = (right, room)  # type: ignore[attr-defined]  # what docs/rights.md says of it
        return cast(View[P], guarded)

    return decorate


def is_part(request: HttpRequest) -> bool:
    """Whether a script of a page that is open asks, and not the browser for a page."""
    return bool(request.headers.get("HX-Request")) or request.headers.get("Sec-Fetch-Dest") == "empty"


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Leads to signing in, and back to the page that was open. A script of that page is refused instead: the page for
    signing in would stand within it, and what somebody had typed would be gone."""
    if is_part(request):
        told = {
            "text": _("You are no longer signed in. What you typed is still here: sign in, then send it again."),
            "level": "error",
            "link": {"href": redirect_to_login(_page_before(request)).url, "text": _("Sign in")},
        }
        return HttpResponse(status=401, headers={"HX-Trigger": json.dumps({"toast": told})})
    return redirect_to_login(request.get_full_path() if request.method in {"GET", "HEAD"} else _page_before(request))


def _page_before(request: HttpRequest) -> str:
    """The page whose form was sent; the home page where that is not told."""
    try:
        before = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # no address at all
        return reverse("home")
    if before.netloc != request.get_host():
        return reverse("home")
    return before.path + (f"?{before.query}" if before.query else "")
