"""Shapes of what is stored for the pages as JSON."""

from typing import NotRequired, TypedDict


class Habit(TypedDict):
    """A category of one customer: days are ISO dates; ``due`` is None where half do not come back at all, ``high``
    where more than one in twenty do not; ``typical``: median gap in days; ``days``: purchase days."""

    category: str
    days: int
    last: str
    typical: float
    due: str | None
    low: str
    high: str | None
    chance: float


class Suggestion(TypedDict):
    """A product for one customer. ``count`` purchases, ``last`` day and ``gap`` mean days between them; of new ones
    ``kind`` is the category that the customer buys of already, empty where there is none."""

    product: int
    new: bool
    chance: float
    count: int
    last: str
    gap: float
    kind: str


class Pair(TypedDict):
    """Two categories or products bought together: names as in the catalogue, figures of baskets."""

    one: str
    other: str
    baskets: int
    with_one: int
    with_other: int
    lift: float
    low: float
    high: float
    customers: int
    rule: str


class PairTable(TypedDict):
    """The pairs that stand out most. ``called``: pairs above chance of ``tested``; ``baskets`` looked at."""

    pairs: list[Pair]
    called: int
    tested: int
    baskets: int


class Upsell(TypedDict):
    """A category in which a customer may trade up: the ``usual`` tier and the ``next`` (names as in
    :data:`~rondo.analysis.next.upselling.TIERS`; ``top``: there is none above the next), purchase ``days`` in it and
    those ``above`` the usual tier, ``rising``: the later half of the days was of higher tiers than the earlier;
    ``chance`` that the next purchase is of a higher tier, and the ``gain`` expected at it in minor units, with 90 %
    intervals."""

    category: str
    usual: str
    next: str
    top: bool
    days: int
    above: int
    rising: bool
    chance: float
    low: float
    high: float
    gain: int
    gain_low: int
    gain_high: int


class TierRow(TypedDict):
    """One tier: the price from which it ``start``s (0: the lowest) and its mean ``price`` in minor units, the ``share``
    of customers whose usual tier it is, ``examples`` of products."""

    tier: str
    start: int
    price: int
    share: float
    examples: list[str]


class TierCategory(TypedDict):
    """A category with price tiers. ``level`` in the tree, from 1; ``by_size``: prices are of a pack of ``usual``
    ``unit``; ``customers`` with two purchase days or more; ``held``: customers hold to its tiers more than chance would
    have it, by ``assortativity``; ``candidates``: customers for whom trading up brings most here, categories by size
    before all others, and the sum of the ``gain`` expected at their next purchase."""

    name: str
    path: str
    level: int
    by_size: bool
    usual: float
    unit: str
    customers: int
    held: bool
    assortativity: float
    tiers: list[TierRow]
    candidates: int
    gain: int
    gain_low: int
    gain_high: int


class Trading(TypedDict):
    """Price tiers of the whole base. ``graded``: categories with at least two tiers, ``flat``: with one, ``by_size``:
    of the graded, those compared at a usual size; ``held`` of ``tested``; ``covered``: share of what was paid that the
    graded have; ``reason``: why there are no chances (empty where there are); ``card``: the model."""

    categories: list[TierCategory]
    graded: int
    flat: int
    by_size: int
    held: int
    tested: int
    covered: float
    candidates: int
    gain: int
    gain_low: int
    gain_high: int
    reason: str
    card: dict[str, object]


class Found(TypedDict):
    """``reason``: why there is no ranking of products (a sentence, empty where there is one). ``trading`` is missing
    from what was worked out before there were price tiers. ``due_in_week``: customers whom ``next_due within next 7
    days`` finds on the run's day; missing from what was worked out when a week had a day more."""

    categories: PairTable
    products: PairTable
    customers: int
    due_in_week: NotRequired[int]
    reason: str
    models: dict[str, object]
    trading: NotRequired[Trading]


def quoted(text: str) -> str:
    """A text as the rules behind these figures write it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
