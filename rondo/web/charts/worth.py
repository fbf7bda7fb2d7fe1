"""The map of worth: a column per stage, as wide as its worth, split by risk; so every area is money."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.analysis.parts.shapes import WorthCell
from rondo.analysis.ruled import RISK, STAGE
from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.charts.axes import INK, plot
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customer_count, customers_where
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_NARROW = 400
_FILLS = {"low": "var(--good-soft)", "elevated": "var(--warn-soft)", "high": "var(--risk-soft)"}
_EDGES = {"low": "var(--good)", "elevated": "var(--warn)", "high": "var(--risk)"}
_LETTER = 6.6
"""Width of a letter in pixels, for what still fits into an area."""


def worth_map(cells: Sequence[WorthCell], currency: str, stamp: str) -> Chart | None:
    """The map; None where no customer is worth anything."""
    whole = sum(cell["value"] for cell in cells)
    if whole <= 0:
        return None
    stages, risks = dict(STAGE), dict(RISK)
    urls = [customers_where(f"stage:is:{cell['stage']}", f"risk:is:{cell['risk']}") for cell in cells]
    rows = [
        [
            Cell(str(stages[cell["stage"]]), str(stages[cell["stage"]])),
            Cell(str(risks[cell["risk"]]), str(risks[cell["risk"]])),
            Cell(formats.number(cell["customers"]), cell["customers"], url),
            Cell(formats.money(cell["value"], currency, 0), Money(cell["value"], currency).major),
            Cell(formats.share(cell["value"] / whole), round(cell["value"] / whole, 6)),
        ]
        for cell, url in zip(cells, urls, strict=True)
    ]

    def build(size: Size) -> Any:
        areas, heads = _laid(cells, urls, whole, currency, size)
        x = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=None)
        y = alt.Y("y:Q", scale=alt.Scale(domain=[0, 1.1], nice=False), axis=None)
        base = plot(areas)
        layers = [
            base.mark_rect(strokeWidth=1).encode(
                x=x,
                x2="x2:Q",
                y=y,
                y2="y2:Q",
                color=alt.Color("fill:N", scale=None),
                stroke=alt.Stroke("edge:N", scale=None),
                description=alt.Description("says:N"),
            ),
            base.mark_text(aria=False, color=INK).encode(
                x=alt.X("middle:Q"), y=alt.Y("centre:Q"), text=alt.Text("text:N")
            ),
            plot(heads)
            .mark_text(aria=False, align="left", dx=2, color=INK, fontWeight=600)
            .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), text=alt.Text("text:N")),
        ]
        return alt.layer(*layers)

    return Chart(
        key="worth-map",
        title=_("Worth by stage and risk"),
        message="",
        columns=[
            Column(_("Stage"), figures=False),
            Column(_("Risk"), figures=False),
            Column(_("Customers")),
            Column(_("Value together")),
            Column(_("Share of the value")),
        ],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(980, 320),
        phone=(330, 320),
    )


def _laid(
    cells: Sequence[WorthCell], urls: Sequence[str], whole: int, currency: str, size: Size
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The areas and the heads of their columns, in shares of the plot; names stand where they fit."""
    stages, risks = dict(STAGE), dict(RISK)
    areas: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    left = 0.0
    for stage, _label in STAGE:
        column = [(cell, url) for cell, url in zip(cells, urls, strict=True) if cell["stage"] == stage]
        worth = sum(cell["value"] for cell, _url in column)
        if worth <= 0:
            continue
        width, foot = worth / whole, 0.0
        name = str(stages[stage])
        if len(name) * _LETTER < width * size[0]:
            heads.append({"x": left, "y": 1.05, "text": name})
        for cell, url in column:
            height = cell["value"] / worth
            money = formats.compact_money(cell["value"], currency, 2)
            fits = len(money) * _LETTER < width * size[0] and height * size[1] > 18
            says = _("%(stage)s, risk %(risk)s: %(customers)s worth %(value)s, %(share)s of all") % {
                "stage": name,
                "risk": risks[cell["risk"]],
                "customers": customer_count(cell["customers"]),
                "value": formats.compact_money(cell["value"], currency),
                "share": formats.share(cell["value"] / whole),
            }
            if height > 0:
                areas.append(
                    {
                        "x": left,
                        "x2": left + width,
                        "y": foot,
                        "y2": foot + height,
                        "middle": left + width / 2,
                        "centre": foot + height / 2,
                        "fill": _FILLS[cell["risk"]],
                        "edge": _EDGES[cell["risk"]],
                        "text": money if fits else "",
                        "says": spoken(says, url),
                    }
                )
            foot += height
        left += width
    return areas, heads


def makers() -> dict[str, Callable[[Any], Chart | None]]:
    """The maker of the map, by its key."""

    def make(found: Any) -> Chart | None:
        part = found.part("worth")
        return part and worth_map(part["cells"], found.results["totals"]["currency"], found.stamp)

    return {"worth-map": make}
