"""The models of a customer base under one face, by name: ``bgnbd``, ``mbgnbd``, ``paretonbd``, ``bgbb`` for purchases,
``hybrid`` for the Pareto/NBD with what it leaves out, ``gamma_gamma`` for spend.

:class:`PurchaseModel` is what a fitted model of purchases can do, and all that value, intervals, selection and churn
know of one. Each lives in a module of its own with a ``fit``. Times are in the model's own unit: weeks, or days for
BG/BB, whose occasions are days here; :func:`fit_base` and :func:`expected_from` take care of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, Self

import numpy as np

from rondo.errors import InputError
from rondo.science import bgbb, bgnbd, gamma_gamma, mbgnbd, paretonbd
from rondo.science._btyd import DAYS_PER_UNIT, WARNINGS, FitConfig
from rondo.science._checks import FloatArray, IntArray, Numbers
from rondo.science.counts import CountLaw, count_law
from rondo.science.hybrid import Bases, Covariates, Hybrid
from rondo.science.hybrid import fit as fit_hybrid
from rondo.science.median import median_purchases
from rondo.science.paretonbd import ParetoNbd
from rondo.science.summary import PurchaseDays, Summary, summarise


class PurchaseModel(Protocol):
    """A fitted model of how often customers buy and whether they are still there.

    ``x``, ``t_x``, ``T``: repeat purchases, time of the last one and time observed, both since the first purchase, in
    the unit of ``config.time_unit``; columns of equal length or single numbers. ``alive``: ``probability_alive`` of the
    same rows where it is known already; of all that is asked of a history it takes longest.
    """

    @property
    def kind(self) -> str:
        """Name in :data:`PURCHASE_MODELS`."""

    @property
    def title(self) -> str:
        """Name in the literature."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""

    @property
    def parameters(self) -> FloatArray:
        """The parameters in the order of ``names``."""

    @property
    def n_customers(self) -> float:
        """Customers fitted."""

    @property
    def n_cells(self) -> int:
        """Distinct histories among them."""

    @property
    def log_likelihood(self) -> float:
        """At the maximum; comparable between models of one unit of time only."""

    @property
    def log_covariance(self) -> tuple[tuple[float, ...], ...]:
        """Covariance of the logarithms of the parameters."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the cells fitted."""

    @property
    def dropout_identified(self) -> bool:
        """Whether the data tell how customers leave; without it P(alive) is an assumption."""

    @property
    def config(self) -> FitConfig:
        """How the fit was made."""

    @property
    def rate_shape(self) -> float:
        """Shape of the law of rates over customers; given x repeat purchases it is x more."""

    @property
    def time_scale(self) -> float:
        """Time against which the time observed counts."""

    def factors(self, base: Summary, weeks: float, alive: FloatArray | None = None) -> FloatArray | None:
        """What expected purchases are multiplied with, per customer of a base, by what is known of them beside the
        history; None where the model goes by the history alone."""

    def expected_purchases(
        self, t: float, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None = None
    ) -> FloatArray:
        """Expected purchases in (T, T + t] given the history, per customer."""

    def expected_purchases_by(
        self, times: Numbers, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None = None
    ) -> FloatArray:
        """The same for several times ahead: shape (customers, times)."""

    def expected_purchases_new(self, t: Numbers) -> FloatArray:
        """Expected repeat purchases of a new customer within each time since the first purchase: unconditional."""

    def probability_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> FloatArray:
        """P(still active at T | history), per customer."""

    def probability_alive_after(
        self, t: float, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None = None
    ) -> FloatArray:
        """P(still active at T + t | history), per customer."""

    def probability_silent(
        self, t: float, x: Numbers, t_x: Numbers, T: Numbers, alive: FloatArray | None = None
    ) -> FloatArray:
        """P(no purchase in (T, T + t] | history), per customer."""

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
        """Purchases in (T, T + horizon] drawn from the predictive distribution: shape (draws, customers)."""

    def expected_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Expected purchases within each of ``times`` of customers known to be alive: shape (rows, times)."""

    def sample_while_alive(
        self, horizon: float, x: FloatArray, T: FloatArray, rng: np.random.Generator, draws: int
    ) -> IntArray:
        """Purchases within ``horizon`` drawn for customers known to be alive: shape (draws, rows)."""

    def with_parameters(self, **changes: float) -> Self:
        """The same model with other values of some parameters."""

    def draw_parameters(self, rng: np.random.Generator, draws: int) -> list[Self]:
        """Models whose parameters are drawn from their normal approximation on the logarithmic scale."""

    def warnings(self) -> tuple[str, ...]:
        """Codes of :data:`WARNINGS` that apply to this fit."""

    def describe(self) -> dict[str, Any]:
        """Everything a model card shows."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document for :func:`load`."""


class SpendModel(Protocol):
    """A fitted model of how much customers spend per purchase."""

    @property
    def kind(self) -> str:
        """Name in :data:`SPEND_MODELS`."""

    @property
    def parameters(self) -> FloatArray:
        """The parameters."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the spending fitted."""

    def expected_mean_spend(self, purchases: Numbers, mean_spend: Numbers) -> FloatArray:
        """Expected spend per future purchase, per customer."""

    def sample(self, purchases: Numbers, mean_spend: Numbers, future: Numbers, rng: np.random.Generator) -> FloatArray:
        """Total spend of ``future`` purchases, drawn from the predictive distribution."""

    def warnings(self) -> tuple[str, ...]:
        """Codes of :data:`WARNINGS` that apply to this fit."""

    def describe(self) -> dict[str, Any]:
        """Everything a model card shows."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document for :func:`load`."""


@dataclass(frozen=True)
class Kind:
    """A model by name: its title, module, ``fit``, reader of stored fits and unit of time."""

    title: str
    module: ModuleType
    fit: Callable[[Numbers, Numbers, Numbers, Numbers | None, FitConfig | None], PurchaseModel]
    read: Callable[[Mapping[str, Any], str], PurchaseModel]
    time_unit: str


PURCHASE_MODELS: dict[str, Kind] = {
    "bgnbd": Kind(
        "BG/NBD", bgnbd, bgnbd.fit, lambda document, mark: bgnbd.BgNbd.from_dict(document, fingerprint=mark), "week"
    ),
    "mbgnbd": Kind(
        "MBG/NBD",
        mbgnbd,
        mbgnbd.fit,
        lambda document, mark: mbgnbd.MbgNbd.from_dict(document, fingerprint=mark),
        "week",
    ),
    "paretonbd": Kind(
        "Pareto/NBD",
        paretonbd,
        paretonbd.fit,
        lambda document, mark: paretonbd.ParetoNbd.from_dict(document, fingerprint=mark),
        "week",
    ),
    "bgbb": Kind(
        "BG/BB", bgbb, bgbb.fit, lambda document, mark: bgbb.BgBb.from_dict(document, fingerprint=mark), "day"
    ),
}
"""Models of purchases, in the order in which they are preferred where hold-outs do not tell them apart."""

CANDIDATES: tuple[str, ...] = (*PURCHASE_MODELS, Hybrid.kind)
"""Names of all models of purchases: those of a history alone, and the hybrid, which is fitted to a log."""

SPEND_MODELS: dict[str, ModuleType] = {"gamma_gamma": gamma_gamma}
"""Models of spend."""


def purchase_model(name: str) -> Kind:
    """The model of that name; InputError lists the names there are."""
    if name not in PURCHASE_MODELS:
        raise InputError(f"model {name!r}: unknown; choose one of {', '.join(PURCHASE_MODELS)}")
    return PURCHASE_MODELS[name]


def fit_base(name: str, base: Summary) -> PurchaseModel:
    """Fit the model of that name to a base, in its own unit of time.

    Raises InputError or ConvergenceError where the base does not allow it; the message says why.
    """
    kind = purchase_model(name)
    config = FitConfig(time_unit=kind.time_unit)
    return kind.fit(*in_units(kind.time_unit, base.x, base.t_x, base.T), None, config)


def model_title(name: str) -> str:
    """The title of one of :data:`CANDIDATES`; InputError lists the names there are."""
    if name == Hybrid.kind:
        return Hybrid.title
    if name not in PURCHASE_MODELS:
        raise InputError(f"model {name!r}: unknown; choose one of {', '.join(CANDIDATES)}")
    return PURCHASE_MODELS[name].title


def fit_at(
    name: str,
    log: PurchaseDays,
    as_of: int,
    horizon_days: float,
    bases: Bases | None = None,
    base: Summary | None = None,
    offered: Mapping[str, Covariates] | None = None,
    covariates: Covariates | None = None,
    pareto: PurchaseModel | None = None,
) -> PurchaseModel:
    """Fit one of :data:`CANDIDATES` to what the log showed by day ``as_of``, for forecasts of ``horizon_days``.

    ``base``: the summary of that day where it is there already; ``bases``: what hybrids of the same log share;
    ``offered``: groups of covariates that a hybrid may take; ``covariates``: those that it takes in any case;
    ``pareto``: the Pareto/NBD of the same base, which a hybrid stands on, where it is fitted already. Raises InputError
    or ConvergenceError where the base does not allow it; the message says why.
    """
    if name == Hybrid.kind:
        fitted = pareto if isinstance(pareto, ParetoNbd) else None
        return fit_hybrid(log, as_of, horizon_days, covariates, bases=bases, offered=offered, base=base, fitted=fitted)
    return fit_base(name, summarise(log, as_of) if base is None else base)


def load(document: Mapping[str, Any], *, fingerprint: str) -> PurchaseModel:
    """The model of a stored document, for the data with this fingerprint; see the models' ``from_dict``."""
    if document.get("model") == Hybrid.kind:
        return Hybrid.from_dict(document, fingerprint=fingerprint)
    return purchase_model(str(document.get("model"))).read(document, fingerprint)


def in_units(unit: str, x: Numbers, t_x: Numbers, T: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """A history with times in weeks (whole days divided by 7), in the unit of a model."""
    if unit == "week":
        return x, t_x, T
    return x, _units(unit, t_x), _units(unit, T)


def weeks_in_units(unit: str, weeks: float) -> float:
    """A horizon of weeks in the unit of a model; whole days where that is the unit."""
    return weeks if unit == "week" else float(_units(unit, weeks))


def history_for(model: PurchaseModel, base: Summary) -> tuple[Numbers, Numbers, Numbers]:
    """x, t_x, T of a base in the unit of a model."""
    return in_units(model.config.time_unit, base.x, base.t_x, base.T)


def expected_from(model: PurchaseModel, base: Summary, weeks: float, alive: FloatArray | None = None) -> FloatArray:
    """Expected purchases of a base within ``weeks`` after its date, per customer. ``alive``: as
    :func:`alive_of` gives it, where it is known already."""
    alive = alive_of(model, base) if alive is None else alive
    time = weeks_in_units(model.config.time_unit, weeks)
    expected = model.expected_purchases(time, *history_for(model, base), alive=alive)
    factors = model.factors(base, weeks, alive)
    return expected if factors is None else np.asarray(expected * factors, dtype=np.float64)


def expected_by_from(
    model: PurchaseModel, base: Summary, weeks: Numbers, alive: FloatArray | None = None
) -> FloatArray:
    """The same for several times ahead, each in weeks: shape (customers, times).

    What is known beside the history is weighed as for the last of the times, so that sums over parts agree.
    """
    alive = alive_of(model, base) if alive is None else alive
    unit, ahead = model.config.time_unit, np.asarray(weeks, dtype=np.float64)
    times = [weeks_in_units(unit, float(one)) for one in ahead]
    expected = model.expected_purchases_by(times, *history_for(model, base), alive=alive)
    factors = model.factors(base, float(ahead.max(initial=0.0)), alive)
    return expected if factors is None else np.asarray(expected * factors[:, None], dtype=np.float64)


def silent_from(
    model: PurchaseModel,
    base: Summary,
    weeks: float,
    t_x: Numbers | None = None,
    alive: FloatArray | None = None,
    factors: FloatArray | None = None,
) -> FloatArray:
    """P(no purchase within ``weeks``) of a base, per customer; ``t_x`` (weeks): in place of its own last purchases.

    A factor on the expectation is one on the intensity of purchases, so it is a power of the chance of none. ``alive``:
    as :func:`alive_of` gives it, ``factors``: those of the model for the base, where they are known already.
    """
    unit = model.config.time_unit
    if factors is None:
        alive = alive_of(model, base) if alive is None else alive
        factors = model.factors(base, weeks, alive)
    x, own, T = in_units(unit, base.x, base.t_x if t_x is None else t_x, base.T)
    time = weeks_in_units(unit, weeks)
    silent = model.probability_silent(time, x, own, T, alive=alive if t_x is None else None)
    return silent if factors is None else np.asarray(silent**factors, dtype=np.float64)


def median_from(model: PurchaseModel, base: Summary, weeks: float) -> IntArray:
    """Median of the purchases of a base within ``weeks`` after its date, per customer."""
    alive = alive_of(model, base)
    expected, silent = expected_from(model, base, weeks, alive), silent_from(model, base, weeks, alive=alive)
    return median_purchases(expected, silent, model.rate_shape + base.x)


def counts_from(
    model: PurchaseModel, base: Summary, weeks: float, spread: float = 1.0, alive: FloatArray | None = None
) -> CountLaw:
    """The law of the purchases of a base within ``weeks`` after its date, per customer; ``spread``: see
    :mod:`rondo.science.counts`, learnt by :func:`rondo.science.intervals.forecast_base`."""
    alive = alive_of(model, base) if alive is None else alive
    expected, silent = expected_from(model, base, weeks, alive), silent_from(model, base, weeks, alive=alive)
    return count_law(expected, silent, model.rate_shape + base.x, spread)


def alive_of(model: PurchaseModel, base: Summary) -> FloatArray:
    """P(alive) of a base on its date, per customer: what forecasts of it share."""
    return model.probability_alive(*history_for(model, base))


def alive_from(model: PurchaseModel, x: Numbers, t_x: Numbers, T: Numbers) -> FloatArray:
    """P(alive) of histories with times in weeks, whatever the unit of the model."""
    return model.probability_alive(*in_units(model.config.time_unit, x, t_x, T))


def _units(unit: str, weeks: Numbers) -> FloatArray:
    if unit not in DAYS_PER_UNIT:
        known = " or ".join(repr(name) for name in DAYS_PER_UNIT)
        raise InputError(f"time unit {unit!r}: a base is counted in days; fit the model in {known}")
    days = np.rint(np.asarray(weeks, dtype=np.float64) * DAYS_PER_UNIT["week"])
    return np.asarray(days / DAYS_PER_UNIT[unit], dtype=np.float64)


__all__ = [
    "CANDIDATES",
    "PURCHASE_MODELS",
    "SPEND_MODELS",
    "WARNINGS",
    "FitConfig",
    "Kind",
    "PurchaseModel",
    "SpendModel",
    "alive_from",
    "alive_of",
    "counts_from",
    "expected_by_from",
    "expected_from",
    "fit_at",
    "fit_base",
    "history_for",
    "in_units",
    "load",
    "median_from",
    "model_title",
    "purchase_model",
    "silent_from",
    "weeks_in_units",
]
