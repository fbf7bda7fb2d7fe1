"""Matched controls of a segment: the page with its balance, the pairs, and the segment made of the controls."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.features import feature_of
from rondo.analysis.queries import current_run
from rondo.analysis.segments.models import Segment
from rondo.analysis.studies import actions, queries
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import FEWEST
from rondo.customers.models import Customer
from rondo.customers.queries import sees_all, visible
from rondo.errors import InputError
from rondo.foundation.rights import has_right
from rondo.web.access import actor, page, viewer
from rondo.web.segments.studying import going, written
from rondo.web.segments.views import found

KIND = "controls"
PAGE = 50


@require_GET
@page()
def controls(request: HttpRequest, key: str) -> HttpResponse:
    """The controls of a segment and how well they balance; before anybody asked, what they are for."""
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
        context |= {
            "results": study.results,
            "balance": _balance(study.results),
            "unlike": [_label(name) for name in study.results["unlike"]],
            "stale": bool(run and study.run_id != run.pk),
            "name": _("Controls for %(segment)s") % {"segment": row},
        }
    return render(request, "segments/controls.html", context)


def _label(name: str) -> str:
    feature = feature_of(name)
    return str(feature.label) if feature else name


def _balance(results: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for one in results["balance"]:
        feature = feature_of(one["name"])
        if feature is not None:
            rows.append(
                one
                | {
                    "label": feature.label,
                    "treated": written(feature, _short(one["treated"])),
                    "control": written(feature, _short(one["control"])),
                    "unlike": one["name"] in results["unlike"],
                    **{name: round(one[name], 2) + 0.0 for name in ("before", "after", "plain")},
                }
            )
    return rows


def _short(value: float | None) -> float | None:
    """A mean to one decimal, so that it reads as one; shares are left as they are."""
    return value if value is None or abs(value) < 1 else round(value, 1)


@require_POST
@page("segment")
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Asks for controls; a job answers."""
    row, as_of = found(key), request.POST.get("as_of", "").strip()
    actions.request_study(actor(request), KIND, segment=row, config={"as_of": as_of} if as_of else {})
    return redirect("segment-controls", key)


@require_GET
@page()
def progress(request: HttpRequest, key: str) -> HttpResponse:
    """How far the study is; when it has ended, the page is loaded again."""
    under_way = going(queries.latest(KIND, found(key)).newer)
    if under_way is None:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "segments/study_progress.html", {"going": under_way, "progress_url": request.path})


@require_GET
@page()
def pairs(request: HttpRequest, key: str) -> HttpResponse:
    """Members with the customer found for each, a page after the other."""
    user, row = viewer(request), found(key)
    study = _answered(request, row)
    text = request.GET.get("after", "")
    after = int(text) if text.isdecimal() and len(text) < 12 else 0
    rows = list(queries.found(user, study).filter(place__gt=after)[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    members: dict[int, Customer] = visible(user).in_bulk([one.other_id for one in rows if one.other_id])
    context = {
        "segment": row,
        "rows": [(members.get(one.other_id or 0), one.customer) for one in rows],
        "pairs": study.results["pairs"],
        "after": after,
        "next": rows[-1].place if more else None,
    }
    return render(request, "segments/pairs.html", context)


@require_POST
@page("segment")
def keep(request: HttpRequest, key: str) -> HttpResponse:
    """Makes a static segment of the controls."""
    row = found(key)
    study = _answered(request, row)
    try:
        made = actions.keep_as_segment(
            actor(request),
            study,
            name=request.POST.get("name", ""),
            description=_("Customers alike to the members of “%(segment)s”, one for each, to compare with.")
            % {"segment": row},
        )
    except InputError as error:
        messages.error(request, str(error))
        return redirect("segment-controls", key)
    messages.success(request, _("“%(segment)s” made.") % {"segment": made})
    return redirect("segment", made.key)


def _answered(request: HttpRequest, row: Segment) -> Study:
    study = queries.latest(KIND, row).answered if sees_all(viewer(request)) else None
    if study is None:
        raise Http404(row.key)
    return study
