"""Buying stages of the base by category, one category between two days, and the customers behind each number."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from rondo.analysis.buying_stages.queries import NO_SIGN, FoundAsOf, found_for, moves
from rondo.analysis.buying_stages.ruled import BUYING_STAGE, key_of, rule_of
from rondo.analysis.buying_stages.shapes import CategoryStages, Found
from rondo.analysis.buying_stages.texts import STAGES
from rondo.analysis.movements import Move
from rondo.analysis.ruled_moves import BUYING, of_category, stood_in_buying
from rondo.customers.queries import sees_all
from rondo.errors import InputError
from rondo.foundation.registry import registries
from rondo.foundation.rights import has_right
from rondo.web.access import page, viewer
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.charts.flow import Band, flow
from rondo.web.charts.movements import movement_map
from rondo.web.charts.portfolio import customers_where
from rondo.web.charts.scales import Scale
from rondo.web.csv_files import csv_file
from rondo.web.customers.found import found_customer
from rondo.web.figures import analysis_state, figures
from rondo.web.stages.panel import categories_of
from rondo.web.stages.words import FROM_THE_TOP, STATES, TOLD

SHOWN = 40
_DAYS = 28
_SCALE = Scale("buying_stage", gettext_lazy("Buying stages"), STATES, FROM_THE_TOP, "stage")
_WANTED = ("need_recognised", "information_search", "evaluation")


@require_GET
@page()
def stages(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis that knows of stages it says what will stand here."""
    user = viewer(request)
    found = found_for(user)
    context: dict[str, Any] = {
        "found": found,
        "may_administer": has_right(user, "administer"),
        **analysis_state(user, figures(user), "stages"),
    }
    if found is not None and found.results["known"]:
        results = found.results
        rows = [_category(row) for row in results["categories"]]
        context |= {
            "stages": _stages(results),
            "heads": [label for _key, label in BUYING_STAGE],
            "rows": rows[:SHOWN],
            "more": len(rows) - SHOWN,
            "choices": sorted((row["path"], row["category"]) for row in results["categories"]),
            "headline": _headline(results),
            "check": _check(results),
            "missing": _missing(results),
            "unknown": results["customers"] - results["known"],
            "unknown_url": customers_where(rule=f"ladder is known and did not {BUYING}"),
            "sees_all": sees_all(user),
        }
    return render(request, "stages/stages.html", context)


def _stages(results: Found) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "label": label,
            "meaning": TOLD[key].meaning,
            "objective": TOLD[key].objective,
            "customers": results["per_stage"][place],
            "pairs": results["pairs"][place],
            "url": customers_where(rule=f"categories_{key} >= 1"),
        }
        for place, (key, label) in enumerate(BUYING_STAGE)
    ]


def _category(row: CategoryStages) -> dict[str, Any]:
    department, _mark, name = row["path"].rpartition(" > ")
    return {
        "name": name,
        "department": department,
        "url": f"{reverse('buying-stages-category')}?{urlencode({'category': row['category']})}",
        "cells": [
            (count, customers_where(rule=rule_of(row["path"], key)))
            for count, key in zip(row["customers"], STAGES, strict=True)
        ],
    }


def _headline(results: Found) -> dict[str, Any]:
    """Who is due, and in which category most are."""
    place = STAGES.index("need_recognised")
    best = max(results["categories"], key=lambda row: row["customers"][place])
    return {
        "customers": results["per_stage"][place],
        "url": customers_where(rule="categories_need_recognised >= 1"),
        "name": best["path"].rpartition(" > ")[2],
        "most": best["customers"][place],
        "most_url": customers_where(rule=rule_of(best["path"], "need_recognised")),
    }


def _check(results: Found) -> dict[str, Any] | None:
    """What became of the stages of some weeks before."""
    check = results["check"]
    if check is None:
        return None
    rows = [
        {"label": label, "pairs": pairs, "bought": bought, "share": bought / pairs}
        for (_key, label), pairs, bought in zip(BUYING_STAGE, check["pairs"], check["bought"], strict=True)
        if pairs
    ]
    return {"day": date.fromisoformat(check["day"]), "days": check["days"], "rows": rows}


def _missing(results: Found) -> dict[str, Any] | None:
    """Signs that the data do not have: stages nobody can be in, and contacts that name no category."""
    named = sum(one["named"] for one in results["signals"])
    unnamed = sum(one["all"] - one["named"] for one in results["signals"])
    kinds = [kind.label for kind in registries.interaction_kinds if kind.signals in _WANTED]
    return {"none": not named, "unnamed": unnamed, "kinds": kinds} if not named or unnamed else None


@require_GET
@page()
def table(request: HttpRequest) -> HttpResponse:
    """Customers per category and stage as CSV."""
    found = found_for(viewer(request))
    if found is None:
        raise Http404
    head = [_("Category"), *(label for _key, label in BUYING_STAGE)]
    rows = [[row["path"], *row["customers"]] for row in found.results["categories"]]
    return csv_file(f"rondo-buying-stages-{found.as_of}", head, rows)


@require_GET
@page()
def category(request: HttpRequest) -> HttpResponse:
    """One category: who stands where, the flow and the matrix between two days."""
    user = viewer(request)
    found, row = _asked(request)
    since, until, problem = _between(request, found)
    context: dict[str, Any] = {
        "found": found,
        "row": _category(row),
        "path": row["path"],
        "category": row["category"],
        "stages": [
            stage | {"customers": count, "url": url}
            for stage, (count, url) in zip(_stages(found.results), _category(row)["cells"], strict=True)
        ],
        "unknown": found.results["customers"] - sum(row["customers"]),
        "unknown_url": customers_where(rule=f"`{key_of(row['path'])}` is unknown"),
        "since": since,
        "until": until,
        "problem": problem,
        "first": _first(found),
        **analysis_state(user, figures(user), "stages"),
    }
    all_moves = [] if problem else moves(user, row["category"], since, until)
    if all_moves:
        changed = [move for move in all_moves if move.before != move.after]
        context |= {
            "chart": _matrix(request, found, row, all_moves, since, until),
            "flow": _flow(request, found, row, all_moves, since, until),
            "moved": sum(move.customers for move in changed),
            "moved_url": _behind_all(row["path"], changed, since, until),
            "of": sum(move.customers for move in all_moves),
            "of_url": customers_where(rule=f"did {BUYING} where {of_category(row['path'])} until {until}"),
        }
    return render(request, "stages/category.html", context)


def _behind_all(path: str, changed: list[Move], since: date, until: date) -> str:
    """The list of those who left the stage in which they stood."""
    left = sorted({move.before for move in changed})
    parts = [f"({stood_in_buying(path, one, since)} and not ({stood_in_buying(path, one, until)}))" for one in left]
    return customers_where(rule=" or ".join(parts)) if parts else ""


@require_GET
@page()
def drawing(request: HttpRequest) -> HttpResponse:
    """The movements of a category as CSV, or a drawing as PNG."""
    found, row = _asked(request)
    since, until, problem = _between(request, found)
    if problem:
        raise InputError(problem)
    all_moves = moves(viewer(request), row["category"], since, until)
    if not all_moves:
        raise Http404
    make = _flow if request.GET.get("drawing") == "flow" else _matrix
    chart = make(request, found, row, all_moves, since, until)
    if chart is None:
        raise Http404
    return chart_file(request, chart, f"rondo-buying-stages-{row['category']}-{since}-{until}")


@require_GET
@page()
def of_customer(request: HttpRequest, public_id: str, stage: str) -> HttpResponse:
    """The categories in which a customer is in a stage, as a part of the customer's page."""
    found = found_customer(request, public_id)
    if stage not in dict(BUYING_STAGE):
        raise Http404(stage)
    return render(request, "stages/panel_rows.html", {"rows": categories_of(found.pk, stage)})


def _asked(request: HttpRequest) -> tuple[FoundAsOf, CategoryStages]:
    """The category that the address names, among those the viewer has customers in.

    Raises:
        Http404: there is none, or nothing was worked out yet.
    """
    found = found_for(viewer(request))
    given = request.GET.get("category", "")
    row = next((row for row in found.results["categories"] if str(row["category"]) == given), None) if found else None
    if found is None or row is None:
        raise Http404
    return found, row


def _first(found: FoundAsOf) -> date:
    return date.fromisoformat(found.results["first"])


def _between(request: HttpRequest, found: FoundAsOf) -> tuple[date, date, str]:
    """The two days asked for, and what is wrong with them; four weeks up to the run where none are given."""
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


def _address(row: CategoryStages, since: date, until: date, **more: str) -> str:
    days = {"since": since.isoformat(), "until": until.isoformat()}
    return urlencode({"category": str(row["category"])} | days | more)


def _behind(row: CategoryStages, since: date, until: date) -> Callable[[str, str], str]:
    """Where the customers behind a move are listed: from which stage to which."""

    def url(before: str, after: str) -> str:
        earlier = stood_in_buying(row["path"], "" if before == NO_SIGN else before, since)
        return customers_where(rule=f"{earlier} and {stood_in_buying(row['path'], after, until)}")

    return url


def _stamp(request: HttpRequest, found: FoundAsOf, row: CategoryStages, since: date, until: date) -> str:
    state = figures(viewer(request))
    return f"{state.stamp if state else ''}:{found.run}:{row['category']}:{since}:{until}"


def _matrix(
    request: HttpRequest, found: FoundAsOf, row: CategoryStages, all_moves: list[Move], since: date, until: date
) -> Chart:
    state = figures(viewer(request))
    return movement_map(
        all_moves,
        _SCALE,
        state.results["totals"]["currency"] if state else "",
        _stamp(request, found, row, since, until),
        f"{reverse('buying-stages-drawing')}?{_address(row, since, until)}",
        _behind(row, since, until),
        key="buying-stages",
        valued=state is None or state.valued,
    )


def _flow(
    request: HttpRequest, found: FoundAsOf, row: CategoryStages, all_moves: list[Move], since: date, until: date
) -> Chart | None:
    behind = _behind(row, since, until)
    bands = [Band(move.before, move.after, move.customers, behind(move.before, move.after)) for move in all_moves]
    return flow(
        bands,
        _SCALE,
        _stamp(request, found, row, since, until),
        key="buying-flow",
        csv=f"{reverse('buying-stages-drawing')}?{_address(row, since, until, drawing='flow')}",
    )
