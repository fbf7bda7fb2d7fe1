"""The card of the home page on what changed in customers' buying."""

from typing import Any

from django.http import HttpRequest

from rondo.analysis.ruled import CHANGE
from rondo.customers.queries import sees_all
from rondo.web.access import viewer
from rondo.web.charts.portfolio import customers_where
from rondo.web.figures import figures

_TONES = {"rarer": "risk", "less": "risk", "oftener": "good", "more": "good"}


def on_home(request: HttpRequest) -> dict[str, Any] | None:
    """Counts by kind of change with the customers behind each; None before an analysis that knows of changes."""
    user = viewer(request)
    found = figures(user)
    part = found.part("changes") if found else None
    if found is None or part is None:
        return None
    labels = dict(CHANGE)
    return {
        "as_of": found.as_of,
        "judged": part["judged"] if sees_all(user) else 0,
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
