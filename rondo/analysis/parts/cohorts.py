"""Cohorts by first purchase: who came back, who was active when, and what they spent, as triangles.

A customer belongs to the month (or quarter) of the first purchase day in the data. Everything is counted in whole
numbers by Ibis expressions on the columnar copy; docs/cohorts.md has a worked table.
"""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import ibis

from rondo.analysis.facts import Past
from rondo.analysis.parts.shapes import CohortRow, Cohorts, Triangle
from rondo.warehouse.tables import Tables

KEPT = 60
"""So many cohorts, the latest ones, are kept of a triangle."""
STEP_DAYS = 30
"""Length of a step of coming back, for cohorts by month; three times as long for quarters."""
CUT_OFF_DAYS = 31
_EPOCH = date(1970, 1, 1)
Counts = dict[int, dict[int, int]]


def cohorts(tables: Tables, known: Past, whole: Cohorts | None = None) -> Cohorts:
    """Cohorts of the customers of ``known``; ``whole`` are those of all customers, where these are a part of them."""
    starts = known.keep(_starts(known))
    months = known.keep(_months(known, starts))
    cut_until = _cut_until(tables, starts, known.as_of) if whole is None else whole["cut_until"]
    cut = 0
    if cut_until:
        last = (date.fromisoformat(cut_until) - _EPOCH).days
        cut = tables.arrow(starts.filter(starts.first_day <= last).count()).as_py()
    return Cohorts(
        month=_triangle(tables, known, starts, months, 1),
        quarter=_triangle(tables, known, starts, months, 3),
        cut_until=cut_until,
        cut=cut,
        currency=known.currency,
    )


def _starts(known: Past) -> Any:
    """One row per buyer: ``first_day`` (days since 1970-01-01), ``began`` (its month, counted from the year 0), ``gap``
    (days to the second purchase day; null without one)."""
    days = known.purchase_days
    firsts = days.group_by(who="customer_id").aggregate(first_day=days.day.min())
    later = days.join(firsts, days.customer_id == firsts.who).filter(lambda t: t.day > t.first_day)
    seconds = later.group_by(returned="who").aggregate(second_day=later.day.min())
    joined = firsts.left_join(seconds, firsts.who == seconds.returned)
    return joined.select(
        "who",
        "first_day",
        began=_month(ibis.literal(_EPOCH) + joined.first_day.as_interval("D")),
        gap=joined.second_day - joined.first_day,
    )


def _months(known: Past, starts: Any) -> Any:
    """One row per buyer and month with an order: ``began``, ``month`` (not before ``began``), ``days`` with a purchase,
    ``revenue``. What was taken back before the first purchase counts in its month."""
    orders = known.orders.select("customer_id", "total", month=_month(known.orders.business_date))
    joined = orders.join(starts, orders.customer_id == starts.who)
    joined = joined.mutate(month=ibis.greatest(joined.month, joined.began))
    return joined.group_by("who", "began", "month").aggregate(
        bought=joined.total.count(where=joined.total >= 0), revenue=joined.total.sum().cast("int64")
    )


def _month(day: Any) -> Any:
    return (day.year() * 12 + day.month() - 1).cast("int64")


def _triangle(tables: Tables, known: Past, starts: Any, months: Any, length: int) -> Triangle:
    """Cohorts of ``length`` months. Periods are numbered from the year 0."""
    step = STEP_DAYS * length
    sizes = starts.group_by(cohort=starts.began // length).aggregate(n=starts.count())
    came = starts.filter(starts.gap.notnull())
    came = came.group_by(cohort=came.began // length, age=(came.gap + step - 1) // step).aggregate(n=came.count())
    spent = months.mutate(cohort=months.began // length, age=months.month // length - months.began // length)
    # One row per customer and period first: then they are counted, not told apart once more.
    spent = spent.group_by("who", "cohort", "age").aggregate(bought=spent.bought.sum(), revenue=spent.revenue.sum())
    spent = spent.group_by("cohort", "age").aggregate(
        n=spent.count(where=spent.bought > 0), revenue=spent.revenue.sum().cast("int64")
    )
    found: dict[int, int] = {row["cohort"]: row["n"] for row in tables.arrow(sizes).to_pylist()}
    again, (active, revenue) = _by_age(tables, came, "n")[0], _by_age(tables, spent, "n", "revenue")
    now = (known.as_of.year * 12 + known.as_of.month - 1) // length
    kept = range(max(min(found, default=now), now - KEPT + 1), now + 1)
    return Triangle(
        months=length,
        step=step,
        rows=[
            _row(cohort, now, length, known.as_of, found.get(cohort, 0), active[cohort], revenue[cohort], again[cohort])
            for cohort in kept
        ]
        if found
        else [],
        earlier=sum(n for cohort, n in found.items() if cohort < kept.start),
        complete=known.as_of == first_day(now + 1, length) - timedelta(days=1),
    )


def _by_age(tables: Tables, counted: Any, *names: str) -> list[Counts]:
    found: list[Counts] = [defaultdict(dict) for _name in names]
    for row in tables.arrow(counted.select("cohort", "age", *names)).to_pylist():
        for part, name in zip(found, names, strict=True):
            part[row["cohort"]][row["age"]] = row[name]
    return found


def _row(
    cohort: int,
    now: int,
    length: int,
    as_of: date,
    customers: int,
    active: dict[int, int],
    revenue: dict[int, int],
    again: dict[int, int],
) -> CohortRow:
    ages = range(now - cohort + 1)
    end = first_day(cohort + 1, length) - timedelta(days=1)
    steps = min((as_of - end).days // (STEP_DAYS * length), KEPT)
    cumulated = [sum(n for age, n in again.items() if age <= step) for step in range(1, steps + 1)]
    return CohortRow(
        start=first_day(cohort, length).isoformat(),
        end=end.isoformat(),
        customers=customers,
        active=[active.get(age, 0) for age in ages],
        revenue=[revenue.get(age, 0) for age in ages],
        again=cumulated,
    )


def first_day(period: int, length: int) -> date:
    """The first day of a period of ``length`` months, numbered from the year 0."""
    month = period * length
    return date(month // 12, month % 12 + 1, 1)


def _cut_until(tables: Tables, starts: Any, as_of: date) -> str:
    """The last day of the first 31 where more than half of the buyers appear in the first tenth of the data."""
    counted = starts.group_by("first_day").aggregate(n=starts.count()).order_by("first_day")
    rows = tables.arrow(counted).to_pylist()
    if not rows:
        return ""
    first = rows[0]["first_day"]
    tenth = first + ((as_of - _EPOCH).days - first) / 10
    early = sum(row["n"] for row in rows if row["first_day"] <= tenth)
    if 2 * early <= sum(row["n"] for row in rows):
        return ""
    return (_EPOCH + timedelta(days=first + CUT_OFF_DAYS - 1)).isoformat()
