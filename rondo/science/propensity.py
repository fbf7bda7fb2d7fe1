"""Who is likely to do it: penalised logistic regression on standard scores, calibrated, explained feature by feature.

A linear model in standard scores, since it can be told in words and was no worse than trees on the Complete Journey
(docs/models.md has the table). The penalty is chosen by leaving out one occasion at a time (a campaign, a quarter), so
that what is learnt has to hold for another occasion; the left-out forecasts calibrate the probabilities.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.discrimination import Auc, Calibration, auc, calibrate
from rondo.science.features import Features, Scaling

FEWEST = 20
"""Fewer who did (or did not) than this teach nothing that would hold."""


class NoSignal(InputError):
    """The features do not tell who did: forecasts for those left out ranked them no better than chance."""


@dataclass(frozen=True)
class PropensityConfig:
    """``penalties``: inverse strengths (scikit-learn's ``C``) to choose from; ``folds``: where there is one occasion
    only; ``seed``: of their shuffle."""

    penalties: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Propensity:
    """A fitted model. ``weights`` per standard score and ``intercept`` are on the logit scale, calibration included.

    ``penalty``: the strength chosen. ``cross_auc``, ``cross``: how the left-out forecasts did (before calibration is
    applied to anything new). ``slope``: of the calibration; below 1 the model was too sure of itself.
    """

    scaling: Scaling
    weights: FloatArray
    intercept: float
    penalty: float
    slope: float
    cross_auc: Auc
    cross: Calibration

    def logit(self, features: Features) -> FloatArray:
        """Log odds per customer."""
        found: FloatArray = self.scaling.scores(features) @ self.weights + self.intercept
        return found

    def probability(self, features: Features) -> FloatArray:
        """Probability per customer."""
        found: FloatArray = expit(self.logit(features))
        return found

    def contributions(self, features: Features) -> FloatArray:
        """What each feature adds to the log odds against the average customer of the fit: (customer, feature)."""
        found: FloatArray = self.scaling.scores(features) * self.weights
        return found

    def describe(self) -> dict[str, Any]:
        """The card: parameters, the choice of the penalty, and how the left-out forecasts did."""
        return {
            "weights": dict(zip(self.scaling.names, self.weights.tolist(), strict=True)),
            "intercept": self.intercept,
            "penalty": self.penalty,
            "slope": self.slope,
            "auc": asdict(self.cross_auc),
            "calibration": asdict(self.cross),
            "scaling": self.scaling.to_dict(),
        }


def fit(
    features: Features,
    outcome: npt.ArrayLike,
    occasion: npt.ArrayLike | None = None,
    config: PropensityConfig | None = None,
) -> Propensity:
    """Fit to customers with their features *before* and their ``outcome`` (yes or no) *after* an occasion.

    ``occasion``: a whole number per row; rows of two occasions or more are left out occasion by occasion.

    Raises InputError for fewer than 20 who did or did not, or columns that do not go together; NoSignal where there is
    nothing to learn.
    """
    config = config or PropensityConfig()
    did = np.asarray(outcome).astype(bool)
    if did.shape != (len(features),):
        raise InputError(f"outcome: {did.shape}, one for each of {len(features)} customers is needed")
    if min(int(did.sum()), int((~did).sum())) < FEWEST:
        raise InputError(
            f"outcome: {int(did.sum())} did and {int((~did).sum())} did not; at least {FEWEST} of each are needed"
        )
    folds = _folds(did, occasion, config)
    best: tuple[float, float, FloatArray] | None = None
    for penalty in config.penalties:
        left_out = np.empty(did.size)
        for fold in np.unique(folds):
            inside, outside = folds != fold, folds == fold
            scaling = Scaling.of(features.rows(inside))
            model = _logistic(scaling.scores(features.rows(inside)), did[inside], penalty)
            left_out[outside] = model.decision_function(scaling.scores(features.rows(outside)))
        loss = float(np.mean(np.logaddexp(0, np.where(did, -left_out, left_out))))
        if best is None or loss < best[0]:
            best = (loss, penalty, left_out)
    assert best is not None
    _loss, penalty, left_out = best
    calibration = _logistic(left_out[:, None], did, 1e6)
    slope = float(calibration.coef_[0, 0])
    if slope <= 0:
        raise NoSignal("features: forecasts for left-out customers rank them the wrong way round; there is no signal")
    scaling = Scaling.of(features)
    model = _logistic(scaling.scores(features), did, penalty)
    promised = expit(slope * left_out + float(calibration.intercept_[0]))
    return Propensity(
        scaling,
        slope * model.coef_[0],
        slope * float(model.intercept_[0]) + float(calibration.intercept_[0]),
        penalty,
        slope,
        auc(did, left_out),
        calibrate(did, promised),
    )


def _folds(did: npt.NDArray[np.bool_], occasion: npt.ArrayLike | None, config: PropensityConfig) -> IntArray:
    if occasion is not None:
        given = np.asarray(occasion)
        if given.shape != did.shape:
            raise InputError(f"occasion: {given.shape}, one for each of {did.size} customers is needed")
        found = np.unique(given)
        if found.size > 1 and all(0 < did[given != one].sum() < (given != one).sum() for one in found):
            return np.searchsorted(found, given).astype(np.int64)
    folds = np.empty(did.size, np.int64)
    split = StratifiedKFold(config.folds, shuffle=True, random_state=config.seed)
    for number, (_inside, outside) in enumerate(split.split(folds, did)):
        folds[outside] = number
    return folds


def _logistic(scores: FloatArray, did: npt.NDArray[np.bool_], penalty: float, balanced: bool = False) -> Any:
    # Newton's steps end in few rounds where features tell nearly the same; they take the square of the features.
    solver = "newton-cholesky" if scores.shape[0] > 10 * scores.shape[1] else "lbfgs"
    weight = "balanced" if balanced else None
    model = LogisticRegression(C=penalty, max_iter=2000, tol=1e-8, class_weight=weight, solver=solver)
    return model.fit(scores, did)
