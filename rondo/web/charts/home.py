"""The chart of the home page: revenue by week, and what the coming weeks are expected to bring."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.analysis.results import ForecastPoint, WeekPoint
from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, BAND, GRID, MUTED, QUIET, axis, plot, upright
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customers_where
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_FEW_TICKS = 5
_MANY_TICKS = 10
_NARROW = 400


def revenue(weekly: Sequence[WeekPoint], forecast: Sequence[ForecastPoint], currency: str, stamp: str) -> Chart | None:
    """Revenue of each complete week and the forecast with its 90 % band, from zero; None before a week is complete."""
    weeks = [week for week in weekly if week["complete"]]
    if not weeks:
        return None
    rows = [
        [
            Cell(formats.day(week["week"]), week["week"]),
            Cell(formats.money(week["revenue"], currency, 0), Money(week["revenue"], currency).major),
            Cell(formats.number(week["orders"]), week["orders"]),
            Cell(formats.number(week["buyers"]), week["buyers"], _buyers(week["week"]) if week["buyers"] else ""),
            Cell("", ""),
            Cell("", ""),
        ]
        for week in weeks
    ] + [
        [
            Cell(formats.day(point["week"]), point["week"]),
            Cell(formats.money(point["expected"], currency, 0), Money(point["expected"], currency).major),
            Cell("", ""),
            Cell("", ""),
            Cell(formats.money(point["low"], currency, 0), Money(point["low"], currency).major),
            Cell(formats.money(point["high"], currency, 0), Money(point["high"], currency).major),
        ]
        for point in forecast
    ]
    columns = [
        Column(_("Week from"), figures=False),
        Column(_("Revenue")),
        Column(_("Orders")),
        Column(_("Buyers")),
        Column(_("Forecast, low")),
        Column(_("Forecast, high")),
    ]
    return Chart(
        key="revenue",
        title=_("Revenue by week"),
        message="",
        columns=columns,
        rows=rows,
        build=lambda size: _drawing(weeks, forecast, currency, size),
        stamp=stamp,
        desk=(700, 250),
    )


def _buyers(week: str) -> str:
    """The customers who bought in the week that begins on a day."""
    first = date.fromisoformat(week)
    return customers_where(rule=f"did purchase where amount >= 0 between {first} and {first + timedelta(days=6)}")


def _drawing(weeks: Sequence[WeekPoint], forecast: Sequence[ForecastPoint], currency: str, size: Size) -> Any:
    past: list[dict[str, Any]] = [
        {"x": _number(week["week"]), "y": week["revenue"], "says": _says(week, currency)} for week in weeks
    ]
    coming: list[dict[str, Any]] = [
        {
            "x": _number(point["week"]),
            "y": point["expected"],
            "low": point["low"],
            "high": point["high"],
            "says": spoken(
                _("Week from %(day)s, forecast: %(expected)s (%(low)s to %(high)s)")
                % {
                    "day": formats.day(point["week"]),
                    "expected": formats.money(point["expected"], currency, 0),
                    "low": formats.money(point["low"], currency, 0),
                    "high": formats.money(point["high"], currency, 0),
                }
            ),
        }
        for point in forecast
    ]
    everything = past + coming
    first, last = everything[0]["x"], everything[-1]["x"]
    top = max([p["y"] for p in past] + [p["high"] for p in coming])
    y = upright("y", top, lambda value: formats.compact_money(value, currency, 2), wanted=3 if size[0] < _NARROW else 5)
    x = alt.X("x:Q", scale=alt.Scale(domain=[first - 4, last + 4], nice=False), axis=months(first, last, size[0]))
    # The forecast begins where the past ends, so that the eye follows one line.
    joined = ([past[-1] | {"low": past[-1]["y"], "high": past[-1]["y"]}] if past and coming else []) + coming
    layers = []
    if joined:
        ahead = plot(joined)
        layers += [
            ahead.mark_area(aria=False, color=BAND).encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
            ahead.mark_line(aria=False, color=ACTUAL, strokeWidth=1.5, strokeDash=[4, 3]).encode(x=x, y=y),
        ]
    layers.append(plot(past).mark_line(aria=False, color=ACTUAL, strokeWidth=2).encode(x=x, y=y))
    if coming and past:
        start = plot([{"x": past[-1]["x"] + 3.5, "y": 0, "text": _("forecast")}])
        layers += [
            start.mark_rule(aria=False, color=QUIET, strokeDash=[2, 3]).encode(x=x),
            start.mark_text(aria=False, align="left", baseline="bottom", dx=6, dy=-6, color=MUTED).encode(
                x=x, y=y, text=alt.Text("text:N")
            ),
        ]
    # Each week is a transparent column as high as the plot: easy to point at, and a stop of the keyboard.
    stops = [point | {"from": point["x"] - 3.5, "to": point["x"] + 3.5} for point in everything]
    layers.append(
        plot(stops)
        .mark_rect(color=GRID, fillOpacity=0)
        .encode(x=alt.X("from:Q"), x2=alt.X2("to:Q"), description=alt.Description("says:N"))
    )
    return alt.layer(*layers)


def _says(week: WeekPoint, currency: str) -> str:
    return spoken(
        _("Week from %(day)s: %(revenue)s in %(orders)s orders by %(buyers)s buyers")
        % {
            "day": formats.day(week["week"]),
            "revenue": formats.money(week["revenue"], currency, 0),
            "orders": formats.number(week["orders"]),
            "buyers": formats.number(week["buyers"]),
        }
    )


def _number(day: str) -> int:
    return date.fromisoformat(day).toordinal()


def months(first: int, last: int, width: int) -> "alt.Axis":
    """Ticks at the first of months, fewer where space is short; the first and every January show the year."""
    start, end = date.fromordinal(first), date.fromordinal(last)
    days, day = [], date(start.year, start.month, 1)
    while day <= end:
        if day >= start:
            days.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    wanted = _FEW_TICKS if width < _NARROW else _MANY_TICKS
    step = next((s for s in (1, 2, 3, 6, 12) if len(days) / s <= wanted), 12)
    days = [day for day in days if (day.month - 1) % step == 0]
    labels = [formats.month(day) if day.month == 1 or day == days[0] else formats.month_name(day) for day in days]
    return axis([day.toordinal() for day in days], labels, grid=False)
