"""Results of the command palette."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.errors import InputError
from rondo.foundation.finding import find_all
from rondo.foundation.registry import Hit
from rondo.foundation.search import begins
from rondo.web.access import page, viewer
from rondo.web.reports.opening import local


@require_GET
@page()
def palette(request: HttpRequest) -> HttpResponse:
    """What the finders find for ``q``, in groups, each in the order of its finder."""
    text = request.GET.get("q", "").strip()[:200]
    found = find_all(viewer(request), text)
    groups: list[dict[str, Any]] = [{"key": one.key, "label": one.label, "hits": hits} for one, hits in found]
    groups += _of_page(request.GET.get("at", ""), text)  # last: who types a name means a person
    return render(request, "shell/palette_results.html", {"groups": groups, "text": text})


def _of_page(address: str, text: str) -> list[dict[str, Any]]:
    """What one can do with the page at ``address``, where the searched word begins one of its words."""
    try:
        of_page = urlencode({"page": local(address)}) if text and address else ""
    except InputError:
        of_page = ""
    if not of_page:
        return []
    hits = [
        Hit(_("This page as PDF"), "", f"{reverse('page-pdf')}?{of_page}", "file-text"),
        Hit(_("Send this page by mail"), "", f"{reverse('report-new')}?{of_page}", "mail"),
    ]
    hits = [hit for hit in hits if begins(hit.title, text)]
    return [{"key": "here", "label": _("This page"), "hits": hits}] if hits else []
