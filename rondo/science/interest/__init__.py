"""Interest scoring: who will buy of a category for the first time within a horizon, for every customer and category.

::

    found = score_interest(log, as_of)     # Interests: a verdict, and a model where the data support one
    for likely in found.blocks(log):       # the likeliest categories of every customer, with the reason
        ...

docs/leads.md has the method, what was measured against what, and what is asked of the data.
"""

from rondo.science.interest.log import InterestLog
from rondo.science.interest.model import (
    CategoryJudged,
    InterestConfig,
    InterestJudged,
    Interests,
    InterestVerdict,
    Likely,
    score_interest,
)
from rondo.science.reasons import Why

__all__ = [
    "CategoryJudged",
    "InterestConfig",
    "InterestJudged",
    "InterestLog",
    "InterestVerdict",
    "Interests",
    "Likely",
    "Why",
    "score_interest",
]
