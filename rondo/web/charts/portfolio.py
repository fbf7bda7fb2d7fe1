"""The charts of the portfolio: value, recency by frequency, who brings the revenue, forecast and actual."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.results import Concentration, Decile, GridCell, ValueBin
from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, COMPARED, HEAT, INK, ON_FILL, QUIET, axis, plot, upright
from rondo.web.charts.chart import Cell, Chart, Column, Size, headings
from rondo.web.charts.svg import spoken
from rondo.web.sentences import linked, sentence

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_NARROW = 400


def customers_where(*conditions: str, rule: str = "") -> str:
    """The address of the customer list under these filters, and under a rule where no filter can say it."""
    pairs = [("f", condition) for condition in conditions] + ([("rule", rule)] if rule else [])
    return f"{reverse('customers')}?{urlencode(pairs)}"


def everybody() -> str:
    """The address of the list of all customers whom the analysis knows."""
    return customers_where(rule="ladder is known")


def customer_count(count: int) -> str:
    """A number of customers in words."""
    return ngettext("%(count)s customer", "%(count)s customers", count) % {"count": formats.number(count)}


def distribution(bins: Sequence[ValueBin], currency: str, stamp: str) -> Chart:
    """Customers by what each is worth; the last bar holds all above."""
    names = [_range(item, currency, last=item is bins[-1]) for item in bins]
    urls = [_value_url(item, currency, last=item is bins[-1]) for item in bins]
    rows = [
        [
            Cell(name, name),
            Cell(formats.number(item["customers"]), item["customers"], url),
            Cell(formats.money(item["value"], currency, 0), Money(item["value"], currency).major),
        ]
        for item, name, url in zip(bins, names, urls, strict=True)
    ]

    def build(size: Size) -> Any:
        data = [
            {
                "from": position + 0.06,
                "to": position + 0.94,
                "y": item["customers"],
                "zero": 0,
                "says": spoken(
                    _("%(range)s: %(customers)s, together %(value)s")
                    % {
                        "range": name,
                        "customers": customer_count(item["customers"]),
                        "value": formats.compact_money(item["value"], currency),
                    },
                    url,
                ),
            }
            for position, (item, name, url) in enumerate(zip(bins, names, urls, strict=True))
        ]
        step = 4 if size[0] < _NARROW else 2
        edges = [position for position in range(len(bins)) if position % step == 0]
        labels = [
            formats.money(bins[position]["low"], currency, 0) if position < len(bins) - 1 else _open(bins[-1], currency)
            for position in edges
        ]
        x = alt.X("from:Q", scale=alt.Scale(domain=[0, len(bins)], nice=False), axis=axis(edges, labels, domain=True))
        y = upright("y", max((item["customers"] for item in bins), default=0), formats.number)
        bars = plot(data).mark_rect(color=ACTUAL)
        return bars.encode(x=x, x2=alt.X2("to:Q"), y=y, y2=alt.Y2("zero:Q"), description=alt.Description("says:N"))

    return Chart(
        key="distribution",
        title=_("Customers by value"),
        message="",
        columns=[Column(_("Value"), figures=False), Column(_("Customers")), Column(_("Value together"))],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(560, 250),
    )


def _open(item: ValueBin, currency: str) -> str:
    return _("%(low)s+") % {"low": formats.money(item["low"], currency, 0)}


def _range(item: ValueBin, currency: str, last: bool) -> str:
    low = formats.money(item["low"], currency, 0)
    if last:
        return _("%(low)s and more") % {"low": low}
    return _("%(low)s to %(high)s") % {"low": low, "high": formats.money(item["high"], currency, 0)}


def _value_url(item: ValueBin, currency: str, last: bool) -> str:
    low, high = Money(item["low"], currency).major, Money(item["high"], currency).major
    bounds = [f"value:min:{low}"] + ([] if last else [f"value:below:{high}"])
    return customers_where(*bounds)


def grid(cells: Sequence[GridCell], currency: str, stamp: str, *, valued: bool = True) -> Chart:
    """Recency by frequency: 25 cells (fewer where many customers are alike), darker where more customers are. Where
    customers are not ``valued`` it tells no worth."""
    urls = [_cell_url(cell) for cell in cells]
    rows = [
        [
            Cell(
                _days_range(cell["recency_low"], cell["recency_high"]), f"{cell['recency_low']}-{cell['recency_high']}"
            ),
            Cell(
                _count_range(cell["frequency_low"], cell["frequency_high"]),
                f"{cell['frequency_low']}-{cell['frequency_high']}",
            ),
            Cell(formats.number(cell["customers"]), cell["customers"], url),
            Cell(formats.money(cell["value"], currency, 0), Money(cell["value"], currency).major)
            if valued
            else Cell(formats.DASH, ""),
        ]
        for cell, url in zip(cells, urls, strict=True)
    ]

    def build(size: Size) -> Any:
        most = max((cell["customers"] for cell in cells), default=0) or 1
        data = [
            {
                "r": cell["recency"],
                "f": cell["frequency"],
                "colour": HEAT[heat_step(cell["customers"], most)],
                "text": formats.number(cell["customers"]),
                "value": formats.compact_money(cell["value"], currency, 2) if valued and cell["customers"] else "",
                "ink": ON_FILL if heat_step(cell["customers"], most) == len(HEAT) - 1 else INK,
                "says": spoken(
                    (
                        _("Last bought %(recency)s ago, on %(frequency)s: %(customers)s worth %(value)s")
                        if valued
                        else _("Last bought %(recency)s ago, on %(frequency)s: %(customers)s")
                    )
                    % {
                        "recency": _days_range(cell["recency_low"], cell["recency_high"]),
                        "frequency": _purchase_days(cell["frequency_low"], cell["frequency_high"]),
                        "customers": customer_count(cell["customers"]),
                        "value": formats.compact_money(cell["value"], currency),
                    },
                    url,
                ),
            }
            for cell, url in zip(cells, urls, strict=True)
        ]
        rows_by = sorted(
            {(c["recency"], _short_range(c["recency_low"], c["recency_high"])) for c in cells}, reverse=True
        )
        columns_by = sorted({(c["frequency"], _short_range(c["frequency_low"], c["frequency_high"])) for c in cells})
        x = alt.X(
            "f:O",
            sort=[number for number, _label in columns_by],
            scale=alt.Scale(paddingInner=0.03),
            axis=axis([n for n, _l in columns_by], [label for _n, label in columns_by], domain=False),
        )
        y = alt.Y(
            "r:O",
            sort=[number for number, _label in rows_by],
            scale=alt.Scale(paddingInner=0.05),
            axis=axis([n for n, _l in rows_by], [label for _n, label in rows_by], domain=False, ticks=False),
        )
        base = plot(data)
        squares = base.mark_rect().encode(
            x=x, y=y, color=alt.Color("colour:N", scale=None), description=alt.Description("says:N")
        )
        ink = alt.Color("ink:N", scale=None)
        if size[0] < _NARROW:
            return squares + base.mark_text(aria=False).encode(x=x, y=y, text=alt.Text("text:N"), color=ink)
        count = base.mark_text(aria=False, dy=-7).encode(x=x, y=y, text=alt.Text("text:N"), color=ink)
        return (
            squares
            + count
            + base.mark_text(aria=False, dy=9, fontSize=10).encode(x=x, y=y, text=alt.Text("value:N"), color=ink)
        )

    return Chart(
        key="grid",
        title=_("Recency by frequency"),
        message=_overdue(cells),
        columns=[
            Column(_("Days since the last purchase"), figures=False),
            Column(_("Purchase days"), figures=False),
            Column(_("Customers")),
            Column(_("Value together")),
        ],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(440, 300),
        phone=(270, 220),
    )


def _overdue(cells: Sequence[GridCell]) -> str:
    """How many of the most frequent buyers have stayed away longest."""
    often = [cell for cell in cells if cell["frequency"] == max(c["frequency"] for c in cells)]
    last = min((cell["recency"] for cell in cells), default=0)
    away = [cell for cell in often if cell["recency"] == last < max(c["recency"] for c in cells)]
    count = sum(cell["customers"] for cell in away)
    if not count:
        return ""
    text = ngettext(
        "%(away)s of your %(often)s most frequent buyers stays away (%(days)s or more since the last purchase).",
        "%(away)s of your %(often)s most frequent buyers stay away (%(days)s or more since the last purchase).",
        count,
    )
    days = [f"purchase_days:between:{often[0]['frequency_low']}..{often[0]['frequency_high']}"]
    return sentence(
        text,
        away=linked(count, _cell_url(away[0])),
        often=linked(sum(cell["customers"] for cell in often), customers_where(*days)),
        days=formats.days(min(cell["recency_low"] for cell in away)),
    )


def _cell_url(cell: GridCell) -> str:
    return customers_where(
        f"recency_days:between:{cell['recency_low']}..{cell['recency_high']}",
        f"purchase_days:between:{cell['frequency_low']}..{cell['frequency_high']}",
    )


def heat_step(customers: int, most: int) -> int:
    """The step of the heat scale: 0 for none, then five steps of equal width up to the fullest cell."""
    return 0 if customers == 0 else min(5, 1 + 5 * (customers - 1) // most)


def _short_range(low: int, high: int) -> str:
    return formats.number(low) if low == high else f"{formats.number(low)}–{formats.number(high)}"


def _days_range(low: int, high: int) -> str:
    if low == high:
        return formats.days(low)
    return _("%(low)s to %(high)s days") % {"low": formats.number(low), "high": formats.number(high)}


def _count_range(low: int, high: int) -> str:
    if low == high:
        return formats.number(low)
    return _("%(low)s to %(high)s") % {"low": formats.number(low), "high": formats.number(high)}


def _purchase_days(low: int, high: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", high) % {"count": _count_range(low, high)}


def lorenz(spread: Concentration, stamp: str) -> Chart:
    """The share of revenue that the best customers bring, against the line of equality."""
    points = spread["points"]
    rows = [
        [
            Cell(formats.share(point["customers"]), round(point["customers"], 6)),
            Cell(formats.share(point["revenue"]), round(point["revenue"], 6)),
        ]
        for point in points
    ]

    def build(size: Size) -> Any:
        x = alt.X("c:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=_shares(grid=False, domain=False))
        y = alt.Y("r:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=_shares(grid=True, domain=False, ticks=False))
        curve = [
            {"c": point["customers"], "r": point["revenue"], "says": _best(point["customers"], point["revenue"])}
            for point in points
        ]
        marked = {"c": 0.2, "r": spread["top_20"], "text": _short_best(0.2, spread["top_20"])}
        line = plot(curve)
        equal = plot([{"c": 0, "r": 0}, {"c": 1, "r": 1}])
        point = plot([marked])
        return alt.layer(
            equal.mark_line(aria=False, color=QUIET, strokeDash=[3, 3], strokeWidth=1).encode(x=x, y=y),
            line.mark_area(aria=False, color=ACTUAL, fillOpacity=0.1).encode(x=x, y=y),
            line.mark_line(aria=False, color=ACTUAL, strokeWidth=2).encode(x=x, y=y),
            point.mark_circle(aria=False, color=ACTUAL, size=70, opacity=1).encode(x=x, y=y),
            point.mark_text(aria=False, align="left", dx=10, dy=8).encode(x=x, y=y, text=alt.Text("text:N")),
            line.mark_circle(color=ACTUAL, size=160, fillOpacity=0, strokeOpacity=0, opacity=1).encode(
                x=x, y=y, description=alt.Description("says:N")
            ),
        )

    return Chart(
        key="lorenz",
        title=_("Who brings the revenue"),
        message="",
        columns=[Column(_("Best customers")), Column(_("Share of revenue"))],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(360, 240),
    )


def _best(customers: float, revenue: float) -> str:
    return _("The best %(customers)s of customers bring %(revenue)s of revenue") % {
        "customers": formats.share(customers),
        "revenue": formats.share(revenue),
    }


def _short_best(customers: float, revenue: float) -> str:
    return _("%(customers)s bring %(revenue)s") % {
        "customers": formats.share(customers, 0),
        "revenue": formats.share(revenue, 0),
    }


def _shares(**options: Any) -> "alt.Axis":
    values = [0, 0.25, 0.5, 0.75, 1]
    return axis(values, [formats.share(value, 0) for value in values], **options)


def deciles(rows_of: Sequence[Decile], stamp: str) -> Chart:
    """Purchase days per tenth of customers: what happened as bars, the forecast as a line across with its interval."""
    rows = [
        [
            Cell(formats.number(row["decile"]), row["decile"]),
            Cell(formats.number(row["customers"]), row["customers"]),
            Cell(formats.number(row["forecast"]), round(row["forecast"], 2)),
            Cell(formats.number(row["low"]), round(row["low"], 2)),
            Cell(formats.number(row["high"]), round(row["high"], 2)),
            Cell(formats.number(row["actual"]), row["actual"]),
        ]
        for row in rows_of
    ]

    def build(size: Size) -> Any:
        data = [
            row
            | {
                "from": row["decile"] - 0.42,
                "to": row["decile"] + 0.42,
                "zero": 0,
                "says": spoken(
                    _("Tenth %(decile)s: %(actual)s purchase days, forecast %(forecast)s (%(low)s to %(high)s)")
                    % {
                        "decile": row["decile"],
                        "actual": formats.number(row["actual"]),
                        "forecast": formats.number(row["forecast"]),
                        "low": formats.number(row["low"]),
                        "high": formats.number(row["high"]),
                    }
                ),
            }
            for row in rows_of
        ]
        numbers = [row["decile"] for row in rows_of]
        top = max(float(row[what]) for row in rows_of for what in ("high", "actual", "forecast"))
        y = upright("actual", top, formats.number, wanted=5)
        x = alt.X(
            "from:Q",
            scale=alt.Scale(domain=[0.4, len(numbers) + 0.6], nice=False),
            axis=axis(numbers, [formats.number(number) for number in numbers], domain=True),
        )
        base = plot(data)
        named = plot([data[0] | {"text": _("forecast"), "what": _("happened")}])
        return alt.layer(
            base.mark_rect(color=ACTUAL, fillOpacity=0.85).encode(
                x=x, x2=alt.X2("to:Q"), y=y, y2=alt.Y2("zero:Q"), description=alt.Description("says:N")
            ),
            base.mark_rule(aria=False, color=COMPARED, strokeWidth=1.5).encode(
                x=alt.X("decile:Q"), y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
            ),
            base.mark_rule(aria=False, color=COMPARED, strokeWidth=3).encode(
                x=x, x2=alt.X2("to:Q"), y=alt.Y("forecast:Q")
            ),
            named.mark_text(aria=False, align="left", dx=6, color=COMPARED).encode(
                x=alt.X("to:Q"), y=alt.Y("forecast:Q"), text=alt.Text("text:N")
            ),
        )

    return Chart(
        key="deciles",
        title=_("Forecast and what happened"),
        message="",
        columns=headings(
            _("Tenth of customers, best first"), _("Customers"), _("Forecast"), _("Low"), _("High"), _("Happened")
        ),
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(620, 250),
    )
