"""Errors of the API as problem details (RFC 9457): one shape for every status, never the inside of the program."""

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from rondo.api.writing import BODY
from rondo.errors import InputError, NotFound, PermissionRefused, RondoError, ScopeMissing

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("rondo.api")


def problem(
    request: HttpRequest, status: int, detail: str, errors: list[dict[str, str]] | None = None, scope: str = ""
) -> JsonResponse:
    """A response with problem details.

    Args:
        status: the HTTP status, repeated in the body; its phrase is the title.
        detail: what happened and what would be right, for a person.
        errors: for refused input, per place (``pointer``, such as ``query/limit``) what is wrong with it.
        scope: what the token lacks, where that is the reason.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    if errors:
        body["errors"] = errors
    if scope:
        body["scope"] = scope
    response = JsonResponse(body, status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="rondo"'
    return response


def not_found(request: HttpRequest) -> JsonResponse:
    """The one answer to what does not exist and to what the viewer may not see, so that neither tells of the other."""
    return problem(request, 404, _("There is nothing at this address, or it is not yours to see."))


def install(api: NinjaAPI) -> None:
    """Make ``api`` answer every exception with problem details."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        AuthenticationError: _unauthenticated,
        ValidationError: _invalid,
        InputError: lambda request, error: problem(request, 422, str(error)),
        NotFound: lambda request, _error: not_found(request),
        ScopeMissing: _out_of_scope,
        PermissionRefused: lambda request, error: problem(request, 403, str(error)),
        RondoError: lambda request, error: problem(request, 409, str(error)),
        Http404: lambda request, _error: not_found(request),
        ObjectDoesNotExist: lambda request, _error: not_found(request),
        HttpError: lambda request, error: problem(request, error.status_code, str(error)),
        SuspiciousOperation: lambda request, _error: problem(
            request, 400, _("The request holds more parameters than can be read; send fewer.")
        ),
        Exception: _broken,
    }
    for raised, handler in handlers.items():
        api.add_exception_handler(raised, handler)


def as_problems(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a view so that errors which the framework answers in plain text (405) become problem details too.

    What it answers is about customers and the token's user alone: no cache on the way may keep it.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            response = answer(request, *args, **kwargs)
            if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                response = HttpResponse(status=204, headers={"Allow": response.headers["Allow"]})
        elif request.method == "HEAD":  # the answer to GET, of which the server sends the head alone
            request.method = "GET"
            response = answer(request, *args, **kwargs)
            request.method = "HEAD"
        else:
            response = answer(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return not_found(request)
        if response.status_code < 400 or response.headers.get("Content-Type") == MEDIA_TYPE:
            return response
        if "Allow" not in response.headers:
            return problem(request, response.status_code, HTTPStatus(response.status_code).description)
        known = [name.strip() for name in response.headers["Allow"].split(",")]
        allowed = ", ".join([*known, *(["HEAD"] if "GET" in known else []), "OPTIONS"])
        words = {"method": request.method, "allowed": allowed}
        told = problem(request, response.status_code, _("%(method)s is not possible here; use %(allowed)s.") % words)
        told.headers["Allow"] = allowed
        return told

    wrapped.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie is read, so none can be abused
    return wrapped


def _unauthenticated(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(
        request,
        401,
        _("A valid token is needed: send “Authorization: Bearer TOKEN”. Tokens expire and can be revoked."),
    )


def _out_of_scope(request: HttpRequest, error: ScopeMissing) -> HttpResponse:
    """403 with the scope that the token lacks, for a person and, as RFC 6750 has it, for a program."""
    response = problem(request, 403, str(error), scope=error.scope)
    response.headers["WWW-Authenticate"] = f'Bearer realm="rondo", error="insufficient_scope", scope="{error.scope}"'
    return response


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {"pointer": "/".join(map(str, _place(found["loc"]))), "detail": str(found["msg"])} for found in error.errors
    ]
    places = ", ".join(found["pointer"] for found in errors)
    return problem(request, 422, _("Not usable as given: %(places)s.") % {"places": places}, errors)


def _place(loc: Sequence[object]) -> Sequence[object]:
    """Where it is: the body is called so once, whatever the parameter is called that takes it."""
    return loc[1:] if tuple(loc[:2]) == ("body", BODY) else loc


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(request, 500, _("Rondo could not answer. The server's log says why; tell your administrator."))
