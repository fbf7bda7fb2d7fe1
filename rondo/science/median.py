"""The median of what a customer will buy: the forecast that absolute error asks for, beside the mean that sums ask for.

Absolute error is least, on average, for the median of what may come, squared error for its mean (Gneiting 2011, "Making
and Evaluating Point Forecasts", JASA 106, 746-762). Counts of purchases are skewed, so that the two are far apart: of
most customers of a shop the median is 0.

It is that of the law of :mod:`rondo.science.counts` for purchases at random: a negative binomial with nothing on top,
so that both the expectation and the chance of nothing, s, are as told. Where s is a half or more, the median is 0
whatever the law; else it is the smallest n with P(N <= n) >= 1/2, by the incomplete beta function.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray, Numbers, as_column, same_length
from rondo.science.cells import distinct_rows
from rondo.science.counts import at_most, count_law

_STEP = 0.01  # of the logarithm of the mean
_SHARES = 200  # of the chance of nothing


def median_purchases(expected: Numbers, silent: Numbers, shape: Numbers) -> IntArray:
    """Median number of purchases of customers of whom so many are ``expected``, with the chance ``silent`` of none.

    ``shape``: of the Gamma law of each one's rate given the history, above 0. Means within 1 % and chances within half
    a percent are worked out together. Raises InputError for columns of different lengths and impossible figures.
    """
    m, s, k = as_column(expected, "expected"), as_column(silent, "silent"), as_column(shape, "shape")
    same_length({"expected": m, "silent": s, "shape": k})
    if not ((np.abs(s - 0.5) <= 0.5 + 1e-9).all() and (k > 0).all()):
        raise InputError("median: chances of none from 0 to 1 and shapes above 0 are needed")
    found = np.zeros(m.size, np.int64)
    some = np.flatnonzero((s < 0.5) & (m > 0))
    if some.size:
        steps, shares = np.rint(np.log(m[some]) / _STEP), np.rint(np.maximum(s[some], 0) * _SHARES)
        # Below a half, however it is rounded: at a half itself 0 and 1 are both medians, and the last bit would choose.
        shares = np.minimum(shares, _SHARES / 2 - 0.5)
        (uk, usteps, ushares), rows, _counts = distinct_rows(k[some], steps, shares)
        # Of few of whom as little is expected as the chance allows, the law calls nothing likelier than they are told.
        found[some] = np.maximum(_medians(np.exp(usteps * _STEP), ushares / _SHARES, uk)[rows], 1)
    return found


def _medians(m: FloatArray, s: FloatArray, k: FloatArray) -> IntArray:
    law = count_law(m, s, k)
    mean, level = law.mean, np.maximum(1 - 0.5 / law.goes_on, 0.0)

    def reached(n: FloatArray, rows: IntArray) -> FloatArray:
        return np.asarray(at_most(law.mean[rows], law.ratio[rows], n) >= level[rows])

    # By Cornish and Fisher to the third moment, then one step beside it, then by halving what is left between
    # P(N <= low) < level and P(N <= high) >= level.
    z = ndtri(np.clip(level, 1e-6, 0.5))
    about = mean + z * np.sqrt(mean * (1 + mean / k)) + (z * z - 1) / 6 * (1 + 2 * mean / k)
    low, high = np.full(m.size, -1.0), np.ceil(2 * mean + 1)
    guess, left, beside = np.clip(np.rint(about), 0, high), np.arange(m.size), True
    while left.size:
        enough = reached(guess[left], left)
        high[left] = np.where(enough, guess[left], high[left])
        low[left] = np.where(enough, low[left], guess[left])
        halved = np.floor((low[left] + high[left]) / 2)
        guess[left] = np.clip(np.where(enough, guess[left] - 1, guess[left] + 1), 0, high[left]) if beside else halved
        left, beside = left[high[left] - low[left] > 1], False
    return high.astype(np.int64)


__all__ = ["median_purchases"]
