"""Cohorts: of those who first bought together, who came back, and what they brought."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.web.access import page, viewer
from rondo.web.charts.cohorts import MEASURES, returned
from rondo.web.charts.portfolio import customers_where
from rondo.web.figures import analysis_state, figures
from rondo.web.views.portfolio import CHARTS

_LONG = 24
"""From this many months on the page begins with quarters."""


@require_GET
@page()
def cohorts(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis that knows of cohorts it says what will stand here."""
    user = viewer(request)
    found = figures(user)
    part = found.part("cohorts") if found else None
    context: dict[str, object] = {
        "cohorts": part,
        **analysis_state(user, found),
    }
    if found is not None and part is not None and part["month"]["rows"]:
        by = request.GET.get("by", "")
        if by not in ("month", "quarter"):
            by = "quarter" if len(part["month"]["rows"]) > _LONG else "month"
        show = next((one for one in MEASURES if one == request.GET.get("show")), MEASURES[0])
        context |= {
            "by": by,
            "show": show,
            "triangle": part[by],
            "chart": CHARTS[f"cohorts-{show}-{by}"](found),
            "headline": returned(part["month"], part["cut_until"]),
            "cut_url": customers_where(f"first_purchase:max:{part['cut_until']}"),
            "measures": _measures(by),
            "lengths": [("month", _("By month")), ("quarter", _("By quarter"))],
        }
    return render(request, "shell/cohorts.html", context)


def _measures(by: str) -> list[tuple[str, str, str]]:
    """Key, label and meaning of each measure."""
    period = _("month") if by == "month" else _("quarter")
    return [
        (
            "again",
            _("Bought again"),
            _(
                "Percent of each cohort that bought on a second day within so many days of the first; only cohorts of "
                "which everybody has had that time."
            ),
        ),
        (
            "active",
            _("Stayed"),
            _("Percent of each cohort that bought in each later %(period)s.") % {"period": period},
        ),
        (
            "revenue",
            _("Revenue"),
            _("What each cohort spent in its first %(period)s and in each later one.") % {"period": period},
        ),
        (
            "each",
            _("Revenue per customer"),
            _("What a customer of each cohort has brought up to each %(period)s, those who left included.")
            % {"period": period},
        ),
    ]
