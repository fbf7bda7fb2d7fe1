"""Shapes of what is stored for the pages as JSON."""

from typing import TypedDict


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


class Found(TypedDict):
    """``reason``: why there is no ranking of products (a sentence, empty where there is one)."""

    categories: PairTable
    products: PairTable
    customers: int
    due_soon: int
    reason: str
    models: dict[str, object]
