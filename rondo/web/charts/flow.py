"""Movements between two days as bands: from the state on the earlier day (left) to that on the later (right)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.web import formats
from rondo.web.charts.axes import plot
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customer_count
from rondo.web.charts.scales import Scale
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_NARROW = 400
_STEPS = 16
"""Points along a band, enough for a smooth bend."""
_GAP = 0.02
"""Room between two states, as a share of all customers."""
_LINE_PIXELS = 13
_LABEL_PIXELS = 150


@dataclass(frozen=True)
class Band:
    """Customers who went from one state to another (or stayed), and the list that names them."""

    before: str
    after: str
    customers: int
    url: str = ""


def flow(bands: Sequence[Band], scale: Scale, stamp: str, *, key: str = "flow", csv: str = "") -> Chart | None:
    """The flow; a band opens its customers. None where nobody stands anywhere."""
    found = [band for band in bands if band.customers]
    if not found:
        return None
    labels = scale.labels
    rows = [
        [
            Cell(labels[band.before], str(labels[band.before])),
            Cell(labels[band.after], str(labels[band.after])),
            Cell(formats.number(band.customers), band.customers, band.url),
        ]
        for band in found
    ]
    return Chart(
        key=key,
        title=_("Flow: %(scale)s") % {"scale": scale.title},
        message="",
        columns=[Column(_("From"), figures=False), Column(_("To"), figures=False), Column(_("Customers"))],
        rows=rows,
        build=lambda size: _drawn(found, scale, size),
        stamp=stamp,
        desk=(960, 340),
        phone=(290, 320),
        csv=csv,
    )


def _drawn(bands: Sequence[Band], scale: Scale, size: Size) -> Any:
    labels = scale.labels
    left = _sums(bands, "before", scale)
    right = _sums(bands, "after", scale)
    total = sum(left.values())
    gap = total * _GAP
    starts, ends = _stacked(left, gap), _stacked(right, gap)
    height = max(total + gap * (len(side) - 1) for side in (left, right))
    margin = 0.62 if size[0] < _NARROW else 0.24
    x = alt.X("x:Q", scale=alt.Scale(domain=[-margin, 1 + margin], nice=False), axis=None)
    y = alt.Y("low:Q", scale=alt.Scale(domain=[height, 0], nice=False), axis=None)
    ribbons = (
        plot(_points(bands, scale, starts, ends))
        .mark_area()
        .encode(
            x=x,
            y=y,
            y2=alt.Y2("high:Q"),
            detail=alt.Detail("band:N"),
            color=alt.Color("colour:N", scale=None),
            opacity=alt.Opacity("opacity:Q", scale=None),
            description=alt.Description("says:N"),
        )
    )
    # A name needs its line: states with fewer customers are named by the pointer and in the table.
    line = height * _LINE_PIXELS / size[1]
    texts = []
    for side, begins, at, align in ((left, starts, -0.015, "right"), (right, ends, 1.015, "left")):
        words = [
            {"x": at, "low": begins[state] + amount / 2, "text": f"{labels[state]} {formats.number(amount)}"}
            for state, amount in side.items()
            if amount + gap >= line
        ]
        mark = plot(words).mark_text(aria=False, align=align, baseline="middle", limit=_LABEL_PIXELS)
        texts.append(mark.encode(x=x, y=y, text=alt.Text("text:N")))
    return alt.layer(ribbons, *texts)


def _points(
    bands: Sequence[Band], scale: Scale, starts: dict[str, float], ends: dict[str, float]
) -> list[dict[str, Any]]:
    """Points along both edges of each band; bands leave and arrive in the order of the states, so that few cross."""
    labels = scale.labels
    place = {state: number for number, state in enumerate(scale.drawn)}
    out, into = dict(starts), dict(ends)
    points: list[dict[str, Any]] = []
    for band in sorted(bands, key=lambda band: (place[band.before], place[band.after])):
        begin, end = out[band.before], into[band.after]
        out[band.before] += band.customers
        into[band.after] += band.customers
        says = _("From %(before)s to %(after)s: %(customers)s") % {
            "before": labels[band.before],
            "after": labels[band.after],
            "customers": customer_count(band.customers),
        }
        look = {
            "band": f"{band.before}-{band.after}",
            "colour": scale.colour(band.after),
            "opacity": 0.25 if band.before == band.after else 0.75,
            "says": spoken(says, band.url) if band.url else spoken(says),
        }
        for step in range(_STEPS + 1):
            at = step / _STEPS
            low = begin + (end - begin) * at * at * (3 - 2 * at)  # level at both ends
            points.append(look | {"x": at, "low": low, "high": low + band.customers})
    return points


def _sums(bands: Sequence[Band], side: str, scale: Scale) -> dict[str, int]:
    """Customers by state on one side, in the order they are drawn."""
    found = dict.fromkeys(scale.drawn, 0)
    for band in bands:
        found[getattr(band, side)] += band.customers
    return {state: amount for state, amount in found.items() if amount}


def _stacked(amounts: dict[str, int], gap: float) -> dict[str, float]:
    """Where each state begins, from the top, with a gap between states."""
    begins, at = {}, 0.0
    for state, amount in amounts.items():
        begins[state] = at
        at += amount + gap
    return begins
