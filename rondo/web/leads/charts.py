"""Chances of a first purchase against what came, in tenths."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.analysis.leads.shapes import Bin
from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, MUTED, axis, plot, ticks, upright
from rondo.web.charts.chart import Cell, Chart, Size, headings
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt


def calibration(key: str, title: str, counted: str, bins: Sequence[Bin], csv: str, stamp: str) -> Chart:
    """The share that bought, with its interval, by the chance promised; one point per tenth of what is ``counted``."""
    digits = 0 if max(one["high"] for one in bins) > 0.2 else 2

    def share(value: float) -> Cell:
        return Cell(formats.share(value, 2), round(value, 6))

    def build(size: Size) -> Any:
        top = max(max(one["high"], one["expected"]) for one in bins)
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
        marks = ticks(top, 4)
        labels = [formats.share(mark, digits if mark else 0) for mark in marks]
        scale = alt.Scale(domain=[0, marks[-1]], nice=False)
        x = alt.X("expected:Q", scale=scale, axis=axis(marks, labels, domain=True))
        y = upright("share", top, lambda value: formats.share(value, digits if value else 0))
        ends: list[dict[str, Any]] = [{"expected": 0, "share": 0}, {"expected": marks[-1], "share": marks[-1]}]
        named = plot([ends[1] | {"text": _("as promised")}])
        return alt.layer(
            plot(ends).mark_line(aria=False, color=MUTED, strokeDash=[4, 4], strokeWidth=1).encode(x=x, y=y),
            plot(data)
            .mark_rule(aria=False, color=ACTUAL, strokeWidth=2)
            .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
            plot(data)
            .mark_circle(color=ACTUAL, size=70, opacity=1)
            .encode(x=x, y=y, description=alt.Description("says:N")),
            named.mark_text(aria=False, align="right", dx=-64, dy=8, color=MUTED).encode(
                x=x, y=y, text=alt.Text("text:N")
            ),
        )

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
