"""Shapes of what is stored for the pages as JSON."""

from typing import TypedDict


class CategoryStages(TypedDict):
    """A category of the second level by its key, with the customers per stage in the order of the stages."""

    category: int
    path: str
    customers: list[int]


class SignalCount(TypedDict):
    """Contacts of a kind that is a sign of a stage: ``all``, and how many ``name`` a category or product."""

    kind: str
    all: int
    named: int


class Check(TypedDict):
    """Of the pairs in each stage on ``day``, how many bought of the category within ``days`` after it."""

    day: str
    days: int
    pairs: list[int]
    bought: list[int]


class Found(TypedDict):
    """``customers`` of the base; ``known`` with a stage in any category; ``per_stage``: customers who stand in a stage
    in at least one category, and ``pairs`` of customer and category in it. ``first``: the first day of the ledger.
    ``check`` is None where the data are too short. ``version`` of the thresholds ``rules``."""

    customers: int
    known: int
    per_stage: list[int]
    pairs: list[int]
    categories: list[CategoryStages]
    signals: list[SignalCount]
    check: Check | None
    first: str
    rules: dict[str, float]
    version: int
