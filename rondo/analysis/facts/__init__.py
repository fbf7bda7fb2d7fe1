"""Facts per customer, as Ibis expressions over the columnar copy; :mod:`rondo.analysis.definitions` names each."""

from typing import Any

from rondo.analysis.facts.buying import buying, rhythm, spending
from rondo.analysis.facts.contacts import campaigns, contacts, unanswered
from rondo.analysis.facts.past import Past, past
from rondo.analysis.facts.taste import taste, tasted

__all__ = ["MODELLED", "Past", "fact_table", "past"]

MODELLED = (
    "value",
    "value_low",
    "value_high",
    "expected_purchases",
    "median_purchases",
    "expected_spend",
    "alive",
    "churn",
    "churn_usual",
    "risk",
    "risk_driver",
    "purchases_ahead",
    "purchases_ahead_low",
    "purchases_ahead_high",
)
"""Facts that the fitted models add to the table."""

_ZERO_WITHOUT_ROWS = (
    "orders",
    "purchase_days",
    "spend",
    "spend_30",
    "spend_90",
    "spend_365",
    "stores",
    "categories",
    "campaigns_received",
    "campaigns_answered",
    "interactions",
    "unanswered",
    "saved",
    "saved_by_coupons",
)


def fact_table(known: Past) -> Any:
    """Every fact but the modelled ones, one row per surviving customer: ``customer_id`` and a column per fact.

    Counts and sums are 0 where nothing happened; other facts are null where they do not exist. The parts are computed
    at once and kept (see :class:`Past`); what is returned only joins them.
    """
    base = known.customers
    spent, came, sums = known.keep(spending(known)), known.keep(rhythm(known)), known.keep(tasted(known))
    talked, got, waits = known.keep(contacts(known)), known.keep(campaigns(known)), known.keep(unanswered(known))
    joined = base.left_join(spent, base.id == spent.spends).left_join(came, base.id == came.returns)
    joined = joined.left_join(sums, base.id == sums.tastes).left_join(talked, base.id == talked.talks)
    joined = joined.left_join(got, base.id == got.receives).left_join(waits, base.id == waits.waits)
    facts = {
        **buying(known, spent, came),
        **taste(sums),
        "interactions": talked.interactions,
        "last_contact": talked.last_contact,
        "campaigns_received": got.campaigns_received,
        "campaigns_answered": got.campaigns_answered,
        "unanswered": waits.unanswered,
    }
    facts |= {name: facts[name].fill_null(0).cast("int64") for name in _ZERO_WITHOUT_ROWS}
    return joined.select(customer_id=base.id, **facts)
