"""What every fitted "buy till you die" model does in the same way, built on the four things in which they differ.

Customers buy at random while they are active and leave for good without a word (Schmittlein, Morrison & Colombo 1987
gave the family its story). Every member splits a forecast into the chance that the customer is still there and what a
customer who is there does next, and the latter depends on the number of purchases and the time observed alone. So a
model states :meth:`_alive`, :meth:`expected_while_alive`, :meth:`sample_while_alive` and its parameters; the rest is
here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from dataclasses import fields as stored_fields
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray, Numbers, as_column, history, positive
from rondo.science._documents import read_document
from rondo.science._newton import covariance, maximise
from rondo.science.cells import Cells, distinct_rows
from rondo.science.summary import Summary

DAYS_PER_UNIT: dict[str, float] = {"day": 1.0, "week": 7.0}
"""Units of time that relate to the calendar of a purchase log."""

# Conservative 1 % point for the likelihood ratio against "nobody ever leaves" (chi-square, 2 degrees of freedom).
RATIO_NEEDED = 9.21

WARNINGS: dict[str, str] = {
    "dropout_not_identified": (
        "The data hardly tell how customers leave: the probability of being alive is the model's assumption more than "
        "a finding. Forecasts of purchases stay usable. Usual cause: a short log, or one that is cut on the left."
    ),
    "on_bound": (
        "A parameter ran to the edge of what can be told apart: the model has reached a limiting case, for example "
        "that all customers are alike or that nobody leaves."
    ),
    "parameter_unsure": (
        "At least one parameter is known only up to a factor of 2 or more. Totals may still be sound; do not read the "
        "parameter itself."
    ),
    "one_time_buyers": (
        "This model calls everybody alive who bought only once, however long ago. Rank those by the time since the "
        "purchase, never by the probability of being alive."
    ),
    "spend_depends_on_frequency": (
        "Frequent buyers spend differently per purchase than others (correlation above .2 or below -.2), which the "
        "model takes to be unrelated; the value of frequent buyers is off in that direction."
    ),
}
"""Code to plain words, for everything that :meth:`describe` may warn of."""


@dataclass(frozen=True)
class FitConfig:
    """How a fit was made: part of the fit, and of what is stored.

    ``time_unit``: "week" and "day" relate to a purchase log; any other name is only kept.
    """

    max_iterations: int = 200
    tolerance: float = 1e-8
    time_unit: str = "week"


class FitLikelihood(Protocol):
    """A log-likelihood with gradient and Hessian at logarithms of parameters: in full, and where nobody ever leaves."""

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]: ...

    def without_dropout(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]: ...


def maximum(
    likelihood: FitLikelihood,
    start: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    names: tuple[str, ...],
    cells: Cells,
    config: FitConfig,
    *,
    unit: float = 1.0,
    timed: tuple[str, ...] = (),
    tolerance: float | None = None,
) -> dict[str, Any]:
    """The fields of a fitted model at the maximum of its likelihood.

    ``names``: of the parameters, the first two those of buying. ``unit``: the time that the likelihood counts as one,
    and ``timed``: the parameters that are measured in it. ``tolerance``: in place of the configuration's. Raises
    ConvergenceError when no maximum is found.
    """
    (lower, upper), close = bounds, config.tolerance if tolerance is None else tolerance
    steps = config.max_iterations
    best = maximise(likelihood, start, lower, upper, names=names, max_iterations=steps, tolerance=close)
    without = maximise(
        likelihood.without_dropout,
        best.point[:2],
        lower[:2],
        upper[:2],
        names=names[:2],
        max_iterations=steps,
        tolerance=close,
    )
    shift = float(cells.counts @ cells.x) * np.log(unit)  # a density of purchase times changes with the unit of time
    found = dict(zip(names, map(float, np.exp(best.point)), strict=True))
    return {
        **found,
        **{name: found[name] * unit for name in timed},
        "n_customers": cells.n_customers,
        "log_likelihood": float(best.value - shift),
        "log_likelihood_without_dropout": float(without.value - shift),
        "log_covariance": tuple(tuple(row) for row in covariance(best.hessian).tolist()),
        "fingerprint": cells.fingerprint(),
        "n_cells": len(cells),
        "iterations": best.iterations,
        "on_bound": any(best.on_bound),
        "config": config,
    }


class BuyTillYouDie(ABC):
    """Shared face of the fitted purchase models; see :class:`rondo.science.models.PurchaseModel`."""

    kind: ClassVar[str]
    title: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    dropout_names: ClassVar[tuple[str, str]]
    version: ClassVar[int]

    n_customers: float
    log_likelihood: float
    log_likelihood_without_dropout: float
    log_covariance: tuple[tuple[float, ...], ...]
    fingerprint: str
    n_cells: int
    iterations: int
    on_bound: bool
    config: FitConfig

    @property
    def parameters(self) -> FloatArray:
        """The parameters in the order of ``names``."""
        return np.array([getattr(self, name) for name in self.names])

    @property
    def log_standard_errors(self) -> FloatArray:
        """Standard errors of the logarithms of the parameters, in the order of ``names``."""
        return np.asarray(np.sqrt(np.diag(np.array(self.log_covariance))), dtype=np.float64)

    @property
    def dropout_ratio(self) -> float:
        """Likelihood ratio 2 (LL - LL without dropout): evidence in the data that customers leave at all."""
        return 2 * (self.log_likelihood - self.log_likelihood_without_dropout)

    @property
    def dropout_identified(self) -> bool:
        """Whether the data tell how customers leave.

        False when leaving adds too little to the likelihood (ratio below 9.21), or when a parameter of leaving lies on
        a bound or is known only up to a factor of 2 (standard error of its logarithm above ln 2): then P(alive) is the
        model's assumption more than the data's word. Usual cause: a short log, or one cut on the left.
        """
        errors = self.log_standard_errors[[self.names.index(name) for name in self.dropout_names]]
        return not self.on_bound and self.dropout_ratio >= RATIO_NEEDED and bool((errors <= np.log(2)).all())

    @property
    def rate_shape(self) -> float:
        """Shape of the law of rates over customers, the first parameter; given x repeat purchases it is x more."""
        return float(getattr(self, self.names[0]))

    @property
    @abstractmethod
    def time_scale(self) -> float:
        """Time that has to pass before one more unit of it hardly matters to a forecast: rows are grouped by it."""

    @abstractmethod
    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """P(still active at T | history) of checked rows."""

    @abstractmethod
    def expected_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Expected purchases within each of ``times`` of customers known to be alive: shape (rows, times)."""

    @abstractmethod
    def sample_while_alive(
        self, horizon: float, x: FloatArray, T: FloatArray, rng: np.random.Generator, draws: int
    ) -> IntArray:
        """Purchases within ``horizon`` drawn for customers known to be alive: shape (draws, rows)."""

    @abstractmethod
    def _zero_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """P(no purchase within each of ``times``) of customers known to be alive: shape (rows, times)."""

    @abstractmethod
    def _stays_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """P(still active after each of ``times``) of customers known to be alive: shape (rows, times)."""

    @abstractmethod
    def expected_purchases_new(self, t: Numbers) -> FloatArray:
        """Expected repeat purchases of a new customer in the time t since the first purchase, for each t given."""

    @abstractmethod
    def _figures(self) -> dict[str, float]:
        """Means in the model's own terms, for its card."""

    def _history(self, x: Numbers, t_x: Numbers, T: Numbers) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Checked rows."""
        return history(x, t_x, T)

    def _times(self, times: Numbers, column: str) -> FloatArray:
        """Checked times ahead."""
        return as_column(times, column)

    def factors(self, base: Summary, weeks: float, alive: FloatArray | None = None) -> FloatArray | None:
        """What expected purchases within ``weeks`` are multiplied with, per customer of ``base``, by what is known of
        them beside the history; None, as here, where a model goes by the history alone. ``alive``: see
        :meth:`expected_purchases`."""
        return None

    def probability_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> FloatArray:
        """P(still active at T | history), per customer. Raises InputError for impossible histories."""
        return self._alive(*self._history(x, t_x, T))

    def expected_purchases(
        self, t: float, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None = None
    ) -> FloatArray:
        """Expected purchases in (T, T + t] given the history, per customer.

        ``t``: a time of 0 or more. ``alive``: :meth:`probability_alive` of the same rows where it is known already; of
        all that is asked of a history it takes longest. Raises InputError for impossible histories.
        """
        return self.expected_purchases_by((t,), x, t_x, T, alive)[:, 0]

    def expected_purchases_by(
        self, times: Numbers, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None = None
    ) -> FloatArray:
        """Expected purchases in (T, T + t] for each t of ``times``: shape (customers, times)."""
        x_, t_, T_ = self._history(x, t_x, T)
        horizons = self._times(times, "t")
        if not x_.size:
            return np.zeros((0, horizons.size))
        (ux, uT), inverse, _ = distinct_rows(x_, T_)
        result: FloatArray = self.expected_while_alive(horizons, ux, uT)[inverse]
        result *= (self._alive(x_, t_, T_) if alive is None else alive)[:, None]
        return result

    def probability_silent(
        self, t: float, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None = None
    ) -> FloatArray:
        """P(no purchase in (T, T + t] | history), per customer: gone already, or there and not buying."""
        return self._given_alive(self._zero_while_alive, t, x, t_x, T, alive, otherwise=1.0)

    def probability_alive_after(
        self, t: float, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None = None
    ) -> FloatArray:
        """P(still active at T + t | history), per customer."""
        return self._given_alive(self._stays_while_alive, t, x, t_x, T, alive, otherwise=0.0)

    def _given_alive(
        self, law: Any, t: float, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None, *, otherwise: float
    ) -> FloatArray:
        x_, t_, T_ = self._history(x, t_x, T)
        horizon = self._times((t,), "t")
        if not x_.size:
            return np.empty(0)
        (ux, uT), inverse, _ = distinct_rows(x_, T_)
        alive = self._alive(x_, t_, T_) if alive is None else alive
        return np.asarray(alive * law(horizon, ux, uT)[inverse, 0] + (1 - alive) * otherwise, dtype=np.float64)

    def sample(
        self,
        horizon: float,
        x: Numbers,
        t_x: Numbers,
        T: Numbers,
        rng: np.random.Generator,
        draws: int = 1,
        alive: FloatArray | None = None,
    ) -> IntArray:
        """Purchases in (T, T + horizon] drawn from the predictive distribution: shape (draws, customers).

        Exact: the customer is alive with :meth:`probability_alive`; if so, rate and chance to leave are drawn from
        their laws given the history. Parameters are taken as known; :meth:`draw_parameters` adds their spread.
        """
        x_, t_, T_ = self._history(x, t_x, T)
        if not np.isfinite(horizon) or horizon < 0:
            raise InputError(f"horizon: {horizon}: must be a finite time of 0 or more")
        self._times((horizon,), "horizon")
        there = rng.random((draws, x_.size)) < (self._alive(x_, t_, T_) if alive is None else alive)
        return np.where(there, self.sample_while_alive(horizon, x_, T_, rng, draws), 0)

    def with_parameters(self, **changes: float) -> Self:
        """The same model with other values of some parameters."""
        wrong = set(changes) - set(self.names)
        if wrong:
            raise InputError(
                f"{', '.join(sorted(wrong))}: no parameter of {self.title}; it has {', '.join(self.names)}"
            )
        changed: Self = replace(self, **changes)  # type: ignore[type-var]
        return changed

    def draw_parameters(self, rng: np.random.Generator, draws: int) -> list[Self]:
        """Models whose parameters are drawn from the normal approximation on the logarithmic scale."""
        spread = rng.multivariate_normal(np.log(self.parameters), np.array(self.log_covariance), size=draws)
        return [self.with_parameters(**dict(zip(self.names, map(float, row), strict=True))) for row in np.exp(spread)]

    def warnings(self) -> tuple[str, ...]:
        """Codes of :data:`WARNINGS` that apply to this fit."""
        found = {
            "dropout_not_identified": not self.dropout_identified,
            "on_bound": self.on_bound,
            "parameter_unsure": bool((self.log_standard_errors > np.log(2)).any()),
        }
        return tuple(code for code, applies in found.items() if applies)

    def describe(self) -> dict[str, Any]:
        """Everything a model card shows: parameters with standard errors of their logarithms, fit, diagnostics."""
        errors = self.log_standard_errors
        return {
            "model": self.title,
            "kind": self.kind,
            "parameters": dict(zip(self.names, self.parameters.tolist(), strict=True)),
            "log_standard_errors": dict(zip(self.names, errors.tolist(), strict=True)),
            **self._figures(),
            "n_customers": self.n_customers,
            "n_cells": self.n_cells,
            "log_likelihood": self.log_likelihood,
            "dropout_ratio": self.dropout_ratio,
            "dropout_identified": self.dropout_identified,
            "warnings": [{"code": code, "text": WARNINGS[code]} for code in self.warnings()],
            "time_unit": self.config.time_unit,
            "iterations": self.iterations,
            "fingerprint": self.fingerprint,
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document; :meth:`from_dict` reads it."""
        return {"model": self.kind, "version": self.version, **asdict(self)}  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, fingerprint: str) -> Self:
        """The model of a stored document, for the data with this ``fingerprint`` (:meth:`Cells.fingerprint`).

        Raises InputError when the document is of another model or version, lacks a field, or was fitted to other data.
        """
        known = {entry.name for entry in stored_fields(cls)}  # type: ignore[arg-type]
        fields = read_document(document, cls.kind, cls.version, known, fingerprint)
        fields["config"] = FitConfig(**fields["config"])
        fields["log_covariance"] = tuple(tuple(map(float, row)) for row in fields["log_covariance"])
        for name in cls.names:
            positive(fields[name], name)
        return cls(**fields)


def in_logs(parameters: FloatArray, gradient: FloatArray, hessian: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradient and Hessian with respect to the logarithms of parameters, from those with respect to themselves."""
    scaled = parameters * gradient
    return scaled, np.outer(parameters, parameters) * hessian + np.diag(scaled)


__all__ = ["DAYS_PER_UNIT", "RATIO_NEEDED", "WARNINGS", "BuyTillYouDie", "FitConfig", "in_logs"]
