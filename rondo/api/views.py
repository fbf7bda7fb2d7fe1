"""The API's documents: OpenAPI as JSON, and the page that explains it. Both are public; they hold no data."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from rondo.api import reference
from rondo.api.problems import not_found
from rondo.api.v1.service import api


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document of version 1."""
    return JsonResponse(api.get_openapi_schema())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every call, parameter, answer and field, read from the OpenAPI document; needs no script but to try a call."""
    document = api.get_openapi_schema()
    schemas = reference.schemas(document)
    context = {
        "version": document["info"]["version"],
        "description": reference.said(document["info"]["description"]),
        "rooms": reference.rooms(document),
        "schemas": schemas,
        "linked": {schema.name for schema in schemas},
    }
    return render(request, "api/docs.html", context)


def nothing(request: HttpRequest, path: str = "") -> HttpResponse:
    """Any other address below /api/: problem details instead of a page."""
    return not_found(request)


nothing.csrf_exempt = True  # type: ignore[attr-defined]  # it changes nothing, and answers 404 to everything
