"""The law of one customer's purchases: chance of nothing, expectation, and how far apart counts lie.

A model tells of each customer what is expected, m, and the chance s of nothing at all; hybrids multiply m by a factor
and raise s to its power. Given the history, rates are spread as a Gamma law of shape k = r + x. Were purchases made at
random and at one rate for good, a count would be a negative binomial. For some weeks customers are more regular than
that, and in the long run less, since their rates change; so the variance is taken as::

    variance of N = w m + m^2 / k        w: spread, 1 for purchases at random

and N as the member of Panjer's class with that mean and variance (binomial where the variance is below the mean,
Poisson where it is equal, negative binomial above), with nothing on top so that the chance of nothing is s::

    P(N = 0) = 1 - c + c P0(m / c) = s        N = n > 0 with c times the chance given by the law of mean m / c

c, the chance that the customer goes on as before, follows from s. The spread is learnt from hold-outs
(:func:`fit_spread`): it is the one by which the middle 90 % of the laws held 90 % of what came, as the randomised
probability integral transform counts it (Czado, Gneiting & Held 2009, Biometrics 65, 1254-1261). Customers of whom less
than one purchase is expected say nothing of it: theirs is a matter of the chance of nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from rondo.science._checks import FloatArray, IntArray, Numbers
from rondo.science.cells import distinct_rows

SPREADS = (0.25, 0.5, 1.0, 1.6, 2.5, 4.0, 6.3, 10.0)
"""Spreads at which the laws are tried; between them coverage is interpolated."""
_STEPS = 18
_LEAST = 100
_STEP, _SHARES, _SHAPE = 0.02, 200, 0.05  # of the logarithm of the mean; of the chance of nothing; of that of the shape
_POISSON = 1e-4  # nearer to a variance of once the mean the law is worked out there


@dataclass(frozen=True)
class CountLaw:
    """Of each customer: ``goes_on``, c; ``mean`` of who goes on, m / c; ``ratio`` of the variance to that mean."""

    goes_on: FloatArray
    mean: FloatArray
    ratio: FloatArray

    def at_most(self, count: Numbers) -> FloatArray:
        """P(N <= count) of each customer; ``count`` may lie below 0."""
        n = np.broadcast_to(np.asarray(count, dtype=np.float64), self.mean.shape)
        stays = at_most(self.mean, self.ratio, n)
        return np.asarray(np.where(n < 0, 0.0, 1 - self.goes_on + self.goes_on * stays), dtype=np.float64)

    def held(self, came: IntArray, level: float) -> FloatArray:
        """Chance that the randomised transform of each count that came lies in the middle ``level``."""
        tail = (1 - level) / 2
        below, upto = self.at_most(came - 1), self.at_most(came)
        inside = np.clip(np.minimum(upto, 1 - tail) - np.maximum(below, tail), 0, None)
        return np.asarray(inside / np.maximum(upto - below, 1e-12), dtype=np.float64)

    def bounds(self, level: float) -> tuple[IntArray, IntArray]:
        """Numbers between which ``level`` of each customer's counts lie: quantiles of the law."""
        tail = (1 - level) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def quantile(self, share: float) -> IntArray:
        """The smallest number n of each customer with P(N <= n) >= ``share``."""
        low = np.full(self.mean.size, -1.0)
        high = np.maximum(np.ceil(self.mean + 2 * np.sqrt(self.mean * self.ratio)), 1.0)
        while (short := self.at_most(high) < share).any():
            high = np.where(short, 2 * high, high)
        while (high - low > 1).any():
            middle = np.floor((low + high) / 2)
            enough = self.at_most(middle) >= share
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.asarray(high, dtype=np.int64)


def count_law(expected: Numbers, silent: Numbers, shape: Numbers, spread: float = 1.0) -> CountLaw:
    """The laws of customers of whom so many purchases are ``expected``, with the chance ``silent`` of none.

    ``shape``: of the Gamma law of each one's rate given the history. Where even a customer who goes on for certain is
    silent more often than told, c is 1.
    """
    m, s, k = (np.asarray(column, dtype=np.float64) for column in (expected, silent, shape))
    m, s = np.maximum(m, 1e-9), np.clip(s, 0.0, 1.0)
    low, high = np.maximum(1 - s, 1e-9), np.ones(m.size)

    def off(c: FloatArray) -> FloatArray:
        return np.asarray(1 - c + c * nothing(m / c, spread + m / (c * k)) - s, dtype=np.float64)

    sure = off(high) >= 0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        more = off(middle) > 0
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    goes_on = np.where(sure, 1.0, (low + high) / 2)
    mean = m / goes_on
    return CountLaw(goes_on, mean, spread + mean / k)


def count_bounds(
    expected: Numbers, silent: Numbers, shape: Numbers, spread: float, level: float
) -> tuple[IntArray, IntArray]:
    """:meth:`CountLaw.bounds` of many customers: means within 2 %, chances within half a percent and shapes within 5 %
    are worked out together. Whether nothing at all lies within the bounds is told by each one's own chance."""
    m, s, k = (np.asarray(column, dtype=np.float64) for column in (expected, silent, shape))
    low, high = np.zeros(m.size, np.int64), np.zeros(m.size, np.int64)
    tail = (1 - level) / 2
    some = np.flatnonzero((s < 1 - tail) & (m > 0))
    if some.size:
        shares = np.rint(s[some] * _SHARES)
        for edge in (tail, 1 - tail):  # beside which the bounds jump: nobody is rounded across
            shares = np.where(s[some] < edge, np.minimum(shares, edge * _SHARES - 0.5), shares)
        cells = np.rint(np.log(m[some]) / _STEP), shares * 2, np.rint(np.log(k[some]) / _SHAPE)
        (means, shares, shapes), rows, _counts = distinct_rows(*cells)
        law = count_law(np.exp(means * _STEP), shares / (2 * _SHARES), np.exp(shapes * _SHAPE), spread)
        below, above = (bound[rows] for bound in law.bounds(level))
        low[some], high[some] = np.where(s[some] < tail, np.maximum(below, 1), 0), np.maximum(above, 1)
    return low, high


def nothing(mean: FloatArray, ratio: FloatArray) -> FloatArray:
    """P(0) of Panjer's class with these means and ratios of variance to mean."""
    over = ratio - 1
    close = np.abs(over) < _POISSON
    return np.asarray(np.exp(-mean * np.where(close, 1 - over / 2, np.log(ratio) / np.where(close, 1.0, over))))


def at_most(mean: FloatArray, ratio: FloatArray, count: FloatArray) -> FloatArray:
    """P(N <= count) of Panjer's class with these means and ratios of variance to mean, for counts of 0 or more."""
    over = ratio - 1
    size, n = mean / np.where(np.abs(over) < _POISSON, _POISSON, over), np.maximum(count, 0.0)
    result = np.ones(n.size)
    above = size > 0
    result[above] = betainc(size[above], n[above] + 1, 1 / np.maximum(ratio[above], 1 + _POISSON))
    # A binomial of -size trials, whole or not: nothing beyond them.
    below = -size > n
    result[below] = betainc(-size[below] - n[below], n[below] + 1, ratio[below])
    return result


@dataclass(frozen=True)
class Reached:
    """How many of the counts after one earlier date the middle of the laws held, by spread (:data:`SPREADS`).

    ``customers``: whose counts were looked at. ``whole``: over the ``days`` of the hold-out, ``half``: over the first
    half of them.
    """

    days: int
    customers: int
    whole: FloatArray
    half: FloatArray


def held_by_spread(expected: Numbers, silent: Numbers, shape: Numbers, came: IntArray, level: float) -> FloatArray:
    """The sum of :meth:`CountLaw.held` over customers for each of :data:`SPREADS`."""
    return np.array([count_law(expected, silent, shape, one).held(came, level).sum() for one in SPREADS])


def fit_spread(past: Sequence[Reached], horizon_days: float, level: float) -> float:
    """The spread for a horizon, by which the laws would have held ``level`` of what came after earlier dates.

    All hold-outs have one length. What the spread rose by from their first halves to the whole goes on over a longer
    horizon, but no faster than in proportion to the days, and is taken back over a shorter one. Not below 1: however
    regular customers were, they are not taken to be surer than at random. 1 where fewer than 100 customers were looked
    at.
    """
    customers = sum(one.customers for one in past)
    if customers < _LEAST:
        return 1.0
    whole, half = (
        _spread_at(np.sum([getattr(one, part) for one in past], axis=0) / customers, level)
        for part in ("whole", "half")
    )
    ahead = horizon_days / past[0].days - 1
    found = whole + 2 * ahead * max(0.0, whole - half)
    return float(max(1.0, min(found, whole * (1 + ahead)) if ahead > 0 else found))


def _spread_at(share: FloatArray, level: float) -> float:
    """Where the share held, which rises with the spread, is ``level``."""
    return float(np.exp(np.interp(level, np.maximum.accumulate(share), np.log(SPREADS))))


__all__ = ["SPREADS", "CountLaw", "Reached", "count_bounds", "count_law", "fit_spread", "held_by_spread"]
