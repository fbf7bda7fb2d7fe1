"""Groups found among customers without being told what to look for: the page, and segments made of them."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.counted import name_in
from rondo.analysis.features import feature_of
from rondo.analysis.models import Score
from rondo.analysis.segments.actions import create_segment
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.analysis.studies import actions
from rondo.analysis.studies.groups_key import SERIES
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.names import group_name
from rondo.analysis.studies.queries import value_at
from rondo.analysis.studies.series import LETTERS
from rondo.web.access import actor, page
from rondo.web.behind import told
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.segments import charts
from rondo.web.segments.studying import answered, drivers, kept, progress_of, state_of, written_apart

KIND = "groups"


@require_GET
@page(room=SEGMENTS)
def groups(request: HttpRequest) -> HttpResponse:
    """The groups with what sets them apart and the rule that comes near each."""
    study, context = state_of(request, KIND)
    context |= {"progress_url": reverse("groups-progress"), "has_scores": Score.objects.exists()}
    if study is not None:
        results = study.results
        context |= {
            "results": results,
            "without": told(name_in(study, "without"), results["without"]),
            "count": len(results["groups"]),
            "buyers_url": reverse("customers") + "?" + urlencode({"rule": f"{SERIES} is known"}),
            "agreed": next(
                (one["agreed"] for one in results["stability"] if one["groups"] == len(results["groups"])), 0
            ),
            "chart": _chart(study),
            "groups": [_group(study, number, one) for number, one in enumerate(results["groups"])],
            "profile": _profile(results),
            "letters": [chr(ord("A") + number) for number in range(len(results["groups"]))],
        }
    return render(request, "segments/groups.html", context)


def _group(study: Study, number: int, one: dict[str, Any]) -> dict[str, Any]:
    rule = f"{SERIES} = {LETTERS[number]}"
    return one | {
        "number": number,
        "name": group_name(number, one),
        "traits": drivers(one["traits"]),
        "value": value_at(study, one["first"], one["last"]),
        "url": reverse("customers") + "?" + urlencode({"rule": rule}),
        "found_url": reverse("customers") + "?" + urlencode({"rule": one["rule"]["text"]}),
    }


def _profile(results: dict[str, Any]) -> list[tuple[str, bool, list[str], str]]:
    """Features that set any group apart, with the median of each group and of all; or the mean, and that it is one,
    where medians do not set a group apart that the mean does."""
    traits = [trait for group in results["groups"] for trait in group["traits"]]
    wanted, by_mean = {one["feature"] for one in traits}, {one["feature"] for one in traits if one.get("mean")}
    rows = []
    for column, name in enumerate(results["features"]):
        feature = feature_of(name)
        if feature is not None and name in wanted:
            kind = "means" if name in by_mean else "medians"
            *told, whole = written_apart(feature, [one[kind][column] for one in (*results["groups"], results)])
            rows.append((str(feature.label), name in by_mean, told, whole))
    return rows


def _chart(study: Study) -> Chart:
    results = study.results
    return charts.stability(results["stability"], results["threshold"], reverse("groups-csv"), f"study-{study.pk}")


@require_POST
@page("segment", room=SEGMENTS)
def ask(request: HttpRequest) -> HttpResponse:
    """Asks for groups; a job answers."""
    actions.request_study(actor(request), KIND)
    return redirect("groups")


@require_GET
@page(room=SEGMENTS)
def progress(request: HttpRequest) -> HttpResponse:
    """How far the study is; when it has ended, the page is loaded again."""
    return progress_of(request, KIND)


@require_GET
@page(room=SEGMENTS)
def download(request: HttpRequest) -> HttpResponse:
    """The stability of each number of groups as CSV."""
    return chart_file(request, _chart(answered(request, KIND)), "rondo-groups")


@require_POST
@page("segment", room=SEGMENTS)
def keep(request: HttpRequest) -> HttpResponse:
    """Makes a segment of a group: by the rule that comes near it, or by name of those who are in it now."""
    study = answered(request, KIND)
    text = request.POST.get("group", "")
    found = study.results["groups"]
    if not text.isdecimal() or len(text) > 2 or int(text) >= len(found):
        raise Http404(text)
    group = found[int(text)]
    name = _("Group %(name)s") % {"name": group_name(int(text), group)}

    def make() -> Segment:
        if "rule" in request.POST and group["rule"]["text"]:
            return create_segment(
                actor(request), name=name[:120], text=group["rule"]["text"], form=Segment.Form.BEHAVIOURAL
            )
        return actions.keep_as_segment(
            actor(request), study, name=name[:120], first=group["first"], places=group["last"]
        )

    return kept(request, make, redirect("groups"))
