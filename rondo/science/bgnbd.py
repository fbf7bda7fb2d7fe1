"""BG/NBD: how often customers will buy again, where leaving is never announced.

Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284. While active, a
customer buys at rate lambda (Poisson), lambda differs over customers as Gamma(r, rate alpha); after each repeat
purchase the customer leaves with probability p, p differs as Beta(a, b). Any time unit serves; the project uses weeks.

Trap: a customer without a repeat purchase has had no occasion to leave, so the model says P(alive) = 1 for x = 0. Never
rank customers who bought once by :meth:`BgNbd.probability_alive`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import expit

from rondo.science._beta_geometric import NAMES, BetaGeometric, Likelihood, fit_beta_geometric
from rondo.science._btyd import FitConfig
from rondo.science._checks import FloatArray, Numbers
from rondo.science.cells import Cells, reduce_to_cells


@dataclass(frozen=True)
class BgNbd(BetaGeometric):
    """A fitted BG/NBD model; its face is :class:`rondo.science.models.PurchaseModel`.

    ``r``, ``alpha`` (in time units): purchase rates, mean r / alpha. ``a``, ``b``: chance to leave after a repeat
    purchase, mean a / (a + b). ``log_likelihood_without_dropout``: of the NBD, the same model where nobody leaves.
    ``log_covariance``: covariance of the logarithms of (r, alpha, a, b) from the Hessian, each principal variance
    capped at 1. ``fingerprint``: SHA-256 of the cells it was fitted to, ``n_cells`` of them.

    Expected purchases: Fader, Hardie & Lee (2005), equation (10), evaluated by a quadrature that is stable for every
    parameter. P(alive) is always 1 where x = 0: not a finding but the model's construction (see the module's trap).
    """

    kind: ClassVar[str] = "bgnbd"
    title: ClassVar[str] = "BG/NBD"
    version: ClassVar[int] = 2
    first_coin: ClassVar[int] = 0

    r: float
    alpha: float
    a: float
    b: float
    n_customers: float
    log_likelihood: float
    log_likelihood_without_dropout: float
    log_covariance: tuple[tuple[float, ...], ...]
    fingerprint: str
    n_cells: int = 0
    iterations: int = 0
    on_bound: bool = False
    config: FitConfig = field(default_factory=FitConfig)

    def warnings(self) -> tuple[str, ...]:
        """Codes of :data:`rondo.science.models.WARNINGS` that apply; the trap of one-time buyers always does."""
        return (*super().warnings(), "one_time_buyers")

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        # Fader, Hardie & Lee (2008), "Computing P(alive) Using the BG/NBD Model".
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
    return fit_beta_geometric(BgNbd, BgNbd.first_coin, cells, config)


__all__ = ["NAMES", "BgNbd", "FitConfig", "Likelihood", "fit", "fit_cells"]
