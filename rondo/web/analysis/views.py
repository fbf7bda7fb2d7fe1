"""The page Models: one card per model, what hold-outs said of it, what moved, and the choice of an analyst."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.leads.queries import found_for
from rondo.analysis.pins import pin, pin_model
from rondo.analysis.queries import current_run
from rondo.analysis.results import ChurnCheck
from rondo.customers.queries import sees_all, visible
from rondo.errors import InputError
from rondo.web.access import actor, page, viewer
from rondo.web.analysis.cards import (
    REASONS,
    ModelCard,
    carried_over,
    drift,
    effects,
    learnt_from,
    model_card,
    previous_run,
    taken_at,
    tried,
)
from rondo.web.behind import Told, told, told_by
from rondo.web.charts.portfolio import customers_where
from rondo.web.figures import Figures, analysis_state, figures
from rondo.web.leads.views import cards
from rondo.web.views.portfolio import CHARTS

_OFF = 0.05
"""A share of customers by which a forecast of silence was wrong, from which on the page warns of it."""
_PATHS = {
    "all": gettext_lazy("All"),
    "repeat": gettext_lazy("Two days or more"),
    "once": gettext_lazy("One day only"),
}


@require_GET
@page()
def models(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis that chose a model, and for who does not see all, it says what it is for."""
    user = viewer(request)
    found = figures(user)
    context: dict[str, object] = {
        "sees_all": sees_all(user),
        **analysis_state(user, found),
    }
    if found is not None and "selection" in found.results:
        context |= _cards(found)
        scored = found_for(user)
        context |= cards(scored) if scored else {}
    return render(request, "analysis/models.html", context)


@require_POST
@page("analyse")
def choose(request: HttpRequest) -> HttpResponse:
    """Pin a model, or lift the pin."""
    model = request.POST.get("model", "")
    try:
        pin_model(actor(request), model, request.POST.get("reason", ""))
    except InputError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            _("Pinned. The next analysis uses this model.")
            if model
            else _("The pin is lifted. The next analysis chooses by hold-out."),
        )
    return redirect("models")


def _cards(found: Figures) -> dict[str, Any]:
    run = current_run()
    before = previous_run(run) if run else None
    purchases, spend = (model_card(run, before, role) if run else None for role in ("purchases", "spend"))
    if run is None or purchases is None or spend is None:
        return {}
    results = found.results
    selection, holdout, churn = results["selection"], results["holdout"], results["churn"]
    inside = [row for row in holdout["deciles"] if row["low"] <= row["actual"] <= row["high"]] if holdout else []
    check = churn["check"]
    singles = holdout.get("singles") if holdout else None
    by_held = sorted(singles["tenths"], key=lambda one: one["held"]) if singles else [None]
    off = holdout["forecast"] / holdout["actual"] - 1 if holdout and holdout["actual"] else None
    names = {
        "high": gettext_lazy("high: 50% and more"),
        "elevated": gettext_lazy("elevated: 20% to 50%"),
        "low": gettext_lazy("low: below 20%"),
    }
    return {
        "results": results,
        "on": _on(found, spend, check),
        "selection": selection,
        "reason": REASONS[selection["reason"]],
        "by_rule": next(one["title"] for one in selection["candidates"] if one["model"] == selection["by_rule"]),
        "purchases": purchases,
        "effects": effects(purchases),
        "learnt_from": learnt_from(purchases),
        "tried": tried(purchases),
        "taken_at": taken_at(selection),
        "carried": carried_over(purchases),
        "spend": spend,
        "drift": drift(run, before),
        "pin": pin(),
        "holdout": holdout,
        "off": off,
        "off_by": None if off is None else abs(off),
        "spend_off": holdout["spend_forecast"] / holdout["spend_actual"] - 1
        if holdout and holdout["spend_actual"] > 0
        else None,
        "total_inside": bool(holdout) and holdout["low"] <= holdout["actual"] <= holdout["high"] if holdout else None,
        "inside": len(inside),
        "singles": singles,
        "worst": by_held[0],
        "best": by_held[-1],
        "intervals": run.models_json.get("intervals"),
        "rolled": run.models_json.get("holdouts", []),
        "churn": churn,
        "levels": [
            (label, churn[key], customers_where(f"risk:is:{key}"))  # type: ignore[literal-required]
            for key, label in names.items()
        ],
        "paths": [(_PATHS[one["path"]], one) for one in check["paths"]] if check else [],
        "told": [(names[one["level"]], one) for one in reversed(check.get("levels", []))] if check else [],
        # A little above the mean of what came is who is right and tells few apart: the level must be off, too.
        "unsure": check
        and any(
            one["path"] == "once"
            and one["brier"] > one["brier_base"]
            and abs(one["expected"] - one["silent"]) > _OFF * one["customers"]
            for one in check["paths"]
        ),
        "whole": check["paths"][0] if check and check["paths"] else None,
        "fitted_url": customers_where("purchase_days:min:1"),
        "once_url": customers_where("purchase_days:is:1"),
        "high_url": customers_where("risk:is:high"),
        "charts": {key: CHARTS[key](found) for key in ("candidates", "silence", "deciles")},
    }


def _on(found: Figures, spend: ModelCard, check: ChurnCheck | None) -> dict[str, Told]:
    """On whom the models were tried, spend was fitted and the risk was checked."""
    spenders = visible(found.viewer).filter(score__average_basket__isnull=False).count()
    return {
        "tried": told("tried", found.results["selection"]["customers"]),
        "spend": told_by(customers_where(rule="average_basket is known"), spend.customers, spenders),
        "checked": told("checked", check["paths"][0]["customers"] if check else 0),
    }
