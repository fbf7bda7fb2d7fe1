"""Home: what the customer base is worth, who needs attention, what changed."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rondo.analysis.results import Activity
from rondo.customers.queries import sees_all, visible
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.registry import registries
from rondo.web.access import actor, page, viewer
from rondo.web.charts.chart import written
from rondo.web.charts.home import revenue
from rondo.web.charts.portfolio import customers_where
from rondo.web.figures import Figures, analysis_state, figures, under_way
from rondo.web.first_steps import first_steps
from rondo.web.following import FOLLOWING, follow_up
from rondo.web.jobs import request_analysis

_STATES = ("active", "late", "asleep", "never")


@require_GET
@page()
def home(request: HttpRequest) -> HttpResponse:
    """The first page after signing in; before there is data or an analysis it says how to get there."""
    user = viewer(request)
    found = figures(user)
    context: dict[str, Any] = {
        "cards": _cards(request),
        "first_steps": first_steps(user),
        **analysis_state(user, found),
    }
    if found is None:
        context["has_customers"] = visible(user).exists()
        context["has_company"] = bool(installation().company)
    else:
        results = found.results
        context |= {
            "results": results,
            "sees_nobody": not results["totals"]["customers"] and not sees_all(user) and not visible(user).exists(),
            "revenue": _revenue(found),
            "horizon": installation().horizon_months,
            "rhythm": rhythm(results["activity"]),
            "late_url": customers_where("activity:is:late"),
            "changed": _changed(found),
        }
    return render(request, "shell/home.html", context)


@require_POST
@page("analyse")
def analyse(request: HttpRequest) -> HttpResponse:
    """Queue an analysis, unless one is under way; the home page shows how it goes."""
    if under_way() is None:
        request_analysis(viewer(request))
    return redirect("home")


@require_POST
@page("administer")
def put_first_steps(request: HttpRequest) -> HttpResponse:
    """Puts the list of first steps away (``away=1``), or back."""
    away = request.POST.get("away") == "1"
    change_installation(actor(request), first_steps_away=away)
    messages.success(request, _("Put away; it is under Settings.") if away else _("The list is back on the home page."))
    return redirect("home")


@require_GET
@page()
def progress(request: HttpRequest) -> HttpResponse:
    """How the analysis under way goes; when it is over, the page is loaded again."""
    going = under_way()
    if going is None:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "shell/progress.html", {"under_way": going})


@require_GET
@page()
def follow_up_progress(request: HttpRequest, name: str) -> HttpResponse:
    """Whether what follows an analysis stands; when it does, the page is loaded again."""
    if name not in FOLLOWING:
        raise Http404(_("Nothing of this name follows an analysis."))
    going = follow_up(name)
    if going is None:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "shell/follow_up.html", {"follow_up": going})


def _revenue(found: Figures) -> SafeString | None:
    """The chart of revenue by week, as it is on the page; None before a week is complete."""
    results = found.results
    data = results["weekly"], results["forecast"], results["totals"]["currency"]
    return written(f"revenue:{found.stamp}", data, lambda: revenue(*data, found.stamp))


def _cards(request: HttpRequest) -> list[dict[str, Any]]:
    """The cards that other rooms put on the page, in their order."""
    cards = []
    for card in sorted(registries.home_cards, key=lambda card: card.order):
        built = card.build(request)
        if built is not None:
            cards.append({"template": card.template, "wide": card.wide, "context": built})
    return cards


def rhythm(activity: Activity) -> list[dict[str, Any]]:
    """Customers by their own rhythm: count, words, address, and the place of each part in a bar of width 100."""
    words = {
        "active": (_("Active"), _("within their own rhythm"), "good"),
        "late": (_("Late"), _("later than their own rhythm"), "warn"),
        "asleep": (_("Asleep"), _("long past their rhythm"), "risk"),
        "never": (_("No purchase yet"), "", ""),
    }
    counts: dict[str, int] = {state: activity[state] for state in _STATES}  # type: ignore[literal-required]
    whole = sum(counts.values()) or 1
    parts, start = [], 0.0
    for state, count in counts.items():
        if not count:
            continue
        label, meaning, level = words[state]
        width = 100 * count / whole
        parts.append(
            {
                "label": label,
                "meaning": meaning,
                "level": level,
                "count": count,
                "share": count / whole,
                "url": customers_where(f"activity:is:{state}"),
                "x": f"{start:.3f}",
                "width": f"{max(width - 0.6, 0.2):.3f}",
            }
        )
        start += width
    return parts


def _changed(found: Figures) -> dict[str, Any] | None:
    """What differs from the run before, or None for the first run."""
    since = found.results["since_previous"]
    value = found.results["value"]
    if since is None:
        return None
    customers = found.results["totals"]["customers"] - since["customers_before"]
    if not (since["value_change"] or customers or any(since["became"].values())):
        return None  # the same data analysed again: nothing to tell
    before = since["value_before"]
    became = {
        "late": _("fell behind their own rhythm"),
        "asleep": _("fell asleep"),
        "active": _("came back into their rhythm"),
    }
    return {
        "as_of": since["as_of"],
        "same_day": since["as_of"] == found.as_of.isoformat(),
        "value_change": since["value_change"] if value is not None else None,
        "value_share": since["value_change"] / before if before else None,
        "customers_change": customers,
        "became": [
            {
                "count": since["became"][state],
                "now": found.results["activity"][state],  # type: ignore[literal-required]
                "words": words,
                "url": customers_where(f"activity:is:{state}"),
            }
            for state, words in became.items()
            if since["became"].get(state)
        ],
    }
