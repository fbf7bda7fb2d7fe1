"""Who is likely to answer campaigns of a type: how well earlier ones could have been foretold, and who it is now."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.studies import queries as studies
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.names import phrase
from rondo.campaigns import queries
from rondo.campaigns.models import Campaign
from rondo.campaigns.types import KIND, kinds, request_likelihood, series_key
from rondo.customers.queries import sees_all
from rondo.web import formats
from rondo.web.access import actor, page, viewer
from rondo.web.campaigns import charts
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.segments.studying import answered, drivers, progress_of, state_of


def addresses(types: Sequence[str]) -> list[tuple[str, str]]:
    """Types with the addresses of their pages."""
    return [(kind, reverse("campaign-type", args=[series_key(kind)])) for kind in types if kind]


def foretold(user: Any, campaign: Campaign) -> dict[str, Any] | None:
    """How the model of earlier campaigns did on this one, for its page; None where there is none."""
    if not campaign.type or not sees_all(user):
        return None
    study = studies.latest(KIND, subject=campaign.type).answered
    tested = study.results["tested"] if study else []
    found = next((one for one in tested if one["campaign"] == campaign.pk), None)
    if study is None:
        return None
    return {
        "test": found,
        "phrase": phrase(study.results["drivers"]),
        "url": reverse("campaign-type", args=[series_key(campaign.type)]),
        "chart": _chart(study, campaign.type, found) if found else None,
    }


@require_GET
@page()
def likely(request: HttpRequest, key: str) -> HttpResponse:
    """The page of one type."""
    user, kind = viewer(request), _kind(key)
    study, context = state_of(request, KIND, subject=kind)
    context |= {"type": kind, "key": key, "progress_url": reverse("campaign-type-progress", args=[key])}
    if study is not None:
        results = study.results
        names = {row.pk: row for row in queries.visible(user).filter(type=kind)}
        tested = [(names.get(one["campaign"]), one) for one in results["tested"]][::-1]
        context |= {
            "results": results,
            "last": tested[0] if tested else None,
            "last_url": f"{reverse('campaign', args=[tested[0][0].public_id])}?show=answered#who"
            if tested and tested[0][0]
            else "",
            "tested": tested,
            "chart": _chart(study, kind, results["tested"][-1]) if tested else None,
            "drivers": drivers(results["drivers"]),
            "phrase": phrase(results["drivers"]),
            "classes": _classes(key, results["classes"]),
            "campaigns": [names[one["campaign"]] for one in results["campaigns"] if one["campaign"] in names],
        }
    return render(request, "campaigns/likely.html", context)


def _kind(key: str) -> str:
    found = next((kind for kind in kinds() if series_key(kind) == key), None)
    if found is None:
        raise Http404(key)
    return found


def _chart(study: Study, kind: str, test: dict[str, Any]) -> Chart:
    csv = reverse("campaign-type-csv", args=[series_key(kind)]) + f"?campaign={test['campaign']}"
    return charts.calibration(test["bins"], csv, f"study-{study.pk}-{test['campaign']}")


def _classes(key: str, classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Customers by probability, the likeliest first, each with the list behind it."""
    found = []
    bounds = [one["low"] for one in classes] + [None]
    for number, one in enumerate(classes):
        low, high = one["low"], bounds[number + 1]
        parts = [f"{key} >= {low * 100:g}%"] + ([] if high is None else [f"{key} < {high * 100:g}%"])
        found.append(
            {
                "low": formats.share(low, 0),
                "high": "" if high is None else formats.share(high, 0),
                "customers": one["customers"],
                "expected": one["expected"],
                "url": reverse("customers") + "?" + urlencode({"rule": " and ".join(parts)}),
            }
        )
    return found[::-1]


@require_POST
@page("segment")
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Asks anew; a job answers."""
    request_likelihood(actor(request), _kind(key))
    return redirect("campaign-type", key)


@require_GET
@page()
def progress(request: HttpRequest, key: str) -> HttpResponse:
    """How far the study is; when it has ended, the page is loaded again."""
    return progress_of(request, KIND, subject=_kind(key))


@require_GET
@page()
def download(request: HttpRequest, key: str) -> HttpResponse:
    """The calibration on one campaign as CSV (``?campaign=``, else the last one tested)."""
    kind = _kind(key)
    study = answered(request, KIND, subject=kind)
    wanted = request.GET.get("campaign", "")
    test = next((one for one in reversed(study.results["tested"]) if wanted in ("", str(one["campaign"]))), None)
    if test is None:
        raise Http404(key)
    return chart_file(request, _chart(study, kind, test), f"rondo-{key}")
