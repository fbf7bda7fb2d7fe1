"""Pages for addresses that are not there, for what is not allowed, and for our own failures."""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _


def unusable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 raised by Django itself: a host that is not ours, or a request that is malformed.

    It may come before the middleware that knows the viewer: the page asks nothing of the request but its language.
    """
    with translation.override(translation.get_language_from_request(request)):
        context = {
            "title": _("That cannot be used as it stands"),
            "message": _("The address or the request is not one that Rondo takes. Begin at the home page."),
        }
        page = render_to_string("400.html", context)
    return HttpResponse(page, status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: nothing here, or not this viewer's to see (the two look alike on purpose)."""
    context = {
        "title": _("There is nothing here"),
        "message": _("The address is wrong, or what it names is gone or not yours to see."),
    }
    return render(request, "shell/error.html", context, status=404)


def closed(request: HttpRequest, *_args: str) -> HttpResponse:
    """404 for a page of an installed application that is not open here."""
    raise Http404(request.path)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 raised by Django itself."""
    context = {"title": _("Not yours to see or do"), "message": _("Ask an administrator for a role that may.")}
    return render(request, "shell/error.html", context, status=403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 because the form is too old or comes from elsewhere. Where somebody signed in anew in another tab, the page
    that is still open gets the new token, so that what was typed there can be sent."""
    own = not request.user.is_authenticated or request.headers.get("X-Viewer") == str(request.user.pk)
    if request.headers.get("HX-Request") and own:  # what one typed is not sent in the name of another
        told = {"text": _("Somebody signed in anew since this page was opened. Send it once more."), "level": "error"}
        events = {"token": get_token(request), "toast": told}
        return HttpResponse(status=403, headers={"HX-Trigger": json.dumps(events)})
    context = {
        "title": _("This form is too old"),
        "message": _("Go back, load the page again, and send the form once more. Nothing was changed."),
    }
    return render(request, "shell/error.html", context, status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """500: asks nothing of the database, which may be what failed."""
    return render(None, "500.html", status=500)
