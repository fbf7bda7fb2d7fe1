"""Movements: who went from which state of a scale to which between two days, what they are worth, and who they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.analysis.movements import Move, moves
from rondo.analysis.queries import current_run
from rondo.analysis.ruled_moves import stood, went
from rondo.errors import InputError
from rondo.web.access import page, viewer
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.charts.flow import Band, flow
from rondo.web.charts.movements import movement_map
from rondo.web.charts.portfolio import customers_where
from rondo.web.charts.scales import SCALES, Scale
from rondo.web.figures import Figures, analysis_state, figures

_DAYS = 90
_LARGEST = 12
_USUAL = next(iter(SCALES))


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
        asked, problem = _asked(request, found)
        scale = asked.scale
        all_moves = _moves(request, asked)
        context |= {"since": asked.since, "until": asked.until, "problem": problem, "first": _first(found)}
        context |= {"scale": scale, "scales": [(one, one.key == scale.key, asked.on(one)) for one in SCALES.values()]}
        if all_moves:
            changed = [move for move in all_moves if move.before != move.after]
            context |= {
                "chart": _chart(found, all_moves, asked),
                "flow": _flow(found, all_moves, asked),
                "moved": _together(changed, asked),
                "fell": _together([move for move in changed if scale.falls(move.before, move.after)], asked),
                "rose": _together([move for move in changed if scale.rises(move.before, move.after)], asked),
                "largest": _largest(changed, asked, found.valued),
            }
    return render(request, "shell/movements.html", context)


@require_GET
@page()
def table(request: HttpRequest) -> HttpResponse:
    """The movements as CSV, or the drawing as PNG."""
    found = figures(viewer(request))
    if found is None:
        raise Http404
    asked, problem = _asked(request, found)
    if problem:
        raise InputError(problem)
    all_moves = _moves(request, asked)
    if not all_moves:
        raise Http404
    chart = _flow(found, all_moves, asked) if request.GET.get("drawing") == "flow" else None
    name = f"rondo-movements-{asked.scale.key}-{asked.since}-{asked.until}"
    return chart_file(request, chart or _chart(found, all_moves, asked), name)


@dataclass(frozen=True)
class _Asked:
    """The scale and the two days that a page is of."""

    scale: Scale
    since: date
    until: date

    @property
    def pairs(self) -> str:
        days = urlencode({"since": self.since.isoformat(), "until": self.until.isoformat()})
        return days if self.scale.key == _USUAL else f"scale={self.scale.key}&{days}"

    @property
    def stamp(self) -> str:
        return f"{self.scale.key}:{self.since}:{self.until}"

    def behind(self, before: str, after: str) -> str:
        """The list of the customers behind one move."""
        scale = self.scale.key
        return customers_where(rule=f"{stood(scale, before, self.since)} and {stood(scale, after, self.until)}")

    def behind_all(self, some: Sequence[Move]) -> str:
        """The list of the customers behind several moves together."""
        rule = went(self.scale.key, [(move.before, move.after) for move in some], self.since, self.until)
        return customers_where(rule=rule) if rule else ""

    def on(self, scale: Scale) -> str:
        """The page of another scale between the same days."""
        return f"{reverse('movements')}?{replace(self, scale=scale).pairs}"


def _asked(request: HttpRequest, found: Figures) -> tuple[_Asked, str]:
    """What is asked for, and what is wrong with the days; a scale that there is not is no page."""
    scale = SCALES.get(request.GET.get("scale", _USUAL))
    if scale is None:
        raise Http404
    since, until, problem = _days(request, found)
    return _Asked(scale, since, until), problem


def _first(found: Figures) -> date:
    """The first day on which it was read where customers stand: a Sunday, or the day of the run."""
    text = found.results["totals"]["first_day"]
    day = date.fromisoformat(text) if text else found.as_of
    return min(day + timedelta(days=6 - day.weekday()), found.as_of)


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


def _moves(request: HttpRequest, asked: _Asked) -> list[Move] | None:
    run = current_run()
    return moves(viewer(request), run, asked.since, asked.until, asked.scale.key) if run else None


def _chart(found: Figures, all_moves: list[Move], asked: _Asked) -> Chart:
    address = f"{reverse('movements-table')}?{asked.pairs}"
    currency = found.results["totals"]["currency"]
    return movement_map(
        all_moves, asked.scale, currency, f"{found.stamp}:{asked.stamp}", address, asked.behind, valued=found.valued
    )


def _flow(found: Figures, all_moves: list[Move], asked: _Asked) -> Chart | None:
    address = f"{reverse('movements-table')}?{asked.pairs}&drawing=flow"
    bands = [Band(move.before, move.after, move.customers, asked.behind(move.before, move.after)) for move in all_moves]
    return flow(bands, asked.scale, f"{found.stamp}:{asked.stamp}", csv=address)


def _together(some: list[Move], asked: _Asked) -> dict[str, Any]:
    return {
        "customers": sum(move.customers for move in some),
        "value": sum(move.value for move in some),
        "url": asked.behind_all(some),
    }


def _largest(changed: list[Move], asked: _Asked, valued: bool) -> list[dict[str, Any]]:
    """The moves of most worth, with the list behind each."""
    labels = asked.scale.labels
    best = sorted(changed, key=lambda move: (-move.value, -move.customers, move.before, move.after))[:_LARGEST]
    return [
        {
            "before": labels[move.before],
            "after": labels[move.after],
            "tone": asked.scale.tone(move.before, move.after),
            "customers": move.customers,
            "value": move.value if valued else None,
            "url": asked.behind(move.before, move.after),
        }
        for move in best
    ]
