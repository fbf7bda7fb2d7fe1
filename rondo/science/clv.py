"""Customer lifetime value over a horizon: discounted expected purchases x expected spend x margin, with its spread.

Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", Journal of Marketing
Research 42, 415-430: with spend independent of frequency the value is a product of two expectations. Purchases come
from a :class:`~rondo.science.models.PurchaseModel`, spend from :class:`~rondo.science.gamma_gamma.GammaGamma`. Only
what a customer is expected to bring *from now on* counts; what was bought before is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray, Numbers, as_column, history, positive, same_length
from rondo.science.cells import distinct_rows
from rondo.science.gamma_gamma import GammaGamma
from rondo.science.median import median_purchases
from rondo.science.models import PurchaseModel, in_units, weeks_in_units
from rondo.science.served import Served, lifted

WEEKS_PER_MONTH = 365.25 / 12 / 7
# Histories whose scale + T differ by less share one simulated distribution; see :func:`_alive_quantiles`.
_TIME_STEP = 0.02
_LEVELS = 257


@dataclass(frozen=True)
class ValueConfig:
    """The assumptions of a value, shown beside every figure made with it.

    ``months``: horizon. ``annual_discount_rate``: effective per year, e.g. 0.1. ``margin_rate``: share of spend that is
    margin, above 0 and at most 1. ``level``: of the interval per customer. ``seed``: of its simulation.
    """

    months: int = 12
    annual_discount_rate: float = 0.10
    margin_rate: float = 1.0
    level: float = 0.90
    seed: int = 20_170_101

    def __post_init__(self) -> None:
        if self.months < 1:
            raise InputError(f"months: {self.months}: at least 1")
        if not -0.5 < self.annual_discount_rate < 10:
            raise InputError(f"annual_discount_rate: {self.annual_discount_rate}: a share such as 0.10 is needed")
        if not 0 < positive(self.margin_rate, "margin_rate") <= 1:
            raise InputError(f"margin_rate: {self.margin_rate}: a share above 0 and at most 1 is needed")
        if not 0 < self.level < 1:
            raise InputError(f"level: {self.level}: must lie between 0 and 1, such as 0.9")

    @property
    def horizon_weeks(self) -> float:
        """The horizon in weeks."""
        return self.months * WEEKS_PER_MONTH

    def month_ends(self) -> FloatArray:
        """End of each month of the horizon, in weeks from now."""
        return np.arange(1, self.months + 1, dtype=np.float64) * WEEKS_PER_MONTH

    def month_factors(self) -> FloatArray:
        """Discount factor of each month, as of its middle."""
        middles = (np.arange(self.months) + 0.5) / 12
        return np.asarray(np.exp(-np.log1p(self.annual_discount_rate) * middles), dtype=np.float64)


@dataclass(frozen=True)
class CustomerValues:
    """One entry per customer, in the order given.

    ``value``: expected discounted margin over the horizon, in whole minor units; ``low``, ``high``: predictive interval
    of that customer's own value (chance alone, parameters taken as known); ``expected_purchases``: undiscounted, within
    the horizon; ``median_purchases``: the median of the same (:mod:`rondo.science.median`); ``expected_spend``: per
    purchase, in minor units before margin; ``probability_alive``: 1 by construction where x = 0, see
    :mod:`rondo.science.bgnbd`; never below the chance of any purchase within the horizon.
    """

    value: IntArray
    low: IntArray
    high: IntArray
    expected_purchases: FloatArray
    median_purchases: IntArray
    expected_spend: FloatArray
    probability_alive: FloatArray
    config: ValueConfig

    @property
    def total(self) -> int:
        """Expected value of the whole base, in whole minor units: the sum of the customers'."""
        return int(self.value.sum())

    def describe(self) -> dict[str, Any]:
        """Totals and assumptions."""
        return {
            "customers": int(self.value.size),
            "total_value": self.total,
            "expected_purchases": float(self.expected_purchases.sum()),
            "months": self.config.months,
            "annual_discount_rate": self.config.annual_discount_rate,
            "margin_rate": self.config.margin_rate,
            "level": self.config.level,
        }


def value_customers(
    purchases: PurchaseModel,
    spend: GammaGamma,
    x: Numbers,
    t_x: Numbers,
    T: Numbers,
    spend_days: Numbers,
    mean_spend: Numbers,
    config: ValueConfig | None = None,
    factors: FloatArray | None = None,
    alive: FloatArray | None = None,
    served: Served | None = None,
) -> CustomerValues:
    """Value of every customer over the horizon.

    ``x``, ``t_x``, ``T``: history in weeks; ``purchases`` must have been fitted in weeks or days. ``spend_days`` and
    ``mean_spend`` (minor units): as ``spend`` was fitted. ``factors``: what ``purchases`` says beside the history
    (its ``factors`` for the horizon); ``alive``: its P(alive) of these rows, where it is known already; ``served``: the
    chance of silence as it is served, which value, interval and purchases do not deny. The discount is taken per month,
    at its middle. Raises InputError for impossible rows or a purchase model in another time unit.
    """
    config = config or ValueConfig()
    x_, t_, T_ = history(*in_units(purchases.config.time_unit, *history(x, t_x, T)))
    n, z = as_column(spend_days, "spend_days"), as_column(mean_spend, "mean_spend")
    same_length({"x": x_, "spend_days": n, "mean_spend": z})
    alive = purchases.probability_alive(x_, t_, T_) if alive is None else alive
    per_purchase = spend.expected_mean_spend(n, z)
    if not x_.size:
        none = np.empty(0, np.int64)
        return CustomerValues(none, none, none, alive, none, per_purchase, alive, config)
    plain, discounted, inverse = _purchases_while_alive(purchases, x_, T_, config)
    more = np.ones(x_.size) if factors is None else factors
    same_length({"x": x_, "factors": more})
    expected = alive * plain[inverse] * more
    ahead = weeks_in_units(purchases.config.time_unit, config.horizon_weeks)
    # Of who is there, and of all: apart, since hardly anybody is left of 1 - alive where it is told of one long gone.
    idle = purchases.probability_silent(ahead, x_, t_, T_, np.ones(x_.size))
    nothing = (1 - alive * (1 - idle)) ** more
    if served is not None:
        nothing = served.nothing(nothing, config.horizon_weeks)
        expected = lifted(expected, served.least(nothing, config.horizon_weeks))
    worth_of_each = (discounted / plain)[inverse] * config.margin_rate
    value = expected * worth_of_each * per_purchase
    # What is expected, spread over those who do buy: the mean is that of `value`.
    kept = np.divide((1 - idle) * expected, plain[inverse] * (1 - nothing), out=np.ones(x_.size), where=nothing < 1)
    low, high = _interval(purchases, spend, x_, T_, n, n * z, idle, nothing, worth_of_each * kept, config)
    whole = np.rint(value).astype(np.int64)
    return CustomerValues(
        value=whole,
        low=np.minimum(low, whole),
        high=np.maximum(high, whole),
        expected_purchases=expected,
        median_purchases=median_purchases(expected, nothing, purchases.rate_shape + x_),
        expected_spend=per_purchase,
        probability_alive=1 - (1 - alive) ** more,  # nothing ever is nothing within longer and longer horizons
        config=config,
    )


def _purchases_while_alive(
    purchases: PurchaseModel, x: FloatArray, T: FloatArray, config: ValueConfig
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.intp]]:
    """Expected purchases of the living, plain and discounted, per distinct (x, T), and each customer's row of them."""
    unit = purchases.config.time_unit
    (ux, uT), inverse, _ = distinct_rows(x, T)
    ends = np.array([weeks_in_units(unit, end) for end in config.month_ends().tolist()])
    by_month = purchases.expected_while_alive(ends, ux, uT)
    each = np.diff(by_month, axis=1, prepend=0.0)
    return by_month[:, -1], each @ config.month_factors(), inverse


def _interval(
    purchases: PurchaseModel,
    spend: GammaGamma,
    x: FloatArray,
    T: FloatArray,
    n: FloatArray,
    spent: FloatArray,
    idle: FloatArray,
    nothing: FloatArray,
    amount: FloatArray,
    config: ValueConfig,
) -> tuple[IntArray, IntArray]:
    """Quantiles of each customer's own value.

    A customer brings nothing with the chance ``nothing``; otherwise ``amount`` (gamma + spent) W, where W depends on
    (x, T, n) alone. So a quantile of the whole is a quantile of W at a shifted level, looked up in a table of the
    living, of whom the part ``idle`` buys nothing.
    Purchase times enter through the mean discount of the customer's expected purchases.
    """
    table, rows = _alive_quantiles(purchases, spend, x, T, n, config)
    scale = (spend.gamma + spent) * amount
    bounds = []
    for level in ((1 - config.level) / 2, (1 + config.level) / 2):
        among = np.clip((level - nothing) / np.maximum(1 - nothing, 1e-300), 0.0, 1.0)
        position = (idle + (1 - idle) * among) * (_LEVELS - 1)
        below = np.minimum(position.astype(np.intp), _LEVELS - 2)
        share = position - below
        w = (1 - share) * table[rows, below] + share * table[rows, below + 1]
        bounds.append(np.rint(np.where(among > 0, w, 0.0) * scale).astype(np.int64))
    return bounds[0], bounds[1]


def _alive_quantiles(
    purchases: PurchaseModel, spend: GammaGamma, x: FloatArray, T: FloatArray, n: FloatArray, config: ValueConfig
) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Quantiles of W for the living at evenly spaced levels, and each customer's row of the table.

    W = G(p K) / G(q + p n) with K purchases in the horizon and G standard gamma variates: Gamma-Gamma's predictive
    total spend in units of gamma + spent. Histories are grouped where the model's scale plus T
    agrees within 2 %.
    """
    step = np.rint(np.log1p(T / purchases.time_scale) / _TIME_STEP)
    (ux, ustep, un), rows, _ = distinct_rows(x, step, n)
    uT = purchases.time_scale * np.expm1(ustep * _TIME_STEP)
    draws = int(np.clip(6_000_000 // ux.size, 400, 4000))
    horizon = weeks_in_units(purchases.config.time_unit, config.horizon_weeks)
    rng = np.random.default_rng(config.seed)
    levels = np.linspace(0, 1, _LEVELS)
    table = np.empty((ux.size, _LEVELS))
    at_once = max(1, 2_000_000 // draws)
    for start in range(0, ux.size, at_once):
        part = slice(start, start + at_once)
        future = purchases.sample_while_alive(horizon, ux[part], uT[part], rng, draws)
        w = rng.standard_gamma(spend.p * future) / rng.standard_gamma(spend.q + spend.p * un[part], size=future.shape)
        w.sort(axis=0)
        where = levels * (draws - 1)
        below = where.astype(np.intp)
        above = np.minimum(below + 1, draws - 1)
        share = (where - below)[:, None]
        table[part] = ((1 - share) * w[below] + share * w[above]).T
    return table, rows
