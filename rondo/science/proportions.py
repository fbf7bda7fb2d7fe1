"""Intervals of observed shares: Wilson's score interval, the same for people counted more than once, and many
differences of shares at once without calling chance a difference."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray


@dataclass(frozen=True)
class Share:
    """A share of ``hits`` in ``trials`` with the bounds of its interval at ``level``; all within [0, 1]."""

    hits: int
    trials: int
    value: float
    low: float
    high: float
    level: float


def wilson(hits: int, trials: int, level: float = 0.9, *, effective_trials: float | None = None) -> Share | None:
    """Wilson's score interval of a binomial share (Wilson 1927; Brown, Cai & DasGupta 2001, equation 4).

    Args:
        hits: successes, 0 to ``trials``.
        trials: independent trials; without any there is no share and the answer is None.
        level: two-sided coverage, between 0 and 1.
        effective_trials: what the trials are worth when they depend on each other (see :func:`clustered`); the share
            stays ``hits / trials``, the width follows from the effective number.

    Raises:
        InputError: hits outside 0 to trials, or a level outside (0, 1).
    """
    if not 0 <= hits <= trials:
        raise InputError(f"hits={hits}: a number from 0 to trials={trials} is needed.")
    if not 0 < level < 1:
        raise InputError(f"level={level}: a share between 0 and 1 is needed, such as 0.9.")
    if trials == 0:
        return None
    n = float(trials) if effective_trials is None else effective_trials
    p = hits / trials
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At the edges the bound is the edge itself; rounding must not push it past the share.
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == trials else min(1.0, centre + half)
    return Share(hits, trials, p, low, high, level)


def clustered(cells: Iterable[tuple[int, int, int]], level: float = 0.9) -> Share | None:
    """The share over trials that belong to people who were tried more than once, with an honest width.

    Trials of one person resemble each other, so the plain interval is too narrow. The variance of the ratio estimator
    by linearisation over people (Cochran 1977, section 6.3), against the binomial variance, gives Kish's design effect
    (1965); Wilson's interval is then taken with trials divided by it (Dean & Pagano 2015). The effect is never taken
    below 1, and not above the mean cluster allows (all trials of a person alike) when there is one person only.

    Args:
        cells: (trials per person, hits per person, how many such people), people with at least one trial.
        level: two-sided coverage.
    """
    rows = [(n, a, people) for n, a, people in cells if n > 0 and people > 0]
    trials = sum(n * people for n, _, people in rows)
    hits = sum(a * people for _, a, people in rows)
    people_count = sum(people for *_, people in rows)
    if trials == 0 or people_count < 2 or hits in (0, trials):
        # Without variation between people there is nothing to learn about their likeness: count each person once.
        return wilson(hits, trials, level, effective_trials=float(people_count) if trials else None)
    p = hits / trials
    residual = sum(people * (a - p * n) ** 2 for n, a, people in rows)
    variance = people_count / (people_count - 1) * residual / trials**2
    effect = max(1.0, variance / (p * (1 - p) / trials))
    return wilson(hits, trials, level, effective_trials=trials / effect)


@dataclass(frozen=True)
class Differences:
    """Differences of pairs of shares, first minus second, with the bounds of their intervals; ``called`` marks those
    that are more than chance."""

    value: FloatArray
    low: FloatArray
    high: FloatArray
    called: npt.NDArray[np.bool_]


def differences(
    hits: npt.ArrayLike,
    trials: npt.ArrayLike,
    other_hits: npt.ArrayLike,
    other_trials: npt.ArrayLike,
    *,
    false: float = 0.1,
) -> Differences:
    """Which of many pairs of shares differ, when all of them are looked at and the strongest are told.

    Of the differences called, on average at most the share ``false`` is chance, and where nothing differs, in at most
    that share of the looks is any called: the score test of two shares (pooled variance) under the step-up rule of
    Benjamini & Hochberg (1995). The intervals are Newcombe's hybrid score intervals (1998, method 10) at a level that
    allows for the choice among them: 1 - false R / m for R of m called (Benjamini & Yekutieli 2005), and at
    1 - ``false`` for each where none is. What is called has an interval without 0.

    Args:
        hits, trials, other_hits, other_trials: whole numbers, columns of equal length; trials at least 1.
        false: the share of false calls that is borne, between 0 and 1.

    Raises:
        InputError: hits outside 0 to trials, no trials, or ``false`` outside (0, 1).
    """
    columns = (np.asarray(one, dtype=np.float64) for one in (hits, trials, other_hits, other_trials))
    one, n, two, m = np.broadcast_arrays(*columns)
    if not 0 < false < 1:
        raise InputError(f"false={false}: a share between 0 and 1 is needed, such as 0.1.")
    if not ((one >= 0) & (one <= n) & (n >= 1) & (two >= 0) & (two <= m) & (m >= 1)).all():
        raise InputError("hits: numbers from 0 to their trials are needed, and at least one trial on each side.")
    value = one / n - two / m
    pooled = (one + two) / (n + m)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    score = np.divide(value, spread, out=np.zeros_like(value), where=spread > 0)
    called = np.zeros(value.shape, bool)
    if value.size:
        from scipy.stats import false_discovery_control, norm  # pages that show shares alone have no use for it

        called = np.asarray(false_discovery_control(2 * norm.sf(np.abs(score))) <= false)
    level = 1 - false * (int(called.sum()) / value.size if called.any() else 1)
    (low_one, high_one), (low_two, high_two) = _bounds(one, n, level), _bounds(two, m, level)
    low = value - np.hypot(one / n - low_one, high_two - two / m)
    high = value + np.hypot(high_one - one / n, two / m - low_two)
    return Differences(value, low, high, called & ((low > 0) | (high < 0)))


def _bounds(hits: FloatArray, trials: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Wilson's bounds of many shares."""
    z, p = NormalDist().inv_cdf((1 + level) / 2), hits / trials
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * np.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    return np.where(hits == 0, 0.0, centre - half), np.where(hits == trials, 1.0, centre + half)
