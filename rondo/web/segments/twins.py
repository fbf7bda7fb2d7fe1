"""Twins of a segment's members: the page, the list, and the segment made of the closest."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.models import Score
from rondo.analysis.queries import current_run
from rondo.analysis.segments.models import Segment
from rondo.analysis.studies import actions, queries
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.names import phrase
from rondo.analysis.studies.outcome import FEWEST
from rondo.customers.queries import sees_all
from rondo.errors import InputError
from rondo.foundation.rights import has_right
from rondo.web.access import actor, page, viewer
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.segments import charts
from rondo.web.segments.studying import drivers, going
from rondo.web.segments.views import found

KIND = "twins"
PAGE = 50
SUSPICIOUS = 0.97
"""From here on the model most likely reads what made the members members."""


@require_GET
@page()
def twins(request: HttpRequest, key: str) -> HttpResponse:
    """What is known of the twins of a segment's members; before anybody asked, what they are and what they need."""
    user, row = viewer(request), found(key)
    latest = queries.latest(KIND, row)
    study = latest.answered if sees_all(user) else None
    run = current_run()
    context: dict[str, Any] = {
        "segment": row,
        "study": study,
        "going": going(latest.newer),
        "failure": latest.newer.error if latest.newer and latest.newer.status == Study.Status.FAILED else "",
        "may_ask": has_right(user, "segment") and sees_all(user),
        "sees_all": sees_all(user),
        "fewest": FEWEST,
        "run": run,
        "day": study.as_of if study else run.as_of if run else None,
    }
    if study is not None:
        results = study.results
        closest = [one["customer"] for one in results["closest"]]
        people = queries.found(user, study).filter(customer_id__in=closest)[:10]
        why = {one["customer"]: one for one in results["closest"]}
        context |= {
            "results": results,
            "drivers": drivers(results["drivers"]),
            "phrase": phrase(results["drivers"]),
            "chart": _chart(row, study),
            "closest": [(one, phrase(why[one.customer_id]["why"])) for one in people],
            "suggested": max(min(results["as_median"], results["kept"]), 1),
            "stale": bool(run and study.run_id != run.pk),
            "suspicious": results["auc"]["value"] >= SUSPICIOUS,
            "name": _("Twins of %(segment)s") % {"segment": row},
        }
    return render(request, "segments/twins.html", context)


def _chart(row: Segment, study: Study) -> Chart | None:
    listed, csv = reverse("segment-twins-list", args=[row.key]), reverse("segment-twins-csv", args=[row.key])
    return charts.reach(study.results["curve"], study.results["others"], listed, csv, f"study-{study.pk}")


@require_POST
@page("segment")
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Asks for the twins; a job answers."""
    row, as_of = found(key), request.POST.get("as_of", "").strip()
    actions.request_study(actor(request), KIND, segment=row, config={"as_of": as_of} if as_of else {})
    return redirect("segment-twins", key)


@require_GET
@page()
def progress(request: HttpRequest, key: str) -> HttpResponse:
    """How far the study is; when it has ended, the page is loaded again."""
    row = found(key)
    under_way = going(queries.latest(KIND, row).newer)
    if under_way is None:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    address = reverse("segment-twins-progress", args=[key])
    return render(request, "segments/study_progress.html", {"going": under_way, "progress_url": address})


@require_GET
@page()
def listed(request: HttpRequest, key: str) -> HttpResponse:
    """The closest customers in their order, a page after the other; ``?upto=`` ends the list."""
    user, row = viewer(request), found(key)
    study = _answered(request, row)
    upto = _whole(request.GET.get("upto", "")) or study.results["kept"]
    after = _whole(request.GET.get("after", "")) or 0
    rows = list(queries.found(user, study).filter(place__gt=after, place__lte=upto)[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    values = Score.objects.only("value").in_bulk([one.customer_id for one in rows])
    context = {
        "segment": row,
        "study": study,
        "upto": upto,
        "after": after,
        "rows": [(one, getattr(values.get(one.customer_id), "value", None)) for one in rows],
        "next": rows[-1].place if more else None,
    }
    return render(request, "segments/twins_list.html", context)


@require_GET
@page()
def download(request: HttpRequest, key: str) -> HttpResponse:
    """The curve as CSV."""
    row = found(key)
    chart = _chart(row, _answered(request, row))
    if chart is None:
        raise Http404(key)
    return chart_file(request, chart, f"rondo-twins-{row.key}")


@require_POST
@page("segment")
def keep(request: HttpRequest, key: str) -> HttpResponse:
    """Makes a static segment of the closest."""
    row = found(key)
    study = _answered(request, row)
    number = _whole(request.POST.get("number", ""))
    try:
        if number is None:
            raise InputError(_("How many? Write a whole number."))
        made = actions.keep_as_segment(
            actor(request),
            study,
            name=request.POST.get("name", ""),
            places=number,
            description=_("The %(number)s customers who resemble the members of “%(segment)s” most.")
            % {"number": number, "segment": row},
        )
    except InputError as error:
        messages.error(request, str(error))
        return redirect("segment-twins", key)
    messages.success(request, _("“%(segment)s” made.") % {"segment": made})
    return redirect("segment", made.key)


def _answered(request: HttpRequest, row: Segment) -> Study:
    study = queries.latest(KIND, row).answered if sees_all(viewer(request)) else None
    if study is None:
        raise Http404(row.key)
    return study


def _whole(text: str) -> int | None:
    text = text.strip().replace(",", "").replace(".", "")
    return int(text) if text.isdecimal() and len(text) < 12 else None
