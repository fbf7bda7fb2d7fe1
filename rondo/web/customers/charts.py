"""The chart of the customer page: what the customer bought, month by month."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.foundation.money import Money
from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, axis, upright
from rondo.web.charts.chart import Cell, Chart, Column, Size
from rondo.web.charts.svg import spoken

if TYPE_CHECKING:
    import altair as alt

    from rondo.web.customers.page import Month
else:
    from rondo.web.charts import grammar as alt

SHOWN = 24
"""Months drawn, the latest; the table has all."""


def purchases_chart(months: "Sequence[Month]", currency: str, csv: str) -> Chart | None:
    """Spend by month as bars from zero, the table at the address ``csv``; None if there are no purchases."""
    if not months:
        return None
    # The figures themselves are the stamp: the drawing is kept exactly as long as they stand.
    stamp = sha256(repr([currency, *months]).encode()).hexdigest()
    rows = [
        [
            Cell(formats.month(m.month), m.month.isoformat()),
            Cell(formats.number(m.orders), m.orders),
            Cell(formats.money(m.amount, currency, 0), float(Money(m.amount, currency).major)),
        ]
        for m in reversed(months)
    ]
    return Chart(
        key="customer-purchases",
        title=_("Purchases by month"),
        message=_message(months, currency),
        columns=[Column(_("Month"), figures=False), Column(_("Orders")), Column(_("Spend"))],
        rows=rows,
        build=lambda size: _drawing(months[-SHOWN:], currency, size),
        stamp=stamp,
        desk=(300, 120),
        phone=(300, 120),
        fleeting=True,
        csv=csv,
    )


def _message(months: "Sequence[Month]", currency: str) -> str:
    orders, amount = sum(m.orders for m in months), sum(m.amount for m in months)
    text = ngettext(
        "%(orders)s purchase of %(amount)s since %(month)s.",
        "%(orders)s purchases for %(amount)s since %(month)s.",
        orders,
    )
    return text % {
        "orders": formats.number(orders),
        "amount": formats.money(amount, currency, 0),
        "month": formats.month(months[0].month),
    }


def _drawing(months: "Sequence[Month]", currency: str, size: Size) -> Any:
    points = [
        {
            "from": place + 0.12,
            "to": place + 0.88,
            "y": max(month.amount, 0),
            "zero": 0,
            "says": spoken(
                ngettext(
                    "%(month)s: %(amount)s in %(orders)s order",
                    "%(month)s: %(amount)s in %(orders)s orders",
                    month.orders,
                )
                % {
                    "month": formats.month(month.month),
                    "amount": formats.money(month.amount, currency, 0),
                    "orders": formats.number(month.orders),
                }
            ),
        }
        for place, month in enumerate(months)
    ]
    top = max(max(month.amount for month in months), 1)
    step = next((s for s in (1, 2, 3, 6, 12) if len(months) / s <= 5), 12)
    ticked = [(place + 0.5, month) for place, month in enumerate(months) if place % step == 0]
    x = alt.X(
        "from:Q",
        scale=alt.Scale(domain=[0, len(months)], nice=False),
        axis=axis([place for place, _month in ticked], [formats.month(month.month) for _place, month in ticked]),
    )
    return (
        alt.Chart(alt.Data(values=points))  # type: ignore[no-untyped-call]
        .mark_rect(color=ACTUAL, cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=x,
            x2=alt.X2("to:Q"),
            y=upright("y", top, lambda value: formats.compact_money(value, currency, 2), wanted=3),
            y2=alt.Y2("zero:Q"),
            description=alt.Description("says:N"),
        )
    )
