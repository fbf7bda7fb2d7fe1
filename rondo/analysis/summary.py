"""What a run stores for the pages: totals, weeks, activity, bins, grid, concentration, and the change since before."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext_noop

from rondo.analysis import portfolio
from rondo.analysis.facts import Past
from rondo.analysis.modelling import CALIBRATED, UNCALIBRATED, Fitted
from rondo.analysis.modelling.silence import CHURN_DAYS, LEVELS
from rondo.analysis.models import Run, Score
from rondo.analysis.portfolio import whole
from rondo.analysis.results import BaseValue, Churn, ChurnCheck, Edges, SincePrevious, Spread, Totals, WeekPoint
from rondo.science.clv import ValueConfig
from rondo.warehouse.tables import Tables

NOTE_NONPOSITIVE = gettext_noop("Orders that total 0 or less are left out of the spend model.")
NOTE_LEFT_CUT = gettext_noop(
    "Most customers appear in the first weeks of the data: the data begin later than the relationship, so “customer "
    "since” is a bound."
)
NOTE_DROPOUT = gettext_noop(
    "The data hardly tell how customers leave for good: the probability of being active is the model's assumption. "
    "Find slipping customers by their own rhythm."
)
NOTE_CURRENCY = gettext_noop("Orders in another currency than the company's are left out, since no rate is known.")
NOTE_FUTURE = gettext_noop(
    "Orders dated later than today are left out, since they are errors: look at how the dates were written, take the "
    "import back and load it again."
)
NOTE_NO_MODEL = gettext_noop("No value was computed: the data do not allow the models to be fitted.")
_AT_ONCE = 20_000
NOTE_EXISTING = gettext_noop("The forecast is of today's customers; those still to come are not in it.")


@dataclass(frozen=True)
class Counted:
    """What is counted in the copy before anything is modelled."""

    totals: Totals
    foreign_orders: int
    weekly: list[WeekPoint]
    future_orders: int = 0


def count(tables: Tables, known: Past, today: date) -> Counted:
    """Count what the run saw, and the orders that are dated after ``today``."""
    return Counted(
        totals(tables, known),
        foreign_orders(tables, known.as_of, known.currency),
        weekly(tables, known),
        future_orders(tables, today),
    )


def totals(tables: Tables, known: Past) -> Totals:
    """Counts and sums of what the run saw."""
    orders, lines = known.orders, known.lines
    of_orders = _row(
        tables,
        orders.aggregate(
            orders=orders.count(),
            revenue=orders.total.sum().cast("int64"),
            buyers=orders.customer_id.nunique(where=orders.total >= 0),
            nonpositive=orders.count(where=orders.total <= 0),
            first=orders.business_date.min(),
        ),
    )
    t = known.interactions
    answers = t.filter(t.in_response_to.notnull() & (t.direction == "inbound"))
    exposed = known.exposures.filter(known.exposures.interaction_id.notnull()).select(sent="interaction_id")
    reactions = answers.join(exposed, answers.in_response_to == exposed.sent)
    of_campaigns = _row(
        tables, known.exposures.aggregate(campaigns=known.exposures.campaign_id.nunique(), n=known.exposures.count())
    )
    return Totals(
        customers=int(tables.arrow(known.customers.aggregate(n=known.customers.count()))["n"][0].as_py()),
        buyers=of_orders["buyers"] or 0,
        orders=of_orders["orders"],
        lines=_row(tables, lines.aggregate(n=lines.count()))["n"],
        revenue=of_orders["revenue"] or 0,
        currency=known.currency,
        first_day=of_orders["first"].isoformat() if of_orders["first"] else "",
        last_day=known.as_of.isoformat(),
        nonpositive_orders=of_orders["nonpositive"],
        campaigns=of_campaigns["campaigns"],
        exposures=of_campaigns["n"],
        reactions=_row(tables, reactions.aggregate(n=reactions.count()))["n"],
    )


def foreign_orders(tables: Tables, as_of: date, currency: str) -> int:
    """Orders up to ``as_of`` that are left out because they are in another currency."""
    other = tables.orders.filter(lambda t: (t.business_date <= as_of) & (t.currency != currency))
    return int(_row(tables, other.aggregate(n=other.count()))["n"])


def future_orders(tables: Tables, today: date) -> int:
    """Orders dated after ``today``, which no run sees."""
    coming = tables.orders.filter(lambda t: t.business_date > today)
    return int(_row(tables, coming.aggregate(n=coming.count()))["n"])


def weekly(tables: Tables, known: Past) -> list[WeekPoint]:
    """Revenue, orders and buyers per business week (Monday to Sunday), weeks without an order included."""
    weeks = known.orders.mutate(week=known.orders.business_date.truncate("W"))
    found = weeks.group_by("week").aggregate(
        revenue=weeks.total.sum().cast("int64"), orders=weeks.count(), buyers=weeks.customer_id.nunique()
    )
    rows = {row["week"]: row for row in tables.arrow(found).to_pylist()}
    first = _row(tables, known.orders.aggregate(day=known.orders.business_date.min()))["day"]
    return week_points(rows, first, known.as_of)


def week_points(rows: dict[date, dict[str, Any]], first: date | None, as_of: date) -> list[WeekPoint]:
    """The weeks from the first day to ``as_of``; ``rows`` by Monday with revenue, orders and buyers."""
    if first is None:
        return []
    points = []
    monday = first - timedelta(days=first.weekday())
    while monday <= as_of:
        row = rows.get(monday, {"revenue": 0, "orders": 0, "buyers": 0})
        points.append(
            WeekPoint(
                week=monday.isoformat(),
                revenue=int(row["revenue"]),
                orders=int(row["orders"]),
                buyers=int(row["buyers"]),
                complete=monday >= first and monday + timedelta(days=6) <= as_of,
            )
        )
        monday += timedelta(days=7)
    return points


def base_value(fitted: Fitted, assumptions: ValueConfig, currency: str) -> BaseValue:
    """The worth of the base with its interval and assumptions."""
    interval = fitted.forecast.value
    return BaseValue(
        total=fitted.forecast.customers.total,
        low=round(interval.low),
        high=round(interval.high),
        level=fitted.forecast.config.level,
        horizon_months=assumptions.months,
        discount_rate=assumptions.annual_discount_rate,
        margin_rate=assumptions.margin_rate,
        currency=currency,
        method=CALIBRATED if interval.calibrated else UNCALIBRATED,
    )


def churn(fitted: Fitted, scores: pa.Table, check: ChurnCheck | None) -> Churn:
    """The risk of falling silent over the base, and how it did in the hold-out."""
    level = scores["risk"]
    counts = {name: int(pc.sum(pc.equal(level, name)).as_py() or 0) for name in LEVELS}
    return Churn(
        days=CHURN_DAYS,
        customers=sum(counts.values()),
        expected=float(pc.sum(scores["churn"]).as_py() or 0.0),
        low=counts["low"],
        elevated=counts["elevated"],
        high=counts["high"],
        high_value=int(whole(scores.select(["value"]).filter(pc.equal(level, "high")), "value").sum()),
        once=int(fitted.risk.once.sum()),
        own_path=fitted.second is not None,
        check=check,
    )


def edges(scores: pa.Table) -> Edges:
    """Where value bins and grid bands of the whole base are cut; restricted viewers' figures use the same cuts."""
    buyers = _buyers(scores, "recency_days", "purchase_days", "spend")
    return Edges(
        value=portfolio.value_edges(whole(_valued(scores), "value")),
        recency=portfolio.band_edges(whole(buyers, "recency_days")),
        frequency=portfolio.band_edges(whole(buyers, "purchase_days")),
        monetary=portfolio.band_edges(whole(buyers, "spend")),
    )


def spread(scores: pa.Table, cuts: Edges) -> Spread:
    """Activity, value bins, grid and concentration of the customers in ``scores``."""
    buyers = _buyers(scores, "recency_days", "purchase_days", "spend", "value")
    return Spread(
        activity=portfolio.activity(scores),
        value_bins=portfolio.value_bins(whole(_valued(scores), "value"), cuts["value"]),
        grid=portfolio.grid(
            whole(buyers, "recency_days"),
            whole(buyers, "purchase_days"),
            whole(buyers, "value"),
            cuts["recency"],
            cuts["frequency"],
        ),
        concentration=portfolio.concentration(whole(buyers, "spend")),
    )


def since_previous(before: Run | None, value: BaseValue | None, scores: pa.Table) -> SincePrevious | None:
    """What differs from the run being served until now; its scores are read before they are replaced."""
    if before is None or not before.results:
        return None
    became = _became(scores)
    old = before.results.get("value")
    old_total = int(old["total"]) if old else 0
    return SincePrevious(
        run=before.pk,
        as_of=before.as_of.isoformat(),
        value_before=old_total,
        value_change=(value["total"] if value else 0) - old_total,
        customers_before=int(before.results["totals"]["customers"]),
        became=became,
    )


def _became(scores: pa.Table) -> dict[str, int]:
    """Of the customers that the served run knew, how many have another activity now, by that activity."""
    ids, states = whole(scores, "customer_id"), scores["activity"]
    moved = np.zeros(ids.size, bool)
    # By activity, as its index has them: no row is read, and no customer becomes an object.
    for (state,) in Score.objects.order_by().values_list("activity").distinct():
        rows = Score.objects.filter(activity=state).order_by().values_list("customer_id", flat=True)
        here = np.isin(ids, np.fromiter(rows.iterator(chunk_size=_AT_ONCE), np.int64))
        same = pc.is_null(states) if state is None else pc.equal(states, state).fill_null(False)
        moved |= here & ~np.asarray(same)
    counted = pc.value_counts(states.filter(pa.array(moved))).to_pylist()
    return dict(sorted((row["values"], row["counts"]) for row in counted))


def cut_on_the_left(first_purchase: pa.ChunkedArray, as_of: date) -> bool:
    """Whether more than half of the buyers appear in the first tenth of the data."""
    days: Any = first_purchase.drop_null().cast(pa.int32()).to_numpy() + date(1970, 1, 1).toordinal()
    if days.size == 0:
        return False
    tenth = days.min() + (as_of.toordinal() - days.min()) / 10
    return bool((days <= tenth).mean() > 0.5)


def _buyers(scores: pa.Table, *columns: str) -> pa.Table:
    """Some columns of who has bought: to filter all of them would copy most of the table."""
    return scores.select(columns).filter(pc.greater(scores["purchase_days"], 0))


def _valued(scores: pa.Table) -> pa.Table:
    return scores.select(["value"]).filter(pc.is_valid(scores["value"]))


def _row(tables: Tables, expression: Any) -> dict[str, Any]:
    return dict(tables.arrow(expression).to_pylist()[0])
