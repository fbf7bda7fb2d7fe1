"""Statistical twins of a seed, to widen reach: everybody ranked by how much they resemble it.

Learning from positive and unlabelled customers (Elkan & Noto 2008): who is not in the seed may still be of its kind, so
seed against all others is fitted with balanced classes and a strong penalty, and only the order is used. How good the
order is gets measured by hiding a part of the seed after the other, and looking where it comes out among the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.discrimination import Auc, ranked_above
from rondo.science.features import Features, Scaling
from rondo.science.propensity import FEWEST, _logistic

LEVEL = 0.9
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LookalikeConfig:
    """``penalties``: inverse strengths to choose from; ``folds``: parts of the seed that are hidden one after the
    other; ``unlabelled``: most others that a fit looks at (drawn at random); ``seed``: of all draws."""

    penalties: tuple[float, ...] = (0.001, 0.01, 0.1)
    folds: int = 5
    unlabelled: int = 200_000
    seed: int = 0


@dataclass(frozen=True)
class Lookalikes:
    """Everybody ranked. ``score``: resemblance on the logit scale, per customer; ``rank``: 1 is the closest of those
    outside the seed, 0 for the seed itself. ``found``: how well members came out above the others while they were
    hidden, each one once; too low where many of the others are of the seed's kind, since those are counted against it.
    ``places``: per member (in order of rows) the share of the others that stood above while the member was hidden.
    ``weights``: per standard score."""

    score: FloatArray
    rank: IntArray
    found: Auc
    places: FloatArray
    penalty: float
    scaling: Scaling
    weights: FloatArray

    def reasons(self, features: Features, top: int = 3) -> list[list[tuple[str, float]]]:
        """Per customer the ``top`` features that speak most for the resemblance: (name, share of the log odds)."""
        parts = self.scaling.scores(features) * self.weights
        order = np.argsort(-parts, axis=1, kind="stable")[:, :top]
        return [
            [(features.names[column], float(parts[row, column])) for column in chosen if parts[row, column] > 0]
            for row, chosen in enumerate(order)
        ]

    def reach(self, share: float) -> float:
        """The share of the hidden members that stood among the best ``share`` of the others."""
        return float((self.places <= share).mean())


def rank_by_resemblance(
    features: Features,
    seed: npt.ArrayLike,
    config: LookalikeConfig | None = None,
    progress: Progress | None = None,
) -> Lookalikes:
    """Rank all customers by resemblance to the seed (yes or no per customer); ``progress(done, fits)`` is told of each
    fit.

    Raises InputError for a seed below 20 customers, or of nearly everybody.
    """
    config = config or LookalikeConfig()
    inside = np.asarray(seed).astype(bool)
    if inside.shape != (len(features),):
        raise InputError(f"seed: {inside.shape}, one for each of {len(features)} customers is needed")
    if min(int(inside.sum()), int((~inside).sum())) < FEWEST:
        raise InputError(
            f"seed: {int(inside.sum())} customers inside and {int((~inside).sum())} outside; "
            f"at least {FEWEST} of each are needed"
        )
    rng = np.random.default_rng(config.seed)
    others = np.flatnonzero(~inside)
    if others.size > config.unlabelled:
        others = np.sort(rng.choice(others, config.unlabelled, replace=False))
    members = np.flatnonzero(inside)
    scaling = Scaling.of(features.rows(np.sort(np.concatenate((members, others)))))
    of_members, of_others = scaling.scores(features.rows(members)), scaling.scores(features.rows(others))
    fold = rng.permutation(members.size) % config.folds
    above = np.empty((len(config.penalties), members.size))
    below = np.zeros((len(config.penalties), others.size))
    fits, done = len(config.penalties) * config.folds + 1, 0
    for row, penalty in enumerate(config.penalties):
        for number in range(config.folds):
            hidden = fold == number
            scores = np.vstack((of_members[~hidden], of_others, of_members[hidden]))
            model = _logistic(scores, np.arange(scores.shape[0]) < (~hidden).sum(), penalty, balanced=True)
            told = model.decision_function(scores[(~hidden).sum() :])
            above[row, hidden], lower = ranked_above(told[others.size :], told[: others.size])
            below[row] += lower * hidden.sum() / members.size
            done += 1
            if progress is not None:
                progress(done, fits)
    best = int(np.argmax(above.mean(axis=1)))
    model = _logistic(
        np.vstack((of_members, of_others)),
        np.arange(members.size + others.size) < members.size,
        config.penalties[best],
        balanced=True,
    )
    if progress is not None:
        progress(fits, fits)
    weights: FloatArray = model.coef_[0]
    score: FloatArray = scaling.scores(features) @ weights + float(model.intercept_[0])
    rank = np.zeros(score.size, np.int64)
    outside = np.flatnonzero(~inside)
    rank[outside[np.argsort(-score[outside], kind="stable")]] = np.arange(1, outside.size + 1)
    return Lookalikes(
        score, rank, _area(above[best], below[best]), 1.0 - above[best], config.penalties[best], scaling, weights
    )


def _area(above: FloatArray, below: FloatArray) -> Auc:
    """The area over all folds with DeLong's interval, of the placement of each member and of each of the others."""
    area = float(above.mean())
    variance = float(above.var(ddof=1)) / above.size + float(below.var(ddof=1)) / below.size
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * float(np.sqrt(variance))
    return Auc(area, max(0.0, area - reach), min(1.0, area + reach), above.size, below.size)
