"""The matrix of movements between two days: from which state (row) to which (column), with the customers' worth."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.charts.axes import HEAT, INK, ON_FILL, axis, plot
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.portfolio import customer_count, heat_step
from rondo.web.charts.scales import Scale
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt

    from rondo.analysis.movements import Move
else:
    from rondo.web.charts import grammar as alt

_NARROW = 400


def movement_map(
    moves: "Sequence[Move]",
    scale: Scale,
    currency: str,
    stamp: str,
    csv: str,
    behind: Callable[[str, str], str],
    *,
    key: str = "movements",
    valued: bool = True,
) -> Chart:
    """The matrix; a click on a cell opens the customers at ``behind(before, after)``. Where customers are not
    ``valued`` it tells no worth."""
    labels = scale.labels
    order = {key: number for number, key in enumerate(labels)}
    found = sorted(moves, key=lambda move: (order[move.before], order[move.after]))
    urls = [behind(move.before, move.after) for move in found]
    rows = [
        [
            Cell(labels[move.before], str(labels[move.before])),
            Cell(labels[move.after], str(labels[move.after])),
            Cell(formats.number(move.customers), move.customers, url),
            Cell(formats.money(move.value, currency, 0), Money(move.value, currency).major)
            if valued
            else Cell(formats.DASH, ""),
        ]
        for move, url in zip(found, urls, strict=True)
    ]

    def build(size: Size) -> Any:
        most = max(move.customers for move in found)
        narrow = size[0] < _NARROW
        data = [
            {
                "from": order[move.before],
                "to": order[move.after],
                "colour": HEAT[heat_step(move.customers, most)],
                "ink": ON_FILL if heat_step(move.customers, most) == len(HEAT) - 1 else INK,
                "text": formats.number(move.customers),
                "money": formats.compact_money(move.value, currency, 2) if valued else "",
                "says": spoken(
                    (
                        _("From %(before)s to %(after)s: %(customers)s worth %(value)s")
                        if valued
                        else _("From %(before)s to %(after)s: %(customers)s")
                    )
                    % {
                        "before": labels[move.before],
                        "after": labels[move.after],
                        "customers": customer_count(move.customers),
                        "value": formats.compact_money(move.value, currency),
                    },
                    url,
                ),
            }
            for move, url in zip(found, urls, strict=True)
        ]
        # On a phone a column is too narrow for its state: columns bear numbers, which the rows' names explain.
        heads = [str(number) for number in range(1, len(labels) + 1)] if narrow else list(labels.values())
        names = [f"{n} {label}" for n, label in enumerate(labels.values(), start=1)] if narrow else heads
        befores = sorted({order[move.before] for move in found})
        afters = sorted({order[move.after] for move in found})
        x = alt.X(
            "to:O",
            sort=afters,
            scale=alt.Scale(domain=afters, paddingInner=0.03),
            axis=axis(afters, [heads[n] for n in afters], domain=False, orient="top"),
        )
        y = alt.Y(
            "from:O",
            sort=befores,
            scale=alt.Scale(domain=befores, paddingInner=0.05),
            axis=axis(befores, [names[n] for n in befores], domain=False, ticks=False),
        )
        base, ink = plot(data), alt.Color("ink:N", scale=None)
        squares = base.mark_rect().encode(
            x=x, y=y, color=alt.Color("colour:N", scale=None), description=alt.Description("says:N")
        )
        if narrow:
            return squares + base.mark_text(aria=False, fontSize=10).encode(
                x=x, y=y, text=alt.Text("text:N"), color=ink
            )
        count = base.mark_text(aria=False, dy=-7).encode(x=x, y=y, text=alt.Text("text:N"), color=ink)
        return squares + count + base.mark_text(aria=False, dy=9, fontSize=10).encode(
            x=x, y=y, text=alt.Text("money:N"), color=ink
        )  # fmt: skip

    lines = len({move.before for move in found})
    return Chart(
        key=key,
        title=_("Movements: %(scale)s") % {"scale": scale.title},
        message="",
        columns=[
            Column(_("From"), figures=False),
            Column(_("To"), figures=False),
            Column(_("Customers")),
            Column(_("Value together")),
        ],
        rows=rows,
        build=build,
        stamp=stamp,
        csv=csv,
        desk=(960, 44 * max(lines, 2)),
        phone=(280, 30 * max(lines, 2)),
    )
