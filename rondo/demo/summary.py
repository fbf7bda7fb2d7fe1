"""The demo's closing words: what stands in the store and what the customer base is worth, as lines of text."""

from typing import cast

from babel.numbers import format_compact_currency, format_currency, format_decimal

from rondo.analysis.results import Results
from rondo.demo.actions import Report, ledger_counts
from rondo.foundation.money import Money


def _money(minor: int, currency: str) -> str:
    return format_currency(Money(minor, currency).major, currency, locale="en_US")


def _compact(minor: int, currency: str) -> str:
    return format_compact_currency(Money(minor, currency).major, currency, locale="en_US", fraction_digits=2)


def lines(report: Report) -> list[str]:
    """Label and value per line; seconds only of the steps that ran in this call."""
    results = cast(Results, report.run.results)
    totals, value = results["totals"], results["value"]
    exposures, redemptions = ledger_counts()
    rows: list[tuple[str, str]] = [
        ("customers", format_decimal(totals["customers"], locale="en_US")),
        ("orders", format_decimal(totals["orders"], locale="en_US")),
        ("lines", format_decimal(totals["lines"], locale="en_US")),
        ("revenue", _money(totals["revenue"], totals["currency"])),
        ("campaigns", format_decimal(totals["campaigns"], locale="en_US")),
        ("exposures", format_decimal(exposures, locale="en_US")),
        ("redemptions", format_decimal(redemptions, locale="en_US")),
    ]
    if value is not None:
        low, high = (_compact(value[end], value["currency"]) for end in ("low", "high"))
        rows.append(
            (
                f"value over {value['horizon_months']} months",
                f"{_compact(value['total'], value['currency'])} (calibrated {value['level']:.0%} interval "
                f"{low} to {high}; margin {value['margin_rate']:.0%}, "
                f"discounted at {value['discount_rate']:.0%} a year)",
            )
        )
    rows += [(f"seconds for {step}", f"{seconds:.1f}") for step, seconds in report.seconds.items()]
    if report.seconds:
        rows.append(("seconds in all", f"{sum(report.seconds.values()):.1f}"))
    width = max(len(label) for label, _ in rows)
    return [f"{label:<{width}}  {text}" for label, text in rows]
