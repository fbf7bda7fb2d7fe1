"""The overlap of segments: who is in several of them at once, drawn as sets with their counts."""

from itertools import combinations
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.overlap import MOST, Overlap, comparable
from rondo.analysis.segments.overlap import overlap as counted
from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.customers.queries import scope_key, sees_all
from rondo.foundation.models import User
from rondo.web.access import page, viewer
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.charts.portfolio import customers_where
from rondo.web.segments import charts


def _chosen(request: HttpRequest, offered: list[Segment]) -> list[Segment]:
    """The segments asked for by ``?s=``, else the largest."""
    wanted = request.GET.getlist("s")
    return [row for row in offered if row.key in wanted][:MOST] if wanted else offered[: MOST - 1]


def _chart(user: User, found: Overlap) -> Chart | None:
    csv = reverse("segments-overlap-csv") + "?" + "&".join(f"s={row.key}" for row in found.segments)
    return charts.sets(found, csv, f"overlap-{scope_key(user)}")


@require_GET
@page(room=SEGMENTS)
def overlap(request: HttpRequest) -> HttpResponse:
    """The page; the list of segments shows its middle."""
    user = viewer(request)
    offered = comparable(user)
    chosen = _chosen(request, offered)
    found = counted(user, chosen)
    context: dict[str, Any] = {
        "offered": [(row, row in chosen) for row in offered],
        "found": found if len(chosen) > 1 and found.customers else None,
        "chart": _chart(user, found) if len(chosen) > 1 else None,
        "all_url": customers_where(f"segment:is:{'|'.join(row.key for row in chosen)}"),
        "shared_url": customers_where(
            rule=" or ".join(
                f"(in segment {one.key} and in segment {other.key})" for one, other in combinations(chosen, 2)
            )
        ),
        "most": MOST,
        "too_many": len(request.GET.getlist("s")) > MOST,
        "sees_all": sees_all(user),
    }
    return render(request, "segments/overlap.html", context)


@require_GET
@page(room=SEGMENTS)
def download(request: HttpRequest) -> HttpResponse:
    """The sets as CSV."""
    user = viewer(request)
    chart = _chart(user, counted(user, _chosen(request, comparable(user))))
    if chart is None:
        raise Http404
    return chart_file(request, chart, "rondo-overlap")
