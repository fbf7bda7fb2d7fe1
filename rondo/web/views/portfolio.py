"""Portfolio: the customer base as an asset: how its value is spread, and how far the forecast can be trusted."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from rondo.foundation.models import User
from rondo.foundation.money import Money
from rondo.web.access import page, viewer
from rondo.web.behind import told_to
from rondo.web.charts import buying, cohorts, worth
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.charts.home import revenue
from rondo.web.charts.loyalty import moved, stages_by_week
from rondo.web.charts.models import candidates, silence
from rondo.web.charts.portfolio import customers_where, deciles, distribution, everybody, grid, lorenz
from rondo.web.figures import Figures, analysis_state, figures
from rondo.web.relations.charts import bonds_map
from rondo.web.saving import scores_tell, worth_saving


def _revenue(found: Figures) -> Chart | None:
    results = found.results
    return revenue(results["weekly"], results["forecast"], results["totals"]["currency"], found.stamp)


def _distribution(found: Figures) -> Chart | None:
    results = found.results
    return (
        distribution(results["value_bins"], results["totals"]["currency"], found.stamp)
        if results["value_bins"]
        else None
    )


def _grid(found: Figures) -> Chart | None:
    results = found.results
    if not results["grid"]:
        return None
    return grid(results["grid"], results["totals"]["currency"], found.stamp, valued=found.valued)


def _lorenz(found: Figures) -> Chart | None:
    spread = found.results["concentration"]
    return None if spread is None else lorenz(spread, found.stamp)


def _deciles(found: Figures) -> Chart | None:
    holdout = found.results["holdout"]
    return None if holdout is None or not holdout["deciles"] else deciles(holdout["deciles"], found.stamp)


def _stages(found: Figures) -> Chart | None:
    standing = found.results.get("standing")
    return stages_by_week(standing["weekly"], found.stamp) if standing and len(standing["weekly"]) > 1 else None


def _moves(found: Figures) -> Chart | None:
    standing = found.results.get("standing")
    return moved(standing["moves"], found.stamp) if standing and standing["moves"] else None


def _bonds(found: Figures) -> Chart | None:
    standing = found.results.get("standing")
    return bonds_map(standing["bonds"], found.stamp) if standing and "bonds" in standing else None


def _candidates(found: Figures) -> Chart | None:
    selection = found.results.get("selection")
    return candidates(selection, found.stamp) if selection else None


def _silence(found: Figures) -> Chart | None:
    churn = found.results.get("churn")
    check = churn["check"] if churn else None
    return silence(check["paths"][0]["bins"], found.stamp) if check and check["paths"] else None


CHARTS: dict[str, Callable[[Figures], Chart | None]] = {
    "revenue": _revenue,
    "distribution": _distribution,
    "grid": _grid,
    "lorenz": _lorenz,
    "deciles": _deciles,
    "stages": _stages,
    "moves": _moves,
    "bonds": _bonds,
    "candidates": _candidates,
    "silence": _silence,
    **cohorts.makers(),
    **buying.makers(),
    **worth.makers(),
}
"""Every chart of the analysis by its key, which is also the name of its CSV file."""

_SAVING = "&sort=-at_stake&cols=activity,at_stake,churn,last_purchase,spend_365,owner"
_ON_PAGE = ("distribution", "grid", "lorenz", "deciles", "worth-map")


@require_GET
@page()
def portfolio(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis it says what will stand here."""
    user = viewer(request)
    found = figures(user)
    context: dict[str, object] = {
        **analysis_state(user, found),
    }
    if found is not None:
        charts = {key.replace("-", "_"): CHARTS[key](found) for key in _ON_PAGE}
        context |= {"results": found.results, "charts": charts, "customers_url": everybody(), **_worth(user, found)}
    return render(request, "shell/portfolio.html", context)


def _worth(user: User, found: Figures) -> dict[str, object]:
    """Who carries the revenue and who is most worth saving, where the run knows."""
    part = found.part("worth")
    if part is None:
        return {}
    currency, carrying = found.results["totals"]["currency"], part["carrying"]
    spend = Money(carrying["spend"], currency).major if carrying else 0
    return {
        "worth": part,
        "left_out": told_to(user, "left_out", out["customers"]) if (out := part.get("left_out")) else None,
        "saving": worth_saving(user, part, currency),
        "saving_url": customers_where(f"at_stake:min:{Money(1, currency).major}") + _SAVING
        if scores_tell(part)
        else "",
        "carrying_url": customers_where(f"spend:min:{spend}"),
        "valued": sum(cell["value"] for cell in part["cells"]),
        "high": sum(cell["value"] for cell in part["cells"] if cell["risk"] == "high"),
        "high_url": customers_where("risk:is:high"),
    }


@require_GET
@page()
def download(request: HttpRequest, key: str) -> HttpResponse:
    """The table behind a chart as CSV, or its drawing as PNG."""
    found = figures(viewer(request))
    chart = CHARTS[key](found) if found is not None and key in CHARTS else None
    if chart is None:
        raise Http404
    return chart_file(request, chart, f"rondo-{key}")
