"""Gamma-Gamma: how much customers spend per purchase, learning from few purchases with due modesty.

Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value" (note, brucehardie.com/notes/025). A purchase's value
is Gamma(p, rate nu) and nu differs over customers as Gamma(q, rate gamma). Assumes that what a customer spends per
purchase has nothing to do with how often the customer buys; :attr:`GammaGamma.frequency_correlation` shows how far the
data agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from dataclasses import fields as stored_fields
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from rondo.errors import InputError
from rondo.science._btyd import WARNINGS
from rondo.science._checks import FloatArray, Numbers, as_column, positive, refuse_where, same_length
from rondo.science._documents import read_document
from rondo.science._newton import covariance, maximise
from rondo.science.cells import distinct_rows, fingerprint

NAMES = ("p", "q", "gamma")
# With q <= 1 the population's mean spend would be infinite and customers without spend could not be valued.
# Correlations of purchases and mean spend up to here pass for none.
_UNRELATED = 0.2
_ROUNDED = 1e-9
"""Of its mean: a spread below this is rounding."""
_LOWER, _UPPER = np.array([-12.0, np.log(1.01), -12.0]), np.full(3, 12.0)


@dataclass(frozen=True)
class SpendConfig:
    """How a fit was made: part of the fit, and of what is stored."""

    max_iterations: int = 200
    tolerance: float = 1e-8
    money_unit: str = "minor"


@dataclass(frozen=True)
class GammaGamma:
    """A fitted Gamma-Gamma model.

    ``p``: shape of a purchase's value; ``q``, ``gamma`` (in money units): spread of customers.
    ``n_customers``: those with at least one counted purchase. ``frequency_correlation``: Pearson correlation of
    purchases and mean spend among them, which the model takes to be 0. ``log_covariance``: of the logarithms of (p, q,
    gamma).
    """

    kind: ClassVar[str] = "gamma_gamma"
    title: ClassVar[str] = "Gamma-Gamma"
    names: ClassVar[tuple[str, ...]] = NAMES

    p: float
    q: float
    gamma: float
    n_customers: float
    log_likelihood: float
    frequency_correlation: float
    log_covariance: tuple[tuple[float, ...], ...]
    fingerprint: str
    n_cells: int = 0
    iterations: int = 0
    on_bound: bool = False
    config: SpendConfig = field(default_factory=SpendConfig)

    @property
    def parameters(self) -> FloatArray:
        """p, q, gamma."""
        return np.array([self.p, self.q, self.gamma])

    def expected_mean_spend(self, purchases: Numbers, mean_spend: Numbers) -> FloatArray:
        """Expected spend per future purchase, per customer, in the unit of the fit.

        Fader & Hardie (2013), equation (5): a mean of the customer's own average and the population's. Raises
        InputError where it does not exist (no purchase seen and q <= 1: the population's mean is infinite).
        """
        n, total = _spending(purchases, mean_spend)
        weight = self.p * n + self.q - 1
        refuse_where(weight <= 0, n, "purchases", f"no mean spend exists with q = {self.q:.4g}; leave such rows out")
        return self.p * (self.gamma + total) / weight

    def sample(self, purchases: Numbers, mean_spend: Numbers, future: Numbers, rng: np.random.Generator) -> FloatArray:
        """Total spend of ``future`` purchases, drawn from the predictive distribution given the past ones.

        Exact: nu ~ Gamma(q + p n, gamma + spend so far), and the total of k purchases is Gamma(p k, nu). ``future`` has
        one entry per customer, or shape (draws, customers).
        """
        n, total = _spending(purchases, mean_spend)
        k = np.asarray(future, dtype=np.float64)
        scale = (self.gamma + total) / rng.standard_gamma(self.q + self.p * n, size=k.shape)
        return np.asarray(rng.standard_gamma(self.p * k) * scale, dtype=np.float64)

    def draw_parameters(self, rng: np.random.Generator, draws: int) -> list[GammaGamma]:
        """Models whose parameters are drawn from the normal approximation on the logarithmic scale."""
        spread = rng.multivariate_normal(np.log(self.parameters), np.array(self.log_covariance), size=draws)
        return [replace(self, p=float(p), q=float(q), gamma=float(gamma)) for p, q, gamma in np.exp(spread)]

    def warnings(self) -> tuple[str, ...]:
        """Codes of :data:`rondo.science.models.WARNINGS` that apply to this fit."""
        errors = np.sqrt(np.diag(np.array(self.log_covariance)))
        found = {
            "on_bound": self.on_bound,
            "parameter_unsure": bool((errors > np.log(2)).any()),
            "spend_depends_on_frequency": abs(self.frequency_correlation) > _UNRELATED,
        }
        return tuple(code for code, applies in found.items() if applies)

    def describe(self) -> dict[str, Any]:
        """Everything a model card shows: parameters with standard errors of their logarithms, fit, diagnostics."""
        errors = np.sqrt(np.diag(np.array(self.log_covariance)))
        return {
            "model": self.title,
            "kind": self.kind,
            "parameters": dict(zip(NAMES, self.parameters.tolist(), strict=True)),
            "log_standard_errors": dict(zip(NAMES, errors.tolist(), strict=True)),
            "population_mean_spend": self.p * self.gamma / (self.q - 1) if self.q > 1 else None,
            "n_customers": self.n_customers,
            "n_cells": self.n_cells,
            "log_likelihood": self.log_likelihood,
            "frequency_correlation": self.frequency_correlation,
            "warnings": [{"code": code, "text": WARNINGS[code]} for code in self.warnings()],
            "money_unit": self.config.money_unit,
            "iterations": self.iterations,
            "fingerprint": self.fingerprint,
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document; :meth:`from_dict` reads it."""
        return {"model": "gamma_gamma", "version": 2, **asdict(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, fingerprint: str) -> Self:
        """The model of a stored document, for the data with this ``fingerprint`` (:func:`data_fingerprint`).

        Raises InputError when the document is of another model or version, lacks a field, or was fitted to other data.
        """
        fields = read_document(document, "gamma_gamma", 2, {entry.name for entry in stored_fields(cls)}, fingerprint)
        fields["config"] = SpendConfig(**fields["config"])
        fields["log_covariance"] = tuple(tuple(map(float, row)) for row in fields["log_covariance"])
        for name in NAMES:
            positive(fields[name], name)
        return cls(**fields)


def data_fingerprint(purchases: Numbers, mean_spend: Numbers, weights: Numbers | None = None) -> str:
    """SHA-256 of the spending that :func:`fit` would see, equal in any order of rows."""
    n, _, z, weight = _counted(purchases, mean_spend, weights)
    (n, z), _, weight = distinct_rows(n, z, weights=weight)
    return fingerprint(n, z, weight)


def fit(
    purchases: Numbers,
    mean_spend: Numbers,
    weights: Numbers | None = None,
    config: SpendConfig | None = None,
) -> GammaGamma:
    """Maximum-likelihood fit to one row per customer.

    ``purchases``: counted purchases (the literature: repeat ones only; any set will do, as long as ``mean_spend`` is
    the mean over the same ones); rows with 0 are left out. ``mean_spend``: above 0 wherever ``purchases`` is.
    ``weights``: customers each row stands for. Where everybody spends the same, as subscribers of one price do, the fit
    is the limiting case that says so (``on_bound``). Raises InputError for impossible rows or fewer than 2 customers
    with purchases.
    """
    config = config or SpendConfig()
    n, total, z, weight = _counted(purchases, mean_spend, weights)
    if weight.sum() < 2:
        raise InputError(f"column mean_spend: {weight.sum():g} customers with purchases, at least 2 are needed")
    unit = float(weight @ z) / float(weight.sum())
    likelihood = _Likelihood(n, total / unit, z / unit, weight)
    best = maximise(
        likelihood,
        np.log([2.0, 3.0, 1.0]),
        _LOWER,
        _UPPER,
        names=NAMES,
        max_iterations=config.max_iterations,
        tolerance=config.tolerance,
    )
    p, q, gamma = np.exp(best.point)
    return GammaGamma(
        p=float(p),
        q=float(q),
        gamma=float(gamma * unit),
        n_customers=float(weight.sum()),
        log_likelihood=best.value - float(weight.sum()) * float(np.log(unit)),
        frequency_correlation=_correlation(n, z, weight),
        log_covariance=tuple(tuple(row) for row in covariance(best.hessian).tolist()),
        fingerprint=data_fingerprint(purchases, mean_spend, weights),
        n_cells=int(distinct_rows(n, z)[2].size),
        iterations=best.iterations,
        on_bound=any(best.on_bound),
        config=config,
    )


class _Likelihood:
    """Fader & Hardie (2013), equation (1a), of the logarithms of (p, q, gamma), with exact derivatives."""

    def __init__(self, n: FloatArray, total: FloatArray, z: FloatArray, weight: FloatArray) -> None:
        (self._ns,), _, self._w = distinct_rows(n, weights=weight)
        self._n, self._total, self._c = n, total, weight
        self._size = float(weight.sum())
        # Sums that no parameter touches: ln f holds p n (ln z + ln n) - ln z for every customer.
        self._n_log_total = float((weight * n) @ np.log(total))
        self._log_z = float(weight @ np.log(z))

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        p, q, gamma = parameters = np.exp(log_parameters)
        ns, w, c, n = self._ns, self._w, self._c, self._n
        sum_ = gamma + self._total
        log_sum, inverse = np.log(sum_), 1 / sum_
        cn = c * n
        cn_log, c_log = float(cn @ log_sum), float(c @ log_sum)
        cn_inv, c_inv = float(cn @ inverse), float(c @ inverse)
        value = (
            float(w @ (gammaln(p * ns + q) - gammaln(p * ns)))
            + self._size * float(q * np.log(gamma) - gammaln(q))
            + p * self._n_log_total
            - self._log_z
            - p * cn_log
            - q * c_log
        )
        psi, psi1 = digamma(p * ns + q), polygamma(1, p * ns + q)
        gradient = np.array(
            [
                (w * ns) @ (psi - digamma(p * ns)) + self._n_log_total - cn_log,
                w @ psi + self._size * (np.log(gamma) - digamma(q)) - c_log,
                self._size * q / gamma - p * cn_inv - q * c_inv,
            ]
        )
        pq = (w * ns) @ psi1
        qg = self._size / gamma - c_inv
        squares = p * (cn @ inverse**2) + q * (c @ inverse**2)
        hessian = np.array(
            [
                [(w * ns**2) @ (psi1 - polygamma(1, p * ns)), pq, -cn_inv],
                [pq, w @ psi1 - self._size * polygamma(1, q), qg],
                [-cn_inv, qg, squares - self._size * q / gamma**2],
            ]
        )
        scaled = parameters * gradient
        return float(value), scaled, np.outer(parameters, parameters) * hessian + np.diag(scaled)


def _spending(purchases: Numbers, mean_spend: Numbers) -> tuple[FloatArray, FloatArray]:
    n, z = as_column(purchases, "purchases"), as_column(mean_spend, "mean_spend")
    same_length({"purchases": n, "mean_spend": z})
    refuse_where((n > 0) & (z <= 0), z, "mean_spend", "must be above 0 where purchases count; leave such days out")
    return n, n * z


def _counted(
    purchases: Numbers, mean_spend: Numbers, weights: Numbers | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    n, total = _spending(purchases, mean_spend)
    z = as_column(mean_spend, "mean_spend")
    weight = np.ones(n.size) if weights is None else as_column(weights, "weights")
    same_length({"purchases": n, "weights": weight})
    kept = (n > 0) & (weight > 0)
    return n[kept], total[kept], z[kept], weight[kept]


def _correlation(n: FloatArray, z: FloatArray, weight: FloatArray) -> float:
    share = weight / weight.sum()
    dn, dz = n - share @ n, z - share @ z
    of_n, of_z = (float(np.sqrt(share @ one**2)) for one in (dn, dz))
    # What is the same for all differs from its mean by rounding alone.
    if of_n <= _ROUNDED * float(share @ n) or of_z <= _ROUNDED * float(share @ z):
        return 0.0
    return float(share @ (dn * dz)) / (of_n * of_z)
