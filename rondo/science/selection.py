"""Which model suits a customer base: tried at earlier dates of its log, judged by what came, shown with its errors.

Each model is fitted at several origins, forecasts every customer's purchases of the days after, and is compared with
them. The rule: lowest mean *Poisson deviance* per customer, a proper score of an expectation, which sees the level of
the forecast and the order of customers alike. Models within one standard error of the best count as equal (Breiman et
al. 1984, section 3.4.3), and of equals the incumbent stays, else the one named first is taken: a model should change
because the data say so, not because of noise. A pin overrules, and what the rule would have chosen is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science._newton import ConvergenceError
from rondo.science.holdout import correlation
from rondo.science.hybrid import Bases, Covariates, Hybrid, HybridConfig, sampled
from rondo.science.median import median_purchases
from rondo.science.models import CANDIDATES, PurchaseModel, alive_of, expected_from, fit_at, model_title, silent_from
from rondo.science.paretonbd import ParetoNbd
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, summarise, window

REASONS: dict[str, str] = {
    "pinned": "An analyst pinned this model; the errors are shown all the same.",
    "best": "It had the lowest error in the hold-outs, by more than one standard error.",
    "incumbent": "It is the model in use, and no other was better by more than one standard error.",
    "preferred": "No model was better by more than one standard error; this one is first in the order of preference.",
    "no_holdout": "The log is too short for a hold-out (or too small), so the model in use or the first one is taken.",
}
"""Why a model was chosen, in plain words."""


@dataclass(frozen=True)
class SelectionConfig:
    """How models are tried.

    ``candidates``: names in order of preference. ``origins``: dates at most. ``window_share``: days forecast as a share
    of the log, at most the horizon; ``earliest_share``: the first origin as a share of the log; ``minimum_days``: no
    shorter hold-out is held; ``minimum_customers``: nor one on fewer customers. ``sample``: customers tried at most,
    drawn by ``seed``; unless told, those that hybrids learn from, whose covariates are at hand.
    """

    candidates: tuple[str, ...] = CANDIDATES
    origins: int = 4
    window_share: float = 1 / 3
    earliest_share: float = 1 / 3
    minimum_days: int = 28
    minimum_customers: int = 50
    sample: int = HybridConfig.sample
    seed: int = HybridConfig.seed

    def __post_init__(self) -> None:
        if not self.candidates:
            raise InputError("candidates: none; name at least one model")
        for name in self.candidates:
            model_title(name)


@dataclass(frozen=True)
class Trial:
    """One model at one origin: forecast made with what was known on day ``origin``, for the days to ``until``.

    ``total_error``: forecast / actual - 1. ``mae``, ``rmse``: of means, per customer; ``median_mae``: of medians.
    ``deviance``: mean Poisson deviance per customer. ``log_score``: mean of -ln of the chance given to what came, of
    buying at all or not; lower is better. ``correlation``: Pearson's over customers, None where one side does not vary.
    ``taken``: the groups of covariates that a hybrid took at the origin, by what was known then.
    """

    origin: int
    until: int
    customers: int
    forecast: float
    actual: int
    total_error: float
    mae: float
    median_mae: float
    rmse: float
    deviance: float
    log_score: float
    correlation: float | None = None
    taken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A model with its errors: means over the origins, absolute ones of the total.

    ``excess``: mean deviance above that of the best; ``excess_error``: its standard error (customers and origins).
    ``failed``: why it could not be fitted, at which origin; such a model is not chosen. Errors are None without trials.
    """

    model: str
    title: str
    trials: tuple[Trial, ...] = ()
    total_error: float | None = None
    mae: float | None = None
    median_mae: float | None = None
    rmse: float | None = None
    deviance: float | None = None
    log_score: float | None = None
    correlation: float | None = None
    excess: float | None = None
    excess_error: float | None = None
    failed: str | None = None


@dataclass(frozen=True)
class Selection:
    """What was chosen and why: ready to be stored and shown.

    ``chosen``: name of the model; ``reason``: code of :data:`REASONS`; ``by_rule``: what the rule chose, pin or not;
    ``best``: lowest deviance, None without hold-outs; ``candidates``: in order of preference.
    """

    chosen: str
    reason: str
    by_rule: str
    best: str | None
    pinned: str | None
    incumbent: str | None
    candidates: tuple[Candidate, ...]
    config: SelectionConfig = field(default_factory=SelectionConfig)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document, reason in words included."""
        return {**asdict(self), "reason_text": REASONS[self.reason]}


def select_model(
    log: PurchaseDays,
    as_of: int,
    horizon_days: float,
    *,
    incumbent: str | None = None,
    pinned: str | None = None,
    config: SelectionConfig | None = None,
    bases: Bases | None = None,
    offered: Mapping[str, Covariates] | None = None,
) -> Selection:
    """Try the candidates on the log up to ``as_of`` and choose one for forecasts of ``horizon_days``.

    Nothing after ``as_of`` is looked at. ``incumbent``: the model in use; ``pinned``: the analyst's choice, taken
    whatever the errors are. ``bases``: what hybrids of the log share; ``offered``: groups of covariates that a hybrid
    tries, and takes or not, at each origin by what was known then, as it does on the day itself. Raises InputError for
    unknown names; a log that is too short is no error.
    """
    config = config or SelectionConfig()
    for name in (incumbent, pinned):
        if name is not None:
            model_title(name)
    names = list(dict.fromkeys([*config.candidates, *([pinned] if pinned else [])]))
    held = _origins(log, as_of, horizon_days, config)
    if bases is None and Hybrid.kind in names and held:
        bases = Bases(log)
    drawn = (config.sample, config.seed)
    same = bases is not None and drawn == (bases.config.sample, bases.config.seed)
    log = bases.log_of(log) if bases is not None and same else sampled(log, *drawn)
    deviances: dict[str, list[FloatArray]] = {}
    found: dict[str, Candidate] = {}
    pareto: dict[int, PurchaseModel] = {}
    for name in names:
        found[name], each = _try(name, log, held, bases, pareto, offered)
        if each:
            deviances[name] = each
    first = incumbent if incumbent in names else names[0]
    if not deviances:
        chosen = pinned or first
        reason = "pinned" if pinned else "no_holdout"
        return Selection(chosen, reason, first, None, pinned, incumbent, tuple(found.values()), config)
    means = {name: float(np.mean([each.mean() for each in parts])) for name, parts in deviances.items()}
    best = min(means, key=lambda name: means[name])
    for name in means:
        error = _error_of_difference(deviances[name], deviances[best])
        found[name] = replace(found[name], excess=means[name] - means[best], excess_error=error)
    equal = [name for name in means if (found[name].excess or 0.0) <= (found[name].excess_error or 0.0)]
    by_rule = incumbent if incumbent is not None and incumbent in equal else equal[0]
    if pinned:
        reason = "pinned"
    elif len(equal) == 1:
        reason = "best"
    else:
        reason = "incumbent" if by_rule == incumbent else "preferred"
    return Selection(pinned or by_rule, reason, by_rule, best, pinned, incumbent, tuple(found.values()), config)


@dataclass(frozen=True)
class _Origin:
    base: Summary
    until: int
    came: IntArray


def _origins(log: PurchaseDays, as_of: int, horizon_days: float, config: SelectionConfig) -> list[_Origin]:
    if not log.day.size:
        return []
    length = as_of - log.first_day + 1
    days = int(min(horizon_days, config.window_share * length))
    earliest, latest = log.first_day + int(config.earliest_share * length), as_of - days
    if days < config.minimum_days or latest < earliest:
        return []
    log = sampled(log, config.sample, config.seed)
    found = []
    for origin in np.unique(np.linspace(earliest, latest, config.origins).astype(np.int64)).tolist():
        base = summarise(log, origin)
        if len(base) >= config.minimum_customers:
            found.append(_Origin(base, origin + days, window(log, origin, origin + days)[0][base.customer]))
    return found


def _try(
    name: str,
    log: PurchaseDays,
    held: list[_Origin],
    bases: Bases | None,
    pareto: dict[int, PurchaseModel],
    offered: Mapping[str, Covariates] | None,
) -> tuple[Candidate, list[FloatArray]]:
    """``pareto``: the Pareto/NBD by origin, which hybrids stand on; noted where it is tried."""
    title = model_title(name)
    trials, each = [], []
    for origin in held:
        try:
            day, known = origin.base.as_of, pareto.get(origin.base.as_of)
            model = fit_at(name, log, day, origin.until - day, bases, origin.base, offered=offered, pareto=known)
        except (InputError, ConvergenceError) as error:
            return Candidate(name, title, failed=f"day {origin.base.as_of}: {error}"), []
        if name == ParetoNbd.kind:
            pareto[day] = model
        trial, deviance = _judge(model, origin)
        trials.append(trial)
        each.append(deviance)
    if not trials:
        return Candidate(name, title), []
    alike = [trial.correlation for trial in trials if trial.correlation is not None]
    candidate = Candidate(
        name,
        title,
        tuple(trials),
        total_error=float(np.mean([abs(trial.total_error) for trial in trials])),
        mae=float(np.mean([trial.mae for trial in trials])),
        median_mae=float(np.mean([trial.median_mae for trial in trials])),
        rmse=float(np.mean([trial.rmse for trial in trials])),
        deviance=float(np.mean([trial.deviance for trial in trials])),
        log_score=float(np.mean([trial.log_score for trial in trials])),
        correlation=float(np.mean(alike)) if alike else None,
    )
    return candidate, each


def _judge(model: PurchaseModel, origin: _Origin) -> tuple[Trial, FloatArray]:
    base, came = origin.base, origin.came
    weeks = (origin.until - base.as_of) / DAYS_PER_WEEK
    alive = alive_of(model, base)
    expected, silent = expected_from(model, base, weeks, alive), silent_from(model, base, weeks, alive=alive)
    given = np.clip(np.where(came > 0, 1 - silent, silent), 1e-12, 1.0)
    deviance = poisson_deviance(expected, came)
    forecast, actual = float(expected.sum()), int(came.sum())
    trial = Trial(
        origin=base.as_of,
        until=origin.until,
        customers=len(base),
        forecast=forecast,
        actual=actual,
        total_error=forecast / actual - 1 if actual else float(forecast > 0),
        mae=float(np.abs(expected - came).mean()),
        median_mae=float(np.abs(median_purchases(expected, silent, model.rate_shape + base.x) - came).mean()),
        rmse=float(np.sqrt(((expected - came) ** 2).mean())),
        deviance=float(deviance.mean()),
        log_score=float(-np.log(given).mean()),
        correlation=correlation(expected, came.astype(np.float64)),
        taken=tuple(one.name for one in model.tried if one.taken) if isinstance(model, Hybrid) else (),
    )
    return trial, deviance


def poisson_deviance(expected: FloatArray, came: IntArray) -> FloatArray:
    """Deviance of each customer: 2 (k ln(k / m) - (k - m)) for k purchases where m were expected."""
    m = np.maximum(expected, 1e-12)
    k = came.astype(np.float64)
    ratio = np.where(k > 0, k, 1.0) / m
    return np.asarray(2 * (k * np.log(ratio) - (k - m)), dtype=np.float64)


def _error_of_difference(one: list[FloatArray], other: list[FloatArray]) -> float:
    """Standard error of the mean difference of two models' deviances.

    Origins share customers, so the customers' part does not shrink with the number of origins; how differently origins
    turned out comes on top.
    """
    differences = [a - b for a, b in zip(one, other, strict=True)]
    means = np.array([d.mean() for d in differences])
    customers = float(np.mean([d.var(ddof=1) / d.size for d in differences]))
    origins = float(means.var(ddof=1) / means.size) if means.size > 1 else 0.0
    return float(np.sqrt(customers + origins))


__all__ = ["REASONS", "Candidate", "Selection", "SelectionConfig", "Trial", "poisson_deviance", "select_model"]
