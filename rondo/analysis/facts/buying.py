"""Facts of buying: when, how often, how much, and the customer's own rhythm."""

from datetime import date, timedelta
from typing import Any

import ibis

from rondo.analysis.facts.past import Past

QUANTILE = 0.9
OWN_RHYTHM_FROM = 3
FALLBACK_GAP_DAYS = 90.0
ASLEEP_BEYOND = 2.0
_EPOCH = ibis.date("1970-01-01")


def purchase_days(past: Past) -> Any:
    """One row per customer and purchase day: ``customer_id``, ``day`` (days since 1970-01-01), ``spend`` (of the orders
    above 0, in minor units)."""
    bought = past.orders.filter(lambda t: t.total >= 0)
    bought = bought.select("customer_id", "total", day=bought.business_date.delta(_EPOCH, unit="day"))
    return bought.group_by("customer_id", "day").aggregate(spend=lambda t: t.total.sum().cast("int64"))


def buying(past: Past) -> Any:
    """Facts of orders and their rhythm, one row per customer with an order."""
    as_of_day = (past.as_of - date(1970, 1, 1)).days
    orders = _orders(past)
    rhythm, usual = _rhythm(past)
    joined = orders.left_join(rhythm, orders.customer_id == rhythm.rhythm_of).drop("rhythm_of")
    joined = joined.mutate(recency_days=(ibis.literal(as_of_day) - joined.last_day).cast("int64"))
    age = ibis.literal(as_of_day) - joined.first_day
    longest = ibis.ifelse(joined.purchase_days >= OWN_RHYTHM_FROM, joined.gap_q90_days, usual.as_scalar())
    joined = joined.mutate(
        first_purchase=joined.first_day.as_interval("D") + _EPOCH,
        last_purchase=joined.last_day.as_interval("D") + _EPOCH,
        frequency=ibis.ifelse(age > 0, (joined.purchase_days - 1) * 30 / age.nullif(0), ibis.null()),
        overdue=joined.recency_days / longest.fill_null(FALLBACK_GAP_DAYS),
    )
    activity = ibis.cases(
        (joined.purchase_days.fill_null(0) == 0, "never"),
        (joined.overdue <= 1, "active"),
        (joined.overdue <= ASLEEP_BEYOND, "late"),
        else_="asleep",
    )
    return joined.mutate(activity=activity).drop("first_day", "last_day")


def _orders(past: Past) -> Any:
    t = past.orders
    since = {days: ibis.literal(past.as_of - timedelta(days=days)) for days in (30, 90, 365)}
    found = t.group_by("customer_id").aggregate(
        orders=t.count(),
        spend=t.total.sum().cast("int64"),
        stores=t.store.nunique(where=t.store != ""),
        positive=t.count(where=t.total > 0),
        positive_spend=t.total.sum(where=t.total > 0).cast("int64"),
        **{
            f"spend_{days}": t.total.sum(where=t.business_date > day).fill_null(0).cast("int64")
            for days, day in since.items()
        },
    )
    return found.mutate(
        # Half up, in whole numbers.
        average_basket=((2 * found.positive_spend + found.positive) // (2 * found.positive).nullif(0)).cast("int64")
    ).drop("positive", "positive_spend")


def _rhythm(past: Past) -> tuple[Any, Any]:
    """Per customer the purchase days and the gaps between them; and the base's quantile of gaps to the second one."""
    days = purchase_days(past).select("customer_id", "day")
    ordered = ibis.window(group_by="customer_id", order_by="day")
    gaps = days.mutate(gap=days.day - days.day.lag().over(ordered), place=ibis.row_number().over(ordered))
    found = gaps.group_by(rhythm_of="customer_id").aggregate(
        purchase_days=gaps.count(),
        first_day=gaps.day.min(),
        last_day=gaps.day.max(),
        typical_gap_days=gaps.gap.median().cast("float64"),
        all_q90=gaps.gap.quantile(QUANTILE).cast("float64"),
    )
    found = found.mutate(
        gap_q90_days=ibis.ifelse(found.purchase_days >= OWN_RHYTHM_FROM, found.all_q90, ibis.null())
    ).drop("all_q90")
    usual = gaps.filter(gaps.place == 1).aggregate(usual=gaps.gap.quantile(QUANTILE).cast("float64"))
    return found, usual
