"""Funnel and buying patterns: how far customers come, what they buy, how much at a time, how often and when."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.analysis.parts.shapes import Buying, TypicalGap
from rondo.interactions.ruled import WEEKDAYS
from rondo.web import formats
from rondo.web.access import page, viewer
from rondo.web.charts.buying import category_name, weekday_url
from rondo.web.charts.portfolio import customers_where
from rondo.web.figures import analysis_state, figures
from rondo.web.views.loyalty import missing
from rondo.web.views.portfolio import CHARTS

_KEYS = ("funnel", "categories", "baskets", "basket-sizes", "pauses", "hours")
_ONE_HOUR = 0.9
"""Where this share of orders falls into one hour of the day, the data hold days and no times."""


@require_GET
@page()
def buying(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis that knows of buying patterns it says what will stand here."""
    user = viewer(request)
    found = figures(user)
    part: Buying | None = found.part("buying") if found else None
    standing = found.results.get("standing") if found else None
    context: dict[str, Any] = {
        "buying": part,
        **analysis_state(user, found),
    }
    if found is not None and part is not None and part["orders"]:
        charts = {key.replace("-", "_"): CHARTS[key](found) for key in _KEYS}
        context |= {
            "charts": charts,
            "buyers_url": customers_where("purchase_days:min:1"),
            # Of whole days and lines, half are at most the median rounded down.
            "median_gap": int(part["median_gap"] or 0),
            "median_size": int(part["median_size"] or 0),
            "best": _best(part),
            "typical": [_typical(gap) for gap in part["typical"]],
            "weekdays": _weekdays(part),
            "busiest": _busiest(part),
            "timeless": _timeless(part),
            "missing": missing(standing)[:2] if standing else [],
        }
    return render(request, "shell/buying.html", context)


def _best(part: Buying) -> dict[str, Any] | None:
    """The category that most buyers buy."""
    if not part["categories"]:
        return None
    row = max(part["categories"], key=lambda one: one["buyers"])
    return {
        "name": category_name(row, part["categories"]),
        "share": row["buyers"] / part["buyers"],
        "again": row["repeaters"] / row["buyers"],
    }


def _typical(gap: TypicalGap) -> dict[str, Any]:
    """Customers by their own median pause, with the list behind them."""
    bounds = [f"typical_gap_days:above:{gap['above']}"]
    if gap["most"] is None:
        words = _("more than %(days)s") % {"days": formats.days(gap["above"])}
    else:
        bounds.append(f"typical_gap_days:max:{gap['most']}")
        words = (
            _("more than %(above)s, up to %(most)s")
            % {"above": formats.number(gap["above"]), "most": formats.days(gap["most"])}
            if gap["above"]
            else _("up to %(most)s") % {"most": formats.days(gap["most"])}
        )
    return {"words": words, "customers": gap["customers"], "url": customers_where(*bounds)}


def _weekdays(part: Buying) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": weekday_url(number), **part["weekdays"][number]}
        for number, (_key, label) in enumerate(WEEKDAYS)
    ]


def _busiest(part: Buying) -> dict[str, Any]:
    """The day and the hour with most orders."""
    days = [day["orders"] for day in part["weekdays"]]
    hours = [sum(day[hour] for day in part["hours"]) for hour in range(24)]
    hour = hours.index(max(hours))
    return {"day": WEEKDAYS[days.index(max(days))][1], "hour": f"{hour}:00", "until": f"{hour + 1}:00"}


def _timeless(part: Buying) -> bool:
    hours = [sum(day[hour] for day in part["hours"]) for hour in range(24)]
    return max(hours) >= _ONE_HOUR * sum(hours)
