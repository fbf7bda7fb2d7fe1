"""Shapes of what is stored for the pages as JSON."""

from typing import TypedDict


class Bin(TypedDict):
    """Customers (or pairs) of about equal chance in the hold-out: promised, and what came, with its 90 % interval."""

    customers: int
    expected: float
    share: float
    low: float
    high: float


class LeadsJudged(TypedDict):
    """The hold-out of the score of leads; see :class:`rondo.science.leads.Judged`. ``day`` is an ISO date."""

    day: str
    leads: int
    bought: int
    before: float
    expected: float
    auc: float
    auc_low: float
    auc_high: float
    points: float
    brier: float
    brier_base: float
    lift: float
    skill: float
    skill_low: float
    skill_high: float
    slope: float
    level: float
    bins: list[Bin]


class Leads(TypedDict):
    """``people`` who never bought; ``undated`` of them of whom no day is known; ``before``: customers who were known
    before their first purchase or have not bought, by whom a score is taught; ``customers`` of the base.

    ``reason`` why there is no score (empty where there is one), with what there are (``have``) and it takes (``need``).
    ``average`` chance of those scored; ``bands``: how many have at least the chance of their edge and less than the
    next. ``themes``: how much each tells apart, strongest first. ``landmarks``: days taught, ``rows`` on them,
    ``taught`` people, of whom ``bought``.
    """

    customers: int
    people: int
    undated: int
    before: int
    reason: str
    have: int
    need: int
    horizon: int
    average: float
    bands: list[int]
    themes: list[tuple[str, float]]
    landmarks: list[str]
    rows: int
    taught: int
    bought: int
    judged: LeadsJudged | None


class CategoryInterest(TypedDict):
    """A category of the second level by its key: customers who never bought of it (``open``), first purchases
    ``expected`` within the horizon, the chance that is twice the mean (``from_chance``), and how many have it
    (``likely``). Of the hold-out: ``was_expected`` and ``came``, and the area under the curve (None: too few)."""

    category: int
    path: str
    open: int
    expected: float
    from_chance: float
    likely: int
    was_expected: float
    came: int
    auc: float | None


class InterestJudged(TypedDict):
    """The hold-out of the score of interest; see :class:`rondo.science.interest.InterestJudged`."""

    day: str
    customers: int
    pairs: int
    came: int
    expected: float
    base_expected: float
    auc: float
    auc_low: float
    auc_high: float
    base_auc: float
    within: float
    brier: float
    base_brier: float
    lift: float
    skill: float
    skill_low: float
    skill_high: float
    slope: float
    level: float
    inside: float
    bins: list[Bin]


class Interest(TypedDict):
    """The score of interest: ``reason`` why there is none, with ``have`` and ``need``; ``horizon`` in days; ``people``
    with a category kept; ``pairs`` and ``firsts`` (first purchases) taught."""

    reason: str
    have: int
    need: int
    horizon: int
    people: int
    pairs: int
    firsts: int
    landmarks: list[str]
    weights: dict[str, float]
    categories: list[CategoryInterest]
    judged: InterestJudged | None


class Found(TypedDict):
    """What a run found of leads and of interests."""

    leads: Leads
    interest: Interest
