"""The fitted models as of a day, and what they say of the base and of each customer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext_noop

from rondo.analysis.between import placed
from rondo.analysis.modelling import silence
from rondo.analysis.modelling.ahead import Ahead, ahead, served
from rondo.analysis.modelling.choosing import choose
from rondo.analysis.modelling.log import Log, day_number, day_of
from rondo.analysis.results import ForecastPoint
from rondo.science import gamma_gamma
from rondo.science.churn import ChurnRisk, SecondPurchase
from rondo.science.clv import ValueConfig
from rondo.science.gamma_gamma import GammaGamma
from rondo.science.hybrid import Bases, Covariates, Hybrid, joined
from rondo.science.intervals import BaseForecast, forecast_base
from rondo.science.models import PurchaseModel, alive_from, alive_of, expected_by_from, fit_at
from rondo.science.risks import Correction
from rondo.science.selection import Selection
from rondo.science.summary import DAYS_PER_WEEK, Summary, summarise

FORECAST_WEEKS = 13

CALIBRATED = gettext_noop(
    "90 % predictive interval: chance and uncertain parameters, widened by the models' own error as measured in "
    "rolling-origin hold-outs on earlier parts of the same data."
)
UNCALIBRATED = gettext_noop(
    "90 % interval from chance and uncertain parameters alone; the data are too short for hold-outs, so it is too "
    "narrow."
)


@dataclass(frozen=True)
class Fitted:
    """The chosen model of purchases and the model of spend, fitted as of a day; what they say of the base.

    ``second``: when one-time buyers come back, None where too few ever did. ``there``: P(alive) of the base.
    ``corrected``: what earlier windows say of the chances of silence. ``ahead``: purchases of each customer while the
    risk lasts.
    ``covariates``: those that a hybrid took.
    """

    base: Summary
    selection: Selection
    purchases: PurchaseModel
    spend: GammaGamma
    forecast: BaseForecast
    second: SecondPurchase | None
    risk: ChurnRisk
    corrected: Correction
    ahead: Ahead
    there: npt.NDArray[np.float64]
    covariates: Covariates | None = None

    def alive(
        self, x: npt.NDArray[Any], t_x: npt.NDArray[np.float64], T: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """P(alive) of histories with times in weeks."""
        return alive_from(self.purchases, x, t_x, T)

    @cached_property
    def present(self) -> npt.NDArray[np.float64]:
        """P(alive) of the base as it is served: by all that the model knows of its customers, and never below the
        chance that the same customer buys."""
        return np.maximum(self.forecast.customers.probability_alive, 1 - self.risk.silent)

    def present_of(self, log: Log, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The same of the customers ``ids`` (ascending); nan of whom there is none."""
        found = np.full(ids.size, np.nan)
        place, here = placed(log.customers[self.base.customer], ids)
        found[place[here]] = self.present[here]
        return found

    def columns(self, log: Log) -> tuple[npt.NDArray[np.int64], dict[str, pa.Array]]:
        """Customer ids, ascending, and the modelled facts of each; null where a model cannot say."""
        worth = self.forecast.customers
        # Whom the model calls alive by construction it says nothing of.
        untold = (self.base.x == 0) & ("one_time_buyers" in self.purchases.warnings())
        return log.customers[self.base.customer], {
            "value": pa.array(worth.value),
            "value_low": pa.array(worth.low),
            "value_high": pa.array(worth.high),
            "expected_purchases": pa.array(worth.expected_purchases),
            "median_purchases": pa.array(worth.median_purchases),
            "expected_spend": pa.array(np.rint(worth.expected_spend).astype(np.int64)),
            "alive": pa.array(self.present, mask=untold),
            **silence.columns(self.risk),
            **self.ahead.columns(),
        }

    def describe(self) -> dict[str, Any]:
        """Parameters, likelihoods, the base's intervals and the hold-outs that calibrated them, as JSON."""
        return {
            "purchases": self.purchases.to_dict(),
            "spend": self.spend.to_dict(),
            "cards": {"purchases": self.purchases.describe(), "spend": self.spend.describe()},
            "second": None if self.second is None else self.second.to_dict(),
            "risk": self.corrected.to_dict(),
            "intervals": {
                "value": self.forecast.value.to_dict(),
                "purchases": self.forecast.purchases.to_dict(),
                "level": self.forecast.config.level,
                "counts_spread": self.forecast.counts_spread,
            },
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


def fit(
    log: Log,
    as_of: int,
    assumptions: ValueConfig,
    *,
    pinned: str | None = None,
    incumbent: str | None = None,
    bases: Bases | None = None,
    offered: Callable[[], Mapping[str, Covariates]] | None = None,
) -> Fitted:
    """Choose a model of purchases, fit it and that of spend to what had happened by day ``as_of``, value the base.

    ``pinned``: the model that an analyst wants whatever the errors; ``incumbent``: the one of the run before;
    ``bases``: what hybrids of the log share; ``offered``: gives the groups of covariates that a hybrid tries and may
    take. The choice among models is of a hybrid that tries them at each origin anew; the hold-outs behind the intervals
    are of hybrids with those taken on the day itself, as they stood at each origin.

    Raises:
        InputError, ConvergenceError: the data do not allow a fit; the message says why.
    """
    base = summarise(log.days, as_of)
    horizon_days = assumptions.horizon_weeks * DAYS_PER_WEEK
    bases = bases or Bases(log.days)
    groups = offered() if offered is not None else None
    selection = choose(log.days, as_of, horizon_days, pinned=pinned, incumbent=incumbent, bases=bases, offered=groups)
    purchases = fit_at(selection.chosen, log.days, as_of, horizon_days, bases, base, groups)
    taken = (
        [groups[one.name] for one in purchases.tried if one.taken] if isinstance(purchases, Hybrid) and groups else []
    )
    covariates = joined(taken) if taken else None
    spend = gamma_gamma.fit(base.spend_days, base.mean_spend)
    second = silence.second_purchase(log.days, as_of)
    corrected = silence.correction(log.days, as_of, purchases.kind, bases, covariates, horizon_days)
    there = alive_of(purchases, base)
    risk = silence.risk(purchases, second, log.days, base, there, corrected)
    told = served(purchases, base, there, risk)
    forecast = forecast_base(
        log.days,
        as_of,
        purchases,
        spend,
        assumptions,
        bases=bases,
        covariates=covariates,
        alive=there,
        base=base,
        served=told,
    )
    return Fitted(
        base,
        selection,
        purchases,
        spend,
        forecast,
        second,
        risk,
        corrected,
        ahead(purchases, base, told, forecast.holdouts),
        there,
        covariates,
    )


def weekly_spend(
    often: PurchaseModel,
    each: npt.NDArray[np.float64],
    base: Summary,
    starts: list[int],
    as_of: int,
    alive: npt.NDArray[np.float64],
) -> list[float]:
    """Expected spend of the base in each week that begins on a day of ``starts``, all after ``as_of``; ``alive``:
    P(alive) of the base by the model."""
    edges = np.array([start - 1 - as_of for start in starts] + [starts[-1] + 6 - as_of]) / DAYS_PER_WEEK
    expected = expected_by_from(often, base, edges, alive)
    return [float(((expected[:, i + 1] - expected[:, i]) * each).sum()) for i in range(len(starts))]


def forecast_weeks(fitted: Fitted, as_of: date, error: float) -> list[ForecastPoint]:
    """Expected spend of today's customers in the coming whole business weeks, with the hold-out's weekly error as band.

    Empty where there was no hold-out to measure an error in.
    """
    if error <= 0:
        return []
    monday = as_of + timedelta(days=7 - as_of.weekday())
    starts = [day_number(monday) + 7 * week for week in range(FORECAST_WEEKS)]
    each = fitted.forecast.customers.expected_spend
    spend = weekly_spend(fitted.purchases, each, fitted.base, starts, day_number(as_of), fitted.there)
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
