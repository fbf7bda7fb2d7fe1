"""Chances of a first purchase against what came, in tenths."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rondo.analysis.leads.shapes import Bin
from rondo.web import formats
from rondo.web.charts.calibration import promised_and_come
from rondo.web.charts.chart import Cell, Chart, Size, headings
from rondo.web.charts.svg import spoken


def calibration(key: str, title: str, counted: str, bins: Sequence[Bin], csv: str, stamp: str) -> Chart:
    """The share that bought, with its interval, by the chance promised; one point per tenth of what is ``counted``."""
    digits = 0 if max(one["high"] for one in bins) > 0.2 else 2

    def share(value: float) -> Cell:
        return Cell(formats.share(value, 2), round(value, 6))

    def build(size: Size) -> Any:
        data: list[dict[str, Any]] = [
            {
                **one,
                "says": spoken(
                    _("Promised %(expected)s, bought %(share)s (%(low)s to %(high)s)")
                    % {
                        "expected": formats.share(one["expected"], 2),
                        "share": formats.share(one["share"], 2),
                        "low": formats.share(one["low"], 2),
                        "high": formats.share(one["high"], 2),
                    }
                ),
            }
            for one in bins
        ]
        return promised_and_come(data, lambda value: formats.share(value, digits if value else 0))

    return Chart(
        key=key,
        title=title,
        message="",
        columns=headings(counted, _("Promised"), _("Bought"), _("Low"), _("High")),
        rows=[
            [
                Cell(formats.number(one["customers"]), one["customers"]),
                share(one["expected"]),
                share(one["share"]),
                share(one["low"]),
                share(one["high"]),
            ]
            for one in bins
        ],
        build=build,
        stamp=stamp,
        desk=(560, 260),
        csv=csv,
    )
