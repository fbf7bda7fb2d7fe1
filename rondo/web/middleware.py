"""Turns errors that a person can mend into pages that say so; for htmx, into a toast."""

import json
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from rondo.errors import InputError, NotFound, PermissionRefused, RondoError, StateError, TooManyAttempts
from rondo.foundation.waiting import outwaited, was_outwaited


class ErrorsAsPages:
    """PermissionRefused answers 403, NotFound 404, StateError 409, TooManyAttempts 429 with Retry-After, others of ours
    400, each with its sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # PostgreSQL takes no NUL and would fail on it; the API looks to its own parameters.
        if "%00" in request.META.get("QUERY_STRING", "") and not request.path.startswith("/api/"):
            return self.page(request, InputError(_("The address holds a NUL character; remove it.")))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for an error of ours, or for two writers who waited for each other; None leaves any other error to
        Django."""
        if isinstance(error, OperationalError) and was_outwaited(error):
            error = outwaited()
        return self.page(request, error) if isinstance(error, RondoError) else None

    def page(self, request: HttpRequest, error: RondoError) -> HttpResponse:
        """The error's page, or its toast."""
        if isinstance(error, PermissionRefused):
            status, title = 403, _("Not yours to see or do")
        elif isinstance(error, NotFound):
            status, title = 404, _("There is nothing here")
        elif isinstance(error, StateError):
            status, title = 409, _("That does not fit any more")
        elif isinstance(error, TooManyAttempts):
            status, title = 429, _("Wait a little")
        else:
            status, title = 400, _("That cannot be used as it stands")
        if request.headers.get("HX-Request"):
            answer = HttpResponse(status=status)
            answer["HX-Trigger"] = json.dumps({"toast": {"text": str(error), "level": "error"}})
        else:
            answer = render(request, "shell/error.html", {"title": title, "message": str(error)}, status=status)
        if isinstance(error, TooManyAttempts):
            answer["Retry-After"] = str(error.seconds)
        return answer
