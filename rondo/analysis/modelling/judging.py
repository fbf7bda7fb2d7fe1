"""The hold-out that judges the models of a run: the last part of the data, forecast from what was known before it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.analysis.modelling import silence
from rondo.analysis.modelling.ahead import judge_singles
from rondo.analysis.modelling.fitting import weekly_spend
from rondo.analysis.modelling.log import Log, day_of
from rondo.analysis.results import ChurnCheck, Decile, Holdout
from rondo.errors import InputError
from rondo.science import gamma_gamma
from rondo.science._newton import ConvergenceError
from rondo.science.holdout import compare, rank_groups
from rondo.science.hybrid import Bases, Covariates
from rondo.science.intervals import CalibrationConfig, intervals_of, model_error, roll_holdouts, spread_of_totals
from rondo.science.models import PurchaseModel, alive_of, expected_from, fit_at
from rondo.science.risks import UNCORRECTED
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, summarise, window

HOLDOUT_DAYS = 91
SHORTEST_HOLDOUT_DAYS = 28
_LEAST_WEEK = 0.1


@dataclass(frozen=True)
class Judged:
    """What the hold-out found. ``weekly_error``: root mean square of ln(actual / forecast) of its weeks' spend, 0 where
    no whole week is. ``churn``: None where the hold-out is shorter than the horizon of the risk."""

    holdout: Holdout
    weekly_error: float
    churn: ChurnCheck | None


def holdout_origin(log: PurchaseDays, as_of: int) -> int:
    """The day from which :func:`judge` forecasts: a quarter, or a third of shorter data, before ``as_of``, which it is
    itself where nobody ever bought."""
    if not log.day.size:
        return as_of
    return as_of - min(HOLDOUT_DAYS, (as_of - log.first_day + 1) // 3)


def judge(
    log: Log, as_of: int, model: str, bases: Bases | None = None, covariates: Covariates | None = None
) -> Judged | None:
    """Fit the model of that name up to an origin and judge it on the days after: the last quarter, or a third of
    shorter data. ``bases``: what hybrids of the log share; ``covariates``: those that a hybrid took.

    None where the data are shorter than three shortest hold-outs or the models cannot be fitted at the origin.
    """
    origin = holdout_origin(log.days, as_of)
    days = as_of - origin
    if days < SHORTEST_HOLDOUT_DAYS:
        return None
    base = summarise(log.days, origin)
    try:
        bases = bases or Bases(log.days)
        often = fit_at(model, log.days, origin, days, bases, base, covariates=covariates)
        much = gamma_gamma.fit(base.spend_days, base.mean_spend)
        each = much.expected_mean_spend(base.spend_days, base.mean_spend)
    except (InputError, ConvergenceError):
        return None  # the page says that there is none, which is the finding
    weeks = days / DAYS_PER_WEEK
    alive = alive_of(often, base)
    expected = expected_from(often, base, weeks, alive)
    came, money = (column[base.customer] for column in window(log.days, origin, as_of))
    check = compare(expected, came)
    config = CalibrationConfig()
    ranks = rank_groups(expected)
    spread, _of_spend = spread_of_totals(often, much, base, weeks, ranks, config, alive)
    earlier = roll_holdouts(log.days, origin, float(days), config, model, bases, covariates=covariates)
    error = model_error(earlier, origin, float(days), config, spend=False)
    totals = np.array([check.forecast, *(group.forecast for group in check.groups)])
    bounds = intervals_of(totals, spread, error, config.level)
    deciles = [
        Decile(
            decile=group.group,
            customers=group.customers,
            forecast=group.forecast,
            low=bounds[number].low,
            high=bounds[number].high,
            actual=int(group.actual),
        )
        for number, group in enumerate(check.groups, start=1)
    ]
    long = days >= silence.CHURN_DAYS
    corrected = silence.correction(log.days, origin, model, bases, covariates) if long else UNCORRECTED
    found = Holdout(
        origin=day_of(origin).isoformat(),
        end=day_of(as_of).isoformat(),
        days=days,
        customers=check.customers,
        forecast=check.forecast,
        low=bounds[0].low,
        high=bounds[0].high,
        actual=int(check.actual),
        mae=check.mae,
        rmse=check.rmse,
        correlation=check.correlation or 0.0,
        spend_forecast=round(float((expected * each).sum())),
        spend_actual=int(money.sum()),
        deciles=deciles,
        singles=judge_singles(log.days, origin, days, often, corrected, earlier, covariates),
    )
    return Judged(
        found,
        _weekly_error(log, base, often, each, origin, as_of, alive),
        silence.check(log.days, origin, often, corrected, covariates) if long else None,
    )


def _weekly_error(
    log: Log,
    base: Summary,
    often: PurchaseModel,
    each: npt.NDArray[np.float64],
    origin: int,
    until: int,
    alive: npt.NDArray[np.float64],
) -> float:
    """See :class:`Judged`. A week of hardly any revenue, or of returns alone, counts as one of a tenth of its forecast:
    on the scale of logarithms it would otherwise outweigh all others, and the band tell nothing."""
    starts = list(range(origin + 1, until - 5, 7))
    if not starts:
        return 0.0
    squares = []
    for start, expected in zip(starts, weekly_spend(often, each, base, starts, origin, alive), strict=True):
        _days, money = window(log.days, start - 1, start + 6)
        actual = int(money[base.customer].sum())
        squares.append(float(np.log((max(actual, _LEAST_WEEK * expected) + 0.5) / (expected + 0.5))) ** 2)
    return float(np.sqrt(np.mean(squares)))
