"""Fitting a hybrid at a date, and what it multiplies the base model's expectation with, customer by customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science import paretonbd
from rondo.science._btyd import FitConfig
from rondo.science._checks import FloatArray, IntArray
from rondo.science._newton import ConvergenceError
from rondo.science.features import Features
from rondo.science.hybrid.history import WINDOWS, describe_history, names, windows_within
from rondo.science.hybrid.learning import Effects, learn
from rondo.science.hybrid.level import Level, cohort_total, fit_level
from rondo.science.hybrid.season import Season, fit_season
from rondo.science.hybrid.trying import Covariates, Tried, choose, deviance
from rondo.science.paretonbd import ParetoNbd
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, summarise, window

# A customer's expectation is at most so many times the base's, or that part of it.
_MOST = float(np.log(20.0))
_GRID = 14


@dataclass(frozen=True)
class HybridConfig:
    """How a hybrid learns.

    ``origins``: earlier dates at most, spread evenly; ``levels``: dates at most whose error of the total is looked at,
    within the same bounds; ``earliest_share``: the first of them as a share of the log up to
    the date; ``window_share``: days learnt from each, as a share of it, at most the horizon; ``minimum_days``: no
    shorter window. ``minimum_customers``, ``minimum_purchases``: of an origin, else it is left out. ``ridge``: penalty
    in purchases. ``sample``: customers learnt from at most, drawn by ``seed``.
    """

    origins: int = 3
    levels: int = 8
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
    base expects, ``level``: what moves the total, both None where there was too little past to learn them from;
    ``season``: None below two years of log; ``tried``: groups of covariates offered, taken or not. ``origins``: days
    from which ``days`` were learnt. ``as_of``: the day it was fitted on; ``customers``: codes, and ``tilt``: each one's
    sum of effects but that of the rate, which depends on the horizon. Neither is stored.
    """

    kind: ClassVar[str] = "hybrid"
    title: ClassVar[str] = "Hybrid"
    version: ClassVar[int] = 1

    effects: Effects | None = None
    level: Level | None = None
    season: Season | None = None
    tried: tuple[Tried, ...] = ()
    origins: tuple[int, ...] = ()
    days: int = 0
    as_of: int = 0
    customers: IntArray = field(default_factory=lambda: np.empty(0, np.int64), repr=False, compare=False)
    tilt: FloatArray = field(default_factory=lambda: np.empty(0), repr=False, compare=False)

    @property
    def learnt(self) -> bool:
        """Whether anything was learnt; without, it is its base."""
        return self.effects is not None or self.level is not None or self.season is not None

    def factors(self, base: Summary, weeks: float, alive: FloatArray | None = None) -> FloatArray | None:
        """What the base model's expected purchases within ``weeks`` are multiplied with, per customer of ``base``.

        Effects move purchases between customers; their sum is that of the cohorts, moved by the level and the season.
        None where nothing was learnt. Raises InputError for another day or other customers.
        """
        if not self.learnt or weeks <= 0:
            return None
        if base.as_of != self.as_of or not np.array_equal(base.customer, self.customers):
            raise InputError(
                f"hybrid: fitted on {self.customers.size} customers of day {self.as_of}, asked for {len(base)} of day "
                f"{base.as_of}; fit it on that day"
            )
        expected = self.expected_purchases(weeks, base.x, base.t_x, base.T, alive)
        return self.weighed(expected, self.tilt, base.T, weeks)

    def weighed(self, expected: FloatArray, tilt: FloatArray, ages: FloatArray, weeks: float) -> FloatArray:
        """The factors of all customers of a base, by what the base model expects of each within ``weeks``, their
        ``tilt`` and their ``ages`` (weeks since the first purchase)."""
        found, total = np.ones(expected.size), float(expected.sum())
        if self.effects is not None:
            rate = self.effects.scores(_rate(expected, weeks)[:, None], slice(0, 1))
            found = np.exp(np.clip(tilt + rate, -_MOST, _MOST))
            kept = float(found @ expected)
            found *= total / kept if kept > 0 else 1.0
        if self.level is not None and total > 0:
            found *= cohort_total(self, ages, weeks) * float(np.exp(self.level.carried)) / total
        if self.season is not None:
            found *= self.season.over(self.as_of, self.as_of + weeks * DAYS_PER_WEEK)
        return found

    def bound(
        self,
        log: PurchaseDays,
        covariates: Covariates | None = None,
        base: Summary | None = None,
        described: FloatArray | None = None,
    ) -> Self:
        """The same model speaking of the customers of a log by its own day: what a stored fit needs to forecast them.

        ``covariates``: as it was fitted with. ``base``: the log's summary of that day, ``described``: its histories
        over all windows, where they are there already. Raises InputError where the covariates are others.
        """
        base = summarise(log, self.as_of) if base is None else base
        if self.effects is None:
            return replace(self, customers=base.customer, tilt=np.zeros(len(base)))
        windows = tuple(window for window in WINDOWS if f"recent_{window}" in self.effects.names)
        known: tuple[str, ...] = ("rate", *names(windows))
        if described is None:
            columns = describe_history(log, base, self, windows)
        else:
            columns = described[:, : len(names(())) + len(windows)]
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
            "level": None if self.level is None else self.level.to_dict(),
            "season": None if self.season is None else self.season.to_dict(),
            "tried": [one.to_dict() for one in self.tried],
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document without the customers; :meth:`from_dict` reads it."""
        bare: dict[str, Any] = {"effects": None, "level": None, "season": None, "tried": ()}
        document = replace(self, customers=np.empty(0, np.int64), tilt=np.empty(0), **bare)
        return {
            **super(Hybrid, document).to_dict(),
            "customers": [],
            "tilt": [],
            "effects": self.effects and self.effects.to_dict(),
            "level": self.level and self.level.to_dict(),
            "season": self.season and self.season.to_dict(),
            "tried": [one.to_dict() for one in self.tried],
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
        effects, level, season = document["effects"], document["level"], document["season"]
        return cls(
            **vars(base),
            effects=None if effects is None else Effects.from_dict(effects),
            level=None if level is None else Level.from_dict(level),
            season=None if season is None else Season(**{**season, "waves": tuple(season["waves"])}),
            tried=tuple(Tried(**one) for one in document["tried"]),
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

    def log_of(self, log: PurchaseDays) -> PurchaseDays:
        """What is learnt from of ``log``: :attr:`log` itself where it is of it, so that fits to it find the dates."""
        return self.log if log is self._whole else sampled(log, self.config.sample, self.config.seed)

    def at(self, day: int) -> _Base | None:
        """The customers of that day with the base model fitted to them; None where it cannot be fitted."""
        if day not in self._known:
            base = summarise(self.log, day)
            try:
                model = _base_model(base)
            except (InputError, ConvergenceError):
                self._known[day] = None  # too little had happened by then; later days speak for themselves
            else:
                self._known[day] = _Base(self.log, base, model)
        return self._known[day]


@dataclass(frozen=True)
class _Base:
    log: PurchaseDays
    base: Summary
    model: ParetoNbd

    @cached_property
    def columns(self) -> FloatArray:
        """Their histories described, over all windows; asked for at fewer dates than the model is."""
        return describe_history(self.log, self.base, self.model, WINDOWS)

    @cached_property
    def alive(self) -> FloatArray:
        """P(alive) of each of them: asked for by every hybrid that learns from the date."""
        return self.model.probability_alive(self.base.x, self.base.t_x, self.base.T)

    def expected(self, weeks: float) -> FloatArray:
        """What the model expects of each of them within ``weeks``."""
        return self.model.expected_purchases(weeks, self.base.x, self.base.t_x, self.base.T, self.alive)


def fit(
    log: PurchaseDays,
    as_of: int,
    horizon_days: float = 365.0,
    covariates: Covariates | None = None,
    config: HybridConfig | None = None,
    fitted: ParetoNbd | None = None,
    bases: Bases | None = None,
    offered: Mapping[str, Covariates] | None = None,
    base: Summary | None = None,
) -> Hybrid:
    """Fit a hybrid to what the log showed by the end of day ``as_of``, for forecasts of about ``horizon_days``.

    ``covariates``: taken in any case, asked for the earlier origins and for ``as_of``; or ``offered``: groups by name,
    of which those are taken that foretell better at an earlier date (:mod:`rondo.science.hybrid.trying`). ``fitted``:
    the Pareto/NBD of that day, ``base``: the log's summary of it, where they are there already; ``bases``: shared with
    other fits to the same log and configuration. Raises InputError or ConvergenceError where the base model cannot be
    fitted on ``as_of``.
    """
    bases = bases or Bases(log, config)
    shared = bases.at(as_of) if fitted is None and log is bases.log else None
    if base is None:
        base = shared.base if shared else summarise(log, as_of)
    model = fitted or (shared.model if shared else _base_model(base))
    days, earliest, latest = _bounds(log, as_of, horizon_days, bases.config)
    origins = _spread(log, earliest, latest, bases.config.origins)
    windows = windows_within(origins[0] - log.first_day) if origins else ()
    if covariates is not None and offered:
        raise InputError("hybrid: covariates and offered together; give all as groups that are offered, or none")
    tried: tuple[Tried, ...] = ()
    if offered and origins:
        covariates, tried = choose(offered, lambda one: _judged(bases, origins[-1], days, one))
    effects, learnt_from = _learn(bases, origins, days, windows, covariates)
    season = fit_season(log, base, model)
    found = Hybrid(
        **vars(model),
        effects=effects,
        level=_level(bases, _spread(log, earliest, latest, bases.config.levels), days, season),
        season=season,
        tried=tried,
        origins=learnt_from,
        days=days,
        as_of=as_of,
    )
    return found.bound(log, covariates, base, shared.columns if shared and effects is not None else None)


def _base_model(base: Summary) -> ParetoNbd:
    return paretonbd.fit(base.x, base.t_x, base.T, config=FitConfig(time_unit="week"))


def _bounds(log: PurchaseDays, as_of: int, horizon_days: float, config: HybridConfig) -> tuple[int, int, int]:
    """Length of the windows learnt from, and the first and last day at which they may begin; none if that is before."""
    if not log.day.size:
        return 0, 0, -1
    length = as_of - log.first_day + 1
    days = int(min(horizon_days, config.window_share * length))
    earliest, latest = log.first_day + int(config.earliest_share * length), as_of - days
    return days, earliest, latest if days >= config.minimum_days else earliest - 1


def _spread(log: PurchaseDays, earliest: int, latest: int, count: int) -> list[int]:
    if latest < earliest:
        return []
    return on_grid(log, np.linspace(earliest, latest, count))


def on_grid(log: PurchaseDays, days: FloatArray) -> list[int]:
    """The days moved back to one of every 14 of a log, ascending, so that hybrids of several dates share what they
    learn from."""
    found: list[int] = np.unique(log.first_day + (days.astype(np.int64) - log.first_day) // _GRID * _GRID).tolist()
    return found


def _held(bases: Bases, origins: list[int], days: int) -> list[tuple[int, _Base, IntArray]]:
    """Those of the dates that have enough customers and purchases: what was known then, and what came of each."""
    found = []
    for origin in origins:
        held = bases.at(origin)
        if held is None:
            continue
        bought = window(bases.log, origin, origin + days)[0][held.base.customer]
        enough = len(held.base) >= bases.config.minimum_customers
        if enough and int(bought.sum()) >= bases.config.minimum_purchases:
            found.append((origin, held, bought))
    return found


def _level(bases: Bases, origins: list[int], days: int, season: Season | None) -> Level | None:
    used, errors, chance = [], [], []
    for origin, held, bought in _held(bases, origins, days):
        base, model, weeks = held.base, held.model, days / DAYS_PER_WEEK
        expected = held.expected(weeks)
        total = cohort_total(model, base.T, weeks)
        if season is not None:
            total *= season.over(origin, origin + days)
        used.append(origin)
        errors.append(float(np.log(bought.sum() / total)))
        # Poisson's, and the rates that are not known: Gamma given the history, of shape r + x.
        variance = float((expected * (1 + expected / (model.r + base.x))).sum())
        chance.append(np.sqrt(variance) / float(expected.sum()))
    return fit_level(used, days, np.array(errors), np.array(chance)) if used else None


def _learn(
    bases: Bases,
    origins: list[int],
    days: int,
    windows: tuple[int, ...],
    covariates: Covariates | None,
    taught: npt.NDArray[np.bool_] | None = None,
) -> tuple[Effects | None, tuple[int, ...]]:
    """Effects and the dates they are learnt from; ``taught``: from which customers, by code, None for all."""
    columns, exposure, came, number = [], [], [], []
    used: list[int] = []
    known: tuple[str, ...] = ()
    for origin, found, bought in _held(bases, origins, days):
        own, expected, happened, known = _rows(origin, found, bought, days, windows, covariates)
        if taught is not None:
            rows = taught[found.base.customer]
            own, expected, happened = own[rows], expected[rows], happened[rows]
            if not happened.sum() > 0:  # none of them was there, or bought: this date teaches nothing of the others
                continue
        columns.append(own)
        exposure.append(expected)
        came.append(happened)
        number.append(np.full(expected.size, len(used)))
        used.append(origin)
    if not used:
        return None, ()
    labels = ("rate", *names(windows), *known)
    effects = learn(
        labels,
        np.vstack(columns),
        np.concatenate(exposure),
        np.concatenate(came),
        np.concatenate(number),
        bases.config.ridge,
    )
    return effects, tuple(used)


def _rows(
    origin: int, held: _Base, bought: IntArray, days: int, windows: tuple[int, ...], covariates: Covariates | None
) -> tuple[FloatArray, FloatArray, FloatArray, tuple[str, ...]]:
    """Of each customer of a date: columns, what the base model expects, what came; and the names of the covariates."""
    base, weeks = held.base, days / DAYS_PER_WEEK
    expected = np.maximum(held.expected(weeks), 1e-9)
    own = [_rate(expected, weeks)[:, None], held.columns[:, : len(names(())) + len(windows)]]
    known: tuple[str, ...] = ()
    if covariates is not None:
        given = covariates(origin)
        known = given.names
        own.append(_drawn_in(given, base))
    return np.column_stack(own), expected, bought.astype(np.float64), known


def _judged(bases: Bases, last: int, days: int, covariates: Covariates | None) -> FloatArray | None:
    """Deviance of each customer at the date ``last``, by what other customers showed one and two windows before it.

    Each half of the customers is judged by the other one: what a column shares with the lasting habits of those it was
    learnt from, by luck alone, would hold for them later too.
    """
    earlier = [day for day in on_grid(bases.log, np.array([last - 2 * days, last - days])) if day > bases.log.first_day]
    windows = windows_within(earlier[0] - bases.log.first_day) if earlier else ()
    held = _held(bases, [last], days)
    if not held:
        return None
    columns, expected, came, _known = _rows(*held[0], days, windows, covariates)
    half = np.random.default_rng(bases.config.seed).random(bases.log.n_customers) < 0.5
    scores = np.empty(expected.size)
    for taught in (half, ~half):
        effects, _used = _learn(bases, earlier, days, windows, covariates, taught)
        if effects is None:
            return None
        told = ~taught[held[0][1].base.customer]
        scores[told] = effects.scores(columns[told])
    forecast = expected * np.exp(np.clip(scores, -_MOST, _MOST))
    return deviance(forecast * (expected.sum() / forecast.sum()), came)


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
