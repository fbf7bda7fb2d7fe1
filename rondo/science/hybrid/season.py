"""The yearly season of a base: what its weeks brought, against what a model without a season says they should have.

A fitted model tells how many repeat purchases customers of each age make on the whole; summed over the days on which
they came, that is a curve for every past week (the tracking plot of Fader & Hardie). Two waves a year are fitted to
what happened over that curve, with a level and a trend beside them that are not carried over: on real logs neither
foretold the next quarter. Two full years are needed, since in one nobody can tell a season from the age of the base.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rondo.science._checks import FloatArray, IntArray
from rondo.science._newton import maximise
from rondo.science.paretonbd import ParetoNbd
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary

YEAR = 365.25
LEAST_DAYS = 730
# Weeks at the beginning of a log in which hardly anybody can have come back.
_EARLY_WEEKS = 8
# How far a wave is thought to swing before the data speak: standard deviation on the logarithmic scale.
_PRIOR = 0.3


@dataclass(frozen=True)
class Season:
    """Waves of one and two a year on the scale of the logarithm: ``waves`` are the weights of cos and sin of each.

    ``dispersion``: variance of weeks over Poisson's, neighbours' likeness included. ``weeks``: fitted on.
    """

    waves: tuple[float, float, float, float]
    dispersion: float
    weeks: int

    def over(self, after: int, until: float) -> float:
        """Mean of the season over the days ``after`` < day <= ``until``, 1 being that of a year."""
        whole = np.exp(_waves(np.arange(366)) @ np.array(self.waves)).mean()
        days = np.arange(after + 1, max(int(np.rint(until)), after + 1) + 1)
        return float(np.exp(_waves(days) @ np.array(self.waves)).mean() / whole)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document."""
        return asdict(self)


def fit_season(log: PurchaseDays, base: Summary, model: ParetoNbd) -> Season | None:
    """The season of a log up to the day of ``base``, by what ``model`` (fitted to it, in weeks) expects of each week.

    None where the log is shorter than :data:`LEAST_DAYS`. Raises ConvergenceError where no maximum is found.
    """
    if not len(base) or base.as_of - log.first_day < LEAST_DAYS:
        return None
    begin = log.first_day
    days = base.as_of - begin + 1
    arrivals = np.bincount(base.as_of - base.age_days - begin, minlength=days).astype(np.float64)
    grown = np.diff(model.expected_purchases_new(np.arange(days) / DAYS_PER_WEEK), prepend=0.0)
    expected = np.convolve(arrivals, grown)[:days]
    came = np.bincount(log.day[log.day <= base.as_of] - begin, minlength=days) - arrivals
    weeks = days // 7
    # Whole weeks that end with the last day.
    by_week = [np.add.reduceat(column[days - 7 * weeks :], np.arange(0, 7 * weeks, 7)) for column in (expected, came)]
    middle = begin + days - 7 * weeks + 7 * np.arange(weeks) + 3
    kept = slice(_EARLY_WEEKS, None)
    return _fit(by_week[0][kept], by_week[1][kept], middle[kept])


def _fit(expected: FloatArray, came: FloatArray, day: IntArray) -> Season:
    time = (day - day.mean()) / YEAR
    design = np.column_stack((_waves(day), np.ones(day.size), time))
    exposure = np.maximum(expected, 1e-6)
    dispersion = 1.0
    point = np.array([0, 0, 0, 0, np.log(max(came.sum(), 0.5) / exposure.sum()), 0.0])
    for _ in range(2):  # the second time with the spread that the first one left
        held = np.array([dispersion / _PRIOR**2] * 4 + [0.0] * 2)

        def likelihood(at: FloatArray, held: FloatArray = held) -> tuple[float, FloatArray, FloatArray]:
            line = design @ at
            fitted = exposure * np.exp(np.minimum(line, 30.0))
            value = float(came @ line - fitted.sum()) - float(held @ at**2) / 2
            return value, design.T @ (came - fitted) - held * at, -(design.T * fitted) @ design - np.diag(held)

        names = ("cos 1", "sin 1", "cos 2", "sin 2", "level", "trend")
        point = maximise(likelihood, point, np.full(6, -12.0), np.full(6, 12.0), names=names).point
        fitted = exposure * np.exp(design @ point)
        left = (came - fitted) / np.sqrt(fitted)
        alike = float(np.clip((left[1:] @ left[:-1]) / max(float(left @ left), 1e-9), 0.0, 0.9))
        dispersion = max(1.0, float(left @ left) / max(day.size - 6, 1)) * (1 + alike) / (1 - alike)
    one, two, three, four = map(float, point[:4])
    return Season((one, two, three, four), dispersion, int(day.size))


def _waves(day: IntArray) -> FloatArray:
    angle = 2 * np.pi * np.asarray(day, dtype=np.float64) / YEAR
    return np.column_stack((np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)))
