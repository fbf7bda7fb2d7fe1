"""Who may open a page: the one decorator of all page views."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

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
            actor(request).require(right)
            if room:
                actor(request).enter(room)
            response = view(request, *args, **kwargs)
            response.headers.setdefault("Cache-Control", "private, no-cache")
            patch_vary_headers(response, ["HX-Request", "HX-Target"])
            return response

        guarded.is_page = True  # type: ignore[attr-defined]  # what may be opened as a report (rondo.web.reports)
        guarded.asks = (right, room)  # type: ignore[attr-defined]  # what docs/rights.md says of it
        return cast(View[P], login_required(cast(Callable[..., HttpResponse], guarded)))

    return decorate
