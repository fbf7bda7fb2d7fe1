"""From purchase days to models: fits, value per customer, the base's interval, and the hold-out that judges them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext_noop

from rondo.analysis.results import Decile, ForecastPoint, Holdout
from rondo.errors import InputError
from rondo.science import bgnbd, gamma_gamma
from rondo.science._newton import ConvergenceError
from rondo.science.bgnbd import BgNbd
from rondo.science.clv import ValueConfig
from rondo.science.gamma_gamma import GammaGamma
from rondo.science.holdout import compare, rank_groups
from rondo.science.intervals import (
    BaseForecast,
    CalibrationConfig,
    forecast_base,
    log_interval,
    model_error,
    roll_holdouts,
    spread_of_totals,
)
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, merge_days, summarise, window

EPOCH = date(1970, 1, 1)
HOLDOUT_DAYS = 91
SHORTEST_HOLDOUT_DAYS = 28
FORECAST_WEEKS = 13

CALIBRATED = gettext_noop(
    "90 % predictive interval: chance and uncertain parameters, widened by the models' own error as measured in "
    "rolling-origin hold-outs on earlier parts of the same data."
)
UNCALIBRATED = gettext_noop(
    "90 % interval from chance and uncertain parameters alone; the data are too short for hold-outs, so it is too "
    "narrow."
)


def day_number(day: date) -> int:
    """Days since 1970-01-01, as the science floor counts them."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=int(number))


@dataclass(frozen=True)
class Log:
    """Purchase days with customers as codes; ``customers[code]`` is the customer's id."""

    customers: npt.NDArray[np.int64]
    days: PurchaseDays


def purchase_log(found: pa.Table) -> Log:
    """Purchase days (columns ``customer_id``, ``day``, ``spend``, any order) as the science floor takes them."""
    ids = found["customer_id"].to_numpy()
    customers, codes = np.unique(ids, return_inverse=True)
    days = merge_days(codes, found["day"].to_numpy(), found["spend"].to_numpy(), customers.size)
    return Log(customers.astype(np.int64), days)


@dataclass(frozen=True)
class Fitted:
    """The fitted models as of a day, and what they say of the base and of each customer."""

    base: Summary
    purchases: BgNbd
    spend: GammaGamma
    forecast: BaseForecast

    def columns(self, log: Log) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[Any]]]:
        """Customer ids, and the modelled facts of each."""
        worth = self.forecast.customers
        return log.customers[self.base.customer], {
            "value": worth.value,
            "value_low": worth.low,
            "value_high": worth.high,
            "expected_purchases": worth.expected_purchases,
            "expected_spend": np.rint(worth.expected_spend).astype(np.int64),
            "alive": worth.probability_alive,
        }

    def describe(self) -> dict[str, Any]:
        """Parameters, likelihoods and hold-outs, as JSON."""
        value, purchases = self.forecast.value, self.forecast.purchases
        return {
            "bgnbd": self.purchases.to_dict(),
            "gamma_gamma": self.spend.to_dict(),
            "dropout_identified": self.purchases.dropout_identified,
            "value": value.to_dict(),
            "purchases": purchases.to_dict(),
            "holdouts": [
                {
                    "origin": day_of(held.origin).isoformat(),
                    "end": day_of(held.until).isoformat(),
                    "customers": held.customers,
                    "forecast": float(held.forecast_purchases[0]),
                    "actual": int(held.actual_purchases[0]),
                    "spend_forecast": round(float(held.forecast_spend[0])),
                    "spend_actual": int(held.actual_spend[0]),
                }
                for held in self.forecast.holdouts
            ],
        }


def fit(log: Log, as_of: int, assumptions: ValueConfig) -> Fitted:
    """Fit both models to what had happened by day ``as_of`` and value the base.

    Raises:
        InputError, ConvergenceError: the data do not allow a fit; the message says why.
    """
    base = summarise(log.days, as_of)
    purchases = bgnbd.fit(base.x, base.t_x, base.T)
    spend = gamma_gamma.fit(base.spend_days, base.mean_spend)
    return Fitted(base, purchases, spend, forecast_base(log.days, as_of, purchases, spend, assumptions))


def hold_out(log: Log, as_of: int) -> tuple[Holdout, float] | None:
    """Fit up to an origin and judge on the days after it: the last quarter, or a third of shorter data.

    Returns the check, and the root mean square of ln(actual / forecast) of its weeks' spend (0 where no whole week is).
    None where the data are shorter than three shortest hold-outs or the models cannot be fitted at the origin.
    """
    length = as_of - log.days.first_day + 1
    days = min(HOLDOUT_DAYS, length // 3)
    if days < SHORTEST_HOLDOUT_DAYS:
        return None
    origin = as_of - days
    base = summarise(log.days, origin)
    try:
        often = bgnbd.fit(base.x, base.t_x, base.T)
        much = gamma_gamma.fit(base.spend_days, base.mean_spend)
        each = much.expected_mean_spend(base.spend_days, base.mean_spend)
    except (InputError, ConvergenceError):
        return None  # the page says that there is none, which is the finding
    weeks = days / DAYS_PER_WEEK
    expected = often.expected_purchases(weeks, base.x, base.t_x, base.T)
    came, money = (column[base.customer] for column in window(log.days, origin, as_of))
    check = compare(expected, came)
    config = CalibrationConfig()
    ranks = rank_groups(expected)
    spread, _of_spend = spread_of_totals(often, much, base, weeks, ranks, config)
    earlier = roll_holdouts(log.days, origin, float(days), config)
    error = model_error(earlier, origin, float(days), config, spend=False)
    bounds = []
    for entry, total in enumerate([check.forecast, *(group.forecast for group in check.groups)]):
        scale, freedom = (0.0, float("inf")) if error is None else (float(error.scale[entry]), error.freedom)
        low, high = log_interval(float(np.sqrt(spread.variance[entry])), scale, freedom, config.level)
        bounds.append((total * float(np.exp(low)), total * float(np.exp(high))))
    deciles = [
        Decile(
            decile=group.group,
            customers=group.customers,
            forecast=group.forecast,
            low=bounds[number][0],
            high=bounds[number][1],
            actual=int(group.actual),
        )
        for number, group in enumerate(check.groups, start=1)
    ]
    found = Holdout(
        origin=day_of(origin).isoformat(),
        end=day_of(as_of).isoformat(),
        days=days,
        customers=check.customers,
        forecast=check.forecast,
        low=bounds[0][0],
        high=bounds[0][1],
        actual=int(check.actual),
        mae=check.mae,
        rmse=check.rmse,
        correlation=check.correlation or 0.0,
        spend_forecast=round(float((expected * each).sum())),
        spend_actual=int(money.sum()),
        deciles=deciles,
    )
    return found, _weekly_error(log, base, often, each, origin, as_of)


def weekly_spend(
    often: BgNbd, each: npt.NDArray[np.float64], base: Summary, starts: list[int], as_of: int
) -> list[float]:
    """Expected spend of the base in each week that begins on a day of ``starts``, all after ``as_of``."""
    edges = np.array([start - 1 - as_of for start in starts] + [starts[-1] + 6 - as_of]) / DAYS_PER_WEEK
    expected = often.expected_purchases_by(edges, base.x, base.t_x, base.T)
    return [float(((expected[:, i + 1] - expected[:, i]) * each).sum()) for i in range(len(starts))]


def _weekly_error(
    log: Log, base: Summary, often: BgNbd, each: npt.NDArray[np.float64], origin: int, until: int
) -> float:
    starts = list(range(origin + 1, until - 5, 7))
    if not starts:
        return 0.0
    squares = []
    for start, expected in zip(starts, weekly_spend(often, each, base, starts, origin), strict=True):
        _days, money = window(log.days, start - 1, start + 6)
        actual = int(money[base.customer].sum())
        squares.append(float(np.log((max(actual, 0) + 0.5) / (expected + 0.5))) ** 2)
    return float(np.sqrt(np.mean(squares)))


def forecast_weeks(fitted: Fitted, as_of: date, error: float) -> list[ForecastPoint]:
    """Expected spend of today's customers in the coming whole business weeks, with the hold-out's weekly error as band.

    Empty where there was no hold-out to measure an error in.
    """
    if error <= 0:
        return []
    monday = as_of + timedelta(days=7 - as_of.weekday())
    starts = [day_number(monday) + 7 * week for week in range(FORECAST_WEEKS)]
    each = fitted.forecast.customers.expected_spend
    spend = weekly_spend(fitted.purchases, each, fitted.base, starts, day_number(as_of))
    # Student's t for as many weeks as the error was measured in would be 1.77 instead of 1.645.
    spread = 1.771 * error
    return [
        ForecastPoint(
            week=day_of(start).isoformat(),
            expected=round(value),
            low=round(value * float(np.exp(-spread))),
            high=round(value * float(np.exp(spread))),
        )
        for start, value in zip(starts, spend, strict=True)
    ]
