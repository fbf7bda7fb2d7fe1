"""Trading up: price tiers by category, which of them customers buy, and for whom a higher one is likely."""

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.analysis.next.queries import found_for
from rondo.analysis.next.shapes import TierCategory, TierRow, Trading, quoted
from rondo.customers.queries import sees_all
from rondo.foundation.installation import installation
from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.access import page, viewer
from rondo.web.charts.portfolio import customers_where
from rondo.web.csv_files import csv_file
from rondo.web.figures import analysis_state, figures


@require_GET
@page()
def trading_up(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis, or where not all customers are visible, it says what will stand here."""
    user = viewer(request)
    found = found_for(user)
    trading: Trading | None = found.results.get("trading") if found else None
    context: dict[str, Any] = {
        "found": found,
        "trading": trading,
        "sees_all": sees_all(user),
        **analysis_state(user, figures(user), "next"),
    }
    if trading is not None:
        context |= {
            "rows": [_row(one) for one in trading["categories"]],
            "all_url": customers_where(rule="upsell_category is known"),
            "judged": _judged(trading),
            "reason": _reason(trading["reason"]),
        }
    return render(request, "shell/trading.html", context)


def tier_name(tier: str) -> str:
    """The name of a tier in the viewer's language."""
    return {"low": _("low tier"), "middle": _("middle tier"), "high": _("high tier")}.get(tier, tier)


def size_text(amount: float, unit: str) -> str:
    """The size of a package in words: 453.6 g, 1.5 l."""
    if unit in ("g", "ml") and amount >= 1000:
        amount, unit = amount / 1000, {"g": "kg", "ml": "l"}[unit]
    words = _("pieces") if unit == "pieces" else unit
    return f"{formats.number(amount, 0 if float(amount).is_integer() else 1)} {words}"


def _row(one: TierCategory) -> dict[str, Any]:
    return one | {
        "tiers": [
            _tier(row, one["tiers"][place + 1] if place + 1 < len(one["tiers"]) else None)
            for place, row in enumerate(one["tiers"])
        ],
        "size": size_text(one["usual"], one["unit"]) if one["by_size"] else "",
        "buyers_url": customers_where(rule=f"did purchase where category = {quoted(one['path'])}"),
        "url": customers_where(rule=f"upsell_category = {quoted(one['name'][:120])}"),
    }


def _tier(row: TierRow, above: TierRow | None) -> dict[str, Any]:
    if not row["start"] and above is not None:
        span = _("below %(price)s") % {"price": formats.money(above["start"])}
    elif above is None:
        span = _("from %(price)s") % {"price": formats.money(row["start"])}
    else:
        span = _("%(low)s to below %(high)s") % {
            "low": formats.money(row["start"]),
            "high": formats.money(above["start"]),
        }
    return row | {"name": tier_name(row["tier"]), "span": span, "products": ", ".join(row["examples"])}


def _judged(trading: Trading) -> dict[str, Any] | None:
    """How the chances held in the latest weeks."""
    card: Any = trading["card"]
    judged = card.get("judged")
    if judged is None:
        return None
    return {
        "days": card["horizon"],
        "purchases": judged["purchases"],
        "share": judged["higher"] / judged["purchases"],
        "top": judged["top_tenth"],
        "auc": judged["auc"]["value"],
    }


def _reason(code: str) -> str:
    return {
        "no_tiers": _(
            "No category has two price tiers: it takes products with a category whose prices, as really paid, differ "
            "by a fifth or more."
        ),
        "not_held": _(
            "Customers hold to the tiers of no category more than chance would have it, so that nobody is said to "
            "trade up."
        ),
        "nobody": _("Nobody has bought twice in a category below its highest tier yet."),
        "few": _("There are too few purchases yet to learn from who takes a higher tier."),
        "no_signal": _(
            "What is known of customers does not tell who takes a higher tier next, so that there are no chances."
        ),
    }.get(code, "")


@require_GET
@page()
def tiers_csv(request: HttpRequest) -> HttpResponse:
    """The tiers of the page as CSV, a row each."""
    found = found_for(viewer(request))
    trading = found.results.get("trading") if found else None
    if trading is None:
        raise Http404
    head = [
        _("Category"),
        _("Level"),
        _("Tier"),
        _("From"),
        _("Mean price"),
        _("Price of"),
        _("Customers"),
        _("Share"),
        _("Tells customers apart"),
        _("May trade up"),
        _("Expected"),
        _("Low"),
        _("High"),
        _("Currency"),
    ]
    code = installation().currency
    rows = [
        [
            one["path"],
            one["level"],
            tier_name(tier["tier"]),
            _major(tier["start"], code),
            _major(tier["price"], code),
            f"{one['usual']} {one['unit']}" if one["by_size"] else "",
            one["customers"],
            tier["share"],
            int(one["held"]),
            one["candidates"],
            *(_major(amount, code) for amount in (one["gain"], one["gain_low"], one["gain_high"])),
            code,
        ]
        for one in trading["categories"]
        for tier in one["tiers"]
    ]
    return csv_file("trading-up", head, rows)


def _major(amount: int, code: str) -> Decimal:
    return Money(amount, code).major
