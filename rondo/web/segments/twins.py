"""Twins of a segment's members: the page, the list, and the segment made of the closest."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.counted import name_in
from rondo.analysis.models import Score
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.analysis.studies import actions, queries
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.names import phrase
from rondo.analysis.studies.outcome import FEWEST
from rondo.errors import InputError
from rondo.web.access import actor, page, viewer
from rondo.web.behind import told
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.segments import charts
from rondo.web.segments.studying import answered, ask_of, drivers, kept, progress_of, state_of
from rondo.web.segments.views import found

KIND = "twins"
PAGE = 50
SUSPICIOUS = 0.97
"""From here on the model most likely reads what made the members members."""


@require_GET
@page(room=SEGMENTS)
def twins(request: HttpRequest, key: str) -> HttpResponse:
    """What is known of the twins of a segment's members; before anybody asked, what they are and what they need."""
    row = found(request, key)
    study, context = state_of(request, KIND, row)
    context |= {"segment": row, "fewest": FEWEST}
    if study is not None:
        results = study.results
        closest = [one["customer"] for one in results["closest"]]
        people = queries.found(viewer(request), study).filter(customer_id__in=closest)[:10]
        why = {one["customer"]: one for one in results["closest"]}
        context |= {
            "results": results,
            "members": told(name_in(study, "members"), results["members"]),
            "others": told(name_in(study, "outside"), results["others"]),
            "drivers": drivers(results["drivers"]),
            "phrase": phrase(results["drivers"]),
            "chart": _chart(row, study),
            "closest": [(one, phrase(why[one.customer_id]["why"])) for one in people],
            "suggested": max(min(results["as_median"], results["kept"]), 1),
            "suspicious": results["auc"]["value"] >= SUSPICIOUS,
            "name": _("Twins of %(segment)s") % {"segment": row},
        }
    return render(request, "segments/twins.html", context)


def _chart(row: Segment, study: Study) -> Chart | None:
    listed, csv = reverse("segment-twins-list", args=[row.key]), reverse("segment-twins-csv", args=[row.key])
    return charts.reach(study.results["curve"], study.results["others"], listed, csv, f"study-{study.pk}")


@require_POST
@page("segment", room=SEGMENTS)
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Asks for the twins; a job answers."""
    ask_of(request, KIND, found(request, key))
    return redirect("segment-twins", key)


@require_GET
@page(room=SEGMENTS)
def progress(request: HttpRequest, key: str) -> HttpResponse:
    """How far the study is; when it has ended, the page is loaded again."""
    return progress_of(request, KIND, found(request, key))


@require_GET
@page(room=SEGMENTS)
def listed(request: HttpRequest, key: str) -> HttpResponse:
    """The closest customers in their order, a page after the other; ``?upto=`` ends the list."""
    user, row = viewer(request), found(request, key)
    study = answered(request, KIND, row)
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
@page(room=SEGMENTS)
def download(request: HttpRequest, key: str) -> HttpResponse:
    """The curve as CSV."""
    row = found(request, key)
    chart = _chart(row, answered(request, KIND, row))
    if chart is None:
        raise Http404(key)
    return chart_file(request, chart, f"rondo-twins-{row.key}")


@require_POST
@page("segment", room=SEGMENTS)
def keep(request: HttpRequest, key: str) -> HttpResponse:
    """Makes a static segment of the closest."""
    row = found(request, key)
    study = answered(request, KIND, row)
    number = _whole(request.POST.get("number", ""))

    def make() -> Segment:
        if number is None:
            raise InputError(_("How many? Write a whole number."))
        return actions.keep_as_segment(
            actor(request),
            study,
            name=request.POST.get("name", ""),
            places=number,
            description=_("The %(number)s customers who resemble the members of “%(segment)s” most.")
            % {"number": number, "segment": row},
        )

    return kept(request, make, redirect("segment-twins", key))


def _whole(text: str) -> int | None:
    text = text.strip().replace(",", "").replace(".", "")
    return int(text) if text.isdecimal() and len(text) < 12 else None
