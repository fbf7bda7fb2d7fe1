"""MBG/NBD: the BG/NBD in which a customer may leave after the very first purchase.

Batislam, Denizel & Filiztekin (2007), "Empirical Validation and Comparison of Models for Customer Base Analysis",
International Journal of Research in Marketing 24(3), 201-209 (also Hoppe & Wagner 2007, "Customer Base Analysis: The
Case for a Central Variant of the Betageometric/NBD Model"). While active, a customer buys at rate lambda (Poisson),
lambda differs over customers as Gamma(r, rate alpha); after every purchase, the first included, the customer leaves
with probability p, p differs as Beta(a, b). So one-time buyers get a probability of being alive that falls with the
time since their purchase, which the BG/NBD denies them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import expit

from rondo.science._beta_geometric import NAMES, BetaGeometric, fit_beta_geometric
from rondo.science._btyd import FitConfig
from rondo.science._checks import FloatArray, Numbers
from rondo.science.cells import Cells, reduce_to_cells


@dataclass(frozen=True)
class MbgNbd(BetaGeometric):
    """A fitted MBG/NBD model; its face is :class:`rondo.science.models.PurchaseModel`.

    ``r``, ``alpha`` (in time units): purchase rates, mean r / alpha. ``a``, ``b``: chance to leave after a
    purchase, mean a / (a + b). ``log_likelihood_without_dropout``: of the NBD, the same model where nobody leaves.
    ``log_covariance``: covariance of the logarithms of (r, alpha, a, b) from the Hessian, each principal variance
    capped at 1. ``fingerprint``: SHA-256 of the cells it was fitted to, ``n_cells`` of them.

    Expected purchases: those of a BG/NBD customer who is there and has survived one coin more, by the same quadrature.
    """

    kind: ClassVar[str] = "mbgnbd"
    title: ClassVar[str] = "MBG/NBD"
    version: ClassVar[int] = 1
    first_coin: ClassVar[int] = 1

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

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        odds = np.log(self.b + x) - np.log(self.a)
        odds += (self.r + x) * (np.log(self.alpha + t_x) - np.log(self.alpha + T))
        return np.asarray(expit(odds), dtype=np.float64)


def fit(
    x: Numbers,
    t_x: Numbers,
    T: Numbers,
    weights: Numbers | None = None,
    config: FitConfig | None = None,
) -> MbgNbd:
    """Maximum-likelihood fit to one row per customer.

    ``x``: repeat purchases; ``t_x``: time of the last one since the first purchase (0 where x = 0); ``T``: time
    observed since the first purchase; ``weights``: customers that each row stands for. Raises InputError for impossible
    rows or a base without repeat purchases, ConvergenceError when no maximum is found.
    """
    return fit_cells(reduce_to_cells(x, t_x, T, weights), config)


def fit_cells(cells: Cells, config: FitConfig | None = None) -> MbgNbd:
    """The same fit on cells made before (:func:`rondo.science.cells.reduce_to_cells`)."""
    return fit_beta_geometric(MbgNbd, MbgNbd.first_coin, cells, config)


__all__ = ["NAMES", "FitConfig", "MbgNbd", "fit", "fit_cells"]
