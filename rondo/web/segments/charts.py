"""The charts of segments and their studies: size over time, reach against likeness, agreement by number of groups,
overlap."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.analysis.segments.overlap import Overlap
from rondo.analysis.segments.queries import Point
from rondo.analysis.segments.ruled import entered_by, left_by
from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, BAND, GRID, MUTED, QUIET, axis, plot, ticks, upright
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customer_count, customers_where
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_NARROW = 400


def sizes(points: Sequence[Point], key: str, csv: str) -> Chart | None:
    """How many were in a segment after each of its refreshes, oldest first, and who came and went by it; None before
    the first."""
    if not points:
        return None
    rows = [
        [
            Cell(formats.moment(point.at), point.at.isoformat(timespec="seconds")),
            Cell(formats.day(point.as_of), point.as_of.isoformat()),
            Cell(formats.number(point.size), point.size),
            Cell(formats.number(point.entered), point.entered, _behind(entered_by(key, point.refresh), point.entered)),
            Cell(formats.number(point.left), point.left, _behind(left_by(key, point.refresh), point.left)),
        ]
        for point in points
    ]
    return Chart(
        key="sizes",
        title=_("Size over time"),
        message="",
        columns=[
            Column(_("Computed"), figures=False),
            Column(_("As of"), figures=False),
            Column(_("Customers")),
            Column(_("Entered")),
            Column(_("Left")),
        ],
        rows=rows,
        build=lambda size: _sizes(points, size),
        stamp=f"segment:{key}:{points[-1].refresh}",
        desk=(620, 200),
        phone=(290, 180),
        csv=csv,
    )


def _behind(rule: str, count: int) -> str:
    return customers_where(rule=rule) if count else ""


def _sizes(points: Sequence[Point], size: Size) -> Any:
    """Refreshes stand side by side, however long it was from one to the next: the day stands below."""
    last = len(points) - 1
    wanted = 2 if size[0] < _NARROW else 5
    step = max(1, -(-last // wanted))
    marks = [float(place) for place in range(last, -1, -step)][::-1]
    names = [formats.day(points[int(place)].as_of) for place in marks]
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[-0.4, last + 0.4], nice=False),
        axis=axis(marks, names, grid=False, domain=True, labelFlush=False),
    )
    y = upright("y", max(point.size for point in points), lambda value: formats.number(value, 0), wanted=4)
    data = [
        {
            "x": place,
            "y": point.size,
            "says": spoken(
                _("%(day)s: %(customers)s, %(entered)s entered, %(left)s left")
                % {
                    "day": formats.day(point.as_of),
                    "customers": customer_count(point.size),
                    "entered": formats.number(point.entered),
                    "left": formats.number(point.left),
                }
            ),
        }
        for place, point in enumerate(points)
    ]
    base = plot(data)
    return alt.layer(
        base.mark_line(aria=False, color=ACTUAL, strokeWidth=2).encode(x=x, y=y),
        base.mark_circle(color=ACTUAL, size=60, opacity=1).encode(x=x, y=y, description=alt.Description("says:N")),
    )


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
        plot(data).mark_area(aria=False, color=BAND).encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
        plot(chance)
        .mark_line(aria=False, color=MUTED, strokeDash=[4, 4], strokeWidth=1)
        .encode(x=x, y=alt.Y("found:Q")),
        plot(data).mark_line(aria=False, color=ACTUAL, strokeWidth=2).encode(x=x, y=y),
        plot(data[1:])
        .mark_circle(color=ACTUAL, size=70, opacity=1)
        .encode(x=x, y=y, description=alt.Description("says:N")),
        plot(named)
        .mark_text(aria=False, align="right", dx=-4, dy=-8, color=MUTED)
        .encode(x=x, y=y, text=alt.Text("text:N")),
    )


def stability(found: Sequence[dict[str, Any]], least: float, csv: str, stamp: str) -> Chart:
    """How far random halves agree on who belongs together, by number of groups, and what is asked for."""
    rows = [
        [
            Cell(formats.number(one["groups"]), one["groups"]),
            Cell(formats.number(one["agreed"], 2), round(one["agreed"], 4)),
            Cell(_("yes") if one["fit"] else _("no"), int(one["fit"])),
        ]
        for one in found
    ]

    def build(size: Size) -> Any:
        data = [
            {
                "from": one["groups"] - 0.4,
                "to": one["groups"] + 0.4,
                "zero": 0,
                "y": max(one["agreed"], 0.0),
                "colour": ACTUAL if one["fit"] else QUIET,
                "says": spoken(
                    _("%(groups)s groups: agreement %(agreed)s")
                    % {"groups": formats.number(one["groups"]), "agreed": formats.number(one["agreed"], 2)}
                ),
            }
            for one in found
        ]
        numbers = [one["groups"] for one in found]
        x = alt.X(
            "from:Q",
            scale=alt.Scale(domain=[numbers[0] - 0.6, numbers[-1] + 0.6], nice=False),
            axis=axis(numbers, [formats.number(number) for number in numbers], domain=True),
        )
        y = upright("y", 1.0, lambda value: formats.number(value, 1), wanted=5)
        ends = [{"from": numbers[0] - 0.6, "y": least}, {"from": numbers[-1] + 0.6, "y": least}]
        bars = plot(data).mark_rect()
        return alt.layer(
            bars.encode(
                x=x,
                x2=alt.X2("to:Q"),
                y=y,
                y2=alt.Y2("zero:Q"),
                color=alt.Color("colour:N", scale=None),
                description=alt.Description("says:N"),
            ),
            plot(ends).mark_line(aria=False, color=MUTED, strokeDash=[4, 4], strokeWidth=1).encode(x=x, y=y),
        )

    return Chart(
        key="groups",
        title=_("Agreement by number of groups"),
        message="",
        columns=[Column(_("Groups")), Column(_("Agreement")), Column(_("Fit"), figures=False)],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(400, 220),
        csv=csv,
    )


def sets(found: Overlap, csv: str, stamp: str) -> Chart | None:
    """Customers by the exact set of segments they are in: a bar for each set over dots that say which segments those
    are (UpSet: Lex et al. 2014), the fullest first. None where nobody is in any."""
    if not found.sets:
        return None
    names = [row.name for row in found.segments]
    urls = [_set_url(found, places) for places, _count in found.sets]
    rows = [
        [
            Cell(" + ".join(names[place] for place in places), " + ".join(names[place] for place in places)),
            Cell(formats.number(count), count, url),
            Cell(formats.share(count / found.customers), round(count / found.customers, 4)),
        ]
        for (places, count), url in zip(found.sets, urls, strict=True)
    ]
    return Chart(
        key="overlap",
        title=_("Customers by the segments they are in"),
        message="",
        columns=[Column(_("In exactly"), figures=False), Column(_("Customers")), Column(_("Share"))],
        rows=rows,
        build=lambda size: _sets(found, urls, size),
        stamp=stamp,
        desk=(860, 300),
        phone=(170, 260),
        csv=csv,
    )


def _set_url(found: Overlap, places: tuple[int, ...]) -> str:
    conditions = [f"segment:{'is' if place in places else 'not'}:{row.key}" for place, row in enumerate(found.segments)]
    return customers_where(*conditions)


def _sets(found: Overlap, urls: list[str], size: Size) -> Any:
    shown = found.sets[: 6 if size[0] < _NARROW else 16]
    count = len(found.segments)
    # Rows of dots at -1, -2, … below the bars, which are as high as eight rows.
    most = max(number for _places, number in shown)
    unit = 8 / most
    names = [
        _("%(name)s (%(size)s)") % {"name": row.name, "size": formats.number(number)}
        for row, number in zip(found.segments, found.sizes, strict=True)
    ]
    marks = [-1.0 - place for place in range(count)]
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[-count - 0.6, 9.2], nice=False),
        axis=axis(marks, names, grid=False, ticks=False, domain=False, minExtent=min(165, 8 * max(map(len, names)))),
    )
    across = alt.Scale(domain=[-0.6, len(shown) - 0.4], nice=False)
    x = alt.X("x:Q", scale=across, axis=None)
    bars: list[dict[str, Any]] = []
    dots: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for column, ((places, number), url) in enumerate(zip(shown, urls, strict=False)):
        words = ", ".join(found.segments[place].name for place in places)
        bars.append(
            {
                "x": column,
                "from": column - 0.36,
                "to": column + 0.36,
                "y": number * unit,
                "zero": 0,
                "text": formats.compact_number(number),
                "says": spoken(
                    _("In %(segments)s and no other: %(customers)s")
                    % {"segments": words, "customers": customer_count(number)},
                    url,
                ),
            }
        )
        dots += [
            {"x": column, "y": marks[place], "colour": ACTUAL if place in places else GRID} for place in range(count)
        ]
        links.append({"x": column, "y": marks[places[0]], "end": marks[places[-1]]})
    return alt.layer(
        plot(links).mark_rule(aria=False, color=ACTUAL, strokeWidth=2).encode(x=x, y=y, y2=alt.Y2("end:Q")),
        plot(dots)
        .mark_circle(aria=False, size=90, opacity=1)
        .encode(x=x, y=y, color=alt.Color("colour:N", scale=None)),
        plot(bars)
        .mark_rect(color=ACTUAL)
        .encode(
            x=alt.X("from:Q", scale=across, axis=None),
            x2=alt.X2("to:Q"),
            y=y,
            y2=alt.Y2("zero:Q"),
            description=alt.Description("says:N"),
        ),
        plot(bars).mark_text(aria=False, dy=-8).encode(x=x, y=y, text=alt.Text("text:N")),
    )
