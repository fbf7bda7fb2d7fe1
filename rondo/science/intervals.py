"""Interval of what the whole base will do: chance, unsure parameters, and the model's own error as it showed before.

Three spreads on the scale of the logarithm of a total: *chance* (customers buy at random even if the model is right),
*parameters* (estimated from a sample), and *model* (season, promotions, competitors: whatever the model does not know).
The last dominates in practice and cannot be had from one fit, so it is taken from rolling-origin hold-outs: the models
are fitted again at earlier dates of the same log, and ln(actual / forecast) of what followed is compared with the
spread that chance and parameters explain. Groups of customers by rank have an error of their own beside the base's;
where the hold-outs before a date all missed a group's share alike, its interval is moved by that, and its width is
that of what moving left over at the earlier dates. docs/models.md states the method, the evidence for its choices and
the coverage measured.
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
from rondo.science._totals import quadratic, relative, totals, whole_totals
from rondo.science.clv import CustomerValues, ValueConfig, value_customers
from rondo.science.counts import Reached, fit_spread, held_by_spread
from rondo.science.gamma_gamma import GammaGamma
from rondo.science.holdout import rank_groups
from rondo.science.hybrid import Bases, Covariates, Hybrid, on_grid, sampled
from rondo.science.models import PurchaseModel, alive_of, expected_from, fit_at, in_units, weeks_in_units
from rondo.science.served import Served
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, summarise, window

_STEP = 0.02  # of the logarithm of a parameter, for the slope of a total
_HALF = 0.5  # of a purchase or a minor unit
_LAWS = 1_500  # customers of a hold-out whose counts are looked at: the spread is one number


@dataclass(frozen=True)
class CalibrationConfig:
    """How the model's own error is measured.

    ``origins``: hold-outs at most, two weeks apart or more. ``window_share``: length of a hold-out as a share of the
    log's length, at most the horizon, in multiples of ``whole_days`` (four weeks, so that weekdays and paydays are
    alike). ``earliest_share``: the first origin, as a share of the log's length; before it models know too little to
    tell about today. ``growth``: the error grows with (horizon / hold-out) to this power. ``minimum_days``: a shorter
    hold-out is not held. ``half_life``: of a group's error, in lengths of a hold-out: one that began so much earlier
    than the last counts half. ``reserve``: the shift of a group is n / (n + reserve) of that error after n hold-outs
    side by side. ``trust``: the quantile of past errors counts n / (n + trust) beside Student's, see
    :func:`model_errors`. ``groups``: ranks of customers for which intervals are given beside the total. ``sample``:
    customers used for chance and parameters, and for hold-outs, at most; the chance that lies in the sample of a
    hold-out is taken off its error like any other. ``level``: of the interval.
    """

    origins: int = 8
    window_share: float = 1 / 3
    whole_days: int = 28
    earliest_share: float = 1 / 3
    growth: float = 0.25
    minimum_days: int = 28
    half_life: float = 0.5
    reserve: float = 0.5
    trust: float = 3.0
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

    Arrays have the base in entry 0 and the groups by rank of forecast behind it. Spend is in minor units. ``counts``:
    what the laws of single customers held.
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
    counts: Reached


HoldOuts = dict[tuple[int, int], RolledHoldOut | None]
"""Hold-outs by origin and days; None where the models could not be fitted."""


@dataclass(frozen=True)
class ModelError:
    """The model's own error on the logarithmic scale, per entry (base, then groups): ``shift`` plus ``scale`` times t.

    ``freedom``: of Student's t, hold-outs that fit side by side between the first origin and now, plus one, and for
    groups one more. Overlapping hold-outs are not independent, so their number does not count. The base is not shifted.
    """

    shift: FloatArray
    scale: FloatArray
    freedom: FloatArray


@dataclass(frozen=True)
class Interval:
    """A total with its predictive interval and the standard deviations of its logarithm that make it up.

    ``shift``: by how much the interval's middle lies above ``expected``, on that scale; 0 for the base.
    """

    expected: float
    low: float
    high: float
    chance: float
    parameters: float
    model: float
    shift: float
    calibrated: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready figures."""
        return dict(vars(self))


@dataclass(frozen=True)
class BaseForecast:
    """What the base is expected to bring over the horizon.

    ``value`` in minor units of discounted margin and ``purchases``: of the base. ``value_groups``,
    ``purchases_groups``: of customers by rank of their expected purchases, highest first. ``customers``: values one by
    one; ``counts_spread``: how far apart their counts lie (:mod:`rondo.science.counts`), as learnt from the hold-outs.
    ``calibrated`` is False when the log is too short for a hold-out; the interval then holds chance and parameters
    only and is too narrow.
    """

    value: Interval
    purchases: Interval
    value_groups: tuple[Interval, ...]
    purchases_groups: tuple[Interval, ...]
    customers: CustomerValues
    holdouts: tuple[RolledHoldOut, ...]
    freedom: float | None
    counts_spread: float
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
    known: HoldOuts | None = None,
    covariates: Covariates | None = None,
    alive: FloatArray | None = None,
    base: Summary | None = None,
    served: Served | None = None,
) -> BaseForecast:
    """Value and purchases of the base after ``as_of``, with calibrated intervals.

    ``purchases``, ``spend``: fitted to ``summarise(log, as_of)``; ``bases``: what hybrids of the log share; ``known``:
    and ``covariates``: see :func:`roll_holdouts`; ``base``: that summary, ``alive``: P(alive) of it, where they are
    known already; ``served``: see :func:`rondo.science.clv.value_customers`; it leaves the purchases of the base as
    they are. Raises InputError when nobody had bought by then.
    """
    value, config = value or ValueConfig(), config or CalibrationConfig()
    base = summarise(log, as_of) if base is None else base
    if not len(base):
        raise InputError(f"as_of: day {as_of}: nobody had bought by then; choose a day after the first purchase")
    columns = base.x, base.t_x, base.T, base.spend_days, base.mean_spend
    alive = alive_of(purchases, base) if alive is None else alive
    factors = purchases.factors(base, value.horizon_weeks, alive)
    customers = value_customers(purchases, spend, *columns, value, factors, alive, served)
    ranks = rank_groups(customers.expected_purchases, config.groups)
    horizon_days = value.horizon_weeks * DAYS_PER_WEEK
    spreads = spread_of_totals(purchases, spend, base, value.horizon_weeks, ranks, config, alive)
    holdouts = roll_holdouts(log, as_of, horizon_days, config, purchases.kind, bases, known, covariates)
    sums = totals(customers.expected_purchases, ranks), totals(customers.value, ranks)
    errors = model_errors(holdouts, as_of, horizon_days, config)
    intervals = []
    for total, spread, error in zip(sums, spreads, errors or (None, None), strict=True):
        intervals.append(intervals_of(total, spread, error, config.level))
    return BaseForecast(
        value=intervals[1][0],
        purchases=intervals[0][0],
        value_groups=tuple(intervals[1][1:]),
        purchases_groups=tuple(intervals[0][1:]),
        customers=customers,
        holdouts=holdouts,
        freedom=float(errors[0].freedom[0]) if errors else None,
        counts_spread=fit_spread([held.counts for held in holdouts], horizon_days, config.level),
        config=config,
    )


def roll_holdouts(
    log: PurchaseDays,
    as_of: int,
    horizon_days: float,
    config: CalibrationConfig | None = None,
    model: str = "bgnbd",
    bases: Bases | None = None,
    known: HoldOuts | None = None,
    covariates: Covariates | None = None,
) -> tuple[RolledHoldOut, ...]:
    """Hold-outs that lie wholly before ``as_of``: fit at each origin, forecast the days after it, count what came.

    All have one length: the horizon or the configured share of the log, whichever is shorter, in multiples of
    ``config.whole_days``. Origins where the models cannot be fitted are left out. Empty when the log is
    too short. ``model``: name of the model of purchases. A large base is represented by a random sample of its
    customers, a hybrid's by a smaller one, since every origin is learnt from origins of its own. ``bases``: theirs.
    ``known``: hold-outs of the same log, model and configuration from other dates, by origin and days; it is added to.
    ``covariates``: those that a hybrid took; each origin's takes them as they stood at that origin and before.
    """
    config = config or CalibrationConfig()
    length = as_of - log.first_day + 1
    days = int(min(horizon_days, config.window_share * length))
    days -= days % config.whole_days if days >= config.whole_days else 0
    earliest, latest = log.first_day + int(config.earliest_share * length), as_of - days
    if days < config.minimum_days or latest < earliest:
        return ()
    known = {} if known is None else known
    if model == Hybrid.kind:
        bases = bases or Bases(log)
        log = bases.log_of(log)
    else:
        log = sampled(log, config.sample, config.seed)
    origins = on_grid(log, np.linspace(earliest, latest, config.origins))
    for origin in origins:
        if (origin, days) not in known:
            known[origin, days] = _hold_out(log, model, origin, days, bases, config, covariates)
    return tuple(held for origin in origins if (held := known[origin, days]) is not None)


def model_errors(
    holdouts: tuple[RolledHoldOut, ...],
    as_of: int,
    horizon_days: float,
    config: CalibrationConfig | None = None,
) -> tuple[ModelError, ModelError] | None:
    """Error of the model beyond chance and parameters, of purchases and of spend; None without hold-outs.

    e = ln(actual / forecast). *Base*: mean of e squared less the variance that chance and parameters explain, about 0:
    the forecast is not shifted, since on real logs the sign of past errors did not foretell the sign of the next. Its
    interval reaches as far as the geometric mean of Student's quantile, which knows how few hold-outs there are, and
    the quantile of the past errors themselves, which knows whether they are all of one size. *Groups*: d = e less the
    base's. At each origin d is foretold by the hold-outs that had ended by then, and the mean square of what is left
    over, less what chance and parameters explain, is the group's own error; now it is shifted by what all foretell.
    What all groups have in common counts as one more hold-out of each, and one more degree of freedom. A few hold-outs
    may agree by luck, so spend's error is never taken below that of purchases, which it contains.
    """
    config = config or CalibrationConfig()
    if not holdouts:
        return None
    origins, days = np.array([held.origin for held in holdouts]), holdouts[0].until - holdouts[0].origin
    grown = max(1.0, horizon_days / days) ** config.growth
    side_by_side = (as_of - holdouts[0].origin) / days
    freedom = np.array([1 + side_by_side + (entry > 0) for entry in range(holdouts[0].actual_purchases.size)])
    sure = np.asarray(student.isf((1 - config.level) / 2, freedom), dtype=np.float64)
    found: list[ModelError] = []
    whole, own = 0.0, np.zeros(holdouts[0].actual_purchases.size - 1)
    for spend in (False, True):
        pairs = [
            (held.forecast_spend, held.actual_spend) if spend else (held.forecast_purchases, held.actual_purchases)
            for held in holdouts
        ]
        explained = np.array([(held.spend_spread if spend else held.purchases_spread).variance for held in holdouts])
        # Half a unit keeps the logarithm finite where a group bought nothing.
        errors = np.array([np.log((np.maximum(came, 0) + _HALF) / (told + _HALF)) for told, came in pairs])
        base, groups = errors[:, 0], errors[:, 1:] - errors[:, :1]
        whole = max(whole, float(np.sqrt(max(np.mean(base**2 - explained[:, 0]), 0.0))))
        past = np.abs(base) / np.sqrt(explained[:, 0] + whole**2 + np.finfo(float).tiny)
        reach = max(1.0, float(np.quantile(past, config.level, method="hazen")))
        shrunk = side_by_side / (side_by_side + config.trust)
        scale = np.asarray(whole * reach**shrunk * sure[0] ** (1 - shrunk) / sure, dtype=np.float64)
        foretold = np.array([_foretold(groups, origins, days, origin, config) for origin in origins])
        left = np.maximum(np.mean((groups - foretold) ** 2 - explained[:, 1:], axis=0), 0.0)
        left = (side_by_side * left + left.mean()) / (side_by_side + 1)
        own = np.maximum(own, np.sqrt(left))
        scale[1:] = np.hypot(scale[1:], own)
        shift = np.concatenate(([0.0], _foretold(groups, origins, days, as_of, config)))
        found.append(ModelError(shift, np.asarray(scale * grown, dtype=np.float64), freedom))
    return found[0], found[1]


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
    alive: FloatArray | None = None,
) -> tuple[Spread, Spread]:
    """Chance and parameters in the total purchases and the total spend of ``weeks``, for the base and each group.

    Chance: simulated customer by customer from the predictive distributions. Parameters: by the delta method from the
    covariance of their logarithms. A large base is represented by a random sample of it. ``alive``: P(alive) of the
    base, where it is known already.
    """
    config = config or CalibrationConfig()
    rng = np.random.default_rng(config.seed)
    n = len(base)
    take = slice(None) if n <= config.sample else np.sort(rng.choice(n, config.sample, replace=False))
    unit, group = purchases.config.time_unit, ranks[take]
    x, t_x, T = in_units(unit, base.x[take], base.t_x[take], base.T[take])
    time = weeks_in_units(unit, weeks)
    counted, mean = base.spend_days[take], base.mean_spend[take]
    alive = alive_of(purchases, base) if alive is None else alive
    factors = purchases.factors(base, weeks, alive)
    there = alive[take]
    more = np.ones(group.size) if factors is None else factors[take]
    expected = purchases.expected_purchases(time, x, t_x, T, there) * more
    each = spend.expected_mean_spend(counted, mean)
    total, total_spend = totals(expected, group), totals(expected * each, group)

    draws = int(np.clip(400_000 // group.size, 2, 100))
    squares, spend_squares = np.zeros(total.size), np.zeros(total.size)
    for _ in range(draws):
        future = purchases.sample(time, x, t_x, T, rng, alive=there)[0]
        if factors is not None:
            # Rounded at random, so that draws stay counts and their mean is that of the forecast.
            future = np.floor(future * more + rng.random(group.size)).astype(np.int64)
        money = spend.sample(counted, mean, future, rng)
        squares += totals((future - expected) ** 2, group)
        spend_squares += totals((money - expected * each) ** 2, group)
    scale = group.size / n
    chance = relative(np.sqrt(squares / draws * scale), total)
    spend_chance = relative(np.sqrt(spend_squares / draws * scale), total_spend)

    slopes, spend_slopes = [], []
    for place, name in enumerate(purchases.names):
        shifted = []
        for sign in (1, -1):
            value = float(purchases.parameters[place]) * float(np.exp(sign * _STEP))
            near = purchases.with_parameters(**{name: value})
            shifted.append(near.expected_purchases(time, x, t_x, T))
        change = more * (shifted[0] - shifted[1]) / (2 * _STEP)
        slopes.append(relative(totals(change, group), total))
        spend_slopes.append(relative(totals(change * each, group), total_spend))
    own = []
    for name in gamma_gamma.NAMES:
        shifted = []
        for sign in (1, -1):
            other = replace(spend, **{name: getattr(spend, name) * float(np.exp(sign * _STEP))})
            # q may step below the point where means exist; the slope from one side serves as well
            shifted.append(other.expected_mean_spend(counted, mean) if other.q > 1 else each)
        own.append(relative(totals(expected * (shifted[0] - shifted[1]) / (2 * _STEP), group), total_spend))
    known, known_spend = np.array(purchases.log_covariance), np.array(spend.log_covariance)
    parameters = quadratic(np.array(slopes), known)
    spend_parameters = quadratic(np.array(spend_slopes), known) + quadratic(np.array(own), known_spend)
    return Spread(chance, np.sqrt(parameters)), Spread(spend_chance, np.sqrt(spend_parameters))


def intervals_of(total: FloatArray, spread: Spread, error: ModelError | None, level: float) -> list[Interval]:
    """Intervals of totals (base, then groups) from their spread and the model's error, None where it is not known."""
    found = []
    for entry, expected in enumerate(total.tolist()):
        shift, scale, freedom = 0.0, 0.0, float(np.inf)
        if error is not None:
            shift, scale, freedom = float(error.shift[entry]), float(error.scale[entry]), float(error.freedom[entry])
        low, high = log_interval(float(np.sqrt(spread.variance[entry])), scale, freedom, level)
        # As errors are counted; nothing can come of a group of which little is expected.
        bounds = [max(0.0, (expected + _HALF) * float(np.exp(shift + end)) - _HALF) for end in (low, high)]
        found.append(
            Interval(
                expected=expected,
                low=bounds[0],
                high=bounds[1],
                chance=float(spread.chance[entry]),
                parameters=float(spread.parameters[entry]),
                model=scale,
                shift=shift,
                calibrated=error is not None,
            )
        )
    return found


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
    model: str,
    origin: int,
    days: int,
    bases: Bases | None,
    config: CalibrationConfig,
    covariates: Covariates | None,
) -> RolledHoldOut | None:
    base, until, weeks = summarise(log, origin), origin + days, days / DAYS_PER_WEEK
    if len(base) < config.groups:
        return None  # fewer customers than ranks: errors could not be lined up with those of later origins
    try:
        often = fit_at(model, log, origin, days, bases, base, covariates=covariates)
        much = gamma_gamma.fit(base.spend_days, base.mean_spend)
    except (InputError, ConvergenceError):
        return None  # too little had happened by that origin; later ones speak for themselves
    alive = alive_of(often, base)
    expected = expected_from(often, base, weeks, alive)
    each = much.expected_mean_spend(base.spend_days, base.mean_spend)
    ranks = rank_groups(expected, config.groups)
    came, money = (column[base.customer] for column in window(log, origin, until))
    first = window(log, origin, origin + days // 2)[0][base.customer]
    spreads = spread_of_totals(often, much, base, weeks, ranks, config, alive)
    return RolledHoldOut(
        origin=origin,
        until=until,
        customers=len(base),
        forecast_purchases=totals(expected, ranks),
        actual_purchases=whole_totals(came, ranks),
        forecast_spend=totals(expected * each, ranks),
        actual_spend=whole_totals(money, ranks),
        purchases_spread=spreads[0],
        spend_spread=spreads[1],
        counts=_reached(often, base, expected, alive, days, (came, first), config.level),
    )


def _reached(
    often: PurchaseModel,
    base: Summary,
    expected: FloatArray,
    alive: FloatArray,
    days: int,
    came: tuple[IntArray, IntArray],
    level: float,
) -> Reached:
    """What the laws of single customers held of what ``came`` in the days after a date and the first half of them."""
    rows = np.flatnonzero(expected >= 1)
    rows = rows[np.linspace(0, rows.size - 1, min(rows.size, _LAWS)).astype(np.int64)]
    unit, there = often.config.time_unit, alive[rows]
    factors = often.factors(base, days / DAYS_PER_WEEK, alive)
    more = np.ones(rows.size) if factors is None else factors[rows]
    history = in_units(unit, base.x[rows], base.t_x[rows], base.T[rows])
    held = []
    for span, counts in zip((days, days // 2), came, strict=True):
        time = weeks_in_units(unit, span / DAYS_PER_WEEK)
        told = often.expected_purchases(time, *history, there) * more
        silent = often.probability_silent(time, *history, there) ** more
        held.append(held_by_spread(told, silent, often.rate_shape + base.x[rows], counts[rows], level))
    return Reached(days, rows.size, *held)


def _foretold(groups: FloatArray, origins: IntArray, days: int, day: int, config: CalibrationConfig) -> FloatArray:
    """What the hold-outs that had ended by ``day`` say of the groups' errors: 0 where there are none."""
    ended = origins + days <= day
    if not ended.any():
        return np.zeros(groups.shape[1])
    then = origins[ended]
    weights = 0.5 ** ((then[-1] - then) / (config.half_life * days))
    side_by_side = 1 + float(then[-1] - then[0]) / days
    share = side_by_side / (side_by_side + config.reserve)
    return np.asarray(share * np.average(groups[ended], axis=0, weights=weights), dtype=np.float64)
