"""Middleware: how long an answer took, the content security policy, each viewer's own language, the sessions in use."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from rondo.foundation.serving.turns import ARRIVED

Next = Callable[[HttpRequest], HttpResponse]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


class ServerTiming:
    """Says how long the answer took (ms), how long the processor worked on it, and how long and how often the database
    was asked for it (W3C Server Timing).

    It is there where RONDO_SERVER_TIMING is 1. How long begins with the request's arrival, so that its wait for a turn
    is part of it. What a file sends after its head is not in it.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked: list[float] = []

        def ask(execute: Callable[..., Any], *arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return execute(*arguments)
            finally:
                asked.append(time.perf_counter() - began)

        started, worked = request.META.get(ARRIVED, time.perf_counter()), time.thread_time()
        with connection.execute_wrapper(ask):
            response = self.get_response(request)
        taken, worked = time.perf_counter() - started, time.thread_time() - worked
        response.headers["Server-Timing"] = (
            f"total;dur={1000 * taken:.2f}, cpu;dur={1000 * worked:.2f}, "
            f'db;dur={1000 * sum(asked):.2f};desc="{len(asked)} queries"'
        )
        return response


class ContentSecurityPolicy:
    """No inline script or style, nothing from elsewhere; every page is under it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class ViewerLocale:
    """Activates the user's language, else the cookie's, else what the browser asks for, else RONDO_LANGUAGE."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        chosen = user.language if user.is_authenticated else ""
        request.user = getattr(request, "_cached_user", user)  # known now: no detour by Django's lazy one from here on
        language = chosen or translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language() or language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        translation.deactivate()
        return response


class Doors:
    """Notes the sessions that are in use. An answer that needed no session stays without one."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.session.accessed and response.status_code < 500 and request.user.is_authenticated:
            from rondo.foundation.sessions import note

            note(request)
        return response
