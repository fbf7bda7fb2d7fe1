"""Matched controls of a segment: the page with its balance, the pairs, and the segment made of the controls."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.features import feature_of
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.analysis.studies import actions, queries
from rondo.analysis.studies.enough import comparable
from rondo.analysis.studies.outcome import FEWEST
from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.errors import InputError
from rondo.web.access import actor, page, viewer
from rondo.web.segments.studying import answered, ask_of, kept, progress_of, state_of, written
from rondo.web.segments.views import found

KIND = "controls"
PAGE = 50


@require_GET
@page(room=SEGMENTS)
def controls(request: HttpRequest, key: str) -> HttpResponse:
    """The controls of a segment and how well they balance; before anybody asked, what they are for."""
    row = found(request, key)
    study, context = state_of(request, KIND, row)
    context |= {"segment": row, "fewest": FEWEST}
    if study is not None:
        context |= {
            "results": study.results,
            "comparable": comparable(study.results),
            "balance": _balance(study.results),
            "unlike": [_label(name) for name in study.results["unlike"]],
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
@page("segment", room=SEGMENTS)
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Asks for controls; a job answers."""
    ask_of(request, KIND, found(request, key))
    return redirect("segment-controls", key)


@require_GET
@page(room=SEGMENTS)
def progress(request: HttpRequest, key: str) -> HttpResponse:
    """How far the study is; when it has ended, the page is loaded again."""
    return progress_of(request, KIND, found(request, key))


@require_GET
@page(room=SEGMENTS)
def pairs(request: HttpRequest, key: str) -> HttpResponse:
    """Members with the customer found for each, a page after the other."""
    user, row = viewer(request), found(request, key)
    study = answered(request, KIND, row)
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
@page("segment", room=SEGMENTS)
def keep(request: HttpRequest, key: str) -> HttpResponse:
    """Makes a static segment of the controls."""
    row = found(request, key)
    study = answered(request, KIND, row)

    def make() -> Segment:
        if not comparable(study.results):
            raise InputError(_("Too few members have a counterpart: no comparison is possible."))
        return actions.keep_as_segment(
            actor(request),
            study,
            name=request.POST.get("name", ""),
            description=_("Customers alike to the members of “%(segment)s”, one for each, to compare with.")
            % {"segment": row},
        )

    return kept(request, make, redirect("segment-controls", key))
