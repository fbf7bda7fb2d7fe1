"""Learning by how much customers buy more or less than a base model expects: a penalised Poisson regression.

The expectation of the base model is the exposure, so that a weight of 0 leaves it as it is. Every origin has a level of
its own (a fixed effect that is not carried over): what is learnt is who buys more than whom, never how good a quarter
was. Weights are held at 0 by a ridge penalty.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rondo.science._checks import FloatArray, IntArray
from rondo.science._newton import maximise

_REACH = 4.0
_BOUND = 8.0


@dataclass(frozen=True)
class Effects:
    """What each column adds to the logarithm of the expectation, per standard deviation of it.

    ``mean``, ``deviation``: of the columns where they were learnt; ``weights``; ``errors``: their standard errors, for
    counts that vary more than Poisson's.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    weights: tuple[float, ...]
    errors: tuple[float, ...]

    def scores(self, columns: FloatArray, chosen: slice = slice(None)) -> FloatArray:
        """Sum of the effects of ``columns``, those of ``chosen`` among the names, per row; not known counts as mean."""
        mean, deviation = np.array(self.mean)[chosen], np.array(self.deviation)[chosen]
        return np.asarray(_standard(columns, mean, deviation) @ np.array(self.weights)[chosen], dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready document."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Effects:
        """From :meth:`to_dict`."""
        figures = (tuple(document[key]) for key in ("mean", "deviation", "weights", "errors"))
        return cls(tuple(document["names"]), *figures)


def learn(
    names: tuple[str, ...], columns: FloatArray, expected: FloatArray, came: FloatArray, origin: IntArray, ridge: float
) -> Effects:
    """Fit the effects of ``columns`` (row, name) on ``came`` purchases where ``expected`` were forecast.

    ``origin``: number of the origin of each row, from 0; each needs at least one purchase. ``ridge``: weight of the
    penalty in units of purchases. Raises ConvergenceError when no maximum is found.
    """
    known = ~np.isnan(columns)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, columns, 0.0).sum(axis=0) / count
    deviation = np.sqrt(np.where(known, (columns - mean) ** 2, 0.0).sum(axis=0) / count)
    design = _standard(columns, mean, deviation)
    size, origins = design.shape[1], int(origin.max()) + 1
    bought = np.bincount(origin, came, minlength=origins)
    level = np.log(bought / np.bincount(origin, expected, minlength=origins))

    def likelihood(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        weights, levels = point[:size], point[size:]
        line = design @ weights + levels[origin]
        fitted = expected * np.exp(np.minimum(line, 30.0))
        value = float(came @ line - fitted.sum()) - ridge * float(weights @ weights) / 2
        left = came - fitted
        gradient: FloatArray = np.concatenate(
            (design.T @ left - ridge * weights, np.bincount(origin, left, minlength=origins))
        )
        hessian: FloatArray = np.zeros((size + origins, size + origins))
        hessian[:size, :size] = -(design.T * fitted) @ design - ridge * np.eye(size)
        for number in range(origins):
            here = origin == number
            hessian[:size, size + number] = hessian[size + number, :size] = -(fitted[here] @ design[here])
        hessian[range(size, size + origins), range(size, size + origins)] = -np.bincount(
            origin, fitted, minlength=origins
        )
        return value, gradient, hessian

    best = maximise(
        likelihood,
        np.concatenate((np.zeros(size), level)),
        np.full(size + origins, -_BOUND),
        np.full(size + origins, _BOUND),
        names=(*names, *(f"origin {number}" for number in range(origins))),
    )
    weights, levels = best.point[:size], best.point[size:]
    fitted = expected * np.exp(design @ weights + levels[origin])
    # Pearson's dispersion; extreme single customers would dominate it without a floor under the expectation.
    dispersion = max(1.0, float(((came - fitted) ** 2).sum() / max(fitted.sum(), 1e-9)))
    inverse = np.linalg.inv(-best.hessian)[range(size), range(size)]
    errors = np.sqrt(np.maximum(inverse, 0.0) * dispersion)
    return Effects(names, *(tuple(map(float, column)) for column in (mean, deviation, weights, errors)))


def _standard(columns: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    varies = deviation > 1e-12
    scores = (columns - mean) / np.where(varies, deviation, 1.0)
    return np.asarray(np.clip(np.where(np.isnan(scores) | ~varies, 0.0, scores), -_REACH, _REACH), dtype=np.float64)
