"""Statistical twins of a seed, to widen reach: everybody ranked by how much they resemble it.

Learning from positive and unlabelled customers (Elkan & Noto 2008): who is not in the seed may still be of its kind, so
seed against all others is fitted with balanced classes and a strong penalty, and only the order is used. How good the
order is gets measured by hiding part of the seed and looking where it comes out among the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.discrimination import auc
from rondo.science.features import Features, Scaling
from rondo.science.propensity import FEWEST, _logistic


@dataclass(frozen=True)
class LookalikeConfig:
    """``penalties``: inverse strengths to choose from; ``rounds``: how often half of the seed is hidden to judge the
    order; ``unlabelled``: most others that a fit looks at (drawn at random); ``seed``: of all draws."""

    penalties: tuple[float, ...] = (0.001, 0.01, 0.1)
    rounds: int = 5
    unlabelled: int = 200_000
    seed: int = 0


@dataclass(frozen=True)
class Lookalikes:
    """Everybody ranked. ``score``: resemblance on the logit scale, per customer; ``rank``: 1 is the closest of those
    outside the seed, 0 for the seed itself. ``hidden_auc``: mean area by which the hidden half of the seed came out
    above the others, and its standard deviation over rounds; too low where many of the others are of the seed's kind,
    since those are counted against it. ``weights``: per standard score."""

    score: FloatArray
    rank: IntArray
    hidden_auc: float
    hidden_auc_deviation: float
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


def rank_by_resemblance(features: Features, seed: npt.ArrayLike, config: LookalikeConfig | None = None) -> Lookalikes:
    """Rank all customers by resemblance to the seed (yes or no per customer).

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
    tried = np.empty((len(config.penalties), config.rounds))
    for turn in range(config.rounds):
        hidden = np.zeros(members.size, bool)
        hidden[rng.permutation(members.size)[: members.size // 2]] = True
        scores = np.vstack((of_members[~hidden], of_others, of_members[hidden]))
        known = np.arange(scores.shape[0]) < (~hidden).sum()
        unlabelled = np.vstack((of_others, of_members[hidden]))
        wanted = np.arange(unlabelled.shape[0]) >= of_others.shape[0]
        for row, penalty in enumerate(config.penalties):
            model = _logistic(scores, known, penalty, balanced=True)
            tried[row, turn] = auc(wanted, model.decision_function(unlabelled)).value
    best = int(np.argmax(tried.mean(axis=1)))
    model = _logistic(
        np.vstack((of_members, of_others)),
        np.arange(members.size + others.size) < members.size,
        config.penalties[best],
        balanced=True,
    )
    weights: FloatArray = model.coef_[0]
    score: FloatArray = scaling.scores(features) @ weights + float(model.intercept_[0])
    rank = np.zeros(score.size, np.int64)
    outside = np.flatnonzero(~inside)
    rank[outside[np.argsort(-score[outside], kind="stable")]] = np.arange(1, outside.size + 1)
    return Lookalikes(
        score,
        rank,
        float(tried[best].mean()),
        float(tried[best].std(ddof=1)) if config.rounds > 1 else 0.0,
        config.penalties[best],
        scaling,
        weights,
    )
