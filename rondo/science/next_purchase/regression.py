"""A logistic regression over many pairs of customer and product, of whom few came: rows, weights, probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from rondo.science._checks import FloatArray

FEWEST_HITS = 50


@dataclass(frozen=True)
class Regression:
    """Weights per standard score, on the logit scale, and a second line that turns scores into probabilities."""

    names: tuple[str, ...]
    mean: FloatArray
    deviation: FloatArray
    weights: FloatArray
    slope: float
    intercept: float

    def logit(self, features: npt.NDArray[np.floating]) -> npt.NDArray[Any]:
        """Log odds that a pair occurs in the next basket."""
        scale = (self.slope * self.weights / self.deviation).astype(features.dtype)
        return features @ scale + features.dtype.type(self.intercept - float(self.mean @ scale))

    def total(self, columns: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """As :meth:`logit`, of features that lie one array each; they are spread over each other's rows."""
        scale = self.slope * self.weights / self.deviation
        # The narrow ones first, so that the wide sum is gone through once less for each of them.
        order = np.argsort([column.size for column in columns], kind="stable")
        found = np.full((1, 1), np.float32(self.intercept - float(self.mean @ scale)))
        for number in order:
            found = found + np.float32(scale[number]) * columns[number]
        return found

    def describe(self) -> dict[str, Any]:
        """Weights by name."""
        return {
            "weights": dict(zip(self.names, self.weights.tolist(), strict=True)),
            "slope": self.slope,
            "intercept": self.intercept,
        }


class Rows:
    """Rows for a regression: all that came, and a share of those that did not."""

    def __init__(self) -> None:
        self.features: list[npt.NDArray[Any]] = []
        self.came: list[npt.NDArray[np.bool_]] = []
        self.weight: list[FloatArray] = []
        self.share: list[FloatArray] = []
        self.looked = 0

    @property
    def hits(self) -> int:
        """Rows that came."""
        return sum(int(came.sum()) for came in self.came)

    def take(
        self,
        features: npt.NDArray[Any],
        came: npt.NDArray[np.bool_],
        weight: npt.NDArray[Any],
        share: float,
        rng: np.random.Generator,
    ) -> None:
        """Take pairs that ``came`` or not, of some ``weight``; of those that did not, a ``share``."""
        kept = came | (rng.random(came.size) < share)
        self.features.append(features[kept].astype(np.float64))
        self.came.append(came[kept])
        self.weight.append(np.asarray(weight[kept], np.float64))
        self.share.append(np.where(came[kept], 1.0, 1 / share))

    def regression(self, names: tuple[str, ...], penalty: float) -> Regression:
        """Weights for what was taken; all alike where too little came, or all of it (a shop of one category)."""
        if self.hits < FEWEST_HITS or self.hits == sum(came.size for came in self.came):
            # Nothing can be learnt: all alike, at the rate that there is.
            drawn = sum(float(share.sum()) for share in self.share)
            rate = (self.hits + 0.5) / (drawn + 1)
            nothing = np.zeros(len(names))
            return Regression(names, nothing, nothing + 1, nothing, 1.0, float(np.log(rate / (1 - rate))))
        features, came = np.concatenate(self.features), np.concatenate(self.came)
        share, weight = np.concatenate(self.share), np.concatenate(self.weight)
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        # What was the same for all on the teaching day teaches nothing, whatever it is today.
        told = deviation > 1e-6
        deviation = np.where(told, deviation, 1.0)
        scores = (features - mean) / deviation * told
        each = share * weight / weight.mean()
        model = LogisticRegression(C=penalty, max_iter=500).fit(scores, came, sample_weight=each)
        # Baskets weigh the same for the order, pairs for the probability.
        weights = model.coef_[0] * told
        line = scores @ weights
        second = LogisticRegression(C=1e6, max_iter=500).fit(line[:, None], came, sample_weight=share)
        return Regression(names, mean, deviation, weights, float(second.coef_[0, 0]), float(second.intercept_[0]))
