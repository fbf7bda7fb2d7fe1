"""Facts of buying: when, how often, how much, and the customer's own rhythm."""

from datetime import date, timedelta
from typing import Any

import ibis

from rondo.analysis.facts.past import Past

QUANTILE = 0.9
OWN_RHYTHM_FROM = 3
FALLBACK_GAP_DAYS = 90.0
ASLEEP_BEYOND = 2.0
_DECIMALS = 6
_EPOCH = ibis.date("1970-01-01")


def spending(past: Past) -> Any:
    """Facts of orders, one row per customer with an order, whom ``spends`` names."""
    t = past.orders
    since = {days: ibis.literal(past.as_of - timedelta(days=days)) for days in (30, 90, 365)}
    return t.group_by(spends="customer_id").aggregate(
        orders=t.count(),
        spend=t.total.sum().cast("int64"),
        stores=t.store.nunique(where=t.store != ""),
        positive=t.count(where=t.total > 0),
        positive_spend=t.total.sum(where=t.total > 0).cast("int64"),
        **{f"spend_{days}": t.total.sum(where=t.business_date > day).cast("int64") for days, day in since.items()},
    )


def rhythm(past: Past) -> Any:
    """Purchase days and the gaps between them, one row per customer with one, whom ``returns`` names.

    ``first_day`` and ``last_day`` are days since 1970-01-01, ``second_gap`` is the gap up to the second purchase day.
    """
    days = past.purchase_days
    ordered = ibis.window(group_by="customer_id", order_by="day")
    gaps = days.select(
        "customer_id", "day", gap=days.day - days.day.lag().over(ordered), place=ibis.row_number().over(ordered)
    )
    return gaps.group_by(returns="customer_id").aggregate(
        purchase_days=gaps.count(),
        first_day=gaps.day.min(),
        last_day=gaps.day.max(),
        second_gap=gaps.gap.max(where=gaps.place == 1),
        typical_gap_days=gaps.gap.median().cast("float64"),
        all_q90=_quantile(gaps.gap),
    )


def _quantile(days: Any) -> Any:
    """Between whole days it has one decimal: what engines differ in behind it is no figure."""
    return days.quantile(QUANTILE).cast("float64").round(_DECIMALS)


def buying(past: Past, spent: Any, came: Any) -> dict[str, Any]:
    """The facts by name, over tables like those of :func:`spending` (``spent``) and :func:`rhythm` (``came``)."""
    as_of_day = ibis.literal((past.as_of - date(1970, 1, 1)).days)
    # Of the whole base: how long most wait before they come back for the first time.
    usual = came.aggregate(usual=_quantile(came.second_gap)).as_scalar()
    has_rhythm = came.purchase_days >= OWN_RHYTHM_FROM
    age = as_of_day - came.first_day
    recency_days = (as_of_day - came.last_day).cast("int64")
    overdue = recency_days / ibis.ifelse(has_rhythm, came.all_q90, usual).fill_null(FALLBACK_GAP_DAYS)
    return {
        "orders": spent.orders,
        "spend": spent.spend,
        "stores": spent.stores,
        **{f"spend_{days}": spent[f"spend_{days}"] for days in (30, 90, 365)},
        # Half up, in whole numbers.
        "average_basket": ((2 * spent.positive_spend + spent.positive) // (2 * spent.positive).nullif(0)).cast("int64"),
        "purchase_days": came.purchase_days,
        "second_gap_days": came.second_gap,
        "typical_gap_days": came.typical_gap_days,
        "gap_q90_days": ibis.ifelse(has_rhythm, came.all_q90, ibis.null()),
        "recency_days": recency_days,
        "first_purchase": came.first_day.as_interval("D") + _EPOCH,
        "last_purchase": came.last_day.as_interval("D") + _EPOCH,
        "frequency": ibis.ifelse(age > 0, (came.purchase_days - 1) * 30 / age.nullif(0), ibis.null()),
        "overdue": overdue,
        "activity": ibis.cases(
            (came.purchase_days.isnull(), "never"),
            (overdue <= 1, "active"),
            (overdue <= ASLEEP_BEYOND, "late"),
            else_="asleep",
        ),
    }
