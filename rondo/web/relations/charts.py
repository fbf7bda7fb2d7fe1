"""The chart of the page Relationships: how strong each bond is, by tenths of its score."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.analysis.results import BondCount
from rondo.web import formats
from rondo.web.charts.axes import HEAT, INK, ON_FILL, axis, plot
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customer_count, customers_where, heat_step
from rondo.web.charts.svg import spoken
from rondo.web.relations.texts import BONDS

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_NARROW = 400
_TENTHS = 10


def bonds_map(found: Sequence[BondCount], stamp: str) -> Chart | None:
    """A row per bond that is known of anybody, a column per tenth of the score; a cell opens its customers."""
    known = [bond for bond in found if sum(bond["tenths"])]
    if not known:
        return None
    cells = [(row, tenth, bond["tenths"][tenth]) for row, bond in enumerate(known) for tenth in range(_TENTHS)]
    labels = [str(BONDS[bond["key"]]) for bond in known]
    urls = [_url(known[row]["key"], tenth) for row, tenth, _count in cells]
    rows = [
        [
            Cell(labels[row], str(labels[row])),
            Cell(_span(tenth), f"{tenth / _TENTHS:g}"),
            Cell(formats.number(count), count, url),
        ]
        for (row, tenth, count), url in zip(cells, urls, strict=True)
    ]

    def build(size: Size) -> Any:
        most = max(count for _row, _tenth, count in cells)
        data = [
            {
                "row": row,
                "tenth": tenth,
                "colour": HEAT[heat_step(count, most)],
                "ink": ON_FILL if heat_step(count, most) == len(HEAT) - 1 else INK,
                "text": formats.number(count) if count else "",
                "says": spoken(
                    _("%(bond)s, %(span)s: %(customers)s")
                    % {"bond": labels[row], "span": _span(tenth), "customers": customer_count(count)},
                    url,
                ),
            }
            for (row, tenth, count), url in zip(cells, urls, strict=True)
        ]
        narrow = size[0] < _NARROW
        tenths = list(range(_TENTHS))
        heads = [formats.share((tenth + 1) / _TENTHS, 0) for tenth in tenths]
        if narrow:
            heads = [head if tenth in (4, 9) else "" for tenth, head in enumerate(heads)]
        numbers = list(range(len(known)))
        x = alt.X(
            "tenth:O",
            sort=tenths,
            scale=alt.Scale(domain=tenths, paddingInner=0.04),
            axis=axis(tenths, heads, domain=False, orient="top"),
        )
        y = alt.Y(
            "row:O",
            sort=numbers,
            scale=alt.Scale(domain=numbers, paddingInner=0.08),
            axis=axis(numbers, labels, domain=False, ticks=False),
        )
        base, ink = plot(data), alt.Color("ink:N", scale=None)
        squares = base.mark_rect().encode(
            x=x, y=y, color=alt.Color("colour:N", scale=None), description=alt.Description("says:N")
        )
        return squares + base.mark_text(aria=False, fontSize=9 if narrow else 12).encode(
            x=x, y=y, text=alt.Text("text:N"), color=ink
        )

    return Chart(
        key="bonds",
        title=_("Bonds by strength"),
        message="",
        columns=[Column(_("Bond"), figures=False), Column(_("Score"), figures=False), Column(_("Customers"))],
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(880, 40 * max(len(known), 2)),
        phone=(270, 36 * max(len(known), 2)),
    )


def _span(tenth: int) -> str:
    return _("%(low)s to %(high)s") % {
        "low": formats.share(tenth / _TENTHS, 0),
        "high": formats.share((tenth + 1) / _TENTHS, 0),
    }


def _url(key: str, tenth: int) -> str:
    """The list of a tenth; the last one holds the full score too."""
    conditions = [f"bond_{key}:min:{tenth / _TENTHS:g}"]
    if tenth < _TENTHS - 1:
        conditions.append(f"bond_{key}:below:{(tenth + 1) / _TENTHS:g}")
    return customers_where(*conditions)
