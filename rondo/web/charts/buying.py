"""The charts of the page on funnel and buying patterns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.parts.shapes import Band, Buying, CategoryRow, Weekday
from rondo.analysis.results import StandingCount
from rondo.analysis.ruled import LADDER
from rondo.foundation.money import Money
from rondo.interactions.ruled import WEEKDAYS
from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, HEAT, axis, plot, upright
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customer_count, customers_where, heat_step
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_NARROW = 400
_DRAWN = 15


@dataclass(frozen=True)
class Bar:
    """One bar: its label, length, the figure beside it, what it says, and where it leads."""

    label: str
    size: float
    text: str
    says: str
    url: str = ""


def bars(rows: Sequence[Bar], size: Size) -> Any:
    """Bars from the left, in the order of ``rows``, each with its figure at its end."""
    top = max((row.size for row in rows), default=0) or 1
    data = [
        {
            "row": number,
            "from": 0,
            "to": row.size,
            "text": row.text,
            "says": spoken(row.says, row.url),
        }
        for number, row in enumerate(rows)
    ]
    numbers = list(range(len(rows)))
    longest = 18 if size[0] < _NARROW else 32
    labels = [row.label if len(row.label) <= longest else row.label[: longest - 1] + "…" for row in rows]
    y = alt.Y(
        "row:O",
        sort=numbers,
        scale=alt.Scale(domain=numbers, paddingInner=0.3),
        axis=axis(numbers, labels, domain=False, ticks=False),
    )
    # Room at the end for the figure of the longest bar.
    x = alt.X("from:Q", scale=alt.Scale(domain=[0, top * (1.35 if size[0] < _NARROW else 1.18)], nice=False), axis=None)
    base = plot(data)
    return alt.layer(
        base.mark_rect(color=ACTUAL, fillOpacity=0.85).encode(
            x=x, x2=alt.X2("to:Q"), y=y, description=alt.Description("says:N")
        ),
        base.mark_text(aria=False, align="left", dx=6).encode(x=alt.X("to:Q"), y=y, text=alt.Text("text:N")),
    )


def _height(rows: int) -> int:
    return 26 * max(rows, 2)


def funnel(rungs: Sequence[StandingCount], stamp: str) -> Chart | None:
    """From everybody known to regular buyers: each step holds the ones after it. None without a customer."""
    counts = {rung["key"]: rung["customers"] for rung in rungs}
    keys = [key for key, _label in LADDER]
    steps = [
        (_("Known"), keys),
        (_("Showed interest"), keys[1:]),
        (_("Bought"), keys[2:]),
        (_("Buy regularly"), keys[3:]),
        (_("Recommend you"), keys[4:]),
    ]
    sizes = [sum(counts[key] for key in of_step) for _label, of_step in steps]
    if not sizes[0]:
        return None
    urls = [customers_where(f"ladder:is:{'|'.join(of_step)}") for _label, of_step in steps]
    shares = [1.0] + [now / before if before else 0.0 for before, now in pairwise(sizes)]
    rows = [
        Bar(
            str(label),
            size,
            f"{formats.number(size)} · {formats.share(share, 0)}" if number else formats.number(size),
            _("%(step)s: %(customers)s, %(share)s of the step before")
            % {"step": label, "customers": customer_count(size), "share": formats.share(share, 0)},
            url,
        )
        for number, ((label, _keys), size, share, url) in enumerate(zip(steps, sizes, shares, urls, strict=True))
    ]
    return Chart(
        key="funnel",
        title=_("From known to regular"),
        message="",
        columns=[Column(_("Step"), figures=False), Column(_("Customers")), Column(_("Of the step before"))],
        rows=[
            [
                Cell(row.label, row.label),
                Cell(formats.number(size), size, url),
                Cell(formats.share(share), round(share, 6)),
            ]
            for row, size, share, url in zip(rows, sizes, shares, urls, strict=True)
        ],
        build=lambda size: bars(rows, size),
        stamp=stamp,
        desk=(440, _height(5)),
        phone=(200, _height(5)),
    )  # fmt: skip


def category_name(row: CategoryRow, among: Sequence[CategoryRow]) -> str:
    """A category by its last name, as people say it, and by what it is a part of where others have that name too."""
    last = row["names"][-1]
    alike = sum(other["names"][-1] == last for other in among)
    return last if alike < 2 or len(row["names"]) < 2 else f"{last} ({row['names'][-2]})"


def _category_url(row: CategoryRow, times: int = 1) -> str:
    if not row["found"]:
        return ""
    path = " > ".join(row["names"]).replace("\\", "\\\\").replace('"', '\\"')
    again = f" at least {times} times" if times > 1 else ""
    return customers_where(rule=f'did purchase where (category = "{path}" and amount >= 0){again}')


def categories(found: Buying, stamp: str) -> Chart | None:
    """Categories by revenue, with who buys them and who comes back for them."""
    if not found["categories"]:
        return None
    currency, buyers = found["currency"], found["buyers"]
    shown = found["categories"][:_DRAWN]

    def words(row: CategoryRow) -> str:
        return _("%(category)s: %(revenue)s, bought by %(share)s of buyers, by %(again)s of them again") % {
            "category": category_name(row, shown),
            "revenue": formats.money(row["revenue"], currency, 0),
            "share": formats.share(row["buyers"] / buyers, 0),
            "again": formats.share(row["repeaters"] / row["buyers"], 0),
        }

    drawn = [
        Bar(
            category_name(row, shown),
            max(row["revenue"], 0),
            formats.compact_money(row["revenue"], currency),
            words(row),
            _category_url(row),
        )
        for row in shown
    ]
    return Chart(
        key="categories",
        title=_("Categories by revenue"),
        message="",
        columns=[
            Column(_("Category"), figures=False),
            Column(_("Revenue")),
            Column(_("Buyers")),
            Column(_("Share of buyers")),
            Column(_("Bought again")),
            Column(_("Repeat share")),
        ],
        rows=[
            [
                Cell(" > ".join(row["names"]), " > ".join(row["names"])),
                Cell(formats.money(row["revenue"], currency, 0), Money(row["revenue"], currency).major),
                Cell(formats.number(row["buyers"]), row["buyers"], _category_url(row)),
                Cell(formats.share(row["buyers"] / buyers), round(row["buyers"] / buyers, 6)),
                Cell(formats.number(row["repeaters"]), row["repeaters"], _category_url(row, 2)),
                Cell(formats.share(row["repeaters"] / row["buyers"]), round(row["repeaters"] / row["buyers"], 6)),
            ]
            for row in found["categories"]
        ],
        build=lambda size: bars(drawn, size),
        stamp=stamp,
        desk=(440, _height(len(shown))),
        phone=(170, _height(len(shown))),
    )


def basket_values(found: Buying, stamp: str) -> Chart | None:
    """Orders by what they come to."""
    if not found["orders"] or not found["values"]:
        return None
    currency = found["currency"]

    def name(band: Band) -> str:
        low = formats.money(band["low"], currency, 0)
        if band["high"] is None:
            return _("%(low)s and more") % {"low": low}
        return _("%(low)s to %(high)s") % {"low": low, "high": formats.money(band["high"], currency, 0)}

    def url(band: Band) -> str:
        bounds = [f"amount >= {Money(band['low'], currency).major}"]
        if band["high"] is not None:
            bounds.append(f"amount < {Money(band['high'], currency).major}")
        where = f"({' and '.join(bounds)})" if len(bounds) > 1 else bounds[0]
        return customers_where(rule=f"did purchase where {where}")

    return _upright(
        "baskets",
        _("Orders by value"),
        Column(_("Value of the order"), figures=False),
        found["values"],
        name,
        lambda band: formats.compact_money(band["low"], currency, 2),
        url,
        currency,
        stamp,
    )


def basket_sizes(found: Buying, stamp: str) -> Chart | None:
    """Orders by the number of their lines."""
    if not found["orders"] or not any(band["orders"] for band in found["sizes"]):
        return None

    def name(band: Band) -> str:
        if band["high"] is None:
            return _("%(low)s lines and more") % {"low": formats.number(band["low"])}
        if band["high"] == band["low"] + 1:
            return ngettext("%(count)s line", "%(count)s lines", band["low"]) % {"count": formats.number(band["low"])}
        return _("%(low)s to %(high)s lines") % {
            "low": formats.number(band["low"]),
            "high": formats.number(band["high"] - 1),
        }

    def short(band: Band) -> str:
        if band["high"] is None:
            return f"{formats.number(band['low'])}+"
        last = band["high"] - 1
        return formats.number(last) if last == band["low"] else f"{formats.number(band['low'])}–{formats.number(last)}"

    return _upright(
        "basket-sizes",
        _("Orders by size"),
        Column(_("Lines"), figures=False),
        found["sizes"],
        name,
        short,
        lambda _band: "",
        found["currency"],
        stamp,
    )


def _upright(
    key: str,
    title: str,
    first: Column,
    bands: Sequence[Band],
    name: Callable[[Band], str],
    short: Callable[[Band], str],
    url: Callable[[Band], str],
    currency: str,
    stamp: str,
) -> Chart:
    """Orders per band as upright bars."""

    def build(size: Size) -> Any:
        data = [
            {
                "from": place + 0.06,
                "to": place + 0.94,
                "zero": 0,
                "y": band["orders"],
                "says": spoken(
                    _("%(range)s: %(orders)s orders, %(revenue)s together")
                    % {
                        "range": name(band),
                        "orders": formats.number(band["orders"]),
                        "revenue": formats.compact_money(band["revenue"], currency),
                    },
                    url(band),
                ),
            }
            for place, band in enumerate(bands)
        ]
        wanted = 5 if size[0] < _NARROW else 11
        every = max(1, -(-len(bands) // wanted))
        marked = [place for place in range(len(bands)) if place % every == 0]
        x = alt.X(
            "from:Q",
            scale=alt.Scale(domain=[0, len(bands)], nice=False),
            axis=axis([place + 0.5 for place in marked], [short(bands[place]) for place in marked]),
        )
        y = upright("y", max(band["orders"] for band in bands), formats.number)
        return plot(data).mark_rect(color=ACTUAL, fillOpacity=0.85).encode(
            x=x, x2=alt.X2("to:Q"), y=y, y2=alt.Y2("zero:Q"), description=alt.Description("says:N")
        )  # fmt: skip

    return Chart(
        key=key,
        title=title,
        message="",
        columns=[first, Column(_("Orders")), Column(_("Revenue"))],
        rows=[
            [
                Cell(name(band), name(band)),
                Cell(formats.number(band["orders"]), band["orders"], url(band)),
                Cell(formats.money(band["revenue"], currency, 0), Money(band["revenue"], currency).major),
            ]
            for band in bands
        ],
        build=build,
        stamp=stamp,
        desk=(440, 220),
        phone=(270, 200),
    )


def rhythm(found: Buying, stamp: str) -> Chart | None:
    """After how many days customers come back: every pause between two purchase days."""
    gaps = found["gaps"]
    whole = sum(gaps) + found["longer"]
    if not whole:
        return None
    rows = [
        [Cell(formats.days(day), day), Cell(formats.number(n), n), Cell(formats.share(n / whole), round(n / whole, 6))]
        for day, n in enumerate(gaps, start=1)
    ]
    more = _("more than %(days)s") % {"days": formats.days(len(gaps))}
    rows.append(
        [
            Cell(more, f">{len(gaps)}"),
            Cell(formats.number(found["longer"]), found["longer"]),
            Cell(formats.share(found["longer"] / whole), round(found["longer"] / whole, 6)),
        ]
    )

    def build(size: Size) -> Any:
        data = [
            {
                "from": day - 0.42,
                "to": day + 0.42,
                "zero": 0,
                "y": n,
                "says": spoken(
                    _("Back after %(days)s: %(count)s times, %(share)s of all pauses")
                    % {"days": formats.days(day), "count": formats.number(n), "share": formats.share(n / whole)}
                ),
            }
            for day, n in enumerate(gaps, start=1)
        ]
        weeks = list(range(7, len(gaps) + 1, 7))
        x = alt.X(
            "from:Q",
            scale=alt.Scale(domain=[0.3, len(gaps) + 0.7], nice=False),
            axis=axis(weeks, [formats.number(day) for day in weeks]),
        )
        y = upright("y", max(gaps), formats.number, wanted=3 if size[0] < _NARROW else 4)
        return plot(data).mark_rect(color=ACTUAL, fillOpacity=0.85).encode(
            x=x, x2=alt.X2("to:Q"), y=y, y2=alt.Y2("zero:Q"), description=alt.Description("says:N")
        )  # fmt: skip

    return Chart(
        key="pauses",
        title=_("Days between two purchases"),
        message="",
        columns=[Column(_("Days until the next purchase"), figures=False), Column(_("Times")), Column(_("Share"))],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(440, 220),
        phone=(270, 200),
    )


def weekday_url(day: int) -> str:
    """The customers who bought on a day of the week (0 is Monday)."""
    return customers_where(rule=f"did purchase where (weekday = {WEEKDAYS[day][0]} and amount >= 0)")


def hours(found: Buying, stamp: str) -> Chart | None:
    """Orders by weekday and hour in the company's zone, as a stepped heat map."""
    counts = found["hours"]
    if not any(any(day) for day in counts):
        return None
    names = [str(label) for _key, label in WEEKDAYS]
    days: Sequence[Weekday] = found["weekdays"]

    def build(size: Size) -> Any:
        narrow = size[0] < _NARROW
        width = 2 if narrow else 1  # on a phone two hours share a cell
        cells = [(day, hour, sum(counts[day][hour : hour + width])) for day in range(7) for hour in range(0, 24, width)]
        most = max(n for _day, _hour, n in cells)
        data = [
            {
                "day": day,
                "hour": hour,
                "colour": HEAT[heat_step(n, most)],
                "says": spoken(
                    _("%(day)s, %(from)s to %(to)s: %(orders)s orders")
                    % {
                        "day": names[day],
                        "from": f"{hour}:00",
                        "to": f"{hour + width}:00",
                        "orders": formats.number(n),
                    }
                ),
            }
            for day, hour, n in cells
        ]
        places = list(range(0, 24, width))
        marked = [hour for hour in places if hour % 6 == 0]
        x = alt.X(
            "hour:O",
            sort=places,
            scale=alt.Scale(domain=places, paddingInner=0.05),
            axis=axis(marked, [str(hour) for hour in marked], domain=False),
        )
        y = alt.Y(
            "day:O",
            sort=list(range(7)),
            scale=alt.Scale(domain=list(range(7)), paddingInner=0.08),
            axis=axis(list(range(7)), [name[:2] for name in names], domain=False, ticks=False),
        )
        return (
            plot(data)
            .mark_rect()
            .encode(x=x, y=y, color=alt.Color("colour:N", scale=None), description=alt.Description("says:N"))
        )

    return Chart(
        key="hours",
        title=_("Orders by weekday and hour"),
        message="",
        columns=[
            Column(_("Day of the week"), figures=False),
            Column(_("Customers")),
            Column(_("Orders")),
            *[Column(f"{hour}:00") for hour in range(24)],
        ],
        rows=[
            [
                Cell(names[day], str(names[day])),
                Cell(formats.number(days[day]["customers"]), days[day]["customers"], weekday_url(day)),
                Cell(formats.number(days[day]["orders"]), days[day]["orders"]),
                *[Cell(formats.number(n), n) for n in counts[day]],
            ]
            for day in range(7)
        ],
        build=build,
        stamp=stamp,
        desk=(560, 224),
        phone=(270, 182),
    )


def makers() -> dict[str, Callable[[Any], Chart | None]]:
    """A maker for each chart of the page, by its key."""

    def of_part(make: Callable[[Buying, str], Chart | None]) -> Callable[[Any], Chart | None]:
        def made(found: Any) -> Chart | None:
            part = found.part("buying")
            return part and make(part, found.stamp)

        return made

    def of_standing(found: Any) -> Chart | None:
        standing = found.results.get("standing")
        return standing and funnel(standing["rungs"], found.stamp)

    return {
        "funnel": of_standing,
        "categories": of_part(categories),
        "baskets": of_part(basket_values),
        "basket-sizes": of_part(basket_sizes),
        "pauses": of_part(rhythm),
        "hours": of_part(hours),
    }
