"""Features of what is bought and how it is paid: range, own label, discounts and coupons, from the lines of orders."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Feature, FeatureGroup, registries

if TYPE_CHECKING:
    from rondo.analysis.facts import Past

RECENT_DAYS = 90


def taste(past: "Past") -> Any:
    """One row per customer with a line that was not a return."""
    import ibis  # the registered words are read by pages, which start without the engine

    recent = past.orders.business_date > ibis.literal(past.as_of - timedelta(days=RECENT_DAYS))
    orders = past.orders.select(of="id", recent=recent)
    products = past.products.select(product="id", category="category_id", own_label="own_label")
    lines = past.lines.filter(lambda t: t.total >= 0)
    t = lines.join(orders, lines.order_id == orders.of).left_join(products, lines.product_id == products.product)
    coupons = t.coupon_discount + t.match_discount
    sums = t.group_by("customer_id").aggregate(
        lines=t.count(),
        products=t.product_id.nunique(),
        kinds=t.category.nunique(),
        paid=t.total.sum().cast("int64"),
        own=t.total.sum(where=t.own_label).cast("int64").fill_null(0),
        labelled=t.total.sum(where=t.own_label.notnull()).cast("int64"),
        discounts=t.discount.sum().cast("int64"),
        coupon_saved=coupons.sum().cast("int64"),
        coupon_lines=t.count(where=coupons > 0),
        coupon_saved_90=coupons.sum(where=t.recent).cast("int64").fill_null(0),
        coupon_lines_90=t.count(where=t.recent & (coupons > 0)),
    )
    return sums.select(
        "customer_id",
        "lines",
        "products",
        "kinds",
        "discounts",
        "coupon_saved",
        "coupon_lines",
        "coupon_saved_90",
        "coupon_lines_90",
        own_label_share=sums.own / sums.labelled.nullif(0),
        discount_share=sums.discounts / (sums.paid + sums.discounts + sums.coupon_saved).nullif(0),
    )


_RANGE = _("buy a wider range"), _("buy a narrower range")
_COUPONS = _("use more coupons"), _("use fewer coupons")

registries.features.add(
    "taste",
    FeatureGroup(
        "taste",
        (
            Feature("lines", _("Lines bought"), *_RANGE, "count", "range"),
            Feature("products", _("Different products"), *_RANGE, "count", "range"),
            Feature("kinds", _("Different categories"), *_RANGE, "count", "range"),
            Feature(
                "own_label_share",
                _("Own-label share"),
                _("buy more own label"),
                _("buy less own label"),
                "share",
                "own label",
                zero=False,
            ),
            Feature(
                "discount_share",
                _("Discount share"),
                _("buy more at a discount"),
                _("buy less at a discount"),
                "share",
                "discounts",
                zero=False,
            ),
            Feature("discounts", _("Saved by discounts"), _("save more"), _("save less"), "money", "discounts"),
            Feature("coupon_saved", _("Saved by coupons"), *_COUPONS, "money", "coupons"),
            Feature("coupon_lines", _("Lines with a coupon"), *_COUPONS, "count", "coupons"),
            Feature("coupon_saved_90", _("Saved by coupons in 90 days"), *_COUPONS, "money", "coupons"),
            Feature("coupon_lines_90", _("Lines with a coupon in 90 days"), *_COUPONS, "count", "coupons"),
        ),
        taste,
    ),
)
