"""What customers who belong together bring together, by the facts of the run that is served: sums over each, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rondo.analysis.models import Score
from rondo.customers.models import Customer
from rondo.science.sums import SumOfEstimates, sum_of_estimates

SLIPPING = ("late", "asleep")
"""Activities of those who may be lost: later than their own rhythm."""
FACTS = (
    "value", "value_low", "value_high", "spend", "orders", "last_purchase", "last_contact", "activity",
)  # fmt: skip
"""The facts that :func:`add_up` asks of scores."""


@dataclass(frozen=True)
class Slipping:
    """Who in a household or organisation buys later than their own rhythm: how late, and worth what (minor units)."""

    customer: Customer
    activity: str
    last_purchase: date | None
    value: int | None


@dataclass(frozen=True)
class Together:
    """What a customer and all who belong to it bring together, as of the run: sums over each of them, once.

    ``scored``: of how many the analysis knows. ``valued``: how many have a value, of which ``worth`` is the sum; None
    where nobody has. Money in minor units of the company's currency; days with the customer they are of.
    """

    scored: int
    valued: int
    worth: SumOfEstimates | None
    revenue: int
    orders: int
    buyers: int
    last_purchase: tuple[date, Customer] | None
    last_contact: tuple[date, Customer] | None
    slipping: tuple[Slipping, ...]


def add_up(people: dict[int, Customer], scores: dict[int, Score]) -> Together:
    """The sums over ``people``, each once, by their facts; who has none counts nothing."""
    known = [(people[key], scores[key]) for key in people if key in scores]
    parts = [
        (float(one.value), float(one.value_low), float(one.value_high))
        for _customer, one in known
        if one.value is not None and one.value_low is not None and one.value_high is not None
    ]
    slipping = [
        Slipping(row, one.activity, one.last_purchase, one.value) for row, one in known if one.activity in SLIPPING
    ]
    return Together(
        scored=len(known),
        valued=len(parts),
        worth=sum_of_estimates(parts) if parts else None,
        revenue=sum(one.spend or 0 for _row, one in known),
        orders=sum(one.orders or 0 for _row, one in known),
        buyers=sum(bool(one.orders) for _row, one in known),
        last_purchase=_latest(known, "last_purchase"),
        last_contact=_latest(known, "last_contact"),
        slipping=tuple(sorted(slipping, key=lambda one: (-(one.value or 0), one.customer.pk))),
    )


def _latest(known: Sequence[tuple[Customer, Score]], fact: str) -> tuple[date, Customer] | None:
    days: list[tuple[date, Customer]] = [
        (day, row) for row, score in known if (day := getattr(score, fact)) is not None
    ]
    return max(days, key=lambda pair: (pair[0], -pair[1].pk)) if days else None
