"""The charts of the page Loyalty: customers by stage week after week, and who moved from where to where."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.results import Moves, StandingWeek
from rondo.analysis.ruled import STAGE
from rondo.analysis.ruled_moves import stood, went
from rondo.web import formats
from rondo.web.charts.axes import GRID, HEAT, INK, ON_FILL, axis, plot, upright
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.home import months
from rondo.web.charts.portfolio import customer_count, customers_where, heat_step
from rondo.web.charts.svg import spoken
from rondo.web.sentences import linked, sentence

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_KEYS = [key for key, _label in STAGE]
_ORDER = (
    "maturity",
    "growth",
    "socialisation",
    "revitalisation",
    "endangered",
    "decline",
    "termination",
    "abstinence",
)
"""Stages of buyers from the ground of the chart upwards: who is well first, so that losses show at the upper edge."""
_NARROW = 400
_OPENED = 53
"""Weeks whose numbers open their customers, the latest: links of many years would outweigh the page."""


def stages_by_week(weekly: Sequence[StandingWeek], stamp: str) -> Chart:
    """Buyers by stage, stacked, week after week; those before their first purchase are in the table only."""
    labels = {key: str(label) for key, label in STAGE}
    opened = {week["day"] for week in weekly[-_OPENED:]}
    rows = [
        [
            Cell(formats.day(week["day"]), week["day"]),
            *[
                Cell(
                    formats.number(count),
                    count,
                    customers_where(rule=_stood(n, week["day"])) if count and week["day"] in opened else "",
                )
                for n, count in enumerate(week["stages"])
            ],
        ]
        for week in weekly
    ]

    def build(size: Size) -> Any:
        days = [date.fromisoformat(week["day"]).toordinal() for week in weekly]
        tops = [0] * len(weekly)
        layers = []
        x = alt.X(
            "x:Q", scale=alt.Scale(domain=[days[0], days[-1]], nice=False), axis=months(days[0], days[-1], size[0])
        )
        most = max(sum(week["stages"][_KEYS.index(key)] for key in _ORDER) for week in weekly)
        y = upright("top", most, formats.compact_number, wanted=3 if size[0] < _NARROW else 5)
        for key in _ORDER:
            counts = [week["stages"][_KEYS.index(key)] for week in weekly]
            points = [
                {"x": day, "low": low, "top": low + count} for day, low, count in zip(days, tops, counts, strict=True)
            ]
            tops = [low + count for low, count in zip(tops, counts, strict=True)]
            if any(counts):
                area = plot(points).mark_area(aria=False, color=f"var(--stage-{key})")
                layers.append(area.encode(x=x, y=y, y2=alt.Y2("low:Q")))
        stops = [
            {"from": before, "to": day, "says": _says(week, labels)}
            for before, day, week in zip(days, days[1:], weekly[1:], strict=False)
        ]
        columns = plot(stops).mark_rect(color=GRID, fillOpacity=0)
        layers.append(columns.encode(x=alt.X("from:Q"), x2=alt.X2("to:Q"), description=alt.Description("says:N")))
        return alt.layer(*layers)

    return Chart(
        key="stages",
        title=_("Buyers by stage and week"),
        message="",
        columns=[Column(_("Day"), figures=False), *[Column(labels[key]) for key in _KEYS]],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(960, 300),
    )


def _stood(stage: int, day: str) -> str:
    """The rule that finds who stood in a stage on a day."""
    return stood("stage", _KEYS[stage], date.fromisoformat(day))


def _says(week: StandingWeek, labels: dict[str, str]) -> str:
    shown = [(key, week["stages"][_KEYS.index(key)]) for key in _ORDER]
    words = [f"{labels[key]} {formats.number(count)}" for key, count in shown if count]
    return spoken(f"{formats.day(week['day'])}: {', '.join(words)}")


def moved(moves: Moves, stamp: str) -> Chart:
    """Who went from which stage (row) to which (column); stages that nobody was in are left out."""
    labels = {key: str(label) for key, label in STAGE}
    counts = moves["customers"]
    rows_by = [n for n, _key in enumerate(_KEYS) if any(counts[n])]
    columns_by = [n for n, _key in enumerate(_KEYS) if any(row[n] for row in counts)]
    cells = [(row, column, counts[row][column]) for row in rows_by for column in columns_by]
    now = {n: customers_where(f"stage:is:{_KEYS[n]}") for n in columns_by}
    urls = {
        (row, column): customers_where(rule=f"{_stood(row, moves['since'])} and {_stood(column, moves['until'])}")
        if count
        else ""
        for row, column, count in cells
    }
    rows = [
        [Cell(labels[_KEYS[row]], str(labels[_KEYS[row]]))]
        + [Cell(formats.number(counts[row][column]), counts[row][column], urls[row, column]) for column in columns_by]
        for row in rows_by
    ]
    rows.append(
        [
            Cell(_("today"), _("today")),
            *[
                Cell(formats.number(total), total, now[column])
                for column in columns_by
                for total in [sum(row[column] for row in counts)]
            ],
        ]
    )

    def build(size: Size) -> Any:
        most = max((count for _row, _column, count in cells), default=0) or 1
        data = [
            {
                "from": row,
                "to": column,
                "colour": HEAT[heat_step(count, most)],
                "text": formats.number(count) if count else "",
                "ink": ON_FILL if heat_step(count, most) == len(HEAT) - 1 else INK,
                "says": spoken(
                    _("From %(before)s to %(after)s: %(customers)s")
                    % {
                        "before": labels[_KEYS[row]],
                        "after": labels[_KEYS[column]],
                        "customers": customer_count(count),
                    },
                    urls[row, column],
                ),
            }
            for row, column, count in cells
        ]
        # On a phone a column is too narrow for its stage: columns bear numbers, which the rows' names explain.
        shown = sorted({*rows_by, *columns_by})
        names = {n: f"{number} {labels[_KEYS[n]]}" for number, n in enumerate(shown, start=1)}
        heads = {n: str(number) for number, n in enumerate(shown, start=1)}
        if size[0] >= _NARROW:
            names = heads = {n: labels[_KEYS[n]] for n in shown}
        x = alt.X(
            "to:O",
            sort=columns_by,
            scale=alt.Scale(paddingInner=0.03),
            axis=axis(columns_by, [heads[n] for n in columns_by], domain=False),
        )
        y = alt.Y(
            "from:O",
            sort=rows_by,
            scale=alt.Scale(paddingInner=0.05),
            axis=axis(rows_by, [names[n] for n in rows_by], domain=False, ticks=False),
        )
        base = plot(data)
        squares = base.mark_rect().encode(
            x=x, y=y, color=alt.Color("colour:N", scale=None), description=alt.Description("says:N")
        )
        figures = base.mark_text(aria=False).encode(
            x=x, y=y, text=alt.Text("text:N"), color=alt.Color("ink:N", scale=None)
        )
        return squares + figures

    return Chart(
        key="moves",
        title=_("Moves between stages"),
        message=_message(moves),
        columns=[Column(_("From / to"), figures=False), *[Column(labels[_KEYS[n]]) for n in columns_by]],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(960, 320),
        phone=(290, 260),
    )


def _message(moves: Moves) -> str:
    """How many of the buyers changed their stage."""
    counts, bought = moves["customers"], range(_KEYS.index("socialisation"), len(_KEYS))
    pairs = [(_KEYS[row], _KEYS[column]) for row in bought for column, count in enumerate(counts[row]) if count]
    days = date.fromisoformat(moves["since"]), date.fromisoformat(moves["until"])
    all_of_them = sum(sum(counts[row]) for row in bought)
    changed = all_of_them - sum(counts[row][row] for row in bought)
    text = ngettext(
        "%(changed)s of %(all)s buyers stands in another stage than then.",
        "%(changed)s of %(all)s buyers stand in another stage than then.",
        changed,
    )
    return sentence(
        text,
        changed=linked(changed, _went([pair for pair in pairs if pair[0] != pair[1]], *days)),
        all=linked(all_of_them, _went(pairs, *days)),
    )


def _went(pairs: Sequence[tuple[str, str]], since: date, until: date) -> str:
    return customers_where(rule=went("stage", pairs, since, until))
