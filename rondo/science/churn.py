"""Chance that a relationship ends within a horizon, by the model for repeat buyers, by another path for all others.

*Repeat buyers*: a model of purchases gives the chance of silence over the horizon (gone already, leaving, or there and
not buying) and the chance to be gone at its end. *One-time buyers* have shown no rhythm, and the BG/NBD calls them all
alive; but the base has seen many of them return or not. Their chance comes from the hazard of the second purchase by
the time since the first, as the base showed it (piecewise constant: Holford 1980, "The Analysis of Rates and of
Survivorship Using Log-Linear Models", Biometrics 36, 299-305), with the value of the first basket and the quarter of
the year as multipliers. Without multipliers it is the Kaplan-Meier curve on bands of age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science._newton import maximise
from rondo.science.discrimination import Auc, Calibration, auc, calibrate
from rondo.science.models import PurchaseModel, alive_of, fit_at, history_for, silent_from, weeks_in_units
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, summarise, window

_YEAR = 365


@dataclass(frozen=True)
class SecondConfig:
    """How the path of one-time buyers is fitted.

    ``bands``: days since the first purchase at which the hazard may change. ``spend_groups``: quantile groups of the
    first basket. ``smoothing``: weight that holds the bands' logarithms to a straight line; ``ridge``: weight that
    holds multipliers at 1; both in units of events, so that they matter where few were seen. ``minimum``: second
    purchases needed.
    """

    bands: tuple[int, ...] = (0, 7, 14, 28, 56, 91, 182, 365, 730)
    spend_groups: int = 5
    smoothing: float = 1.0
    ridge: float = 5.0
    minimum: int = 20


@dataclass(frozen=True)
class SecondPurchase:
    """When customers come back for the first time, fitted to a base.

    ``rates``: second purchases per customer and day in each band, for a middling customer. ``spend_edges``: first
    baskets (minor units) above which the next group begins; ``spend_effects``: multiplier of each group;
    ``quarter_effects``: multiplier by the quarter of the first purchase, all 1 where the log is shorter than two years
    (quarter and age would be one thing). ``customers``, ``returned``: fitted on.
    """

    rates: tuple[float, ...]
    spend_edges: tuple[float, ...]
    spend_effects: tuple[float, ...]
    quarter_effects: tuple[float, ...]
    customers: int
    returned: int
    config: SecondConfig = field(default_factory=SecondConfig)

    def probability_return(
        self, days: int, age_days: npt.ArrayLike, first_spend: npt.ArrayLike, first_day: npt.ArrayLike
    ) -> FloatArray:
        """P(second purchase within ``days`` | none in the ``age_days`` since the first), per customer.

        ``first_spend``: the first basket in minor units; ``first_day``: its day as days since 1970-01-01 (or any count
        that begins on a first of January; it matters where quarters have effects).
        """
        age = np.asarray(age_days, dtype=np.float64)
        hazard = self._hazard(age + days) - self._hazard(age)
        spend = np.searchsorted(np.array(self.spend_edges), np.asarray(first_spend, dtype=np.float64), side="left")
        effect = np.array(self.spend_effects)[spend] * np.array(self.quarter_effects)[_quarter(first_day)]
        return np.asarray(-np.expm1(-hazard * effect), dtype=np.float64)

    def survival(self, days: npt.ArrayLike) -> FloatArray:
        """Share of middling customers without a second purchase after each of ``days``."""
        return np.asarray(np.exp(-self._hazard(np.asarray(days, dtype=np.float64))), dtype=np.float64)

    def _hazard(self, age: FloatArray) -> FloatArray:
        """Integral of the rates up to an age in days; the last band goes on."""
        edges = np.append(np.asarray(self.config.bands, dtype=np.float64), 1e6)
        mass = np.concatenate(([0.0], np.cumsum(np.diff(edges) * np.array(self.rates))))
        return np.asarray(np.interp(age, edges, mass), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document."""
        return {"model": "second_purchase", "version": 1, **asdict(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """What :meth:`to_dict` wrote; raises InputError for a document of another model or version."""
        if (document.get("model"), document.get("version")) != ("second_purchase", 1):
            raise InputError(f"second purchases: {document.get('model')!r} of version {document.get('version')!r}")
        lists = ("rates", "spend_edges", "spend_effects", "quarter_effects")
        config = document["config"]
        return cls(
            **{name: tuple(document[name]) for name in lists},
            customers=document["customers"],
            returned=document["returned"],
            config=SecondConfig(**{**config, "bands": tuple(config["bands"])}),
        )


@dataclass(frozen=True)
class ChurnRisk:
    """One entry per customer of the base.

    ``once``: bought on one day only (the other path). ``silent``: P(no purchase in the horizon). ``usual``: the same
    had the last purchase been on the day of the base, so that ``silent - usual`` is what the silence since then adds.
    ``gone``: P(no longer there at the end of the horizon); NaN for one-time buyers, of whom only silence can be told.
    ``model``: ``silent`` by the model of purchases alone, whatever the path and before it is corrected.
    """

    customer: IntArray
    once: npt.NDArray[np.bool_]
    silent: FloatArray
    usual: FloatArray
    gone: FloatArray
    model: FloatArray


@dataclass(frozen=True)
class PathCheck:
    """One path in a hold-out: how well silence was foretold.

    ``by_recency``: the area when customers are ranked by days since the last purchase alone; ``by_alive``: by 1 -
    P(alive) of the model. Areas are None where all or nobody stayed silent.
    """

    path: str
    area: Auc | None
    by_recency: Auc | None
    by_alive: Auc | None
    calibration: Calibration


@dataclass(frozen=True)
class LevelCheck:
    """Customers whose chance of silence lay between two bounds, how many were expected to be silent, how many were."""

    customers: int
    expected: float
    silent: int


@dataclass(frozen=True)
class ChurnCheck:
    """Forecast at ``origin`` of who stays silent until ``until``, against what came; for all, repeat and one-time.

    ``levels``: the same of everybody between the chances asked for, the lowest first.
    """

    origin: int
    until: int
    model: str
    paths: tuple[PathCheck, ...]
    levels: tuple[LevelCheck, ...] = ()


def fit_second(log: PurchaseDays, as_of: int, config: SecondConfig | None = None) -> SecondPurchase:
    """Fit the hazard of the second purchase to what the log showed by ``as_of``.

    Customers who have not returned count for as long as they were watched. Raises InputError where too few returned.
    """
    config = config or SecondConfig()
    first_day, gap, spend = first_gaps(log, as_of)
    returned = gap >= 0
    if int(returned.sum()) < config.minimum:
        raise InputError(
            f"second purchases: {int(returned.sum())} by day {as_of}, at least {config.minimum} are needed; "
            "take a longer log"
        )
    watched = np.where(returned, gap, as_of - first_day).astype(np.float64)
    cuts = np.unique(np.quantile(spend, np.linspace(0, 1, config.spend_groups + 1)[1:-1], method="inverted_cdf"))
    group = np.searchsorted(cuts, spend, side="left")
    seasons = as_of - int(first_day.min()) >= 2 * _YEAR
    quarter = _quarter(first_day) if seasons else np.zeros(first_day.size, np.int64)
    events, exposure = _by_band(watched, returned, group * 4 + quarter, (cuts.size + 1) * 4, config)
    bands, groups = len(config.bands), cuts.size + 1
    point = _fit_rates(events, exposure, bands, groups, config)
    return SecondPurchase(
        rates=tuple(np.exp(point[:bands]).tolist()),
        spend_edges=tuple(cuts.astype(float).tolist()),
        spend_effects=tuple(np.exp(point[bands : bands + groups]).tolist()),
        quarter_effects=tuple(np.exp(point[bands + groups :]).tolist()) if seasons else (1.0,) * 4,
        customers=int(gap.size),
        returned=int(returned.sum()),
        config=config,
    )


def first_gaps(log: PurchaseDays, as_of: int) -> tuple[IntArray, IntArray, IntArray]:
    """Per customer who had bought by ``as_of``: first day, days to the second purchase day (-1: none yet), first
    basket."""
    inside = log.day <= as_of
    customer, day, spend = log.customer[inside], log.day[inside], log.spend[inside]
    if not customer.size:
        empty = np.empty(0, np.int64)
        return empty, empty, empty
    starts = np.flatnonzero(np.concatenate(([True], customer[1:] != customer[:-1])))
    sizes = np.diff(np.append(starts, customer.size))
    gap = np.full(starts.size, -1, np.int64)
    again = sizes > 1
    gap[again] = day[starts[again] + 1] - day[starts[again]]
    return day[starts], gap, spend[starts]


def churn_risk(
    model: PurchaseModel,
    second: SecondPurchase | None,
    log: PurchaseDays,
    base: Summary,
    days: int,
    alive: FloatArray | None = None,
) -> ChurnRisk:
    """Chance of silence over the next ``days`` for every customer of ``base``, each by its path.

    ``model``, ``second``: fitted to the same log and date; without ``second`` (too few ever returned) one-time buyers
    are judged by the model. ``alive``: P(alive) of the base by the model, where it is known already.
    """
    horizon = weeks_in_units(model.config.time_unit, days / DAYS_PER_WEEK)
    x, t_x, T = history_for(model, base)
    weeks = days / DAYS_PER_WEEK
    alive = alive_of(model, base) if alive is None else alive
    factors = model.factors(base, weeks, alive)
    silent = silent_from(model, base, weeks, alive=alive, factors=factors)
    usual = silent_from(model, base, weeks, np.where(base.x > 0, base.T, base.t_x), alive, factors)
    gone = 1 - model.probability_alive_after(horizon, x, t_x, T, alive)
    once, plain = np.asarray(base.x == 0), silent.copy()
    if second is not None and once.any():
        first_day, _, spend = first_gaps(log, base.as_of)
        silent[once] = 1 - second.probability_return(days, base.age_days[once], spend[once], first_day[once])
        usual[once] = 1 - second.probability_return(days, np.zeros(int(once.sum())), spend[once], first_day[once])
        gone[once] = np.nan
    return ChurnRisk(base.customer, once, silent, usual, gone, plain)


def check_churn(
    log: PurchaseDays,
    origin: int,
    days: int,
    model: str = "bgnbd",
    fitted: PurchaseModel | None = None,
    corrected: Callable[[ChurnRisk], ChurnRisk] = lambda risk: risk,
    cuts: Sequence[float] = (),
) -> ChurnCheck:
    """Fit both paths to what was known at ``origin`` and judge who stayed silent in the ``days`` after.

    ``fitted``: the model of that name where it has been fitted to ``summarise(log, origin)`` already. ``corrected``:
    what is made of its chances (:mod:`rondo.science.risks`), known at ``origin``. ``cuts``: chances at which a level
    begins, ascending, besides 0.
    """
    base = summarise(log, origin)
    fitted = fitted or fit_at(model, log, origin, days, base=base)
    try:
        second: SecondPurchase | None = fit_second(log, origin)
    except InputError:
        second = None
    there = alive_of(fitted, base)
    risk = corrected(churn_risk(fitted, second, log, base, days, there))
    stayed_away = window(log, origin, origin + days)[0][base.customer] == 0
    dead = 1 - there
    silence = (base.age_days - base.recency_days).astype(np.float64)
    paths = []
    for path, rows in (("all", np.ones(len(base), np.bool_)), ("repeat", ~risk.once), ("once", risk.once)):
        if rows.any():
            happened = stayed_away[rows]
            ours, recency, alive = (_area(happened, score[rows]) for score in (risk.silent, silence, dead))
            paths.append(PathCheck(path, ours, recency, alive, calibrate(happened, risk.silent[rows])))
    level = np.searchsorted(np.asarray(cuts, dtype=np.float64), risk.silent, side="right")
    levels = (level == number for number in range(len(cuts) + 1))
    told = [LevelCheck(int(of.sum()), float(risk.silent[of].sum()), int(stayed_away[of].sum())) for of in levels]
    return ChurnCheck(origin, origin + days, model, tuple(paths), tuple(told) if cuts else ())


def _area(happened: npt.NDArray[np.bool_], score: FloatArray) -> Auc | None:
    return auc(happened, score) if 0 < happened.sum() < happened.size else None


def _quarter(day: npt.ArrayLike) -> IntArray:
    within = np.mod(np.asarray(day, dtype=np.float64), 365.2425)
    return np.minimum((within / (365.2425 / 4)).astype(np.int64), 3)


def _by_band(
    watched: FloatArray, returned: npt.NDArray[np.bool_], cell: IntArray, cells: int, config: SecondConfig
) -> tuple[FloatArray, FloatArray]:
    """Second purchases and customer days per band and cell of covariates: shape (bands, cells)."""
    edges = np.append(np.asarray(config.bands, dtype=np.float64), np.inf)
    events, exposure = np.zeros((len(config.bands), cells)), np.zeros((len(config.bands), cells))
    # A return on day g has been awaited through the bands up to g; it belongs to the band that ends with or after g.
    band = np.clip(np.searchsorted(edges, watched, side="left") - 1, 0, len(config.bands) - 1)
    np.add.at(events, (band[returned], cell[returned]), 1.0)
    for number, (low, high) in enumerate(pairwise(edges)):
        time = np.clip(np.minimum(watched, high) - low, 0, None)
        exposure[number] = np.bincount(cell, weights=time, minlength=cells)
    return events, exposure


def _fit_rates(events: FloatArray, exposure: FloatArray, bands: int, groups: int, config: SecondConfig) -> FloatArray:
    """Logarithms of rates, spend effects and quarter effects: Poisson likelihood with offsets, lightly penalised."""
    size = bands + groups + 4
    cell = np.arange(groups * 4)
    design = np.zeros((bands, groups * 4, size))
    design[np.arange(bands), :, np.arange(bands)] = 1
    design[:, cell, bands + cell // 4] = 1
    design[:, cell, bands + groups + cell % 4] = 1
    rows, k, e = design.reshape(-1, size), events.ravel(), exposure.ravel()
    # Bands about double in length, so that a straight line over them is a power of age: so it goes on where no one has
    # been watched yet.
    steps = np.zeros((bands - 2, size))
    steps[:, :bands] = np.diff(np.eye(bands), n=2, axis=0)
    penalty = config.smoothing * steps.T @ steps
    penalty[range(bands, size), range(bands, size)] += config.ridge

    def likelihood(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        line = rows @ point
        mean = e * np.exp(line)
        value = float(k @ line - mean.sum() - point @ penalty @ point / 2)
        return value, rows.T @ (k - mean) - penalty @ point, -(rows.T * mean) @ rows - penalty

    start = np.zeros(size)
    start[:bands] = np.log(max(k.sum(), 0.5) / max(e.sum(), 1.0))
    names = tuple(f"e{number}" for number in range(size))
    return maximise(likelihood, start, np.full(size, -30.0), np.full(size, 30.0), names=names).point


__all__ = [
    "ChurnCheck",
    "ChurnRisk",
    "LevelCheck",
    "PathCheck",
    "SecondConfig",
    "SecondPurchase",
    "check_churn",
    "churn_risk",
    "first_gaps",
    "fit_second",
]
