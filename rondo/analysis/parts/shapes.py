"""The shape of each part of a run's figures. Money in minor units, shares 0 to 1, days as 2017-12-31."""

from typing import NotRequired, TypedDict


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


class CategoryRow(TypedDict):
    """A category of the second level: who bought it, who of them in at least two orders, and what was paid for it.

    ``names`` lead to it from the root; ``found`` tells whether a rule that names them finds this category alone.
    """

    names: list[str]
    found: bool
    buyers: int
    repeaters: int
    revenue: int


class Band(TypedDict):
    """Orders from ``low`` to below ``high`` (None: no end), by value in minor units or by number of lines."""

    low: int
    high: int | None
    orders: int
    revenue: int


class TypicalGap(TypedDict):
    """Customers whose median gap in days lies above ``above`` and at most at ``most`` (None: no end)."""

    above: int
    most: int | None
    customers: int


class Weekday(TypedDict):
    """Orders of one day of the week, by business date, and the customers behind them."""

    customers: int
    orders: int
    revenue: int


class Buying(TypedDict):
    """How customers buy, from orders whose total is not negative.

    ``categories``: those with the most revenue; ``more`` others with ``more_revenue`` together; ``unsorted`` is revenue
    without a category. ``gaps``: how often a customer came back after 1, 2, 3 … days; ``longer`` ones after more;
    ``median_gap`` of all. ``hours``: orders by day of the week (Monday first) and hour in ``zone``.
    """

    buyers: int
    orders: int
    returns: int
    currency: str
    categories: list[CategoryRow]
    more: int
    more_revenue: int
    unsorted: int
    values: list[Band]
    sizes: list[Band]
    median_value: int | None
    median_size: float | None
    gaps: list[int]
    longer: int
    median_gap: float | None
    typical: list[TypicalGap]
    weekdays: list[Weekday]
    hours: list[list[int]]
    zone: str


class WorthCell(TypedDict):
    """Customers of one stage and one level of risk, and what they are worth together."""

    stage: str
    risk: str
    customers: int
    value: int


class Saving(TypedDict):
    """One customer worth saving: the key of the record, and the margin at stake in minor units."""

    customer: int
    at_stake: int


class LeftOut(TypedDict):
    """Customers in danger who are not to be saved: who has cancelled, or has been gone for long; and their margin at
    stake in minor units."""

    customers: int
    at_stake: int


class Carrying(TypedDict):
    """The best customers who together bring four fifths of the revenue: all whose spend is at least ``spend``."""

    customers: int
    of: int
    spend: int


class Worth(TypedDict):
    """Where the worth of the base lies and where it is in danger.

    ``cells`` add up to the value of all customers that a model values. ``saving`` are the ten with most at stake: of
    those whose risk is not low, the margin of the last 365 days times what the present silence adds to the risk of
    staying silent. ``at_stake`` is the sum over all ``in_danger`` but those of ``left_out``, which older runs lack.
    """

    cells: list[WorthCell]
    saving: list[Saving]
    at_stake: int
    in_danger: int
    left_out: NotRequired[LeftOut]
    carrying: Carrying | None


class ChangeCount(TypedDict):
    """Customers whose buying changed in one way, and what they are worth together."""

    change: str
    customers: int
    value: int


class Changes(TypedDict):
    """What changed in the last weeks, losses first; ``judged``: how many of all customers buy often enough to tell."""

    counts: list[ChangeCount]
    judged: int
