"""Results of the command palette."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from rondo.foundation.registry import registries
from rondo.web.access import page, viewer

LIMIT = 8
"""Results per finder."""


@require_GET
@page()
def palette(request: HttpRequest) -> HttpResponse:
    """What the finders find for ``q``, in groups, each in the order of its finder."""
    text = request.GET.get("q", "").strip()[:200]
    groups = []
    for finder in sorted(registries.finders, key=lambda finder: finder.order):
        hits = finder.find(viewer(request), text, LIMIT)
        if hits:
            groups.append({"key": finder.key, "label": finder.label, "hits": hits})
    return render(request, "shell/palette_results.html", {"groups": groups, "text": text})
