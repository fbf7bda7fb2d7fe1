"""Leads ranked by their chance of a first purchase, and by category who will buy of it for the first time."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.analysis.leads.bands import BANDS
from rondo.analysis.leads.queries import FoundAsOf, best_leads, found_for
from rondo.analysis.leads.ruled import rule_of
from rondo.analysis.leads.shapes import CategoryInterest
from rondo.customers.queries import sees_all, visible
from rondo.foundation.models import User
from rondo.web import formats
from rondo.web.access import page, viewer
from rondo.web.charts.chart import Chart, chart_file
from rondo.web.charts.portfolio import customers_where
from rondo.web.csv_files import csv_file
from rondo.web.figures import analysis_state, figures
from rondo.web.leads.charts import calibration
from rondo.web.leads.words import because, day_of, missing_interest, missing_leads, theme

SHOWN = 25
CATEGORIES = 40
THEMES = 8
_SURE = 1.645
"""Deviations of a count within which 90 % of such counts lie."""


@require_GET
@page()
def leads(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis that scored it says what will stand here."""
    user = viewer(request)
    found = found_for(user)
    context: dict[str, Any] = {
        "found": found,
        "sees_all": sees_all(user),
        **analysis_state(user, figures(user), "leads"),
    }
    if found is not None:
        context |= _of_leads(user, found) | _of_interest(found) | cards(found)
    return render(request, "leads/leads.html", context)


def cards(found: FoundAsOf) -> dict[str, Any]:
    """What the cards of both models show: the hold-outs with their charts, and what each was taught on."""
    results = found.results
    of_leads, interest = results["leads"]["judged"], results["interest"]["judged"]
    return {
        "lead_card": of_leads and _card(of_leads["day"], results["leads"]["landmarks"]),
        "interest_card": interest and _card(interest["day"], results["interest"]["landmarks"]),
        "lead_chart": _lead_chart(found),
        "interest_chart": _interest_chart(found),
        "leads": results["leads"],
        "interest": results["interest"],
    }


def _card(day: str, landmarks: list[str]) -> dict[str, Any]:
    return {"day": day_of(day), "first": day_of(landmarks[-1]) if landmarks else None, "landmarks": len(landmarks)}


def _of_leads(user: User, found: FoundAsOf) -> dict[str, Any]:
    results = found.results["leads"]
    if results["reason"]:
        why, way = missing_leads(results)
        return {"lead_missing": why, "lead_way": way}
    best = best_leads(user, SHOWN)
    people = visible(user).in_bulk([one.customer for one in best])
    twice = min(2 * results["average"], 1.0)
    return {
        "rows": [(people[one.customer], one, because(one)) for one in best if one.customer in people],
        "bands": _bands(results["bands"])[::-1],
        "all_url": customers_where(rule="lead_chance >= 0%"),
        "twice_url": customers_where(rule=f"lead_chance >= {100 * twice:.2f}%"),
        "themes": [(theme(key), weight) for key, weight in results["themes"][:THEMES]],
        "expected": sum(one.chance for one in best),
    }


def _bands(counts: list[int]) -> list[dict[str, Any]]:
    rows = []
    for place, count in enumerate(counts):
        low, high = BANDS[place], BANDS[place + 1] if place + 1 < len(BANDS) else None
        rule = f"lead_chance >= {100 * low:g}%" + ("" if high is None else f" and lead_chance < {100 * high:g}%")
        rows.append(
            {
                "low": formats.share(low, 0),
                "high": "" if high is None else formats.share(high, 0),
                "customers": count,
                "url": customers_where(rule=rule),
            }
        )
    return rows


def _of_interest(found: FoundAsOf) -> dict[str, Any]:
    results = found.results["interest"]
    if results["reason"]:
        return {"interest_missing": missing_interest(results)}
    rows = [_category(one) for one in results["categories"]]
    shown = [row for row in rows if row["likely"]]
    # The category of most first purchases; what the last hold-out did not foretell is no headline.
    best = max((row for row in shown if not row["off"]), key=lambda row: row["expected"], default=None)
    return {
        "categories": shown[:CATEGORIES],
        "more": len(shown) - CATEGORIES,
        "best": best,
        "total": sum(one["expected"] for one in results["categories"]),
    }


def _category(one: CategoryInterest) -> dict[str, Any]:
    department, _mark, name = one["path"].rpartition(" > ")
    return {
        **one,
        "name": name,
        "department": department,
        "off": abs(one["came"] - one["was_expected"]) > _SURE * one["was_expected"] ** 0.5 + 1,
        "url": customers_where(rule=rule_of(one["path"], one["from_chance"])),
    }


def _lead_chart(found: FoundAsOf) -> Chart | None:
    judged = found.results["leads"]["judged"]
    if judged is None:
        return None
    address = reverse("leads-table", args=["leads"])
    return calibration(
        "leads", _("Chance promised and what came"), _("Leads"), judged["bins"], address, f"leads:{found.run}"
    )


def _interest_chart(found: FoundAsOf) -> Chart | None:
    judged = found.results["interest"]["judged"]
    if judged is None:
        return None
    address = reverse("leads-table", args=["interest"])
    title, counted = _("Interest promised and what came"), _("Customers × categories")
    return calibration("interest", title, counted, judged["bins"], address, f"interest:{found.run}")


@require_GET
@page()
def table(request: HttpRequest, which: str) -> HttpResponse:
    """A calibration as CSV or PNG, or the figures by category as CSV."""
    found = found_for(viewer(request))
    if found is None:
        raise Http404
    if which == "categories":
        return _categories(found, f"rondo-interest-{found.as_of}")
    chart = {"leads": _lead_chart, "interest": _interest_chart}.get(which, lambda _found: None)(found)
    if chart is None:
        raise Http404
    return chart_file(request, chart, f"rondo-{which}-{found.as_of}")


def _categories(found: FoundAsOf, name: str) -> HttpResponse:
    """The figures by category; who does not see all customers gets those that are counted over theirs alone."""
    head = [_("Category"), _("Twice as likely"), _("from a chance of")]
    columns = ["path", "likely", "from_chance"]
    if found.whole:
        head += [_("Never bought it"), _("Expected"), _("Expected last time"), _("Came"), _("Area under the curve")]
        columns += ["open", "expected", "was_expected", "came", "auc"]
    rows: list[dict[str, Any]] = [{**one} for one in found.results["interest"]["categories"]]
    return csv_file(name, head, [[row[column] for column in columns] for row in rows])
