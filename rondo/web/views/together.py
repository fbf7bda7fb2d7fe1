"""What is bought together: pairs of categories and products above chance, and the customers who buy but one."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.analysis.next.queries import found_for
from rondo.analysis.next.shapes import Pair, PairTable
from rondo.customers.queries import sees_all
from rondo.web.access import page, viewer
from rondo.web.charts.portfolio import customers_where
from rondo.web.csv_files import csv_file
from rondo.web.figures import analysis_state, figures

_LEVELS = ("categories", "products")
_COLUMNS = ("one", "other", "baskets", "with_one", "with_other", "lift", "low", "high", "customers")


@require_GET
@page()
def together(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis, or where not all customers are visible, it says what will stand here."""
    user = viewer(request)
    found = found_for(user)
    context: dict[str, Any] = {
        "found": found,
        "sees_all": sees_all(user),
        **analysis_state(user, figures(user), "next"),
    }
    if found is not None:
        tables = [_table("categories", found.results["categories"]), _table("products", found.results["products"])]
        context |= {
            "tables": tables,
            "headline": next((table["rows"][0] for table in tables if table["rows"]), None),
            "due_soon": found.results.get("due_in_week", 0),
            "due_url": customers_where(rule="next_due within next 7 days"),
            "reason": found.results["reason"],
        }
    return render(request, "shell/together.html", context)


def _table(level: str, table: PairTable) -> dict[str, Any]:
    return {
        "level": level,
        "title": _("Categories") if level == "categories" else _("Products"),
        "rows": [_row(pair) for pair in table["pairs"]],
        "called": table["called"],
        "tested": table["tested"],
        "baskets": table["baskets"],
    }


def _row(pair: Pair) -> dict[str, Any]:
    return pair | {"share": pair["baskets"] / pair["with_one"], "url": customers_where(rule=pair["rule"])}


@require_GET
@page()
def together_csv(request: HttpRequest, level: str) -> HttpResponse:
    """The pairs of a level (categories or products) as CSV."""
    found = found_for(viewer(request))
    if found is None or level not in _LEVELS:
        raise Http404
    table = found.results["categories"] if level == "categories" else found.results["products"]
    head = [
        _("First"),
        _("Second"),
        _("Baskets with both"),
        _("Baskets with the first"),
        _("Baskets with the second"),
        _("Lift"),
        _("Low"),
        _("High"),
        _("Buy only the first"),
    ]
    rows: list[dict[str, Any]] = [{**pair} for pair in table["pairs"]]
    return csv_file(f"bought-together-{level}", head, [[row[column] for column in _COLUMNS] for row in rows])
