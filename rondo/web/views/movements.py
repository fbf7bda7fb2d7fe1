"""Movements: who went from which stage to which between two days, what they are worth, and who they are."""

from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.analysis.models import Score
from rondo.analysis.movements import LISTED, Move, movers, moves
from rondo.analysis.queries import current_run
from rondo.analysis.ruled import STAGE
from rondo.customers.queries import visible
from rondo.errors import InputError
from rondo.web.access import page, viewer
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.charts.flow import Band, flow
from rondo.web.charts.movements import movement_map
from rondo.web.figures import Figures, analysis_state, figures

_DAYS = 90
_LARGEST = 12
_LOST = ("endangered", "decline", "termination", "abstinence")
_WELL = ("growth", "maturity", "socialisation", "revitalisation")


@require_GET
@page()
def movements(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis that keeps a ledger it says what will stand here."""
    user = viewer(request)
    found = figures(user)
    context: dict[str, Any] = {
        **analysis_state(user, found),
    }
    if found is not None:
        since, until, problem = _days(request, found)
        all_moves = _moves(request, since, until)
        context |= {"since": since, "until": until, "problem": problem, "first": _first(found)}
        if all_moves:
            changed = [move for move in all_moves if move.before != move.after]
            context |= {
                "chart": _chart(found, all_moves, since, until),
                "flow": _flow(found, all_moves, since, until),
                "moved": _together(changed),
                "fell": _together([m for m in changed if m.before in _WELL and m.after in _LOST]),
                "rose": _together([m for m in changed if m.before in _LOST and m.after in _WELL]),
                "largest": _largest(changed, since, until),
            }
    return render(request, "shell/movements.html", context)


@require_GET
@page()
def table(request: HttpRequest) -> HttpResponse:
    """The movements as CSV, or the drawing as PNG."""
    found = figures(viewer(request))
    if found is None:
        raise Http404
    since, until, problem = _days(request, found)
    if problem:
        raise InputError(problem)
    all_moves = _moves(request, since, until)
    if not all_moves:
        raise Http404
    chart = _flow(found, all_moves, since, until) if request.GET.get("drawing") == "flow" else None
    return chart_file(request, chart or _chart(found, all_moves, since, until), f"rondo-movements-{since}-{until}")


@require_GET
@page()
def customers(request: HttpRequest) -> HttpResponse:
    """The customers behind one move, most worth first."""
    user = viewer(request)
    found = figures(user)
    labels = dict(STAGE)
    before, after = request.GET.get("from", ""), request.GET.get("to", "")
    if found is None or before not in labels or after not in labels:
        raise Http404
    since, until, problem = _days(request, found)
    if problem:
        raise InputError(problem)
    keys = movers(user, since, until, before, after)
    people = visible(user).in_bulk(keys)
    scores = Score.objects.in_bulk(keys)
    all_moves = _moves(request, since, until) or []
    total = next((move.customers for move in all_moves if (move.before, move.after) == (before, after)), len(keys))
    context = {
        "before": labels[before],
        "after": labels[after],
        "since": since,
        "until": until,
        "back": f"{reverse('movements')}?{_pairs(since, until)}",
        "rows": [(people[key], scores.get(key)) for key in keys if key in people],
        "cut": total > len(keys),
        "limit": LISTED,
        "total": total,
    }
    return render(request, "shell/moved.html", context)


def _first(found: Figures) -> date:
    day = found.results["totals"]["first_day"]
    return date.fromisoformat(day) if day else found.as_of


def _days(request: HttpRequest, found: Figures) -> tuple[date, date, str]:
    """The two days asked for, and what is wrong with them; 90 days up to the run where none are given."""
    usual = max(found.as_of - timedelta(days=_DAYS), _first(found))
    given = [request.GET.get(name, "") for name in ("since", "until")]
    if not any(given):
        return usual, found.as_of, ""
    try:
        since, until = (
            date.fromisoformat(text) if text else other for text, other in zip(given, (usual, found.as_of), strict=True)
        )
    except ValueError:
        return usual, found.as_of, _("That is no day; write it as 2017-12-31.")
    if not _first(found) <= since < until <= found.as_of:
        return usual, found.as_of, _("The first day has to come before the second, and both have to lie in the data.")
    return since, until, ""


def _moves(request: HttpRequest, since: date, until: date) -> list[Move] | None:
    run = current_run()
    return moves(viewer(request), run, since, until) if run else None


def _chart(found: Figures, all_moves: list[Move], since: date, until: date) -> Chart:
    address = f"{reverse('movements-table')}?{_pairs(since, until)}"
    currency = found.results["totals"]["currency"]
    return movement_map(all_moves, currency, f"{found.stamp}:{since}:{until}", address, _url(since, until))


def _flow(found: Figures, all_moves: list[Move], since: date, until: date) -> Chart | None:
    address = f"{reverse('movements-table')}?{_pairs(since, until)}&drawing=flow"
    bands = [
        Band(move.before, move.after, move.customers, behind(since, until, move.before, move.after))
        for move in all_moves
    ]
    return flow(bands, f"{found.stamp}:{since}:{until}", csv=address)


def _pairs(since: date, until: date) -> str:
    return urlencode({"since": since.isoformat(), "until": until.isoformat()})


def _url(since: date, until: date) -> str:
    return f"{reverse('movements-customers')}?{_pairs(since, until)}"


def behind(since: date, until: date, before: str, after: str) -> str:
    """The address of the customers behind one move."""
    return f"{_url(since, until)}&{urlencode({'from': before, 'to': after})}"


def _together(some: list[Move]) -> dict[str, int]:
    return {"customers": sum(move.customers for move in some), "value": sum(move.value for move in some)}


def _largest(changed: list[Move], since: date, until: date) -> list[dict[str, Any]]:
    """The moves of most worth, with the list behind each."""
    labels = dict(STAGE)
    best = sorted(changed, key=lambda move: (-move.value, -move.customers, move.before, move.after))[:_LARGEST]
    return [
        {
            "before": labels[move.before],
            "after": labels[move.after],
            "tone": "risk" if move.after in _LOST else "good",
            "customers": move.customers,
            "value": move.value,
            "url": behind(since, until, move.before, move.after),
        }
        for move in best
    ]
