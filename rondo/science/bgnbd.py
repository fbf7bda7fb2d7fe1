"""BG/NBD: how often customers will buy again, where leaving is never announced.

Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284. While active, a
customer buys at rate lambda (Poisson), lambda differs over customers as Gamma(r, rate alpha); after each repeat
purchase the customer leaves with probability p, p differs as Beta(a, b). Any time unit serves; the project uses weeks.

Trap: a customer without a repeat purchase has had no occasion to leave, so the model says P(alive) = 1 for x = 0. Never
rank customers who bought once by :meth:`BgNbd.probability_alive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
from scipy.special import digamma, expit, gammaln, polygamma

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray, Numbers, as_column, history, positive
from rondo.science._documents import read_document
from rondo.science._newton import covariance, maximise
from rondo.science._purchases import expected_while_alive
from rondo.science.cells import Cells, distinct_rows, reduce_to_cells

NAMES = ("r", "alpha", "a", "b")
# Logarithms of parameters, times measured in mean observation times. Beyond them the model is at a limiting case (all
# customers alike, nobody leaves) that no data tell apart, and differences of gamma functions lose their digits.
_LOWER, _UPPER = np.full(4, -10.0), np.full(4, 8.0)
# Conservative 1 % point for the likelihood ratio against "nobody ever leaves" (chi-square, 2 degrees of freedom).
_RATIO_NEEDED = 9.21


@dataclass(frozen=True)
class FitConfig:
    """How a fit was made: part of the fit, and of what is stored."""

    max_iterations: int = 200
    tolerance: float = 1e-8
    time_unit: str = "week"


@dataclass(frozen=True)
class BgNbd:
    """A fitted BG/NBD model.

    ``r``, ``alpha`` (in time units): purchase rates, mean r / alpha. ``a``, ``b``: chance to leave after a repeat
    purchase, mean a / (a + b). ``log_likelihood_without_dropout``: of the NBD, the same model where nobody leaves.
    ``log_covariance``: covariance of the logarithms of (r, alpha, a, b) from the Hessian, each principal variance
    capped at 1. ``fingerprint``: SHA-256 of the cells it was fitted to.
    """

    r: float
    alpha: float
    a: float
    b: float
    n_customers: float
    log_likelihood: float
    log_likelihood_without_dropout: float
    log_covariance: tuple[tuple[float, ...], ...]
    fingerprint: str
    iterations: int = 0
    on_bound: bool = False
    config: FitConfig = field(default_factory=FitConfig)

    @property
    def parameters(self) -> FloatArray:
        """r, alpha, a, b."""
        return np.array([self.r, self.alpha, self.a, self.b])

    @property
    def dropout_ratio(self) -> float:
        """Likelihood ratio 2 (LL - LL of the NBD): evidence in the data that customers leave at all."""
        return 2 * (self.log_likelihood - self.log_likelihood_without_dropout)

    @property
    def dropout_identified(self) -> bool:
        """Whether the data tell how customers leave.

        False when leaving adds too little to the likelihood (ratio below 9.21), or when a or b lies on a bound or is
        known only up to a factor of 2 (standard error of its logarithm above ln 2): then P(alive) is the model's
        assumption more than the data's word. Usual cause: a short log, or one cut on the left.
        """
        errors = np.sqrt(np.diag(np.array(self.log_covariance)))[2:]
        return not self.on_bound and self.dropout_ratio >= _RATIO_NEEDED and bool((errors <= np.log(2)).all())

    def probability_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> FloatArray:
        """P(still active at T | history), per customer.

        Always 1 where x = 0: not a finding but the model's construction (see the module's trap); never rank one-time
        buyers by it. Formula: Fader, Hardie & Lee (2008), "Computing P(alive) Using the BG/NBD Model".
        """
        return self._alive(*history(x, t_x, T))

    def expected_purchases(self, t: float, x: Numbers, t_x: Numbers, T: Numbers) -> FloatArray:
        """Expected purchases in (T, T + t] given the history, per customer.

        Fader, Hardie & Lee (2005), equation (10), evaluated by a quadrature that is stable for every parameter.
        ``t``: a time of 0 or more. Raises InputError for impossible histories.
        """
        return self.expected_purchases_by((t,), x, t_x, T)[:, 0]

    def expected_purchases_by(self, times: Numbers, x: Numbers, t_x: Numbers, T: Numbers) -> FloatArray:
        """Expected purchases in (T, T + t] for each t of ``times``: shape (customers, times)."""
        x_, t_, T_ = history(x, t_x, T)
        horizons = as_column(times, "t")
        if not x_.size:
            return np.zeros((0, horizons.size))
        (ux, uT), inverse, _ = distinct_rows(x_, T_)
        given_alive = expected_while_alive(horizons, ux, uT, *self.parameters)
        result: FloatArray = given_alive[inverse]
        result *= self._alive(x_, t_, T_)[:, None]
        return result

    def expected_purchases_new(self, t: Numbers) -> FloatArray:
        """Expected repeat purchases of a new customer in the time t since the first purchase, for each t given.

        Fader, Hardie & Lee (2005), equation (9).
        """
        one = expected_while_alive(as_column(t, "t"), np.zeros(1), np.zeros(1), *self.parameters)
        return np.asarray(one[0], dtype=np.float64)

    def sample(
        self, horizon: float, x: Numbers, t_x: Numbers, T: Numbers, rng: np.random.Generator, draws: int = 1
    ) -> IntArray:
        """Purchases in (T, T + horizon] drawn from the predictive distribution: shape (draws, customers).

        Exact, by conjugacy: the customer is alive with :meth:`probability_alive`; if so, lambda ~ Gamma(r + x,
        alpha + T) and p ~ Beta(a, b + x), independent; the purchases are the smaller of a Poisson(lambda horizon) and
        the geometric number of the purchase after which the customer leaves.
        """
        x_, t_, T_ = history(x, t_x, T)
        if not np.isfinite(horizon) or horizon < 0:
            raise InputError(f"horizon: {horizon}: must be a finite time of 0 or more")
        alive = rng.random((draws, x_.size)) < self._alive(x_, t_, T_)
        return np.where(alive, sample_while_alive(self.parameters, horizon, x_, T_, rng, draws), 0)

    def draw_parameters(self, rng: np.random.Generator, draws: int) -> list[BgNbd]:
        """Models whose parameters are drawn from the normal approximation on the logarithmic scale."""
        spread = rng.multivariate_normal(np.log(self.parameters), np.array(self.log_covariance), size=draws)
        return [
            replace(self, r=float(r), alpha=float(alpha), a=float(a), b=float(b)) for r, alpha, a, b in np.exp(spread)
        ]

    def describe(self) -> dict[str, Any]:
        """Everything a model card shows: parameters with standard errors of their logarithms, fit, diagnostics."""
        errors = np.sqrt(np.diag(np.array(self.log_covariance)))
        return {
            "model": "BG/NBD",
            "parameters": dict(zip(NAMES, self.parameters.tolist(), strict=True)),
            "log_standard_errors": dict(zip(NAMES, errors.tolist(), strict=True)),
            "mean_purchase_rate": self.r / self.alpha,
            "mean_dropout": self.a / (self.a + self.b),
            "n_customers": self.n_customers,
            "log_likelihood": self.log_likelihood,
            "dropout_ratio": self.dropout_ratio,
            "dropout_identified": self.dropout_identified,
            "time_unit": self.config.time_unit,
            "iterations": self.iterations,
            "fingerprint": self.fingerprint,
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document; :meth:`from_dict` reads it."""
        return {"model": "bgnbd", "version": 1, **asdict(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, fingerprint: str) -> Self:
        """The model of a stored document, for the data with this ``fingerprint`` (:meth:`Cells.fingerprint`).

        Raises InputError when the document is of another model or version, lacks a field, or was fitted to other data.
        """
        fields = read_document(document, "bgnbd", 1, set(cls.__dataclass_fields__), fingerprint)
        fields["config"] = FitConfig(**fields["config"])
        fields["log_covariance"] = tuple(tuple(map(float, row)) for row in fields["log_covariance"])
        for name in NAMES:
            positive(fields[name], name)
        return cls(**fields)

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        odds = -(np.log(self.a) - np.log(self.b + x - 1 + (x == 0)))
        odds += (self.r + x) * (np.log(self.alpha + t_x) - np.log(self.alpha + T))
        return np.where(x > 0, expit(odds), 1.0)


def fit(
    x: Numbers,
    t_x: Numbers,
    T: Numbers,
    weights: Numbers | None = None,
    config: FitConfig | None = None,
) -> BgNbd:
    """Maximum-likelihood fit to one row per customer.

    ``x``: repeat purchases; ``t_x``: time of the last one since the first purchase (0 where x = 0); ``T``: time
    observed since the first purchase; ``weights``: customers that each row stands for. Raises InputError for impossible
    rows or a base without repeat purchases, ConvergenceError when no maximum is found.
    """
    return fit_cells(reduce_to_cells(x, t_x, T, weights), config)


def fit_cells(cells: Cells, config: FitConfig | None = None) -> BgNbd:
    """The same fit on cells made before (:func:`rondo.science.cells.reduce_to_cells`)."""
    config = config or FitConfig()
    total_x, total_T = float(cells.counts @ cells.x), float(cells.counts @ cells.T)
    if total_x <= 0:
        raise InputError("column x: no repeat purchase in the base; the model needs some (take a longer log)")
    # Times in units of the mean observation make start and bounds independent of the unit that the caller uses.
    unit = total_T / cells.n_customers
    likelihood = Likelihood(cells.x, cells.t_x / unit, cells.T / unit, cells.counts)
    rate = total_x / cells.n_customers
    start = np.log([0.5, 0.5 / rate, 1.0, 3.0])
    best = maximise(
        likelihood,
        start,
        _LOWER,
        _UPPER,
        names=NAMES,
        max_iterations=config.max_iterations,
        tolerance=config.tolerance,
    )
    without = maximise(
        likelihood.without_dropout,
        best.point[:2],
        _LOWER[:2],
        _UPPER[:2],
        names=NAMES[:2],
        max_iterations=config.max_iterations,
        tolerance=config.tolerance,
    )
    shift = total_x * np.log(unit)  # a density of purchase times changes with the unit of time
    r, alpha, a, b = np.exp(best.point)
    return BgNbd(
        r=float(r),
        alpha=float(alpha * unit),
        a=float(a),
        b=float(b),
        n_customers=cells.n_customers,
        log_likelihood=float(best.value - shift),
        log_likelihood_without_dropout=float(without.value - shift),
        log_covariance=tuple(tuple(row) for row in covariance(best.hessian).tolist()),
        fingerprint=cells.fingerprint(),
        iterations=best.iterations,
        on_bound=any(best.on_bound),
        config=config,
    )


class Likelihood:
    """Log-likelihood of cells as a function of the logarithms of (r, alpha, a, b), with exact derivatives.

    Fader, Hardie & Lee (2005), equation (6), in the arrangement of their Excel note (2005): ln A1 + ln A2 + ln(A3 +
    A4). What depends on x alone or T alone is summed over the few distinct values; only ln(1 + A4 / A3) is left per
    cell.
    """

    def __init__(self, x: FloatArray, t_x: FloatArray, T: FloatArray, counts: FloatArray) -> None:
        (self._xs,), _, self._x_counts = distinct_rows(x, weights=counts)
        (self._Ts,), where, self._T_counts = distinct_rows(T, weights=counts)
        self._T_purchases = np.bincount(where, weights=counts * x, minlength=self._Ts.size)
        self._n = float(counts.sum())
        repeat = x > 0
        self._x, self._t, self._T, self._c = x[repeat], t_x[repeat], T[repeat], counts[repeat]

    def without_dropout(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """The NBD's log-likelihood of (r, alpha): the part in which nobody leaves."""
        r, alpha = np.exp(log_parameters)
        value, gradient, hessian = self._counting(r, alpha)
        return value, *_to_logs(np.array([r, alpha]), gradient, hessian)

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Value, gradient and Hessian at the logarithms of (r, alpha, a, b)."""
        r, alpha, a, b = parameters = np.exp(log_parameters)
        gradient, hessian = np.zeros(4), np.zeros((4, 4))
        value, gradient[:2], hessian[:2, :2] = self._counting(r, alpha)

        xs, w = self._xs, self._x_counts
        value += float(w @ (gammaln(b + xs) - gammaln(a + b + xs))) + self._n * float(gammaln(a + b) - gammaln(b))
        both, both1 = digamma(a + b), polygamma(1, a + b)
        all_x, all_x1 = w @ digamma(a + b + xs), w @ polygamma(1, a + b + xs)
        gradient[2] += self._n * both - all_x
        gradient[3] += self._n * (both - digamma(b)) + w @ digamma(b + xs) - all_x
        hessian[2, 2] += self._n * both1 - all_x1
        hessian[2, 3] += self._n * both1 - all_x1
        hessian[3, 3] += self._n * (both1 - polygamma(1, b)) + w @ polygamma(1, b + xs) - all_x1

        # ln(1 + e^d), d = ln(A4 / A3), over cells with a repeat purchase.
        x, c = self._x, self._c
        end, last = alpha + self._T, alpha + self._t
        wait = np.log(end / last)
        left = b + x - 1
        rx = r + x
        d = np.log(a) - np.log(left) + rx * wait
        small = np.exp(-np.abs(d))
        value += float(c @ (np.maximum(d, 0) + np.log1p(small)))  # ln(1 + e^d) for any d, from one exponential
        s = np.where(d >= 0, 1.0, small) / (1 + small)
        cs = c * s
        curve = cs * (1 - s)
        inverse = 1 / end - 1 / last
        d_alpha = rx * inverse
        total = float(cs.sum())
        gradient += (cs @ wait, cs @ d_alpha, total / a, -(cs @ (1 / left)))
        first = np.stack((wait, d_alpha, np.full_like(wait, 1 / a), -1 / left))
        upper = (first * curve) @ first.T
        upper[0, 1] += cs @ inverse
        upper[1, 1] -= cs @ (inverse * rx * (1 / end + 1 / last))
        upper[2, 2] -= total / a**2
        upper[3, 3] += cs @ (1 / left**2)
        hessian = np.triu(hessian) + np.triu(upper)
        hessian += np.triu(hessian, 1).T
        return value, *_to_logs(parameters, gradient, hessian)

    def _counting(self, r: float, alpha: float) -> tuple[float, FloatArray, FloatArray]:
        xs, w = self._xs, self._x_counts
        end = alpha + self._Ts
        log_end = np.log(end)
        exponents = r * self._T_counts + self._T_purchases
        value = (
            float(w @ gammaln(r + xs)) - self._n * float(gammaln(r) - r * np.log(alpha)) - float(exponents @ log_end)
        )
        gradient = np.array(
            [
                w @ digamma(r + xs) - self._n * (digamma(r) - np.log(alpha)) - self._T_counts @ log_end,
                self._n * r / alpha - exponents @ (1 / end),
            ]
        )
        mixed = self._n / alpha - self._T_counts @ (1 / end)
        hessian = np.array(
            [
                [w @ polygamma(1, r + xs) - self._n * polygamma(1, r), mixed],
                [mixed, exponents @ (1 / end**2) - self._n * r / alpha**2],
            ]
        )
        return value, gradient, hessian


def sample_while_alive(
    parameters: FloatArray, horizon: float, x: FloatArray, T: FloatArray, rng: np.random.Generator, draws: int
) -> IntArray:
    """Purchases within ``horizon`` of customers known to be alive: shape (draws, customers)."""
    r, alpha, a, b = parameters
    shape = (draws, x.size)
    rate = rng.standard_gamma(r + x, size=shape) / (alpha + T)
    chance = rng.beta(a, b + x, size=shape)
    purchases = rng.poisson(rate * horizon)
    # A chance of exactly 0 is an underflow of a very small one; the bound is never reached within a horizon.
    until_left = rng.geometric(np.maximum(chance, 1e-15))
    return np.asarray(np.minimum(purchases, until_left), dtype=np.int64)


def _to_logs(parameters: FloatArray, gradient: FloatArray, hessian: FloatArray) -> tuple[FloatArray, FloatArray]:
    scaled = parameters * gradient
    return scaled, np.outer(parameters, parameters) * hessian + np.diag(scaled)


__all__ = ["NAMES", "BgNbd", "FitConfig", "Likelihood", "fit", "fit_cells", "sample_while_alive"]
