"""Facts per customer, as Ibis expressions over the columnar copy; :mod:`rondo.analysis.definitions` names each."""

from typing import Any

from rondo.analysis.facts.buying import buying, purchase_days
from rondo.analysis.facts.contacts import campaigns, contacts
from rondo.analysis.facts.past import Past, past
from rondo.analysis.facts.taste import taste

__all__ = ["MODELLED", "Past", "fact_table", "past", "purchase_days"]

MODELLED = ("value", "value_low", "value_high", "expected_purchases", "expected_spend", "alive")
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
)


def fact_table(known: Past) -> Any:
    """Every fact but the modelled ones, one row per surviving customer: ``customer_id`` and a column per fact.

    Counts and sums are 0 where nothing happened; other facts are null where they do not exist.
    """
    found = known.customers.select(customer_id="id")
    for part in (buying(known), taste(known), contacts(known), campaigns(known)):
        other = part.rename(other_id="customer_id")
        found = found.left_join(other, found.customer_id == other.other_id).drop("other_id")
    return found.mutate(
        **{name: found[name].fill_null(0).cast("int64") for name in _ZERO_WITHOUT_ROWS},
        activity=found.activity.fill_null("never"),
    )
