"""Facts of what is bought: categories, own label, discounts."""

from typing import Any

import ibis

from rondo.analysis.facts.past import Past


def taste(past: Past) -> Any:
    """One row per customer with an order line."""
    # One pass over the lines, into few rows per customer; everything below reads those.
    products = past.products.select(product="id", category_id="category_id", own_label="own_label")
    lines = past.lines.left_join(products, past.lines.product_id == products.product)
    kept = lines.filter(lambda t: t.total >= 0)
    sums = kept.group_by("customer_id", "category_id", "own_label").aggregate(
        spent=kept.total.sum().cast("int64"),
        discounts=(kept.discount + kept.coupon_discount + kept.match_discount).sum().cast("int64"),
    )
    shares = sums.group_by("customer_id").aggregate(
        spent=sums.spent.sum().cast("int64"),
        discounts=sums.discounts.sum().cast("int64"),
        labelled=sums.spent.sum(where=sums.own_label.notnull()).cast("int64"),
        own=sums.spent.sum(where=sums.own_label).cast("int64"),
    )
    shares = shares.select(
        "customer_id",
        own_label_share=shares.own.fill_null(0) / shares.labelled.nullif(0),
        discount_share=shares.discounts / (shares.spent + shares.discounts).nullif(0),
    )
    favourites = _favourites(past, sums)
    return shares.left_join(favourites, shares.customer_id == favourites.favourite_of).drop("favourite_of")


def _favourites(past: Past, sums: Any) -> Any:
    parts = past.categories.path.split(" > ")
    second = past.categories.select(category="id", path=parts[:2].join(" > "), name=parts[:2][-1])
    found = sums.join(second, sums.category_id == second.category)
    found = found.group_by("customer_id", "path", "name").aggregate(spent=found.spent.sum())
    best = ibis.row_number().over(group_by="customer_id", order_by=[found.spent.desc(), found.path.asc()])
    ranked = found.mutate(place=best)
    return ranked.group_by(favourite_of="customer_id").aggregate(
        categories=ranked.count(), favourite_category=ranked.name.max(where=ranked.place == 0)
    )
