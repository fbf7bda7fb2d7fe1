"""Errors of the API as problem details (RFC 9457): one shape for every status, never the inside of the program."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from rondo.api import rates, repeating, versions
from rondo.api.writing import BODY, HEADERS, Interrupted, PreconditionFailed, PreconditionMissing
from rondo.customers.actions import IdentifierTaken
from rondo.errors import InputError, NotFound, PermissionRefused, RondoError, ScopeMissing, TooManyAttempts
from rondo.foundation.waiting import outwaited, was_outwaited

MEDIA_TYPE = "application/problem+json"
_BUSY_SECONDS = 2
_log = logging.getLogger("rondo.api")


@dataclass(frozen=True)
class Told:
    """What is told of an error: the status, a sentence, ``errors`` by place, further members and headers."""

    status: int
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, instance: str) -> dict[str, Any]:
        """The problem details of what happened at an address."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            **({"errors": self.errors} if self.errors else {}),
            **self.more,
        }


def respond(request: HttpRequest, told: Told) -> JsonResponse:
    """A response with problem details."""
    return JsonResponse(
        told.body(request.path), status=told.status, content_type=MEDIA_TYPE, headers=dict(told.headers)
    )


def not_found(request: HttpRequest) -> JsonResponse:
    """The one answer to what does not exist and to what the viewer may not see, so that neither tells of the other."""
    return respond(request, _nothing())


def told_of(error: Exception) -> Told | None:
    """What is told of an error that somebody can do something about; None of one that is our own fault."""
    match error:
        case AuthenticationError():
            detail = _("A valid token is needed: send “Authorization: Bearer TOKEN”. Tokens expire and can be revoked.")
            return Told(401, detail, headers={"WWW-Authenticate": 'Bearer realm="rondo"'})
        case ScopeMissing():  # as RFC 6750 has it, for a program, too
            header = f'Bearer realm="rondo", error="insufficient_scope", scope="{error.scope}"'
            return Told(403, str(error), more={"scope": error.scope}, headers={"WWW-Authenticate": header})
        case PermissionRefused():
            return Told(403, str(error))
        case TooManyAttempts():
            return Told(429, str(error), headers={"Retry-After": str(error.seconds)})
        case PreconditionFailed():
            return Told(412, str(error), more={"etag": error.etag}, headers={"ETag": error.etag})
        case PreconditionMissing():
            return Told(428, str(error), more={"etag": error.etag})
        case Interrupted():
            return Told(503, str(error), more={"done": error.done}, headers={"Retry-After": str(_BUSY_SECONDS)})
        case IdentifierTaken() if error.customer is not None:
            return Told(409, str(error), more={"customer": _named(error.customer, error.is_named)})
        case ValidationError():
            return _invalid(error)
        case InputError():
            return Told(422, str(error))
        case NotFound() | Http404() | ObjectDoesNotExist():
            return _nothing()
        case RondoError():
            return Told(409, str(error))
        case HttpError():
            return Told(error.status_code, str(error))
        case SuspiciousOperation():
            return Told(400, _("The request holds more parameters than can be read; send fewer."))
        case MultiPartParserError():
            return Told(400, _("The body is no multipart/form-data with a boundary, as its Content-Type says."))
        case OperationalError() if was_outwaited(error):
            return Told(503, str(outwaited()), headers={"Retry-After": str(_BUSY_SECONDS)})
        case _:
            return None


def install(api: NinjaAPI) -> None:
    """Make ``api`` answer every exception with problem details."""
    for raised in (
        AuthenticationError,
        ValidationError,
        RondoError,
        Http404,
        ObjectDoesNotExist,
        HttpError,
        SuspiciousOperation,
        Exception,
    ):
        api.add_exception_handler(raised, _answered)


def as_problems(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a view so that errors which the framework answers in plain text (405) become problem details too, that what
    an operation says in headers is said, and that a request which carries an ``Idempotency-Key`` is done once.

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
            with repeating.guarded(request) as guard:
                response = answer(request, *args, **kwargs)
                guard.keep(response)
        rates.tell(request, response)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return not_found(request)
        if response.status_code < 400:
            for name, value in getattr(request, HEADERS, {}).items():
                response.headers[name] = value
            return versions.shown(request, response) if request.method == "GET" else response
        if response.headers.get("Content-Type") == MEDIA_TYPE:
            return response
        if "Allow" not in response.headers:
            return respond(request, Told(response.status_code, HTTPStatus(response.status_code).description))
        known = [name.strip() for name in response.headers["Allow"].split(",")]
        allowed = ", ".join([*known, *(["HEAD"] if "GET" in known else []), "OPTIONS"])
        detail = _("%(method)s is not possible here; use %(allowed)s.") % {
            "method": request.method,
            "allowed": allowed,
        }
        return respond(request, Told(response.status_code, detail, headers={"Allow": allowed}))

    wrapped.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie is read, so none can be abused
    return wrapped


def _answered(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    assert isinstance(error, Exception)
    told = told_of(error)
    if isinstance(error, RequestDataTooBig):
        told = _too_large(request)
    if told is None:
        _log.error("%s %s failed", request.method, request.path, exc_info=error)
        told = Told(500, _("Rondo could not answer. The server's log says why; tell your administrator."))
    return respond(request, told)


def _too_large(request: HttpRequest) -> Told:
    """413: a file beyond what the installation takes; or a body, which Django bounds by itself."""
    if request.content_type == "multipart/form-data":
        limit = {"limit": settings.RONDO_UPLOAD_LIMIT_MB}
        told = _("The file is larger than %(limit)s MB (RONDO_UPLOAD_LIMIT_MB); send it in parts, or have that raised.")
        return Told(413, told % limit)
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    return Told(413, _("The body is larger than %(limit)s bytes; send it in parts.") % {"limit": most})


def _nothing() -> Told:
    return Told(404, _("There is nothing at this address, or it is not yours to see."))


def _named(row: Any, is_named: bool) -> dict[str, str]:
    return {"id": row.public_id, "name": row.name if is_named else ""}


def _invalid(error: ValidationError) -> Told:
    errors = [
        {"pointer": "/".join(map(str, _place(found["loc"]))), "detail": str(found["msg"])} for found in error.errors
    ]
    places = ", ".join(found["pointer"] for found in errors)
    return Told(422, _("Not usable as given: %(places)s.") % {"places": places}, errors)


def _place(loc: Sequence[object]) -> Sequence[object]:
    """Where it is: the body is called so once, whatever the parameter is called that takes it."""
    return loc[1:] if tuple(loc[:2]) == ("body", BODY) else loc
