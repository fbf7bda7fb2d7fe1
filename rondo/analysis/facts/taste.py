"""Facts of what is bought: categories, own label, discounts."""

from typing import Any

import ibis

from rondo.analysis.facts.past import Past


def tasted(past: Past) -> Any:
    """Sums of order lines, one row per customer with one, whom ``tastes`` names; ``favourite`` is a name."""
    lines, products, named = past.lines, past.products, kinds(past)
    # Products first learn their kind, so that the one pass over the lines already ends in few rows per customer.
    goods = products.left_join(named, products.category_id == named.category)
    goods = goods.select(product=products.id, kind=named.kind, own_label=products.own_label)
    kept = lines.left_join(goods, lines.product_id == goods.product).filter(lambda t: t.total >= 0)
    sums = past.keep(
        kept.group_by("customer_id", "kind").aggregate(
            spent=kept.total.sum().cast("int64"),
            discounts=(kept.discount + kept.coupon_discount + kept.match_discount).sum().cast("int64"),
            coupons=(kept.coupon_discount + kept.match_discount).sum().cast("int64"),
            labelled=kept.total.sum(where=kept.own_label.notnull()).cast("int64"),
            own=kept.total.sum(where=kept.own_label).cast("int64"),
        )
    )
    of_kinds = sums.kind.notnull()
    found = sums.group_by(tastes="customer_id").aggregate(
        spent=sums.spent.sum().cast("int64"),
        discounts=sums.discounts.sum().cast("int64"),
        coupons=sums.coupons.sum().cast("int64"),
        labelled=sums.labelled.sum().cast("int64"),
        own=sums.own.sum().cast("int64"),
        categories=sums.count(where=of_kinds),
        most=sums.spent.max(where=of_kinds),
    )
    found = past.keep(found)
    best = sums.join(found, (sums.customer_id == found.tastes) & (sums.spent == found.most))
    # Kinds are numbered by their path, which decides between equals.
    best = best.group_by(likes="customer_id").aggregate(kind=best.kind.min())
    names = named.group_by(named="kind").aggregate(favourite=named.name.max())
    favourites = best.join(names, best.kind == names.named).select("likes", "favourite")
    return found.left_join(favourites, found.tastes == favourites.likes)


def taste(sums: Any) -> dict[str, Any]:
    """The facts by name, over a table like that of :func:`tasted`."""
    return {
        "own_label_share": sums.own.fill_null(0) / sums.labelled.nullif(0),
        "saved": sums.discounts,
        "saved_by_coupons": sums.coupons,
        "discount_share": sums.discounts / (sums.spent + sums.discounts).nullif(0),
        "categories": sums.categories,
        "favourite_category": sums.favourite,
    }


def kinds(past: Past) -> Any:
    """Each ``category`` with its ancestor on the second level: ``name``, ``path``, and ``kind``, its number by path."""
    parts = past.categories.path.split(" > ")[:2]
    second = past.categories.select(category="id", path=parts.join(" > "), name=parts[-1])
    return past.keep(second.select("category", "name", "path", kind=ibis.dense_rank().over(order_by="path")))
