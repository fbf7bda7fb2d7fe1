"""How customers buy: categories, baskets, the rhythm of coming back, weekdays and hours.

Orders whose total is below 0 are returns and are left out, but counted. Everything is counted by Ibis expressions on
the columnar copy; docs/buying.md says what each figure means.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import ibis

from rondo.analysis.facts import Past
from rondo.analysis.facts.taste import kinds
from rondo.analysis.parts.shapes import Band, Buying, CategoryRow, TypicalGap, Weekday
from rondo.analysis.portfolio import value_edges
from rondo.warehouse.tables import Tables

CATEGORIES = 40
LONGEST_GAP = 42
SIZES = (1, 2, 3, 5, 10, 20, 40)
"""Where bands of the number of lines begin."""
TYPICAL = (0, 3, 7, 14, 30, 60)
_QUARTER_HOUR = 900
SEPARATOR = " > "


def buying(tables: Tables, known: Past, whole: Buying | None = None) -> Buying:
    """Figures of the customers of ``known``; ``whole`` are those of all, where these are a part of them."""
    orders = known.orders.filter(known.orders.total >= 0)
    orders = known.keep(orders.select("id", "customer_id", "total", "line_count", "occurred_at", "business_date"))
    counts = _row(
        tables,
        orders.aggregate(
            buyers=orders.customer_id.nunique(),
            orders=orders.count(),
            median_value=orders.total.quantile(0.5),
            median_size=orders.line_count.median(),
        ),
    )
    found, unsorted = _categories(tables, known)
    gaps = known.keep(_gaps(known))
    counted = {row["gap"]: row["n"] for row in _rows(tables, gaps.group_by("gap").aggregate(n=gaps.count()))}
    return Buying(
        buyers=counts["buyers"],
        orders=counts["orders"],
        returns=_row(tables, known.orders.aggregate(n=known.orders.count(where=known.orders.total < 0)))["n"],
        currency=known.currency,
        categories=found[:CATEGORIES],
        more=len(found[CATEGORIES:]),
        more_revenue=sum(row["revenue"] for row in found[CATEGORIES:]),
        unsorted=unsorted,
        values=_bands(tables, orders, "total", _value_edges(tables, orders) if whole is None else _lows(whole)),
        sizes=_bands(tables, orders, "line_count", list(SIZES)),
        median_value=None if counts["median_value"] is None else round(counts["median_value"]),
        median_size=counts["median_size"],
        gaps=[counted.get(day, 0) for day in range(1, LONGEST_GAP + 1)],
        longer=sum(n for gap, n in counted.items() if gap > LONGEST_GAP),
        median_gap=_row(tables, gaps.aggregate(median=gaps.gap.median()))["median"],
        typical=_typical(tables, gaps),
        weekdays=_weekdays(tables, orders),
        hours=_hours(tables, orders),
        zone=_zone(),
    )


def _zone() -> str:
    from rondo.foundation.installation import zone

    return str(zone())


def _categories(tables: Tables, known: Past) -> tuple[list[CategoryRow], int]:
    """Categories, the most revenue first, and the revenue of lines without one."""
    named = kinds(known)
    goods = known.products.left_join(named, known.products.category_id == named.category)
    goods = goods.select(good=known.products.id, kind=named.kind)
    # Returns are few: lines are quicker told from theirs than found among those of all other orders.
    returned = known.keep(known.orders.filter(known.orders.total < 0).select("id"))
    lines = known.lines.filter(known.lines.order_id.notin(returned.id))
    sold = lines.left_join(goods, lines.product_id == goods.good)
    # Whoever has two different orders has a smallest and a largest key that differ: no set of keys has to be held.
    sums = sold.group_by("customer_id", "kind").aggregate(
        first=sold.order_id.min(), last=sold.order_id.max(), revenue=sold.total.sum().cast("int64")
    )
    of_kind = sums.group_by("kind").aggregate(
        buyers=sums.count(),
        repeaters=sums.count(where=sums.first != sums.last),
        revenue=sums.revenue.sum().cast("int64"),
    )
    paths = named.group_by(number="kind").aggregate(path=named.path.max())
    joined = of_kind.left_join(paths, of_kind.kind == paths.number)
    rows = _rows(tables, joined.select("path", "buyers", "repeaters", "revenue"))
    known_paths = [row["path"] for row in rows if row["path"] is not None]
    found = [
        CategoryRow(
            names=row["path"].split(SEPARATOR),
            found=not any(f"{SEPARATOR}{row['path']}{SEPARATOR}" in f"{SEPARATOR}{other}{SEPARATOR}"
                          for other in known_paths if other != row["path"]),
            buyers=row["buyers"],
            repeaters=row["repeaters"],
            revenue=row["revenue"],
        )
        for row in rows
        if row["path"] is not None
    ]  # fmt: skip
    found.sort(key=lambda row: (-row["revenue"], row["names"]))
    return found, sum(row["revenue"] for row in rows if row["path"] is None)


def _value_edges(tables: Tables, orders: Any) -> list[int]:
    """Where bands of value begin: round steps up to the 99th percentile, what lies above in the last band."""
    totals = tables.arrow(orders.filter(orders.total > 0).select("total"))["total"].to_numpy()
    return value_edges(totals)[:-1]


def _lows(whole: Buying) -> list[int]:
    return [band["low"] for band in whole["values"]]


def _bands(tables: Tables, orders: Any, column: str, lows: list[int]) -> list[Band]:
    """Orders by band; each band begins with its low, the last one is open."""
    if not lows:
        return []
    value = orders[column]
    place = ibis.literal(0, "int64") + sum(((value >= low).cast("int64") for low in lows[1:]), ibis.literal(0, "int64"))
    banded = orders.mutate(place=place)
    rows = _rows(tables, banded.group_by("place").aggregate(n=banded.count(), revenue=banded.total.sum().cast("int64")))
    found = {row["place"]: row for row in rows}
    return [
        Band(
            low=low,
            high=lows[number + 1] if number + 1 < len(lows) else None,
            orders=found[number]["n"] if number in found else 0,
            revenue=found[number]["revenue"] if number in found else 0,
        )
        for number, low in enumerate(lows)
    ]


def _gaps(known: Past) -> Any:
    """Days between consecutive purchase days, one row per gap."""
    days = known.purchase_days
    ordered = ibis.window(group_by="customer_id", order_by="day")
    gaps = days.select("customer_id", gap=days.day - days.day.lag().over(ordered))
    return gaps.filter(gaps.gap.notnull())


def _typical(tables: Tables, gaps: Any) -> list[TypicalGap]:
    medians = gaps.group_by("customer_id").aggregate(median=gaps.gap.median().cast("float64"))
    place = sum(((medians.median > above).cast("int64") for above in TYPICAL[1:]), ibis.literal(0, "int64"))
    placed = medians.mutate(place=place)
    rows = _rows(tables, placed.group_by("place").aggregate(n=placed.count()))
    found = {row["place"]: row["n"] for row in rows}
    return [
        TypicalGap(
            above=above, most=TYPICAL[number + 1] if number + 1 < len(TYPICAL) else None, customers=found.get(number, 0)
        )
        for number, above in enumerate(TYPICAL)
    ]


def _weekdays(tables: Tables, orders: Any) -> list[Weekday]:
    """By business date, Monday first."""
    dated = orders.mutate(weekday=orders.business_date.day_of_week.index())
    counted = dated.group_by("weekday").aggregate(
        customers=dated.customer_id.nunique(), orders=dated.count(), revenue=dated.total.sum().cast("int64")
    )
    found = {
        row["weekday"]: Weekday(customers=row["customers"], orders=row["orders"], revenue=row["revenue"])
        for row in _rows(tables, counted)
    }
    return [found.get(day, Weekday(customers=0, orders=0, revenue=0)) for day in range(7)]


def _hours(tables: Tables, orders: Any) -> list[list[int]]:
    """Orders by local weekday and hour. Counted by the quarter of an hour in UTC, and told in the company's zone here:
    so every engine agrees, summer time and zones off by half an hour included."""
    quarters = orders.mutate(quarter=orders.occurred_at.epoch_seconds() // _QUARTER_HOUR)
    rows = tables.arrow(quarters.group_by("quarter").aggregate(n=quarters.count())).to_pydict()
    zone = ZoneInfo(_zone())
    hours = [[0] * 24 for _day in range(7)]
    for quarter, orders_then in zip(rows["quarter"], rows["n"], strict=True):
        local = datetime.fromtimestamp(quarter * _QUARTER_HOUR, UTC).astimezone(zone)
        hours[local.weekday()][local.hour] += orders_then
    return hours


def _rows(tables: Tables, expression: Any) -> list[dict[str, Any]]:
    return list(tables.arrow(expression).to_pylist())


def _row(tables: Tables, expression: Any) -> dict[str, Any]:
    return _rows(tables, expression)[0]
