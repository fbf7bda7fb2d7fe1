"""What the builder asks of the server: a rule in its other form, and texts to offer while somebody types."""

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.errors import InputError
from rondo.rules import schema
from rondo.web.access import page, viewer
from rondo.web.rules.suggesting import suggestions
from rondo.web.rules.turning import from_text, from_tree


@require_POST
@page()
def turn(request: HttpRequest) -> JsonResponse:
    """The builder's tree (``rule``, JSON) as text, or a text (``text``) as its tree, each with what is wrong."""
    known = schema(viewer(request))
    if "rule" in request.POST:
        turned = from_tree(_document(request.POST["rule"]), known)
    else:
        turned = from_text(request.POST.get("text", ""), known)
    return JsonResponse(turned.as_json())


@require_GET
@page()
def values(request: HttpRequest) -> JsonResponse:
    """Texts to offer for a field (``field``) or a detail of events (``detail``) after ``q`` was typed."""
    known = schema(viewer(request))
    term = known.fields.get(request.GET.get("field", "")) or known.details.get(request.GET.get("detail", ""))
    return JsonResponse({"values": suggestions(term, request.GET.get("q", "")[:100]) if term else []})


def _document(text: str) -> Any:
    refused = InputError(_("“rule” has to be a rule in its JSON form."))

    def refuse(_constant: str) -> None:
        raise refused  # NaN and the infinities are not of JSON

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise refused from None
