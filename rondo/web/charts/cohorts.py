"""The charts of the page Cohorts: one triangle in four measures, by month and by quarter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from django.utils.translation import gettext as _

from rondo.analysis.parts.shapes import CohortRow, Triangle
from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.charts.axes import HEAT, INK, ON_FILL, axis, plot
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customer_count, customers_where
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

Measure = Literal["again", "active", "revenue", "each"]
MEASURES: tuple[Measure, ...] = ("again", "active", "revenue", "each")
_NARROW = 400
_DRAWN = 24
_DRAWN_NARROW = (12, 6)
_ROW_HEIGHT = 26


@dataclass(frozen=True)
class _Field:
    """One cell of a triangle: how far from the start, its figure as drawn, read, spoken and exported, and its rows."""

    place: int
    size: float
    short: str
    text: str
    says: str
    raw: object
    url: str


def triangle(found: Triangle, measure: Measure, currency: str, cut_until: str, stamp: str) -> Chart | None:
    """The triangle in one measure as a stepped heat map; None before there is a cohort with a figure."""
    fields = [_fields(row, found, measure, currency) for row in found["rows"]]
    longest = max((len(row) for row in fields), default=0)
    if not longest:
        return None
    places = [field.place for field in max(fields, key=len)]
    names = [cohort_name(row["start"], found["months"]) for row in found["rows"]]
    marked = [
        name + ("*" if cut_until and row["start"] <= cut_until else "")
        for name, row in zip(names, found["rows"], strict=True)
    ]
    rows = [
        [
            Cell(name, row["start"]),
            Cell(formats.number(row["customers"]), row["customers"], _cohort_url(row)),
            *[Cell(field.text, field.raw, field.url) for field in of_row],
            *[Cell("", "")] * (longest - len(of_row)),
        ]
        for name, row, of_row in zip(marked, found["rows"], fields, strict=True)
    ]

    def build(size: Size) -> Any:
        most, far = _DRAWN_NARROW if size[0] < _NARROW else (_DRAWN, _DRAWN)
        shown = list(zip(marked, found["rows"], fields, strict=True))[-most:]
        sizes = [field.size for _name, _row, of_row in shown for field in of_row[:far]]
        # Shares hardly ever fall to nothing: their steps go from the smallest to the largest. Money begins at zero.
        low = min(sizes, default=0.0) if measure in ("again", "active") else 0.0
        top = max(sizes, default=0.0)
        data = [
            {
                "row": number,
                "place": field.place,
                "colour": HEAT[step],
                "ink": ON_FILL if step == len(HEAT) - 1 else INK,
                "text": field.short,
                "says": spoken(field.says, field.url),
            }
            for number, (_name, _row, of_row) in enumerate(shown)
            for field in of_row[:far]
            for step in [_step(field.size, low, top)]
        ]
        columns = places[:far]
        x = alt.X(
            "place:O",
            sort=columns,
            scale=alt.Scale(domain=columns, paddingInner=0.03),
            axis=axis(columns, [_column(found, measure, place) for place in columns], domain=False, orient="top"),
        )
        labels = [f"{name} · {formats.number(row['customers'])}" for name, row, _fields in shown]
        numbers = list(range(len(shown)))
        y = alt.Y(
            "row:O",
            sort=numbers,
            scale=alt.Scale(domain=numbers, paddingInner=0.06),
            axis=axis(numbers, labels, domain=False, ticks=False),
        )
        base = plot(data)
        squares = base.mark_rect().encode(
            x=x, y=y, color=alt.Color("colour:N", scale=None), description=alt.Description("says:N")
        )
        figures = base.mark_text(aria=False, fontSize=11).encode(
            x=x, y=y, text=alt.Text("text:N"), color=alt.Color("ink:N", scale=None)
        )
        return squares + figures

    count = len(found["rows"])
    return Chart(
        key=f"cohorts-{measure}-{'month' if found['months'] == 1 else 'quarter'}",
        title=_title(measure),
        message="",
        columns=[
            Column(_("First bought"), figures=False),
            Column(_("Customers")),
            *[Column(_heading(found, measure, place)) for place in places],
        ],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(960, _ROW_HEIGHT * max(min(count, _DRAWN), 3)),
        phone=(240, _ROW_HEIGHT * max(min(count, _DRAWN_NARROW[0]), 3)),
    )


def cohort_name(start: str, months: int) -> str:
    """A cohort by its first day: Mar 2017, Q1 2017."""
    return formats.month(start) if months == 1 else formats.quarter(start)


def _title(measure: Measure) -> str:
    return {
        "again": _("Bought again within so many days"),
        "active": _("Bought so many periods later"),
        "revenue": _("Revenue by cohort"),
        "each": _("Revenue per customer, added up"),
    }[measure]


def _fields(row: CohortRow, found: Triangle, measure: Measure, currency: str) -> list[_Field]:
    customers, name = row["customers"], cohort_name(row["start"], found["months"])
    if not customers:
        return []
    if measure == "again":
        return [
            _share(place, count, row, name, formats.days(place * found["step"]), _again_url(row, place * found["step"]))
            for place, count in enumerate(row["again"], start=1)
        ]
    if measure == "active":
        return [
            _share(place, count, row, name, _later(found, place), _active_url(row, found["months"], place))
            for place, count in enumerate(row["active"])
            if place
        ]
    if measure == "revenue":
        return [
            _amount(place, amount, name, _later(found, place), currency, _active_url(row, found["months"], place))
            for place, amount in enumerate(row["revenue"])
        ]
    sums = [sum(row["revenue"][: place + 1]) for place in range(len(row["revenue"]))]
    return [
        _amount(place, round(amount / customers), name, _later(found, place), currency, _cohort_url(row))
        for place, amount in enumerate(sums)
    ]


def _share(place: int, count: int, row: CohortRow, name: str, when: str, url: str) -> _Field:
    size = count / row["customers"]
    says = _("First bought %(cohort)s, %(when)s: %(share)s, %(customers)s") % {
        "cohort": name,
        "when": when,
        "share": formats.share(size, 0),
        "customers": customer_count(count),
    }
    return _Field(place, size, formats.number(100 * size), formats.share(size, 1), says, round(size, 6), url)


def _amount(place: int, amount: int, name: str, when: str, currency: str, url: str) -> _Field:
    says = _("First bought %(cohort)s, %(when)s: %(amount)s") % {
        "cohort": name,
        "when": when,
        "amount": formats.money(amount, currency, 0),
    }
    major = Money(amount, currency).major
    short = formats.compact_number(float(major), 2)
    return _Field(place, float(max(amount, 0)), short, formats.money(amount, currency, 0), says, major, url)


def _later(found: Triangle, place: int) -> str:
    if found["months"] == 1:
        return formats.months_later(place)
    return formats.quarters_later(place)


def _column(found: Triangle, measure: Measure, place: int) -> str:
    if measure == "again":
        return formats.number(place * found["step"])
    return f"+{place}" if place else "0"


def _heading(found: Triangle, measure: Measure, place: int) -> str:
    return formats.days(place * found["step"]) if measure == "again" else _later(found, place)


def _step(size: float, low: float, top: float) -> int:
    """The step of the heat scale: 0 for nothing, then five steps of equal width from ``low`` to ``top``."""
    return 0 if size <= 0 else 1 + min(4, int(5 * (size - low) / ((top - low) or 1)))


def _between(row: CohortRow) -> str:
    return f"first_purchase:between:{row['start']}..{row['end']}"


def _cohort_url(row: CohortRow) -> str:
    return customers_where(_between(row))


def _again_url(row: CohortRow, days: int) -> str:
    return customers_where(_between(row), f"second_gap_days:max:{days}")


def _active_url(row: CohortRow, months: int, place: int) -> str:
    if not place:
        return _cohort_url(row)
    first = _months_on(row["start"], months * place)
    last = _months_on(row["start"], months * (place + 1)) - timedelta(days=1)
    return customers_where(_between(row), rule=f"did purchase where amount >= 0 between {first} and {last}")


def _months_on(start: str, months: int) -> date:
    day = date.fromisoformat(start)
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True)
class Returned:
    """How many of a cohort were back within so many days, with those of the cohort before it, if there is one."""

    name: str
    customers: int
    customers_url: str
    days: int
    returned: int
    url: str
    before: str
    share_before: float | None
    cut: bool

    @property
    def share(self) -> float:
        """Of all of the cohort."""
        return self.returned / self.customers


LEAST = 10
"""Customers of the smallest cohort that the page speaks of: a share of fewer tells nothing of others."""


def returned(found: Triangle, cut_until: str, steps: Sequence[int] = (3, 2, 1)) -> Returned | None:
    """What the page says first: of the latest cohort large enough to tell, who was back within three steps, or fewer
    where no cohort has had that time. Cohorts that began before the data come last. None where none is large enough."""
    fresh = [row for row in found["rows"] if not (cut_until and row["start"] <= cut_until)]
    old = [row for row in found["rows"] if cut_until and row["start"] <= cut_until]
    for rows, least in ((fresh, 30), (fresh, LEAST), (old, LEAST)):
        for step in steps:
            able = [row for row in rows if len(row["again"]) >= step and row["customers"] >= least]
            if able:
                return _returned(able, step, found, cut=rows is old)
    return None


def _returned(able: list[CohortRow], step: int, found: Triangle, *, cut: bool) -> Returned:
    row, before = able[-1], able[-2] if len(able) > 1 else None
    days = step * found["step"]
    return Returned(
        cohort_name(row["start"], found["months"]),
        row["customers"],
        _cohort_url(row),
        days,
        row["again"][step - 1],
        _again_url(row, days),
        cohort_name(before["start"], found["months"]) if before else "",
        before["again"][step - 1] / before["customers"] if before else None,
        cut,
    )


Maker = Callable[[Any], Chart | None]


def makers() -> dict[str, Maker]:
    """A maker for each measure and length, by the chart's key."""

    def maker(measure: Measure, by: Literal["month", "quarter"]) -> Maker:
        def make(found: Any) -> Chart | None:
            part = found.part("cohorts")
            return part and triangle(part[by], measure, part["currency"], part["cut_until"], found.stamp)

        return make

    lengths: tuple[Literal["month", "quarter"], ...] = ("month", "quarter")
    return {f"cohorts-{measure}-{by}": maker(measure, by) for measure in MEASURES for by in lengths}
