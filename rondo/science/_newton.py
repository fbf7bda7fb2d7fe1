"""Maximum likelihood by a damped Newton method with the exact Hessian, for a handful of parameters inside bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rondo.errors import RondoError
from rondo.science._checks import FloatArray

# At a point: the log-likelihood, its gradient and its Hessian.
Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]
# How close to a bound a coordinate counts as at it, in its own units (logarithms of parameters).
_NEAR_BOUND = 0.05


class ConvergenceError(RondoError):
    """The likelihood of the given data has no maximum that could be found."""


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is highest: point, value, Hessian there, steps taken, and which entries lie on a bound."""

    point: FloatArray
    value: float
    hessian: FloatArray
    iterations: int
    on_bound: tuple[bool, ...]


def maximise(
    objective: Objective,
    start: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    names: tuple[str, ...],
    max_iterations: int = 200,
    tolerance: float = 1e-8,
) -> Maximum:
    """Highest point of ``objective`` between ``lower`` and ``upper``.

    Converged when the gain that Newton's quadratic still promises is below ``tolerance`` (in units of log-likelihood,
    or below what float64 can tell apart). Raises ConvergenceError naming the point, gradient and remedy.
    """
    point = np.clip(start, lower, upper)
    value, gradient, hessian = objective(point)
    if not np.isfinite(value):
        raise ConvergenceError(f"log-likelihood is {value} at the start {_listed(names, point)}; check the data")
    for iteration in range(1, max_iterations + 1):
        step, room = _step_inside(point, gradient, hessian, lower, upper)
        promised = float(gradient @ step) / 2
        enough = tolerance + 4e-16 * abs(value)
        if promised <= enough:
            on_bound = tuple(bool(b) for b in (point <= lower) | (point >= upper))
            return Maximum(point, value, hessian, iteration, on_bound)
        length = min(1.0, 1.5 / float(np.abs(step).max()), room)
        while True:
            trial = np.clip(point + length * step, lower, upper)
            trial_value, trial_gradient, trial_hessian = objective(trial)
            gain = trial_value - value
            if np.isfinite(trial_value) and gain >= 1e-4 * float(gradient @ (trial - point)) and gain > 0:
                point, value, gradient, hessian = trial, trial_value, trial_gradient, trial_hessian
                break
            length /= 2
            if length < 1e-10:
                if promised <= 1e-4 + 1e-10 * abs(value):  # a plateau: no test could tell the rest
                    on_bound = tuple(bool(b) for b in (point <= lower) | (point >= upper))
                    return Maximum(point, value, hessian, iteration, on_bound)
                raise ConvergenceError(
                    f"no ascent from {_listed(names, point)} (gradient {gradient.tolist()}); the model may not suit"
                )
    raise ConvergenceError(
        f"not converged after {max_iterations} iterations: {_listed(names, point)}, gradient {gradient.tolist()}; "
        "raise max_iterations or check that the base has enough repeat purchases"
    )


def covariance(hessian: FloatArray, cap: float = 1.0) -> FloatArray:
    """Inverse of the negative Hessian, made positive definite.

    Directions in which the likelihood is flat have no finite variance; each principal variance is capped at ``cap``
    (for logarithms of parameters: one standard deviation is a factor of e).
    """
    values, vectors = np.linalg.eigh(-(hessian + hessian.T) / 2)
    variances = 1 / np.maximum(values, 1 / cap)
    return np.asarray((vectors * variances) @ vectors.T, dtype=np.float64)


def _step_inside(
    point: FloatArray, gradient: FloatArray, hessian: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, float]:
    """An ascending step and how much of it fits between the bounds.

    A step that is cut off at a bound need not ascend, and then jams before it. So coordinates near a bound that the
    gradient drives outwards go right onto it, and Newton's step is of the others (Bertsekas 1982): at the place where
    the former will then be if that ascends, as it does along a ridge, else where they are.
    """
    step, room = _others(point, gradient, hessian, lower, upper, follow=True)
    if float(gradient @ step) <= 0:
        step, room = _others(point, gradient, hessian, lower, upper, follow=False)
    return step, room


def _others(
    point: FloatArray, gradient: FloatArray, hessian: FloatArray, lower: FloatArray, upper: FloatArray, *, follow: bool
) -> tuple[FloatArray, float]:
    at_low, at_high = point <= lower + _NEAR_BOUND, point >= upper - _NEAR_BOUND
    down, up = at_low & (gradient < 0), at_high & (gradient > 0)
    free = ~(down | up)
    onto = np.where(down, lower - point, 0.0) + np.where(up, upper - point, 0.0)
    expected = gradient + hessian @ onto if follow else gradient
    step = np.zeros_like(point)
    while free.any():
        step[:] = 0
        step[free] = _newton_step(hessian[np.ix_(free, free)], expected[free])
        outwards = free & ((at_low & (step < 0)) | (at_high & (step > 0)))
        if not outwards.any():
            break
        free &= ~outwards
    else:
        step[:] = 0
    moving = np.flatnonzero(step)
    limits = np.where(step > 0, upper - point, lower - point)
    room = float(np.min(limits[moving] / step[moving])) if moving.size else 1.0
    return step + onto, room


def _newton_step(hessian: FloatArray, gradient: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(-(hessian + hessian.T) / 2)
    # Where the surface is not concave, |curvature| still points uphill with a sensible length.
    curvature = np.maximum(np.abs(values), 1e-9 * max(1.0, float(np.abs(values).max())))
    return np.asarray(vectors @ ((vectors.T @ gradient) / curvature), dtype=np.float64)


def _listed(names: tuple[str, ...], point: FloatArray) -> str:
    return ", ".join(f"{name} {np.exp(value):.6g}" for name, value in zip(names, point, strict=True))
