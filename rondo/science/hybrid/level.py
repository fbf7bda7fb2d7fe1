"""The total of a base: at the level of cohorts, and by an error of earlier dates where they agree on one.

Summed customer by customer, an expectation rests on each one's own last purchases, which a good or bad month moves
together; summed over cohorts (:func:`cohort_total`: everybody who came on one day, forecast by age alone) it rests on
the curve of the whole log. A right model says the same either way; on logs with swings that no model knows the second
came closer (docs/models.md). What both miss, dropout that a log shows too late or a trend, shows as one error at date
after date. :func:`fit_level` carries it over, but no more of it than is beyond what chance and the swings between dates
explain at nine to one: a positive-part shrinkage after James & Stein (1961), whose measure is the 90 % point instead of
the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from rondo.science._checks import FloatArray
from rondo.science.paretonbd import ParetoNbd

_LEVEL = 0.90
# Below this many windows side by side beyond the first, their swings are taken as if there were so many.
_LEAST = 0.2


@dataclass(frozen=True)
class Level:
    """What is carried over from earlier dates to the total, on the scale of the logarithm.

    ``mean``: of ln(happened / cohort total) over ``origins``; ``error``: its standard error, from the swings between
    the dates, how many windows fit side by side, and chance; ``carried``: what of it is used.
    """

    mean: float
    error: float
    carried: float
    origins: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Level:
        """From :meth:`to_dict`."""
        return cls(**{**document, "origins": tuple(document["origins"])})


def cohort_total(model: ParetoNbd, ages: FloatArray, weeks: float) -> float:
    """Purchases expected within ``weeks`` of customers of these ages (weeks since the first purchase), by age alone."""
    age, customers = np.unique(ages, return_counts=True)
    grown = model.expected_purchases_new(age + weeks) - model.expected_purchases_new(age)
    return float(customers @ grown)


def fit_level(origins: Sequence[int], days: int, errors: FloatArray, chance: FloatArray) -> Level:
    """What to carry over of ``errors`` = ln(happened / forecast) of the ``days`` after each of ``origins``, ascending.

    ``chance``: standard deviation of each that chance explains. One date alone is not carried over.
    """
    if len(origins) < 2:
        return Level(float(np.mean(errors)) if len(origins) else 0.0, 0.0, 0.0, tuple(origins))
    # Windows overlap, so that their errors are alike: as many count as fit side by side.
    side_by_side = 1 + (origins[-1] - origins[0]) / days
    mean = float(errors.mean())
    swings = float(((errors - mean) ** 2).mean()) * side_by_side / max(side_by_side - 1, _LEAST)
    error = float(np.sqrt((swings + float((chance**2).mean())) / side_by_side))
    # One more than fit side by side, as for the intervals of totals (rondo.science.intervals).
    sure = float(student.isf((1 - _LEVEL) / 2, side_by_side + 1))
    share = max(0.0, 1 - (sure * error / mean) ** 2) if mean else 0.0
    return Level(mean, error, share * mean, tuple(origins))
