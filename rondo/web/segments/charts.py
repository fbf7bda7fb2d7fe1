"""The charts of studies: reach against likeness."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, BAND, MUTED, axis, plot, ticks, upright
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customer_count
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_NARROW = 400


def reach(curve: Sequence[dict[str, Any]], others: int, listed: str, csv: str, stamp: str) -> Chart | None:
    """Members found again while hidden, by how many of the closest are reached; ``listed`` is the address of the list
    of twins. None without a curve."""
    if not curve:
        return None
    rows = [
        [
            Cell(formats.number(point["customers"]), point["customers"], f"{listed}?upto={point['customers']}"),
            Cell(formats.share(point["share"]), round(point["share"], 4)),
            Cell(formats.share(point["similarity"], 0), round(point["similarity"], 4)),
            Cell(formats.share(point["found"], 0), round(point["found"], 4)),
            Cell(
                _("%(low)s to %(high)s")
                % {"low": formats.share(point["low"], 0), "high": formats.share(point["high"], 0)},
                f"{point['low']:.4f}..{point['high']:.4f}",
            ),
            Cell(formats.number(point["lift"], 1), round(point["lift"], 3)),
        ]
        for point in curve
    ]
    return Chart(
        key="twins",
        title=_("Reach against likeness"),
        message="",
        columns=[
            Column(_("The closest")),
            Column(_("Of all outside")),
            Column(_("Likeness of the last one")),
            Column(_("Hidden members found")),
            Column(_("90% interval"), figures=False),
            Column(_("Times chance")),
        ],
        rows=rows,
        build=lambda size: _reach(curve, others, size),
        stamp=stamp,
        desk=(620, 260),
        csv=csv,
    )


def _reach(curve: Sequence[dict[str, Any]], others: int, size: Size) -> Any:
    start = {"customers": 0, "found": 0.0, "low": 0.0, "high": 0.0, "share": 0.0}
    points = [start, *curve]
    last = curve[-1]["customers"]
    marks = [float(value) for value in ticks(last, 3 if size[0] < _NARROW else 6) if value <= last]
    x = alt.X(
        "customers:Q",
        scale=alt.Scale(domain=[0, last], nice=False),
        axis=axis(marks, [formats.compact_number(value) for value in marks], domain=True),
    )
    y = upright("found", 1.0, lambda value: formats.share(value, 0), wanted=5)
    data = [
        point
        | {
            "says": spoken(
                _("The closest %(customers)s: %(found)s of the hidden members are among them, by chance %(chance)s")
                % {
                    "customers": customer_count(point["customers"]),
                    "found": formats.share(point["found"], 0),
                    "chance": formats.share(point["share"], 0),
                }
            )
        }
        for point in points
    ]
    chance = [{"customers": 0, "found": 0.0}, {"customers": last, "found": last / others}]
    named = [chance[1] | {"text": _("by chance")}]
    return alt.layer(
        plot(data).mark_area(aria=False, color=BAND).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        plot(chance)
        .mark_line(aria=False, color=MUTED, strokeDash=[4, 4], strokeWidth=1)
        .encode(x=x, y=alt.Y("found:Q")),
        plot(data).mark_line(aria=False, color=ACTUAL, strokeWidth=2).encode(x=x, y=y),
        plot(data[1:]).mark_circle(color=ACTUAL, size=70, opacity=1).encode(x=x, y=y, description="says:N"),
        plot(named).mark_text(aria=False, align="right", dx=-4, dy=-8, color=MUTED).encode(x=x, y=y, text="text:N"),
    )
