"""The shape of ``Run.results``: what pages and commands read of a run. Money in minor units, shares 0 to 1."""

from typing import NotRequired, TypedDict


class Totals(TypedDict):
    """Counts and sums of the data the run saw (up to its ``as_of`` day)."""

    customers: int
    buyers: int
    orders: int
    lines: int
    revenue: int
    currency: str
    first_day: str
    last_day: str
    nonpositive_orders: int
    campaigns: int
    exposures: int
    reactions: int


class BaseValue(TypedDict):
    """The worth of the customer base over the horizon, its calibrated interval and the assumptions it stands on."""

    total: int
    low: int
    high: int
    level: float
    horizon_months: int
    discount_rate: float
    margin_rate: float
    currency: str
    method: str


class WeekPoint(TypedDict):
    """One business week (its Monday). ``complete`` is false for weeks that the data covers only in part."""

    week: str
    revenue: int
    orders: int
    buyers: int
    complete: bool


class ForecastPoint(TypedDict):
    """Expected revenue of one coming week, with its 90 % band."""

    week: str
    expected: int
    low: int
    high: int


class ValueBin(TypedDict):
    """Customers whose value lies in [low, high)."""

    low: int
    high: int
    customers: int
    value: int


class GridCell(TypedDict):
    """One cell of the recency by frequency grid: both 1 (lowest) to 5 (best)."""

    recency: int
    frequency: int
    customers: int
    value: int
    recency_low: int
    recency_high: int
    frequency_low: int
    frequency_high: int


class LorenzPoint(TypedDict):
    """The share of revenue that the best ``customers`` share brings."""

    customers: float
    revenue: float


class Concentration(TypedDict):
    """How unevenly revenue is spread over customers."""

    points: list[LorenzPoint]
    top_10: float
    top_20: float
    share_carrying_80: float
    gini: float


class Decile(TypedDict):
    """One tenth of the customers by forecast (1 is the highest): purchase days forecast and actual in the hold-out."""

    decile: int
    customers: int
    forecast: float
    low: float
    high: float
    actual: int


class SinglesTenth(TypedDict):
    """One tenth of the customers by forecast (1 is the highest), as single customers: the mean of what was ``expected``
    of each and of the ends of each one's own interval; the share ``held`` by these, and ``randomised`` (below)."""

    decile: int
    customers: int
    expected: float
    low: float
    high: float
    held: float
    randomised: float


class Singles(TypedDict):
    """The intervals of single customers' purchases in the hold-out, each said to hold ``level``: the share ``held``.

    Numbers of purchases are whole, and an interval that begins at 0 cannot be missed below, so that right ones hold
    more; ``randomised``: the same where each number is spread over the chance it had, which is ``level`` if right.
    """

    level: float
    customers: int
    held: float
    randomised: float
    tenths: list[SinglesTenth]


class Holdout(TypedDict):
    """Forecast against what happened: the model fitted up to ``origin``, judged on the days after it up to ``end``.

    ``low``, ``high``: of the total, as are those of ``deciles``; ``singles``: of one customer, not in earlier runs."""

    origin: str
    end: str
    days: int
    customers: int
    forecast: float
    low: float
    high: float
    actual: int
    mae: float
    rmse: float
    correlation: float
    spend_forecast: int
    spend_actual: int
    deciles: list[Decile]
    singles: NotRequired[Singles]


class Trial(TypedDict):
    """One model tried at one date: fitted up to ``origin``, its forecast of the days to ``end`` and what came.

    ``taken``: groups of covariates that a hybrid took there; not in runs of earlier versions."""

    origin: str
    end: str
    customers: int
    forecast: float
    actual: int
    mae: float
    median_mae: float
    rmse: float
    taken: NotRequired[list[str]]


class Candidate(TypedDict):
    """A model of purchases and its errors in the hold-outs it was tried on, as means over their origins.

    ``total_error``: of |forecast / happened - 1|; ``mae``, ``rmse``: purchase days per customer, of the means forecast;
    ``median_mae``: of the medians, which older runs do not have; ``deviance``: Poisson, per customer, by which models
    are chosen; ``excess``: above the lowest, with its standard error. None without hold-outs; ``failed`` says why a
    model could not be fitted.
    """

    model: str
    title: str
    total_error: float | None
    mae: float | None
    median_mae: float | None
    rmse: float | None
    correlation: float | None
    deviance: float | None
    log_score: float | None
    excess: float | None
    excess_error: float | None
    failed: str
    trials: list[Trial]


class Selection(TypedDict):
    """Which model of purchases was chosen and why (a code of :data:`rondo.science.selection.REASONS`).

    ``by_rule``: what the hold-outs chose, pin or not; ``incumbent``: the model of the run before; ``origins``: the days
    from which ``days`` were forecast, for ``customers`` at most.
    """

    chosen: str
    reason: str
    by_rule: str
    best: str | None
    pinned: str | None
    incumbent: str | None
    origins: list[str]
    days: int
    customers: int
    candidates: list[Candidate]


class ChurnBin(TypedDict):
    """Customers of about equal risk: the mean forecast, the share that fell silent, and its 90 % interval."""

    customers: int
    expected: float
    share: float
    low: float
    high: float


class ChurnPath(TypedDict):
    """Forecasts of silence against what came, for ``path``: all, repeat (buyers on two days or more) or once.

    ``brier_base``: Brier score of telling everybody the mean. ``area``: under the ROC curve, with its 90 % interval;
    ``by_recency``: when ranked by days since the last purchase alone. Areas are None where all or nobody fell silent.
    """

    path: str
    customers: int
    expected: float
    silent: int
    brier: float
    brier_base: float
    area: float | None
    area_low: float | None
    area_high: float | None
    by_recency: float | None
    bins: list[ChurnBin]


class ChurnLevel(TypedDict):
    """Customers told to be at a level of risk, how many of them were expected to fall silent, and how many did."""

    level: str
    customers: int
    expected: float
    silent: int


class ChurnCheck(TypedDict):
    """How well silence between ``origin`` and ``end`` was foretold; ``levels`` are not in runs of earlier versions."""

    origin: str
    end: str
    paths: list[ChurnPath]
    levels: NotRequired[list[ChurnLevel]]


class Churn(TypedDict):
    """The risk of falling silent over ``days``: how many are expected to, and customers by level of risk.

    ``once``: bought on one day only; ``own_path``: whether they are judged by the hazard of the second purchase.
    """

    days: int
    customers: int
    expected: float
    low: int
    elevated: int
    high: int
    high_value: int
    once: int
    own_path: bool
    check: ChurnCheck | None


class Activity(TypedDict):
    """Customers by their own rhythm (see docs/facts.md, ``activity``)."""

    active: int
    late: int
    asleep: int
    never: int
    late_value: int


class SincePrevious(TypedDict):
    """What differs from the run before: its day, the change of the total, and customers that changed their activity."""

    run: int
    as_of: str
    value_before: int
    value_change: int
    customers_before: int
    became: dict[str, int]


class Edges(TypedDict):
    """Where the bins of value (minor units) and the bands of recency (days), frequency (purchase days) and spend (minor
    units) are cut; runs stored before there was an RFM score lack the last."""

    value: list[int]
    recency: list[int]
    frequency: list[int]
    monetary: NotRequired[list[int]]


class Spread(TypedDict):
    """How customers, their value and their revenue are spread."""

    activity: Activity
    value_bins: list[ValueBin]
    grid: list[GridCell]
    concentration: Concentration | None


class StandingCount(TypedDict):
    """Customers on one rung or in one stage, and their value together."""

    key: str
    customers: int
    value: int


class StandingWeek(TypedDict):
    """Customers per stage of the life cycle, in its order, on one day (Sundays and the day of the run)."""

    day: str
    stages: list[int]


class Moves(TypedDict):
    """How many customers went from which stage (row) to which (column) between two days."""

    since: str
    until: str
    customers: list[list[int]]


class BondCount(TypedDict):
    """How one bond is spread: customers by band (unknown, weak, moderate, strong), by tenth of the score where it is
    known, and the mean score (None: known of nobody)."""

    key: str
    bands: dict[str, int]
    tenths: list[int]
    mean: float | None


class Back(TypedDict):
    """How often customers were presumed gone, ``days`` ago or earlier, and how often they bought within so many."""

    presumed: int
    came: int
    days: int


class Standing(TypedDict):
    """Where customers stand: rungs of the ladder, stages of the life cycle and types of relationship, in their order;
    and what binds them, with how many are attached, bound but not attached, free (all others: not known).

    ``weekly`` is empty and ``moves`` None for who does not see all customers, and where the data are too short. Runs
    stored before there were types and bonds lack them.
    """

    rungs: list[StandingCount]
    stages: list[StandingCount]
    weekly: list[StandingWeek]
    moves: Moves | None
    came_back: NotRequired[Back]
    types: NotRequired[list[StandingCount]]
    confidence: NotRequired[list[StandingCount]]
    bonds: NotRequired[list[BondCount]]
    attachment: NotRequired[list[StandingCount]]


class Results(Spread):
    """All of it. ``holdout`` and ``since_previous`` are None where the data or history does not allow them.

    ``notes`` are whole sentences (message ids: show them through gettext), as is ``value["method"]``.
    ``foreign_orders`` counts orders in another currency than the company's, which are left out.
    ``visible_value`` is the sum of the values of the customers that the figures are of. Runs stored before there was a
    ``standing``, a ``selection`` or a ``churn`` lack them, and the last two are of the whole base alone.
    """

    totals: Totals
    value: BaseValue | None
    weekly: list[WeekPoint]
    forecast: list[ForecastPoint]
    holdout: Holdout | None
    since_previous: SincePrevious | None
    notes: list[str]
    edges: Edges
    foreign_orders: int
    visible_value: int
    standing: NotRequired[Standing]
    selection: NotRequired[Selection]
    churn: NotRequired[Churn]
