"""Fitting a hybrid at a date, and what it multiplies the base model's expectation with, customer by customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from rondo.errors import InputError
from rondo.science import paretonbd
from rondo.science._btyd import FitConfig
from rondo.science._checks import FloatArray, IntArray
from rondo.science._newton import ConvergenceError
from rondo.science.features import Features
from rondo.science.hybrid.history import WINDOWS, describe_history, names, windows_within
from rondo.science.hybrid.learning import Effects, learn
from rondo.science.hybrid.season import Season, fit_season
from rondo.science.paretonbd import ParetoNbd
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, summarise, window

Covariates = Callable[[int], Features]
"""What else is known of customers at the end of a day: one row per customer code of the log, nan where not known."""

# A customer's expectation is at most so many times the base's, or that part of it.
_MOST = float(np.log(20.0))
_GRID = 14


@dataclass(frozen=True)
class HybridConfig:
    """How a hybrid learns.

    ``origins``: earlier dates at most, spread evenly; ``earliest_share``: the first of them as a share of the log up to
    the date; ``window_share``: days learnt from each, as a share of it, at most the horizon; ``minimum_days``: no
    shorter window. ``minimum_customers``, ``minimum_purchases``: of an origin, else it is left out. ``ridge``: penalty
    in purchases. ``sample``: customers learnt from at most, drawn by ``seed``.
    """

    origins: int = 3
    earliest_share: float = 1 / 2
    window_share: float = 1 / 4
    minimum_days: int = 28
    minimum_customers: int = 200
    minimum_purchases: int = 500
    ridge: float = 50.0
    sample: int = 50_000
    seed: int = 20_170_106


@dataclass(frozen=True)
class Hybrid(ParetoNbd):
    """A Pareto/NBD with what it leaves out on top; its face is :class:`rondo.science.models.PurchaseModel`.

    Of a bare history (x, t_x, T) it says what its base says. Of the customers it was fitted on it knows more, and
    :meth:`factors` is what that multiplies their expected purchases with. ``effects``: who buys more or less than the
    base expects, None where there was too little past to learn it from; ``season``: None below two years of log.
    ``origins``: days from which ``days`` were learnt. ``as_of``: the day it was fitted on; ``customers``: codes, and
    ``tilt``: each one's sum of effects but that of the rate, which depends on the horizon. Neither is stored.
    """

    kind: ClassVar[str] = "hybrid"
    title: ClassVar[str] = "Hybrid"
    version: ClassVar[int] = 1

    effects: Effects | None = None
    season: Season | None = None
    origins: tuple[int, ...] = ()
    days: int = 0
    as_of: int = 0
    customers: IntArray = field(default_factory=lambda: np.empty(0, np.int64), repr=False, compare=False)
    tilt: FloatArray = field(default_factory=lambda: np.empty(0), repr=False, compare=False)

    @property
    def learnt(self) -> bool:
        """Whether anything was learnt; without, it is its base."""
        return self.effects is not None or self.season is not None

    def factors(self, base: Summary, weeks: float) -> FloatArray | None:
        """What the base model's expected purchases within ``weeks`` are multiplied with, per customer of ``base``.

        Effects move purchases between customers and leave the sum of the base model's forecast; the season alone
        moves the sum. None where nothing was learnt. Raises InputError for another day or other customers.
        """
        if not self.learnt or weeks <= 0:
            return None
        if base.as_of != self.as_of or not np.array_equal(base.customer, self.customers):
            raise InputError(
                f"hybrid: fitted on {self.customers.size} customers of day {self.as_of}, asked for {len(base)} of day "
                f"{base.as_of}; fit it on that day"
            )
        return self.weighed(self.expected_purchases(weeks, base.x, base.t_x, base.T), self.tilt, weeks)

    def weighed(self, expected: FloatArray, tilt: FloatArray, weeks: float) -> FloatArray:
        """The factors of all customers of a base, by what the base model expects of each within ``weeks`` and their
        ``tilt``."""
        found = np.ones(expected.size)
        if self.effects is not None:
            rate = self.effects.scores(_rate(expected, weeks)[:, None], slice(0, 1))
            found = np.exp(np.clip(tilt + rate, -_MOST, _MOST))
            kept = float(found @ expected)
            found *= float(expected.sum()) / kept if kept > 0 else 1.0
        if self.season is not None:
            found *= self.season.over(self.as_of, self.as_of + weeks * DAYS_PER_WEEK)
        return found

    def bound(self, log: PurchaseDays, covariates: Covariates | None = None) -> Self:
        """The same model speaking of the customers of a log by its own day: what a stored fit needs to forecast them.

        ``covariates``: as it was fitted with. Raises InputError where they are others.
        """
        base = summarise(log, self.as_of)
        if self.effects is None:
            return replace(self, customers=base.customer, tilt=np.zeros(len(base)))
        windows = tuple(window for window in WINDOWS if f"recent_{window}" in self.effects.names)
        columns, known = describe_history(log, base, self, windows), ("rate", *names(windows))
        if covariates is not None:
            given = covariates(self.as_of)
            columns, known = np.column_stack((columns, _drawn_in(given, base))), (*known, *given.names)
        if known != self.effects.names:
            unlike = ", ".join(sorted(set(known) ^ set(self.effects.names)))
            raise InputError(f"hybrid: covariates differ from those of the fit in {unlike}; give the same")
        return replace(self, customers=base.customer, tilt=self.effects.scores(columns, slice(1, None)))

    def describe(self) -> dict[str, Any]:
        """As every model, with what was learnt and from when."""
        return {
            **super().describe(),
            "base": ParetoNbd.title,
            "origins": list(self.origins),
            "days": self.days,
            "effects": []
            if self.effects is None
            else [
                {"name": name, "weight": weight, "error": error}
                for name, weight, error in zip(
                    self.effects.names, self.effects.weights, self.effects.errors, strict=True
                )
            ],
            "season": None if self.season is None else self.season.to_dict(),
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document without the customers; :meth:`from_dict` reads it."""
        document = replace(self, customers=np.empty(0, np.int64), tilt=np.empty(0), effects=None, season=None)
        return {
            **super(Hybrid, document).to_dict(),
            "customers": [],
            "tilt": [],
            "effects": self.effects and self.effects.to_dict(),
            "season": self.season and self.season.to_dict(),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, fingerprint: str) -> Self:
        """As every model; the parameters, effects and season of a stored fit, without its customers."""
        own = {entry.name for entry in fields(cls)} - {entry.name for entry in fields(ParetoNbd)}
        missing = own - set(document)
        if missing:
            raise InputError(f"stored fit: fields missing or unknown: {', '.join(sorted(missing))}; fit again")
        plain = {key: value for key, value in document.items() if key not in own}
        base = ParetoNbd.from_dict({**plain, "model": ParetoNbd.kind}, fingerprint=fingerprint)
        effects, season = document["effects"], document["season"]
        return cls(
            **vars(base),
            effects=None if effects is None else Effects.from_dict(effects),
            season=None if season is None else Season(**{**season, "waves": tuple(season["waves"])}),
            origins=tuple(document["origins"]),
            days=document["days"],
            as_of=document["as_of"],
        )


class Bases:
    """What earlier dates of a log teach, worked out once per date for all hybrids of it (they share most dates).

    Of a large base it is a random part. An entry rests on nothing after its own day and, for what came, its window.
    """

    def __init__(self, log: PurchaseDays, config: HybridConfig | None = None) -> None:
        self.config = config or HybridConfig()
        self._whole = log
        self._known: dict[int, _Base | None] = {}

    @cached_property
    def log(self) -> PurchaseDays:
        """The log that is learnt from."""
        return sampled(self._whole, self.config.sample, self.config.seed)

    def at(self, day: int) -> _Base | None:
        """The customers of that day with the base model fitted to them; None where it cannot be fitted."""
        if day not in self._known:
            base = summarise(self.log, day)
            try:
                model = _base_model(base)
            except (InputError, ConvergenceError):
                self._known[day] = None  # too little had happened by then; later days speak for themselves
            else:
                self._known[day] = _Base(base, model, describe_history(self.log, base, model, WINDOWS))
        return self._known[day]


@dataclass(frozen=True)
class _Base:
    base: Summary
    model: ParetoNbd
    columns: FloatArray


def fit(
    log: PurchaseDays,
    as_of: int,
    horizon_days: float = 365.0,
    covariates: Covariates | None = None,
    config: HybridConfig | None = None,
    fitted: ParetoNbd | None = None,
    bases: Bases | None = None,
) -> Hybrid:
    """Fit a hybrid to what the log showed by the end of day ``as_of``, for forecasts of about ``horizon_days``.

    ``covariates``: asked for the earlier origins and for ``as_of``. ``fitted``: the Pareto/NBD of that day where it is
    there already; ``bases``: shared with other fits to the same log and configuration. Raises InputError or
    ConvergenceError where the base model cannot be fitted on ``as_of``.
    """
    bases = bases or Bases(log, config)
    base = summarise(log, as_of)
    model = fitted or _base_model(base)
    days, origins = _origins(log, as_of, horizon_days, bases.config)
    windows = windows_within(origins[0] - log.first_day) if origins else ()
    effects, learnt_from = _learn(bases, origins, days, windows, covariates)
    found = Hybrid(
        **vars(model),
        effects=effects,
        season=fit_season(log, base, model),
        origins=learnt_from,
        days=days,
        as_of=as_of,
    )
    return found.bound(log, covariates)


def _base_model(base: Summary) -> ParetoNbd:
    return paretonbd.fit(base.x, base.t_x, base.T, config=FitConfig(time_unit="week"))


def _origins(log: PurchaseDays, as_of: int, horizon_days: float, config: HybridConfig) -> tuple[int, list[int]]:
    if not log.day.size:
        return 0, []
    length = as_of - log.first_day + 1
    days = int(min(horizon_days, config.window_share * length))
    earliest, latest = log.first_day + int(config.earliest_share * length), as_of - days
    if days < config.minimum_days or latest < earliest:
        return days, []
    found = np.linspace(earliest, latest, config.origins).astype(np.int64)
    # On a grid of two weeks, so that hybrids of several dates learn from the same days.
    return days, np.unique(log.first_day + (found - log.first_day) // _GRID * _GRID).tolist()


def _learn(
    bases: Bases, origins: list[int], days: int, windows: tuple[int, ...], covariates: Covariates | None
) -> tuple[Effects | None, tuple[int, ...]]:
    config, weeks = bases.config, days / DAYS_PER_WEEK
    fixed = len(names(()))
    columns, exposure, came, number = [], [], [], []
    used: list[int] = []
    known: tuple[str, ...] = ()
    for origin in origins:
        found = bases.at(origin)
        if found is None:
            continue
        base = found.base
        bought = window(bases.log, origin, origin + days)[0][base.customer]
        if len(base) < config.minimum_customers or int(bought.sum()) < config.minimum_purchases:
            continue
        expected = np.maximum(found.model.expected_purchases(weeks, base.x, base.t_x, base.T), 1e-9)
        own = [_rate(expected, weeks), found.columns[:, : fixed + len(windows)]]
        if covariates is not None:
            given = covariates(origin)
            known = given.names
            own.append(_drawn_in(given, base))
        columns.append(np.column_stack(own))
        exposure.append(expected)
        came.append(bought.astype(np.float64))
        number.append(np.full(len(base), len(used)))
        used.append(origin)
    if not used:
        return None, ()
    labels = ("rate", *names(windows), *known)
    effects = learn(
        labels, np.vstack(columns), np.concatenate(exposure), np.concatenate(came), np.concatenate(number), config.ridge
    )
    return effects, tuple(used)


def sampled(log: PurchaseDays, customers: int, seed: int) -> PurchaseDays:
    """A log of about so many of its customers, drawn by ``seed``; the log itself where it has no more."""
    if log.n_customers <= customers:
        return log
    rows = (np.random.default_rng(seed).random(log.n_customers) < customers / log.n_customers)[log.customer]
    return replace(log, customer=log.customer[rows], day=log.day[rows], spend=log.spend[rows])


def _rate(expected: FloatArray, weeks: float) -> FloatArray:
    return np.asarray(np.log(np.maximum(expected, 1e-9) / weeks), dtype=np.float64)


def _drawn_in(features: Features, base: Summary) -> FloatArray:
    """Covariates of the customers of a base, heavy tails drawn in."""
    values = features.values[base.customer]
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), dtype=np.float64)
