"""The demo's closing words: what stands in the store and what the customer base is worth, as lines of text."""

from typing import cast

from babel.numbers import format_compact_currency, format_currency, format_decimal, format_percent
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from rondo.analysis.results import Results
from rondo.demo.actions.loading import Report, ledger_counts, step_name
from rondo.foundation.money import Money


def lines(report: Report) -> list[str]:
    """Label and value per line, in the language in force; seconds only of the steps that ran in this call."""
    results = cast(Results, report.run.results)
    totals, value = results["totals"], results["value"]
    exposures, redemptions = ledger_counts()
    rows: list[tuple[str, str]] = [
        (_("customers"), _number(totals["customers"])),
        (_("orders"), _number(totals["orders"])),
        (_("lines"), _number(totals["lines"])),
        (_("revenue"), _money(totals["revenue"], totals["currency"])),
        (_("campaigns"), _number(totals["campaigns"])),
        (_("exposures"), _number(exposures)),
        (_("redemptions"), _number(redemptions)),
    ]
    if value is not None:
        total, low, high = (_compact(value[part], value["currency"]) for part in ("total", "low", "high"))
        months = value["horizon_months"]
        rows.append(
            (
                ngettext("value over %(months)d month", "value over %(months)d months", months) % {"months": months},
                _(
                    "%(total)s (calibrated %(level)s interval %(low)s to %(high)s; margin %(margin)s, discounted at "
                    "%(discount)s a year)"
                )
                % {
                    "total": total,
                    "level": _share(value["level"]),
                    "low": low,
                    "high": high,
                    "margin": _share(value["margin_rate"]),
                    "discount": _share(value["discount_rate"]),
                },
            )
        )
    rows += [
        (
            _("seconds for %(step)s") % {"step": step_name(step)},
            _seconds(seconds),
        )
        for step, seconds in report.seconds.items()
    ]
    if report.seconds:
        rows.append((_("seconds in all"), _seconds(sum(report.seconds.values()))))
    width = max(len(label) for label, _text in rows)
    return [f"{label:<{width}}  {text}" for label, text in rows]


def _number(count: int) -> str:
    return format_decimal(count, locale=get_language())


def _seconds(seconds: float) -> str:
    return format_decimal(seconds, "0.0", get_language())


def _share(share: float) -> str:
    return format_percent(share, locale=get_language())


def _money(minor: int, currency: str) -> str:
    return format_currency(Money(minor, currency).major, currency, locale=get_language())


def _compact(minor: int, currency: str) -> str:
    return format_compact_currency(Money(minor, currency).major, currency, locale=get_language(), fraction_digits=2)
