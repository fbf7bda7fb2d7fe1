"""Interval of what the whole base will do: chance, unsure parameters, and the model's own error as it showed before.

Three spreads on the scale of the logarithm of a total: *chance* (customers buy at random even if the model is right),
*parameters* (estimated from a sample), and *model* (season, promotions, competitors: whatever the model does not know).
The last dominates in practice and cannot be had from one fit, so it is taken from rolling-origin hold-outs: the models
are fitted again at earlier dates of the same log, and ln(actual / forecast) of what followed is compared with the
spread that chance and parameters explain. docs/models.md states the method, the evidence for its choices and the
coverage measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from rondo.errors import InputError
from rondo.science import gamma_gamma
from rondo.science._checks import FloatArray, IntArray
from rondo.science._newton import ConvergenceError
from rondo.science.clv import CustomerValues, ValueConfig, value_customers
from rondo.science.gamma_gamma import GammaGamma
from rondo.science.holdout import rank_groups
from rondo.science.hybrid import Bases, Hybrid, sampled
from rondo.science.models import PurchaseModel, expected_from, fit_at, in_units, weeks_in_units
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, summarise, window

_STEP = 0.02  # of the logarithm of a parameter, for the slope of a total


@dataclass(frozen=True)
class CalibrationConfig:
    """How the model's own error is measured.

    ``origins``: hold-outs at most. ``window_share``: length of a hold-out as a share of the log's length, at most the
    horizon. ``earliest_share``: the first origin, as a share of the log's length; before it models know too little to
    tell about today. ``growth``: the error grows with (horizon / hold-out) to this power. ``minimum_days``: a shorter
    hold-out is not held. ``groups``: ranks of customers for which intervals are given beside the total.
    ``sample``: customers used for chance and parameters, and for hold-outs, at most; the chance that lies in the sample
    of a hold-out is taken off its error like any other. ``level``: of the interval.
    """

    origins: int = 8
    window_share: float = 1 / 3
    earliest_share: float = 1 / 3
    growth: float = 0.25
    minimum_days: int = 28
    groups: int = 10
    sample: int = 200_000
    level: float = 0.90
    seed: int = 20_170_102


@dataclass(frozen=True)
class Spread:
    """Standard deviations of the logarithm of totals; entry 0 is the base, entries 1.. are the groups by rank."""

    chance: FloatArray
    parameters: FloatArray

    @property
    def variance(self) -> FloatArray:
        """Both together."""
        return self.chance**2 + self.parameters**2


@dataclass(frozen=True)
class RolledHoldOut:
    """One earlier origin: what was forecast then for ``after`` origin ``until`` that day, and what came.

    Arrays have the base in entry 0 and the groups by rank of forecast behind it. Spend is in minor units.
    """

    origin: int
    until: int
    customers: int
    forecast_purchases: FloatArray
    actual_purchases: IntArray
    forecast_spend: FloatArray
    actual_spend: IntArray
    purchases_spread: Spread
    spend_spread: Spread


@dataclass(frozen=True)
class ModelError:
    """Scale of the model's own error on the logarithmic scale, per entry (base, then groups), as a Student t.

    ``freedom``: hold-outs that fit side by side between the first origin and now, plus one. Overlapping hold-outs are
    not independent, so their number does not count.
    """

    scale: FloatArray
    freedom: float


@dataclass(frozen=True)
class Interval:
    """A total with its predictive interval and the standard deviations of its logarithm that make it up."""

    expected: float
    low: float
    high: float
    chance: float
    parameters: float
    model: float
    calibrated: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready figures."""
        return dict(vars(self))


@dataclass(frozen=True)
class BaseForecast:
    """What the base is expected to bring over the horizon.

    ``value`` in minor units of discounted margin and ``purchases``: of the base. ``value_groups``,
    ``purchases_groups``: of customers by rank of their expected purchases, highest first. ``customers``: values one by
    one. ``calibrated`` is False when the log is too short for a hold-out; the interval then holds chance and parameters
    only and is too narrow.
    """

    value: Interval
    purchases: Interval
    value_groups: tuple[Interval, ...]
    purchases_groups: tuple[Interval, ...]
    customers: CustomerValues
    holdouts: tuple[RolledHoldOut, ...]
    freedom: float | None
    config: CalibrationConfig

    @property
    def calibrated(self) -> bool:
        """Whether the model's own error is in the intervals."""
        return self.freedom is not None


def forecast_base(
    log: PurchaseDays,
    as_of: int,
    purchases: PurchaseModel,
    spend: GammaGamma,
    value: ValueConfig | None = None,
    config: CalibrationConfig | None = None,
    bases: Bases | None = None,
) -> BaseForecast:
    """Value and purchases of the base after ``as_of``, with calibrated intervals.

    ``purchases``, ``spend``: fitted to ``summarise(log, as_of)``; ``bases``: what hybrids of the log share. Raises
    InputError when nobody had bought by then.
    """
    value, config = value or ValueConfig(), config or CalibrationConfig()
    base = summarise(log, as_of)
    if not len(base):
        raise InputError(f"as_of: day {as_of}: nobody had bought by then; choose a day after the first purchase")
    columns = base.x, base.t_x, base.T, base.spend_days, base.mean_spend
    customers = value_customers(purchases, spend, *columns, value, purchases.factors(base, value.horizon_weeks))
    ranks = rank_groups(customers.expected_purchases, config.groups)
    horizon_days = value.horizon_weeks * DAYS_PER_WEEK
    spreads = spread_of_totals(purchases, spend, base, value.horizon_weeks, ranks, config)
    holdouts = roll_holdouts(log, as_of, horizon_days, config, purchases.kind, bases)
    sums = _totals(customers.expected_purchases, ranks), _totals(customers.value, ranks)
    errors = model_errors(holdouts, as_of, horizon_days, config)
    intervals = []
    for total, spread, error in zip(sums, spreads, errors or (None, None), strict=True):
        intervals.append([_interval(i, total, spread, error, config.level) for i in range(total.size)])
    return BaseForecast(
        value=intervals[1][0],
        purchases=intervals[0][0],
        value_groups=tuple(intervals[1][1:]),
        purchases_groups=tuple(intervals[0][1:]),
        customers=customers,
        holdouts=holdouts,
        freedom=errors[0].freedom if errors else None,
        config=config,
    )


def roll_holdouts(
    log: PurchaseDays,
    as_of: int,
    horizon_days: float,
    config: CalibrationConfig | None = None,
    model: str = "bgnbd",
    bases: Bases | None = None,
) -> tuple[RolledHoldOut, ...]:
    """Hold-outs that lie wholly before ``as_of``: fit at each origin, forecast the days after it, count what came.

    All have one length: the horizon or the configured share of the log, whichever is shorter. Origins where the models
    cannot be fitted are left out. Empty when the log is too short. ``model``: name of the model of purchases. A large
    base is represented by a random sample of its customers, a hybrid's by a smaller one, since every origin is learnt
    from origins of its own. ``bases``: theirs.
    """
    config = config or CalibrationConfig()
    length = as_of - log.first_day + 1
    days = int(min(horizon_days, config.window_share * length))
    earliest, latest = log.first_day + int(config.earliest_share * length), as_of - days
    if days < config.minimum_days or latest < earliest:
        return ()
    found = []
    if model == Hybrid.kind:
        bases = bases or Bases(log)
        log = sampled(log, bases.config.sample, bases.config.seed)
    else:
        log = sampled(log, config.sample, config.seed)
    for origin in np.unique(np.linspace(earliest, latest, config.origins).astype(np.int64)).tolist():
        base = summarise(log, origin)
        if len(base) < config.groups:
            continue  # fewer customers than ranks: errors could not be lined up with those of later origins
        try:
            often = fit_at(model, log, origin, days, bases, base)
            much = gamma_gamma.fit(base.spend_days, base.mean_spend)
        except (InputError, ConvergenceError):
            continue  # too little had happened by that origin; later ones speak for themselves
        found.append(_hold_out(log, base, often, much, origin, origin + days, config))
    return tuple(found)


def model_errors(
    holdouts: tuple[RolledHoldOut, ...],
    as_of: int,
    horizon_days: float,
    config: CalibrationConfig | None = None,
) -> tuple[ModelError, ModelError] | None:
    """Error of the model beyond chance and parameters, of purchases and of spend; None without hold-outs.

    Mean square of ln(actual / forecast) less the variance that chance and parameters explain, about 0: the forecast is
    not shifted, since on real logs the sign of past errors did not foretell the sign of the next. A few hold-outs may
    agree by luck, so an error is never taken below one that it contains: spend's not below purchases', a group's not
    below the base's.
    """
    config = config or CalibrationConfig()
    if not holdouts:
        return None
    days = holdouts[0].until - holdouts[0].origin
    grown = max(1.0, horizon_days / days) ** config.growth
    freedom = 1 + (as_of - holdouts[0].origin) / days
    scales = []
    for spend in (False, True):
        squares = []
        for held in holdouts:
            forecast, actual = (
                (held.forecast_spend, held.actual_spend) if spend else (held.forecast_purchases, held.actual_purchases)
            )
            explained = (held.spend_spread if spend else held.purchases_spread).variance
            # Half a unit keeps the logarithm finite where a group bought nothing.
            errors = np.log((np.maximum(actual, 0) + 0.5) / (forecast + 0.5))
            squares.append(errors**2 - explained)
        scale = np.sqrt(np.maximum(np.mean(squares, axis=0), 0.0)) * grown
        scales.append(np.maximum(scale, scale[0]))
    return ModelError(scales[0], freedom), ModelError(np.maximum(scales[1], scales[0]), freedom)


def model_error(
    holdouts: tuple[RolledHoldOut, ...],
    as_of: int,
    horizon_days: float,
    config: CalibrationConfig | None = None,
    *,
    spend: bool,
) -> ModelError | None:
    """One of :func:`model_errors`: of spend or of purchases."""
    errors = model_errors(holdouts, as_of, horizon_days, config)
    return errors[int(spend)] if errors else None


def spread_of_totals(
    purchases: PurchaseModel,
    spend: GammaGamma,
    base: Summary,
    weeks: float,
    ranks: IntArray,
    config: CalibrationConfig | None = None,
) -> tuple[Spread, Spread]:
    """Chance and parameters in the total purchases and the total spend of ``weeks``, for the base and each group.

    Chance: simulated customer by customer from the predictive distributions. Parameters: by the delta method from the
    covariance of their logarithms. A large base is represented by a random sample of it.
    """
    config = config or CalibrationConfig()
    rng = np.random.default_rng(config.seed)
    n = len(base)
    take = slice(None) if n <= config.sample else np.sort(rng.choice(n, config.sample, replace=False))
    unit, group = purchases.config.time_unit, ranks[take]
    x, t_x, T = in_units(unit, base.x[take], base.t_x[take], base.T[take])
    time = weeks_in_units(unit, weeks)
    counted, mean = base.spend_days[take], base.mean_spend[take]
    factors = purchases.factors(base, weeks)
    more = np.ones(group.size) if factors is None else factors[take]
    expected = purchases.expected_purchases(time, x, t_x, T) * more
    each = spend.expected_mean_spend(counted, mean)
    total, total_spend = _totals(expected, group), _totals(expected * each, group)

    draws = int(np.clip(400_000 // group.size, 2, 100))
    squares, spend_squares = np.zeros(total.size), np.zeros(total.size)
    for _ in range(draws):
        future = purchases.sample(time, x, t_x, T, rng)[0]
        if factors is not None:
            # Rounded at random, so that draws stay counts and their mean is that of the forecast.
            future = np.floor(future * more + rng.random(group.size)).astype(np.int64)
        money = spend.sample(counted, mean, future, rng)
        squares += _totals((future - expected) ** 2, group)
        spend_squares += _totals((money - expected * each) ** 2, group)
    scale = group.size / n
    chance = _relative(np.sqrt(squares / draws * scale), total)
    spend_chance = _relative(np.sqrt(spend_squares / draws * scale), total_spend)

    slopes, spend_slopes = [], []
    for place, name in enumerate(purchases.names):
        shifted = []
        for sign in (1, -1):
            value = float(purchases.parameters[place]) * float(np.exp(sign * _STEP))
            near = purchases.with_parameters(**{name: value})
            shifted.append(near.expected_purchases(time, x, t_x, T))
        change = more * (shifted[0] - shifted[1]) / (2 * _STEP)
        slopes.append(_relative(_totals(change, group), total))
        spend_slopes.append(_relative(_totals(change * each, group), total_spend))
    own = []
    for name in gamma_gamma.NAMES:
        shifted = []
        for sign in (1, -1):
            other = replace(spend, **{name: getattr(spend, name) * float(np.exp(sign * _STEP))})
            # q may step below the point where means exist; the slope from one side serves as well
            shifted.append(other.expected_mean_spend(counted, mean) if other.q > 1 else each)
        own.append(_relative(_totals(expected * (shifted[0] - shifted[1]) / (2 * _STEP), group), total_spend))
    known, known_spend = np.array(purchases.log_covariance), np.array(spend.log_covariance)
    parameters = _quadratic(np.array(slopes), known)
    spend_parameters = _quadratic(np.array(spend_slopes), known) + _quadratic(np.array(own), known_spend)
    return Spread(chance, np.sqrt(parameters)), Spread(spend_chance, np.sqrt(spend_parameters))


def log_interval(normal: float, scale: float, freedom: float, level: float) -> tuple[float, float]:
    """Central interval of a normal with standard deviation ``normal`` plus ``scale`` times a Student t, around 0."""
    if not 0 < level < 1:
        raise InputError(f"level: {level}: must lie between 0 and 1, such as 0.9")
    tail = (1 - level) / 2
    if scale <= 0:
        half = float(norm.isf(tail)) * normal
    elif normal <= 0:
        half = float(student.isf(tail, freedom)) * scale
    else:
        nodes, weights = np.polynomial.hermite_e.hermegauss(41)
        weights = weights / weights.sum()

        def excess(bound: float) -> float:
            return float(weights @ student.sf((bound - nodes * normal) / scale, freedom)) - tail

        widest = float(norm.isf(tail)) * normal + float(student.isf(tail, freedom)) * scale
        half = float(brentq(excess, 0.0, 2 * widest))
    return -half, half


def _hold_out(
    log: PurchaseDays,
    base: Summary,
    often: PurchaseModel,
    much: GammaGamma,
    origin: int,
    until: int,
    config: CalibrationConfig,
) -> RolledHoldOut:
    weeks = (until - origin) / DAYS_PER_WEEK
    expected = expected_from(often, base, weeks)
    each = much.expected_mean_spend(base.spend_days, base.mean_spend)
    ranks = rank_groups(expected, config.groups)
    came, money = (column[base.customer] for column in window(log, origin, until))
    spreads = spread_of_totals(often, much, base, weeks, ranks, config)
    return RolledHoldOut(
        origin=origin,
        until=until,
        customers=len(base),
        forecast_purchases=_totals(expected, ranks),
        actual_purchases=_whole_totals(came, ranks),
        forecast_spend=_totals(expected * each, ranks),
        actual_spend=_whole_totals(money, ranks),
        purchases_spread=spreads[0],
        spend_spread=spreads[1],
    )


def _interval(entry: int, total: FloatArray, spread: Spread, error: ModelError | None, level: float) -> Interval:
    scale, freedom = (0.0, np.inf) if error is None else (float(error.scale[entry]), error.freedom)
    low, high = log_interval(float(np.sqrt(spread.variance[entry])), scale, freedom, level)
    expected = float(total[entry])
    return Interval(
        expected=expected,
        low=expected * float(np.exp(low)),
        high=expected * float(np.exp(high)),
        chance=float(spread.chance[entry]),
        parameters=float(spread.parameters[entry]),
        model=scale,
        calibrated=error is not None,
    )


def _totals(values: FloatArray | IntArray, ranks: IntArray) -> FloatArray:
    groups = np.bincount(ranks, weights=values)
    return np.concatenate(([values.sum()], groups)).astype(np.float64)


def _whole_totals(values: IntArray, ranks: IntArray) -> IntArray:
    result = np.zeros(int(ranks.max()) + 2, np.int64)
    np.add.at(result, ranks + 1, values)
    result[0] = values.sum()
    return result


def _relative(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _quadratic(slopes: FloatArray, known: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(np.einsum("ig,ij,jg->g", slopes, known, slopes), 0.0), dtype=np.float64)
