"""Risks of silence, corrected by how often what was foretold came true at earlier dates of the same log.

A model's chances may be ranked well and still be wrong as chances: whoever is taken to have left may come back all the
same. So each path (repeat and one-time buyers) is foretold at the beginnings of earlier windows, which lie side by
side, and the chances told are held against what came: means of bins, kept in order by isotonic regression (Zadrozny &
Elkan 2002, "Transforming Classifier Scores into Accurate Multiclass Probability Estimates", KDD). How much of that
correction to take is learnt, too, since a busy season before tells nothing of the next one: the share of it that would
have foretold the last window best (logarithmic score) from the windows before, by more than that gain's own standard
error; else none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from rondo.errors import InputError
from rondo.science._checks import FloatArray
from rondo.science._newton import ConvergenceError
from rondo.science.churn import ChurnRisk, SecondPurchase, churn_risk, fit_second
from rondo.science.hybrid import Bases, Covariates, Hybrid, sampled
from rondo.science.models import fit_at
from rondo.science.summary import PurchaseDays, summarise, window

WINDOWS = 3
"""So many windows before the day are learnt from, at most."""
CUSTOMERS = 50_000
"""Customers that are learnt from, at most."""
EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
"""Chances at which a bin begins."""
PRIOR = 2.0
"""So many customers who did as foretold are added to each bin: a few say little."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_SEED = 20_170_104
_LEAST = 1e-4


@dataclass(frozen=True)
class Curve:
    """Chances ``told``, ascending, and what ``came`` of them; ``share`` of the difference is taken."""

    told: tuple[float, ...]
    came: tuple[float, ...]
    share: float

    def __call__(self, chances: npt.ArrayLike) -> FloatArray:
        """Corrected chances."""
        given = np.asarray(chances, dtype=np.float64)
        corrected = np.interp(given, (0.0, *self.told, 1.0), (0.0, *self.came, self.came[-1]))
        return np.asarray((1 - self.share) * given + self.share * corrected, dtype=np.float64)


@dataclass(frozen=True)
class Foretold:
    """What was told at ``origin`` of customers known then, and whether each stayed silent in the window after."""

    origin: int
    once: npt.NDArray[np.bool_]
    silent: FloatArray
    stayed_away: npt.NDArray[np.bool_]

    def of(self, once: bool) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Chances and outcomes of one path."""
        rows = self.once == once
        return self.silent[rows], self.stayed_away[rows]


@dataclass(frozen=True)
class Correction:
    """The curves of both paths, None where nothing is corrected; ``origins`` they were learnt at."""

    repeat: Curve | None
    once: Curve | None
    origins: tuple[int, ...]

    def __call__(self, risk: ChurnRisk) -> ChurnRisk:
        """The same customers with corrected chances; nobody is likelier to be gone than to be silent."""
        silent, usual = risk.silent.copy(), risk.usual.copy()
        for curve, rows in ((self.repeat, ~risk.once), (self.once, risk.once)):
            if curve is not None:
                silent[rows], usual[rows] = curve(silent[rows]), curve(usual[rows])
        return replace(risk, silent=silent, usual=usual, gone=np.minimum(risk.gone, silent))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document."""
        return {
            "origins": list(self.origins),
            **{
                path: None if curve is None else {"told": curve.told, "came": curve.came, "share": curve.share}
                for path, curve in (("repeat", self.repeat), ("once", self.once))
            },
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """What :meth:`to_dict` wrote."""
        repeat, once = (
            None if one is None else Curve(tuple(one["told"]), tuple(one["came"]), one["share"])
            for one in (document["repeat"], document["once"])
        )
        return cls(repeat, once, tuple(document["origins"]))


UNCORRECTED = Correction(None, None, ())
"""Of a log that is too short to say anything."""


def learn_correction(
    log: PurchaseDays,
    as_of: int,
    days: int,
    model: str,
    bases: Bases | None = None,
    covariates: Covariates | None = None,
    horizon_days: float | None = None,
) -> Correction:
    """How chances of silence over ``days`` by the model of that name are to be corrected on day ``as_of``, by what came
    before that day.

    A large base is represented by a random sample. ``bases``: what hybrids of the log share; ``covariates``: those that
    a hybrid took; ``horizon_days``: what the model is fitted to forecast, if not these days.
    """
    if model == Hybrid.kind:
        bases = bases or Bases(log)
        log = bases.log_of(log)
    else:
        log = sampled(log, CUSTOMERS, _SEED)
    origins = [as_of - days * back for back in range(WINDOWS, 0, -1)]
    told = [
        found
        for origin in origins
        if origin - log.first_day + 1 >= days
        and (found := _foretell(log, origin, days, model, bases, covariates, horizon_days or days))
    ]
    curves = [learn_curve([one.of(once) for one in told]) for once in (False, True)]
    return Correction(curves[0], curves[1], tuple(one.origin for one in told))


def learn_curve(windows: Sequence[tuple[FloatArray, npt.NDArray[np.bool_]]]) -> Curve | None:
    """From chances and outcomes of windows, the oldest first; None where there are fewer than two with anybody in them,
    or where no share of the correction would have foretold the last one better by more than its standard error."""
    windows = [one for one in windows if one[0].size]
    if len(windows) < 2:
        return None
    told, came = windows[-1]
    before = _means(windows[:-1])
    losses = [_log_loss(Curve(*before, share)(told), came) for share in SHARES]
    best = int(np.argmin([loss.mean() for loss in losses]))
    gain = losses[0] - losses[best]
    if gain.mean() <= gain.std() / np.sqrt(gain.size):  # so much comes by chance where nothing is to be corrected
        return None
    return Curve(*_means(windows), SHARES[best])


def _means(
    windows: Sequence[tuple[FloatArray, npt.NDArray[np.bool_]]],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    told, came = (np.concatenate(column) for column in zip(*windows, strict=True))
    place = np.searchsorted(EDGES, told, side="right") - 1
    number, sums, silent = (
        np.bincount(place, weight, len(EDGES)) for weight in (np.ones(told.size), told, came.astype(np.float64))
    )
    there = number > 0
    mean = sums[there] / number[there]
    weight = number[there] + PRIOR
    shares = isotonic_regression((silent[there] + PRIOR * mean) / weight, weights=weight).x
    return tuple(mean.tolist()), tuple(shares.tolist())


def _log_loss(chances: FloatArray, came: npt.NDArray[np.bool_]) -> FloatArray:
    right = np.where(came, chances, 1 - chances)
    return np.asarray(-np.log(np.maximum(right, _LEAST)), dtype=np.float64)


def _foretell(
    log: PurchaseDays,
    origin: int,
    days: int,
    model: str,
    bases: Bases | None,
    covariates: Covariates | None,
    horizon_days: float,
) -> Foretold | None:
    base = summarise(log, origin)
    try:
        fitted = fit_at(model, log, origin, horizon_days, bases, base, covariates=covariates)
    except (InputError, ConvergenceError):
        return None  # too little had happened by then
    try:
        second: SecondPurchase | None = fit_second(log, origin)
    except (InputError, ConvergenceError):
        second = None  # one-time buyers were judged by the model
    risk = churn_risk(fitted, second, log, base, days)
    came = window(log, origin, origin + days)[0][base.customer]
    return Foretold(origin, risk.once, risk.silent, came == 0)


__all__ = ["UNCORRECTED", "Correction", "Curve", "Foretold", "learn_correction", "learn_curve"]
