"""Pareto/NBD: the first of its kind; a customer may leave at any moment, bought or not.

Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do Next?", Management
Science 33(1), 1-24; likelihood and expectations in the arrangement of Fader & Hardie (2005), "A Note on Deriving the
Pareto/NBD Model and Related Expressions". While active, a customer buys at rate lambda (Poisson) and leaves at rate mu
(exponential lifetime); over customers lambda differs as Gamma(r, rate alpha) and mu as Gamma(s, rate beta).

The two hypergeometric functions of the published likelihood are replaced by the integral they stand for
(:mod:`rondo.science._silence`): stable for every parameter and for frequent buyers, with exact first and second
derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import digamma, expit, gammaln, polygamma

from rondo.errors import InputError
from rondo.science._beta_geometric import Likelihood as Counting
from rondo.science._btyd import BuyTillYouDie, FitConfig, in_logs, maximum
from rondo.science._checks import FloatArray, IntArray, Numbers, as_column
from rondo.science._newton import maximise
from rondo.science._silence import log_mass, silence
from rondo.science.cells import Cells, distinct_rows, reduce_to_cells

NAMES = ("r", "alpha", "s", "beta")
# Logarithms of parameters, times in mean observation times; see the same bounds in _beta_geometric.
_LOWER, _UPPER = np.full(4, -10.0), np.full(4, 8.0)
_ROWS = 4096
# A large base is fitted on every n-th of its cells first, then on more, each time as closely as in the end: the way to
# a limiting case (nobody leaves) takes many steps, and all cells are then visited a few times only.
_ROUGH_CELLS, _MORE = 2_500, 8


@dataclass(frozen=True)
class ParetoNbd(BuyTillYouDie):
    """A fitted Pareto/NBD model; its face is :class:`rondo.science.models.PurchaseModel`.

    ``r``, ``alpha`` (in time units): purchase rates, mean r / alpha. ``s``, ``beta`` (in time units): rates of leaving,
    mean s / beta. ``log_likelihood_without_dropout``: of the NBD, the same model where nobody leaves.
    ``log_covariance``: covariance of the logarithms of (r, alpha, s, beta) from the Hessian, each principal variance
    capped at 1. ``fingerprint``: SHA-256 of the cells it was fitted to, ``n_cells`` of them.
    """

    kind: ClassVar[str] = "paretonbd"
    title: ClassVar[str] = "Pareto/NBD"
    names: ClassVar[tuple[str, ...]] = NAMES
    dropout_names: ClassVar[tuple[str, str]] = ("s", "beta")
    version: ClassVar[int] = 1

    r: float
    alpha: float
    s: float
    beta: float
    n_customers: float
    log_likelihood: float
    log_likelihood_without_dropout: float
    log_covariance: tuple[tuple[float, ...], ...]
    fingerprint: str
    n_cells: int = 0
    iterations: int = 0
    on_bound: bool = False
    config: FitConfig = field(default_factory=FitConfig)

    @property
    def time_scale(self) -> float:
        """The smaller of alpha and beta: the weight of the population against the time observed."""
        return min(self.alpha, self.beta)

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        (ux, ut, uT), inverse, _ = distinct_rows(x, t_x, T)
        gone = log_mass(self.r + ux, self.s, self.alpha + ut, self.beta + ut, uT - ut)
        return np.asarray(expit(-gone)[inverse], dtype=np.float64)

    def expected_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Expected purchases within each of ``times`` of customers known to be alive: shape (rows, times).

        Fader & Hardie (2005), equation (41), which is 0 / 0 at s = 1 as printed; here by exponentials that are not.
        """
        rate = (self.r + x) / (self.alpha + T) * (self.beta + T)
        growth = np.log1p(np.multiply.outer(1 / (self.beta + T), times))
        return np.asarray(rate[:, None] * _integral_of_survival(growth, self.s), dtype=np.float64)

    def sample_while_alive(
        self, horizon: float, x: FloatArray, T: FloatArray, rng: np.random.Generator, draws: int
    ) -> IntArray:
        """Purchases within ``horizon`` drawn for customers known to be alive: shape (draws, rows).

        By conjugacy: lambda ~ Gamma(r + x, alpha + T) and mu ~ Gamma(s, beta + T), independent; Poisson purchases until
        the horizon or the exponential moment of leaving, whichever comes first.
        """
        shape = (draws, x.size)
        rate = rng.standard_gamma(self.r + x, size=shape) / (self.alpha + T)
        leaving = rng.standard_gamma(self.s, size=shape) / (self.beta + T)
        # A rate of exactly 0 is an underflow of a very small one: no leaving within any horizon.
        stays = rng.standard_exponential(shape) / np.maximum(leaving, 1e-300)
        return np.asarray(rng.poisson(rate * np.minimum(stays, horizon)), dtype=np.int64)

    def _zero_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        # Silent to the end, or left at a moment before it: the very integral of the likelihood, begun at T.
        c, A, B = self.r + x, self.alpha + T, self.beta + T
        result = np.empty((x.size, times.size))
        for column, time in enumerate(times):
            gone = log_mass(c, self.s, A, B, np.full(x.size, time))
            silent = -c * np.log1p(time / A) - self.s * np.log1p(time / B)
            result[:, column] = np.exp(silent + np.logaddexp(0.0, gone))
        return np.minimum(result, 1.0)

    def _stays_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        return np.asarray(np.exp(-self.s * np.log1p(np.multiply.outer(1 / (self.beta + T), times))), dtype=np.float64)

    def expected_purchases_new(self, t: Numbers) -> FloatArray:
        """Expected repeat purchases of a new customer in the time t since the first purchase, for each t given.

        Schmittlein, Morrison & Colombo (1987), equation (17).
        """
        one = self.expected_while_alive(as_column(t, "t"), np.zeros(1), np.zeros(1))
        return np.asarray(one[0], dtype=np.float64)

    def _figures(self) -> dict[str, float]:
        return {"mean_purchase_rate": self.r / self.alpha, "mean_dropout_rate": self.s / self.beta}


def fit(
    x: Numbers,
    t_x: Numbers,
    T: Numbers,
    weights: Numbers | None = None,
    config: FitConfig | None = None,
) -> ParetoNbd:
    """Maximum-likelihood fit to one row per customer.

    ``x``: repeat purchases; ``t_x``: time of the last one since the first purchase (0 where x = 0); ``T``: time
    observed since the first purchase; ``weights``: customers that each row stands for. Raises InputError for impossible
    rows or a base without repeat purchases, ConvergenceError when no maximum is found.
    """
    return fit_cells(reduce_to_cells(x, t_x, T, weights), config)


def fit_cells(cells: Cells, config: FitConfig | None = None) -> ParetoNbd:
    """The same fit on cells made before (:func:`rondo.science.cells.reduce_to_cells`)."""
    config = config or FitConfig()
    total_x, total_T = float(cells.counts @ cells.x), float(cells.counts @ cells.T)
    if total_x <= 0:
        raise InputError("column x: no repeat purchase in the base; the model needs some (take a longer log)")
    # Times in units of the mean observation make start and bounds independent of the unit that the caller uses.
    unit = total_T / cells.n_customers
    columns = cells.x, cells.t_x / unit, cells.T / unit, cells.counts
    rate = total_x / cells.n_customers
    point = np.log([0.5, 0.5 / rate, 0.5, 0.5])
    limits = {"names": NAMES, "max_iterations": config.max_iterations}
    every = len(cells) // _ROUGH_CELLS
    while every >= _MORE // 2:
        some = Likelihood(*(column[::every] for column in columns))
        point = maximise(some, point, _LOWER, _UPPER, tolerance=config.tolerance, **limits).point  # type: ignore[arg-type]
        every //= _MORE
    likelihood = Likelihood(*columns)
    bounds = _LOWER, _UPPER
    return ParetoNbd(**maximum(likelihood, point, bounds, NAMES, cells, config, unit=unit, timed=("alpha", "beta")))


class Likelihood:
    """Log-likelihood of cells as a function of the logarithms of (r, alpha, s, beta), with exact derivatives.

    Per cell ln Gamma(r + x) - ln Gamma(r) + r ln alpha + s ln beta + ln(silent + gone), with silent = (alpha + T)^-(r +
    x) (beta + T)^-s and gone = silent I. Given the history the moment y of leaving has a law (an atom at "not yet", the
    rest on the nodes of the integral); first derivatives are means, second ones means and covariances under it.
    """

    def __init__(self, x: FloatArray, t_x: FloatArray, T: FloatArray, counts: FloatArray) -> None:
        self._counting = Counting(x, t_x, T, counts)
        self._x, self._t, self._T, self._c = x, t_x, T, counts

    def without_dropout(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """The NBD's log-likelihood of (r, alpha): the part in which nobody leaves."""
        return self._counting.without_dropout(log_parameters)

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Value, gradient and Hessian at the logarithms of (r, alpha, s, beta)."""
        r, alpha, s, beta = parameters = np.exp(log_parameters)
        n = float(self._c.sum())
        (xs,), _, w = distinct_rows(self._x, weights=self._c)
        value = float(w @ gammaln(r + xs)) - n * float(gammaln(r)) + n * float(r * np.log(alpha) + s * np.log(beta))
        first, second = self._prior(r, alpha, s, beta, xs, w, n)
        for start in range(0, self._x.size, _ROWS):
            part = slice(start, start + _ROWS)
            added = _mixture(parameters, self._x[part], self._t[part], self._T[part], self._c[part])
            value += added[0]
            first += added[1]
            second += added[2]
        return value, *in_logs(parameters, first, second)

    @staticmethod
    def _prior(
        r: float, alpha: float, s: float, beta: float, xs: FloatArray, w: FloatArray, n: float
    ) -> tuple[FloatArray, FloatArray]:
        """Derivatives of the factors in front: Gamma(r + x) / Gamma(r) alpha^r beta^s."""
        first = np.array(
            [w @ digamma(r + xs) - n * (digamma(r) - np.log(alpha)), n * r / alpha, n * np.log(beta), n * s / beta]
        )
        second = np.zeros((4, 4))
        second[0, 0] = w @ polygamma(1, r + xs) - n * polygamma(1, r)
        second[0, 1] = second[1, 0] = n / alpha
        second[1, 1] = -n * r / alpha**2
        second[2, 3] = second[3, 2] = n / beta
        second[3, 3] = -n * s / beta**2
        return first, second


def _mixture(
    parameters: FloatArray, x: FloatArray, t_x: FloatArray, T: FloatArray, counts: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Value, gradient and Hessian of the sum of counts ln((alpha + T)^-(r + x) (beta + T)^-s + s int ...)."""
    r, alpha, s, beta = parameters
    c, A, B = r + x, alpha + t_x, beta + t_x
    found = silence(c, float(s), A, B, T - t_x)
    log_A, log_B = np.log(alpha + T), np.log(beta + T)
    value = float(counts @ (np.logaddexp(0.0, found.log_mass) - c * log_A - s * log_B))

    gone = expit(found.log_mass)
    law = np.concatenate((found.weights * gone[:, None], (1 - gone)[:, None]), axis=1)
    # Derivatives of the logarithm of the integrand at every node, and in the last column of the silent term.
    inverse_a = np.concatenate((1 / (A[:, None] + found.y), (1 / (alpha + T))[:, None]), axis=1)
    inverse_b = np.concatenate((1 / (B[:, None] + found.y), (1 / (beta + T))[:, None]), axis=1)
    power = np.full_like(law, s + 1)
    power[:, -1] = s
    slopes = np.empty((4, *law.shape))
    slopes[0, :, :-1] = -(np.log(A)[:, None] + found.log_a)
    slopes[0, :, -1] = -log_A
    slopes[1] = -c[:, None] * inverse_a
    slopes[2, :, :-1] = 1 / s - (np.log(B)[:, None] + found.log_b)
    slopes[2, :, -1] = -log_B
    slopes[3] = -power * inverse_b

    weighted = law * counts[:, None]
    means = np.einsum("kij,ij->ki", slopes, law)
    flat = slopes.reshape(4, -1)
    hessian = (flat * weighted.ravel()) @ flat.T - (means * counts) @ means.T
    hessian[0, 1] -= float((weighted * inverse_a).sum())
    hessian[1, 1] += float(((weighted * inverse_a**2).sum(axis=1) * c).sum())
    hessian[2, 2] -= float(weighted[:, :-1].sum()) / s**2
    hessian[2, 3] -= float((weighted * inverse_b).sum())
    hessian[3, 3] += float((weighted * power * inverse_b**2).sum())
    hessian[1, 0], hessian[3, 2] = hessian[0, 1], hessian[2, 3]
    return value, means @ counts, hessian


def _integral_of_survival(growth: FloatArray, s: float) -> FloatArray:
    """(1 - e^-(s - 1) g) / (s - 1), which is g at s = 1, without cancellation near it."""
    k = s - 1
    if k == 0:
        return growth
    return np.asarray(-np.expm1(-k * growth) / k, dtype=np.float64)


__all__ = ["NAMES", "FitConfig", "Likelihood", "ParetoNbd", "fit", "fit_cells"]
