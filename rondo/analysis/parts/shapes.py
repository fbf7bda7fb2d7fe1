"""The shape of each part of a run's figures. Money in minor units, shares 0 to 1, days as 2017-12-31."""

from typing import TypedDict


class CohortRow(TypedDict):
    """Customers whose first purchase day lies in one month or quarter, from ``start`` to ``end``.

    ``active``: of them, who bought in the period of the cohort and in each one after it, up to that of the run's day.
    ``revenue``: what all orders of the cohort in these periods total. ``again``: how many had bought on a second day
    within 30, 60, 90 … days (90, 180, 270 … for quarters) of their first, as far as all of them have had that time.
    """

    start: str
    end: str
    customers: int
    active: list[int]
    revenue: list[int]
    again: list[int]


class Triangle(TypedDict):
    """Cohorts in the order of time, ``months`` (1 or 3) long; ``step`` is the length of a step of ``again`` in days.

    ``earlier`` counts customers of cohorts too old to be kept. ``complete`` tells whether the last period is over.
    """

    months: int
    step: int
    rows: list[CohortRow]
    earlier: int
    complete: bool


class Cohorts(TypedDict):
    """Cohorts by month and by quarter.

    ``cut_until``: the last day on which who is first seen may have been a customer long before the data began; empty
    where data and relationships begin together. ``cut`` counts these customers.
    """

    month: Triangle
    quarter: Triangle
    cut_until: str
    cut: int
    currency: str
