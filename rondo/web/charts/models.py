"""The charts of the page Models: candidates against the best of them, and promised against observed silence."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.analysis.results import Candidate, ChurnBin, Selection
from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, COMPARED, MUTED, QUIET, axis, plot, ticks
from rondo.web.charts.chart import Cell, Chart, Column, Size, headings
from rondo.web.charts.portfolio import customer_count, customers_where
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_SURE = 1.645


def candidates(found: Selection, stamp: str) -> Chart | None:
    """How much worse each model of purchases forecast than the best one, with 90 % bands; None without hold-outs."""
    tried = [one for one in found["candidates"] if one["excess"] is not None]
    if not tried:
        return None

    def build(size: Size) -> Any:
        rows: list[dict[str, Any]] = [
            {
                "y": number,
                "x": one["excess"],
                "low": max((one["excess"] or 0) - _SURE * (one["excess_error"] or 0), 0),
                "high": (one["excess"] or 0) + _SURE * (one["excess_error"] or 0),
                "says": spoken(_says(one)),
                "colour": ACTUAL if one["model"] == found["chosen"] else QUIET,
            }
            for number, one in enumerate(tried)
        ]
        marks = ticks(max([row["high"] for row in rows] + [1e-6]), 4)
        digits = 3 if marks[-1] < 0.1 else 2
        x = alt.X(
            "x:Q",
            scale=alt.Scale(domain=[0, marks[-1]], nice=False),
            axis=axis(marks, [formats.number(mark, digits) for mark in marks], grid=True, domain=False),
        )
        y = alt.Y(
            "y:Q",
            scale=alt.Scale(domain=[len(tried) - 0.5, -0.5], nice=False),
            axis=axis(
                list(range(len(tried))), [one["title"] for one in tried], ticks=False, domain=False, labelPadding=12
            ),
        )
        base = plot(rows)
        colour = alt.Color("colour:N", scale=None)
        return alt.layer(
            base.mark_rule(aria=False, strokeWidth=2).encode(
                x=alt.X("low:Q", axis=None), x2=alt.X2("high:Q"), y=y, color=colour
            ),
            base.mark_circle(size=110, opacity=1).encode(x=x, y=y, color=colour, description=alt.Description("says:N")),
        )

    return Chart(
        key="candidates",
        title=_("Candidates against the best"),
        message="",
        columns=[
            Column(_("Model"), figures=False),
            Column(_("Mean absolute error")),
            Column(_("Mean absolute error of the medians")),
            Column(_("Root mean square error")),
            Column(_("Error of the total")),
            Column(_("Correlation")),
            Column(_("Deviance")),
            Column(_("Above the best")),
            Column(_("Standard error of that")),
        ],
        rows=[_row(one) for one in found["candidates"]],
        build=build,
        stamp=stamp,
        desk=(520, 150),
        phone=(200, 150),
    )


def _row(one: Candidate) -> list[Cell]:
    return [
        Cell(one["title"], str(one["title"])),
        _cell(one["mae"], 3),
        _cell(one.get("median_mae"), 3),
        _cell(one["rmse"], 3),
        Cell("–" if one["total_error"] is None else formats.share(one["total_error"]), one["total_error"]),
        _cell(one["correlation"], 3),
        _cell(one["deviance"], 4),
        _cell(one["excess"], 4),
        _cell(one["excess_error"], 4),
    ]


def _cell(value: float | None, digits: int) -> Cell:
    return Cell("–" if value is None else formats.number(value, digits), value)


def _says(one: Candidate) -> str:
    return _("%(model)s: deviance %(excess)s above the best (standard error %(error)s)") % {
        "model": one["title"],
        "excess": formats.number(one["excess"] or 0, 4),
        "error": formats.number(one["excess_error"] or 0, 4),
    }


def silence(bins: Sequence[ChurnBin], stamp: str) -> Chart:
    """The share that fell silent by the risk that had been forecast, against the diagonal where both are one."""
    urls = [_alike(number, bins) for number in range(len(bins))]

    def build(size: Size) -> Any:
        top = min(max([one["high"] for one in bins] + [one["expected"] for one in bins]), 1.0)
        marks = [mark for mark in ticks(top, 4) if mark <= 1] or [0.0, 1.0]
        labels = [formats.share(mark, 0) for mark in marks]
        reach = alt.Scale(domain=[0, marks[-1]], nice=False)
        x = alt.X("x:Q", scale=reach, axis=axis(marks, labels, grid=False, domain=True))
        y = alt.Y("y:Q", scale=reach, axis=axis(marks, labels, grid=True, ticks=False, domain=False, labelPadding=8))
        rows = [
            {
                "x": one["expected"],
                "y": one["share"],
                "low": one["low"],
                "high": one["high"],
                "says": spoken(
                    _("%(customers)s: %(expected)s forecast, %(share)s fell silent (%(low)s to %(high)s)")
                    % {
                        "customers": customer_count(one["customers"]),
                        "expected": formats.share(one["expected"]),
                        "share": formats.share(one["share"]),
                        "low": formats.share(one["low"]),
                        "high": formats.share(one["high"]),
                    },
                    url,
                ),
            }
            for one, url in zip(bins, urls, strict=True)
        ]
        line = plot([{"x": 0, "y": 0}, {"x": marks[-1], "y": marks[-1]}])
        named = plot([{"x": 0.9 * marks[-1], "y": 0.95 * marks[-1], "text": _("as forecast")}])
        base = plot(rows)
        return alt.layer(
            line.mark_line(aria=False, color=MUTED, strokeDash=[4, 3], strokeWidth=1).encode(x=x, y=y),
            named.mark_text(aria=False, align="right", color=MUTED).encode(x=x, y=y, text=alt.Text("text:N")),
            base.mark_rule(aria=False, color=COMPARED, strokeWidth=1.5).encode(
                x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
            ),
            base.mark_circle(size=90, opacity=1, color=ACTUAL).encode(x=x, y=y, description=alt.Description("says:N")),
        )

    return Chart(
        key="silence",
        title=_("Risk forecast and what happened"),
        message="",
        columns=headings(_("Customers"), _("Risk forecast"), _("Fell silent"), _("Low"), _("High")),
        rows=[
            [
                Cell(formats.number(one["customers"]), one["customers"], url),
                *[
                    Cell(formats.share(value), round(value, 6))
                    for value in (one["expected"], one["share"], one["low"], one["high"])
                ],
            ]
            for one, url in zip(bins, urls, strict=True)
        ],
        build=build,
        stamp=stamp,
        desk=(960, 280),
        phone=(250, 220),
    )


def _alike(number: int, bins: Sequence[ChurnBin]) -> str:
    """The customers whose risk is like that of a bin today: between the middles to the bins beside it."""
    middles = [(one["expected"] + other["expected"]) / 2 for one, other in pairwise(bins)]
    bounds = [f"churn:min:{middles[number - 1]:.6f}"] if number else []
    bounds += [f"churn:below:{middles[number]:.6f}"] if number < len(middles) else []
    return customers_where(*(bounds or ["churn:known:"]))
