"""Features of buying: how lately, how long, how often and how much, from orders."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Feature, FeatureGroup, registries

if TYPE_CHECKING:
    from rondo.analysis.facts import Past

WINDOWS = (30, 90, 365)


def buying(past: "Past") -> Any:
    """One row per customer with an order; windows end with the day of the past."""
    import ibis  # the registered words are read by pages, which start without the engine

    t = past.orders
    epoch = ibis.date("1970-01-01")
    today = (past.as_of - date(1970, 1, 1)).days
    since = {days: ibis.literal(past.as_of - timedelta(days=days)) for days in WINDOWS}
    bought = t.total >= 0
    first = t.business_date.min(where=bought).delta(epoch, unit="day")
    last = t.business_date.max(where=bought).delta(epoch, unit="day")
    positive, count = t.total.sum(where=t.total > 0).cast("int64"), t.count(where=t.total > 0)
    came = {f"days_{n}": t.business_date.nunique(where=bought & (t.business_date > day)) for n, day in since.items()}
    return t.group_by("customer_id").aggregate(
        recency_days=today - last,
        known_days=today - first,
        basket=(positive // count.nullif(0)).cast("int64"),
        stores=t.store.nunique(where=t.store != ""),
        **{f"spend_{days}": t.total.sum(where=t.business_date > day).cast("int64") for days, day in since.items()},
        **came,
    )


_SPEND = _("spend more"), _("spend less")
_OFTEN = _("buy on more days"), _("buy on fewer days")

registries.features.add(
    "buying",
    FeatureGroup(
        "buying",
        (
            Feature(
                "recency_days",
                _("Days since the last purchase"),
                _("bought longer ago"),
                _("bought more recently"),
                "days",
                "recency",
                zero=False,
            ),
            Feature(
                "known_days",
                _("Days since the first purchase"),
                _("have bought for longer"),
                _("have bought for a shorter time"),
                "days",
                "tenure",
                zero=False,
            ),
            Feature(
                "basket",
                _("Average basket"),
                _("fill larger baskets"),
                _("fill smaller baskets"),
                "money",
                "basket",
                zero=False,
            ),
            Feature("stores", _("Stores"), _("buy at more stores"), _("buy at fewer stores"), "count", "stores"),
            Feature("spend_30", _("Spend in 30 days"), *_SPEND, "money", "spend"),
            Feature("spend_90", _("Spend in 90 days"), *_SPEND, "money", "spend"),
            Feature("spend_365", _("Spend in 365 days"), *_SPEND, "money", "spend"),
            Feature("days_30", _("Purchase days in 30 days"), *_OFTEN, "count", "rhythm"),
            Feature("days_90", _("Purchase days in 90 days"), *_OFTEN, "count", "rhythm"),
            Feature("days_365", _("Purchase days in 365 days"), *_OFTEN, "count", "rhythm"),
        ),
        buying,
    ),
)
