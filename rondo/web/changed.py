"""The card of the home page on what changed in customers' buying."""

from typing import Any

from django.http import HttpRequest

from rondo.analysis.queries import current_run_day
from rondo.analysis.queries import part as of_run
from rondo.analysis.ruled import CHANGE
from rondo.customers.queries import sees_all
from rondo.web.access import viewer
from rondo.web.behind import told
from rondo.web.charts.portfolio import customers_where

_TONES = {"rarer": "risk", "less": "risk", "oftener": "good", "more": "good"}


def on_home(request: HttpRequest) -> dict[str, Any] | None:
    """Counts by kind of change with the customers behind each; None before an analysis that knows of changes."""
    user = viewer(request)
    run = current_run_day()
    part = of_run(user, run[0], "changes") if run is not None else None
    if run is None or part is None:
        return None
    labels = dict(CHANGE)
    judged = part["judged"] if sees_all(user) else 0
    return {
        "as_of": run[1],
        "judged": judged,
        "able": told("judged", judged) if judged else None,
        "lines": [
            {
                "label": labels[one["change"]],
                "tone": _TONES.get(one["change"], ""),
                "customers": one["customers"],
                "value": one["value"],
                "url": customers_where(f"change:is:{one['change']}"),
            }
            for one in part["counts"]
        ],
    }
