"""What BG/NBD and MBG/NBD share: Poisson purchases at gamma rates, and a coin after a purchase: leave or stay.

The two differ in one number only: BG/NBD's customer first may leave after the first *repeat* purchase, MBG/NBD's after
the very first purchase already. So a customer with x repeat purchases who is there has survived x or x + 1 coins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from rondo.errors import InputError
from rondo.science._btyd import BuyTillYouDie, FitConfig, in_logs, maximum
from rondo.science._checks import FloatArray, IntArray, Numbers, as_column
from rondo.science._purchases import beta_rule, expected_while_alive, nodes_needed
from rondo.science.cells import Cells, distinct_rows

NAMES = ("r", "alpha", "a", "b")
# Logarithms of parameters, times measured in mean observation times. Beyond them the model is at a limiting case (all
# customers alike, nobody leaves) that no data tell apart, and differences of gamma functions lose their digits.
_LOWER, _UPPER = np.full(4, -10.0), np.full(4, 8.0)
_Model = TypeVar("_Model", bound="BetaGeometric")


class BetaGeometric(BuyTillYouDie):
    """Face of a fitted model with parameters r, alpha, a, b; ``first_coin``: 1 where the first purchase has one."""

    names: ClassVar[tuple[str, ...]] = NAMES
    dropout_names: ClassVar[tuple[str, str]] = ("a", "b")
    first_coin: ClassVar[int]

    r: float
    alpha: float
    a: float
    b: float

    @property
    def time_scale(self) -> float:
        """alpha: the weight of the population's rate against the time observed."""
        return self.alpha

    @property
    def _b(self) -> float:
        return self.b + self.first_coin

    def expected_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Expected purchases within each of ``times`` of customers known to be alive: shape (rows, times)."""
        return expected_while_alive(times, x, T, self.r, self.alpha, self.a, self._b)

    def sample_while_alive(
        self, horizon: float, x: FloatArray, T: FloatArray, rng: np.random.Generator, draws: int
    ) -> IntArray:
        """Purchases within ``horizon`` drawn for customers known to be alive: shape (draws, rows).

        By conjugacy: lambda ~ Gamma(r + x, alpha + T) and p ~ Beta(a, b + coins survived), independent; the purchases
        are the smaller of a Poisson(lambda horizon) and the geometric number of the purchase after which the customer
        leaves.
        """
        shape = (draws, x.size)
        rate = rng.standard_gamma(self.r + x, size=shape) / (self.alpha + T)
        chance = rng.beta(self.a, self._b + x, size=shape)
        purchases = rng.poisson(rate * horizon)
        # A chance of exactly 0 is an underflow of a very small one; the bound is never reached within a horizon.
        until_left = rng.geometric(np.maximum(chance, 1e-15))
        return np.asarray(np.minimum(purchases, until_left), dtype=np.int64)

    def _zero_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        # Who does not buy has no occasion to leave: the negative binomial's chance of nothing.
        waits = np.log1p(np.multiply.outer(1 / (self.alpha + T), times))
        return np.asarray(np.exp(-(self.r + x)[:, None] * waits), dtype=np.float64)

    def _stays_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        # (1 - p) to the number of purchases, averaged over a Poisson number with gamma rate, then over p.
        result = np.ones((x.size, times.size))
        if not x.size or not times.size:
            return result
        nodes = nodes_needed(float(times.max()) / (self.alpha + float(T.min())))
        for value in np.unique(x):
            rows = np.flatnonzero(x == value)
            p, weight = beta_rule(nodes, self.a, self._b + float(value))
            for column, time in enumerate(times):
                u = time / (self.alpha + T[rows])
                result[rows, column] = np.exp(-(self.r + value) * np.log1p(np.multiply.outer(u, p))) @ weight
        return result

    def expected_purchases_new(self, t: Numbers) -> FloatArray:
        """Expected repeat purchases of a new customer in the time t since the first purchase, for each t given.

        Fader, Hardie & Lee (2005), equation (9); Batislam, Denizel & Filiztekin (2007) for the coin at the first
        purchase, which a share b / (a + b) survives.
        """
        one = self.expected_while_alive(as_column(t, "t"), np.zeros(1), np.zeros(1))[0]
        if self.first_coin:
            one = one * (self.b / (self.a + self.b))
        return np.asarray(one, dtype=np.float64)

    def _figures(self) -> dict[str, float]:
        return {"mean_purchase_rate": self.r / self.alpha, "mean_dropout": self.a / (self.a + self.b)}


def fit_beta_geometric(model: Callable[..., _Model], first_coin: int, cells: Cells, config: FitConfig | None) -> _Model:
    """Maximum-likelihood fit of either model to cells; InputError where the base has no repeat purchase.

    ``model`` makes it from its fields; ``first_coin``: 1 where the first purchase has a coin.
    """
    config = config or FitConfig()
    total_x, total_T = float(cells.counts @ cells.x), float(cells.counts @ cells.T)
    if total_x <= 0:
        raise InputError("column x: no repeat purchase in the base; the model needs some (take a longer log)")
    # Times in units of the mean observation make start and bounds independent of the unit that the caller uses.
    unit = total_T / cells.n_customers
    likelihood = Likelihood(cells.x, cells.t_x / unit, cells.T / unit, cells.counts, first_coin)
    rate = total_x / cells.n_customers
    start = np.log([0.5, 0.5 / rate, 1.0, 3.0])
    bounds = _LOWER, _UPPER
    return model(**maximum(likelihood, start, bounds, NAMES, cells, config, unit=unit, timed=("alpha",)))


class Likelihood:
    """Log-likelihood of cells as a function of the logarithms of (r, alpha, a, b), with exact derivatives.

    Fader, Hardie & Lee (2005), equation (6), in the arrangement of their Excel note (2005): ln A1 + ln A2 + ln(A3 +
    A4). What depends on x alone or T alone is summed over the few distinct values; only ln(1 + A4 / A3) is left per
    cell. ``first_coin``: 1 where the first purchase has a coin too: x + 1 coins, and A4 for x = 0 as well.
    """

    def __init__(self, x: FloatArray, t_x: FloatArray, T: FloatArray, counts: FloatArray, first_coin: int = 0) -> None:
        (self._xs,), _, self._x_counts = distinct_rows(x, weights=counts)
        (self._Ts,), where, self._T_counts = distinct_rows(T, weights=counts)
        self._T_purchases = np.bincount(where, weights=counts * x, minlength=self._Ts.size)
        self._n = float(counts.sum())
        self._coins = self._xs + first_coin
        tossed = x + first_coin > 0
        self._x, self._t, self._T, self._c = x[tossed], t_x[tossed], T[tossed], counts[tossed]
        self._survived = self._x + first_coin

    def without_dropout(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """The NBD's log-likelihood of (r, alpha): the part in which nobody leaves."""
        r, alpha = np.exp(log_parameters)
        value, gradient, hessian = self._counting(r, alpha)
        return value, *in_logs(np.array([r, alpha]), gradient, hessian)

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Value, gradient and Hessian at the logarithms of (r, alpha, a, b)."""
        r, alpha, a, b = parameters = np.exp(log_parameters)
        gradient, hessian = np.zeros(4), np.zeros((4, 4))
        value, gradient[:2], hessian[:2, :2] = self._counting(r, alpha)

        xs, w = self._coins, self._x_counts
        value += float(w @ (gammaln(b + xs) - gammaln(a + b + xs))) + self._n * float(gammaln(a + b) - gammaln(b))
        both, both1 = digamma(a + b), polygamma(1, a + b)
        all_x, all_x1 = w @ digamma(a + b + xs), w @ polygamma(1, a + b + xs)
        gradient[2] += self._n * both - all_x
        gradient[3] += self._n * (both - digamma(b)) + w @ digamma(b + xs) - all_x
        hessian[2, 2] += self._n * both1 - all_x1
        hessian[2, 3] += self._n * both1 - all_x1
        hessian[3, 3] += self._n * (both1 - polygamma(1, b)) + w @ polygamma(1, b + xs) - all_x1

        # ln(1 + e^d), d = ln(A4 / A3), over cells in which somebody may have left.
        x, c = self._x, self._c
        end, last = alpha + self._T, alpha + self._t
        wait = np.log(end / last)
        left = b + self._survived - 1
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
        return value, *in_logs(parameters, gradient, hessian)

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
