"""BG/BB: purchases at regular occasions (yearly donations, weekly shops, days), where leaving is not announced.

Fader, Hardie & Shang (2010), "Customer-Base Analysis in a Discrete-Time Noncontractual Setting", Marketing Science
29(6), 1086-1108. At each occasion a customer who is there buys with probability p; before each occasion the customer
leaves for good with probability theta; over customers p differs as Beta(alpha, beta) and theta as Beta(gamma, delta),
independently. All that matters of a history is x (occasions with a purchase), t_x (the last of them, 0 where there was
none) and n (occasions so far), not counting the first purchase.

A log of purchase *days* is such a process with one occasion a day, so the model stands beside the others for any base:
times are then days. For yearly or weekly occasions count x, t_x and n in those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, digamma, expit, polygamma

from rondo.errors import InputError
from rondo.science._btyd import BuyTillYouDie, FitConfig, in_logs, maximum
from rondo.science._checks import FloatArray, IntArray, Numbers, as_column, history, refuse_where
from rondo.science._newton import maximise
from rondo.science.cells import Cells, distinct_rows, reduce_to_cells

NAMES = ("alpha", "beta", "gamma", "delta")
# Logarithms of parameters. Occasions may be rare events of many days, so that beta and delta may be large.
_LOWER, _UPPER = np.full(4, -10.0), np.full(4, 12.0)
# A base with more cells is fitted roughly on some of them first: all of them are then visited a few times only.
_ROUGH_CELLS = 20_000
_MOST_ENTRIES = 400_000  # of a table (values of x, occasions) at once


@dataclass(frozen=True)
class BgBb(BuyTillYouDie):
    """A fitted BG/BB model; its face is :class:`rondo.science.models.PurchaseModel`, times being occasions.

    ``alpha``, ``beta``: chance to buy at an occasion, mean alpha / (alpha + beta). ``gamma``, ``delta``: chance to
    leave before an occasion, mean gamma / (gamma + delta). ``log_likelihood_without_dropout``: of the beta-binomial,
    the same model where nobody leaves. ``log_covariance``: of the logarithms of the parameters from the Hessian, each
    principal variance capped at 1. P(alive) is at the last occasion; who is alive may leave before the next.
    """

    kind: ClassVar[str] = "bgbb"
    title: ClassVar[str] = "BG/BB"
    names: ClassVar[tuple[str, ...]] = NAMES
    dropout_names: ClassVar[tuple[str, str]] = ("gamma", "delta")
    version: ClassVar[int] = 1

    alpha: float
    beta: float
    gamma: float
    delta: float
    n_customers: float
    log_likelihood: float
    log_likelihood_without_dropout: float
    log_covariance: tuple[tuple[float, ...], ...]
    fingerprint: str
    n_cells: int = 0
    iterations: int = 0
    on_bound: bool = False
    config: FitConfig = field(default_factory=lambda: FitConfig(time_unit="day"))

    @property
    def time_scale(self) -> float:
        """The smaller weight of the population, of buying and of leaving, against the occasions observed."""
        return min(self.alpha + self.beta, self.gamma + self.delta)

    def _history(self, x: Numbers, t_x: Numbers, T: Numbers) -> tuple[FloatArray, FloatArray, FloatArray]:
        return occasions(x, t_x, T)

    def _times(self, times: Numbers, column: str) -> FloatArray:
        found = as_column(times, column)
        refuse_where(found != np.floor(found), found, column, "must be a whole number of occasions")
        return found

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        (ux, ut, un), inverse, _ = distinct_rows(x, t_x, T)
        there, gone = _Leaving(self.parameters, ux, ut, un).logs()
        return np.asarray(expit(there - gone)[inverse], dtype=np.float64)

    def _survival(self, T: FloatArray, occasions_: int) -> FloatArray:
        """E[(1 - theta)^j] for j = 1.. of customers alive at T: shape (rows, occasions)."""
        passed = self.delta + T[:, None] + np.arange(occasions_)
        return np.asarray(np.cumprod(passed / (self.gamma + passed), axis=1), dtype=np.float64)

    def expected_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Expected purchases at the next occasions, as many as each of ``times``, of customers alive: (rows, times).

        Fader, Hardie & Shang (2010), equation (13), as the sum of its terms: the closed form is 0 / 0 at gamma = 1.
        """
        result = np.zeros((x.size, times.size))
        if not x.size or not times.size:
            return result
        (un,), inverse, _ = distinct_rows(T)
        chance = (self.alpha + x) / (self.alpha + self.beta + T)
        for row, total in enumerate(self._by_time(un, times, summed=True)):
            result[:, row] = chance * total[inverse]
        return result

    def _by_time(self, T: FloatArray, times: FloatArray, *, summed: bool = False) -> list[FloatArray]:
        """Survival after each of ``times``, or its sum up to it, per row; a part of the rows at once."""
        longest = int(times.max())
        columns = [np.zeros(T.size) if summed else np.ones(T.size) for _ in times]
        at_once = max(1, _MOST_ENTRIES // max(longest, 1))
        for start in range(0, T.size, at_once):
            part = slice(start, start + at_once)
            survival = self._survival(T[part], longest)
            table = np.cumsum(survival, axis=1) if summed else survival
            for column, time in zip(columns, times, strict=True):
                if time >= 1:
                    column[part] = table[:, int(time) - 1]
        return columns

    def sample_while_alive(
        self, horizon: float, x: FloatArray, T: FloatArray, rng: np.random.Generator, draws: int
    ) -> IntArray:
        """Purchases at the next ``horizon`` occasions drawn for customers known to be alive: shape (draws, rows).

        By conjugacy: p ~ Beta(alpha + x, beta + n - x) and theta ~ Beta(gamma, delta + n), independent; binomial
        purchases at the occasions before the geometric number of the one at which the customer is gone.
        """
        shape = (draws, x.size)
        # Rows that stand for a group of like histories may have a T a little short of their x.
        buys = rng.beta(self.alpha + x, self.beta + np.maximum(T - x, 0), size=shape)
        leaves = rng.beta(self.gamma, self.delta + T, size=shape)
        gone_at = rng.geometric(np.clip(leaves, 1e-15, 1.0))
        left = np.minimum(gone_at - 1, int(horizon))
        return np.asarray(rng.binomial(left, buys), dtype=np.int64)

    def _zero_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        result = np.empty((x.size, times.size))
        a, b = self.alpha + x, self.beta + T - x
        at_once = max(1, _MOST_ENTRIES // max(int(times.max(initial=1)), 1))
        for column, time in enumerate(times):
            steps = np.arange(int(time))
            for start in range(0, x.size, at_once):
                part = slice(start, start + at_once)
                alive = np.concatenate((np.ones((T[part].size, 1)), self._survival(T[part], steps.size)), axis=1)
                misses = b[part, None] + steps
                silent = np.concatenate(
                    (np.ones((T[part].size, 1)), np.cumprod(misses / (a[part, None] + misses), axis=1)), axis=1
                )
                # Gone before occasion j after j - 1 silent ones, or silent and there to the end.
                gone = ((alive[:, :-1] - alive[:, 1:]) * silent[:, :-1]).sum(axis=1)
                result[part, column] = gone + alive[:, -1] * silent[:, -1]
        return result

    def _stays_while_alive(self, times: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        return np.stack(self._by_time(T, times), axis=1)

    def expected_purchases_new(self, t: Numbers) -> FloatArray:
        """Expected repeat purchases of a new customer at the first occasions after the first purchase, for each t.

        Fader, Hardie & Shang (2010), equation (8).
        """
        times = self._times(t, "t")
        return np.asarray(self.expected_while_alive(times, np.zeros(1), np.zeros(1))[0], dtype=np.float64)

    def _figures(self) -> dict[str, float]:
        return {
            "mean_purchase_chance": self.alpha / (self.alpha + self.beta),
            "mean_dropout": self.gamma / (self.gamma + self.delta),
        }


def occasions(x: Numbers, t_x: Numbers, n: Numbers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Checked history in occasions: whole numbers, x <= t_x <= n. Raises InputError naming column, index and value."""
    x_, t_, n_ = history(x, t_x, n)
    for name, column in (("t_x", t_), ("T", n_)):
        refuse_where(column != np.floor(column), column, name, "must be a whole number of occasions (days of a log)")
    refuse_where(x_ > t_, x_, "x", "more purchases than occasions up to the last one; one purchase counts per occasion")
    return x_, t_, n_


def fit(
    x: Numbers,
    t_x: Numbers,
    T: Numbers,
    weights: Numbers | None = None,
    config: FitConfig | None = None,
) -> BgBb:
    """Maximum-likelihood fit to one row per customer.

    ``x``: occasions with a purchase after the first purchase; ``t_x``: number of the last of them (0 where x = 0);
    ``T``: occasions observed (n in the paper); ``weights``: customers that each row stands for. ``config.time_unit``
    says what an occasion is. Raises InputError for impossible rows or a base without repeat purchases,
    ConvergenceError when no maximum is found.
    """
    return fit_cells(reduce_to_cells(*occasions(x, t_x, T), weights), config)


def fit_cells(cells: Cells, config: FitConfig | None = None) -> BgBb:
    """The same fit on cells made before (:func:`rondo.science.cells.reduce_to_cells`)."""
    config = config or FitConfig(time_unit="day")
    occasions(cells.x, cells.t_x, cells.T)
    total_x, total_n = float(cells.counts @ cells.x), float(cells.counts @ cells.T)
    if total_x <= 0:
        raise InputError("column x: no repeat purchase in the base; the model needs some (take a longer log)")
    share = min(total_x / total_n, 0.9)
    start = np.log([0.5, 0.5 * (1 - share) / share, 0.5, 0.5 * total_n / cells.n_customers])
    # Sums over a large base carry rounding of about 1e-12 a customer, below which no ascent can be seen.
    tolerance = max(config.tolerance, 1e-12 * cells.n_customers)
    limits = {"names": NAMES, "max_iterations": config.max_iterations}
    every = len(cells) // _ROUGH_CELLS
    if every > 1:
        some = Likelihood(*(column[::every] for column in (cells.x, cells.t_x, cells.T, cells.counts)))
        start = maximise(some, start, _LOWER, _UPPER, tolerance=1e-3, **limits).point  # type: ignore[arg-type]
    likelihood = Likelihood(cells.x, cells.t_x, cells.T, cells.counts)
    return BgBb(**maximum(likelihood, start, (_LOWER, _UPPER), NAMES, cells, config, tolerance=tolerance))


class Likelihood:
    """Log-likelihood of cells as a function of the logarithms of the parameters, with exact derivatives.

    Fader, Hardie & Shang (2010), equation (4): there to the end, or gone after occasion m = t_x .. n - 1. The terms of
    the sum depend on (x, m) alone and not on t_x and n, so tables over (x, m) serve all cells, and their number stays
    small however many customers there are.
    """

    def __init__(self, x: FloatArray, t_x: FloatArray, n: FloatArray, counts: FloatArray) -> None:
        order = np.argsort(x, kind="stable")
        self._x, self._t, self._n, self._c = x[order], t_x[order], n[order], counts[order]
        self._pairs, self._pair, self._pair_counts = distinct_rows(self._x, self._n, weights=self._c)

    def without_dropout(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """The beta-binomial's log-likelihood of (alpha, beta): nobody leaves."""
        a, b = parameters = np.exp(log_parameters)
        (x, n), w = self._pairs, self._pair_counts
        value = float(w @ (betaln(a + x, b + n - x) - betaln(a, b)))
        both, both1 = digamma(a + b + n) - digamma(a + b), polygamma(1, a + b + n) - polygamma(1, a + b)
        gradient = np.array([w @ (digamma(a + x) - digamma(a) - both), w @ (digamma(b + n - x) - digamma(b) - both)])
        cross = -float(w @ both1)
        hessian = np.array(
            [
                [w @ (polygamma(1, a + x) - polygamma(1, a)) + cross, cross],
                [cross, w @ (polygamma(1, b + n - x) - polygamma(1, b)) + cross],
            ]
        )
        return value, *in_logs(parameters, gradient, hessian)

    def __call__(self, log_parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Value, gradient and Hessian at the logarithms of (alpha, beta, gamma, delta)."""
        parameters = np.exp(log_parameters)
        leaving = _Leaving(parameters, self._x, self._t, self._n)
        value, gradient, hessian = leaving.total(self._c, self._pairs, self._pair)
        return value, *in_logs(parameters, gradient, hessian)


class _Leaving:
    """ln P(history, there to the end) and ln P(history, gone before it) per row, and their derivatives.

    ``gone`` is a sum over m of a window t_x .. n - 1 of one row of a table over (x, m). Windows come from sums to the
    table's end, S(t_x) - S(n), in logarithms: the terms fall with m, so the difference keeps its digits. Means of
    derivatives over the window come from means over S by the same subtraction.
    """

    def __init__(self, parameters: FloatArray, x: FloatArray, t_x: FloatArray, n: FloatArray) -> None:
        self._parameters = parameters
        self._x, self._t, self._n = x, t_x, n  # rows sorted by x, as cells are

    def logs(self) -> tuple[FloatArray, FloatArray]:
        """Both logarithms per row; -inf where t_x = n, since nobody can have left."""
        gone = np.full(self._x.size, -np.inf)
        for rows, values, columns in self._blocks():
            term = self._terms(values, columns)
            sums = np.full((values.size, columns + 1), -np.inf)
            sums[:, :-1] = np.logaddexp.accumulate(term[:, ::-1], axis=1)[:, ::-1]
            which = np.searchsorted(values, self._x[rows])
            gone[rows] = _log_minus(
                sums[which, self._t[rows].astype(np.intp)], sums[which, self._n[rows].astype(np.intp)]
            )
        return self._there(self._x, self._n), gone

    def total(
        self, counts: FloatArray, pairs: tuple[FloatArray, ...], pair: npt.NDArray[np.intp]
    ) -> tuple[float, FloatArray, FloatArray]:
        """Sum over rows of counts ln(there + gone), with derivatives by the parameters.

        ``pairs``: the distinct (x, n), on which being there depends, and ``pair``: each row's place among them.
        """
        there_slope, there_curve = self._there_slopes(*pairs)
        value, gradient, hessian = 0.0, np.zeros(4), np.zeros((4, 4))
        there = self._there(*pairs)[pair]
        for rows, values, columns in self._blocks():
            sums, means = self._tables(values, columns)
            which = np.searchsorted(values, self._x[rows])
            first, last = self._t[rows].astype(np.intp), self._n[rows].astype(np.intp)
            outer, inner = sums[which, first], sums[which, last]
            gone = _log_minus(outer, inner)
            with np.errstate(invalid="ignore", divide="ignore"):
                rest = np.exp(np.minimum(inner - outer, 0.0))[:, None]
                window = (means[first, which] - rest * means[last, which]) / (1 - rest)
            window[first == last] = 0.0
            each = counts[rows]
            value += float(each @ np.logaddexp(there[rows], gone))
            share = expit(gone - there[rows])
            slope, curve = there_slope[pair[rows]], there_curve[pair[rows]]
            slopes = share[:, None] * window[:, :4] + (1 - share)[:, None] * slope
            gradient += each @ slopes
            hessian -= (slopes * each[:, None]).T @ slopes
            hessian += _symmetric((each * share) @ window[:, 4:])
            hessian += (slope * (each * (1 - share))[:, None]).T @ slope + _symmetric((each * (1 - share)) @ curve)
        return value, gradient, hessian

    def _blocks(self) -> list[tuple[slice, FloatArray, int]]:
        """Rows (sorted by x), their values of x and the longest n, for tables of bounded size."""
        values = np.unique(self._x)
        columns = int(self._n.max()) if self._n.size else 0
        at_once = max(1, _MOST_ENTRIES // (columns + 1))
        found = []
        for start in range(0, values.size, at_once):
            some = values[start : start + at_once]
            low, high = np.searchsorted(self._x, [some[0], some[-1]], side="left")
            high = int(np.searchsorted(self._x, some[-1], side="right"))
            rows = slice(int(low), high)
            found.append((rows, some, int(self._n[rows].max())))
        return found

    def _terms(self, x: FloatArray, columns: int) -> FloatArray:
        """ln of the chance to be gone right after occasion m with x purchases before, shape (x, m); -inf for m < x."""
        alpha, beta, gamma, delta = self._parameters
        m = np.arange(columns, dtype=np.float64)
        misses = m - x[:, None]
        bought = betaln(alpha + x[:, None], beta + np.maximum(misses, 0)) - betaln(alpha, beta)
        return np.where(misses >= 0, bought + betaln(gamma + 1, delta + m) - betaln(gamma, delta), -np.inf)

    def _there(self, x: FloatArray, n: FloatArray) -> FloatArray:
        alpha, beta, gamma, delta = self._parameters
        bought = betaln(alpha + x, beta + n - x) - betaln(alpha, beta)
        return np.asarray(bought + betaln(gamma, delta + n) - betaln(gamma, delta), dtype=np.float64)

    def _slopes(self, x: FloatArray, m: FloatArray, left: int) -> tuple[list[FloatArray], list[FloatArray]]:
        """First derivatives of a term by the parameters, and second ones: aa, ab, bb, gg, gd, dd."""
        alpha, beta, gamma, delta = self._parameters
        both = _by_count(digamma, alpha + beta, m) - digamma(alpha + beta)
        either = _by_count(digamma, gamma + delta + left, m) - digamma(gamma + delta)
        first = [
            digamma(alpha + x) - digamma(alpha) - both,
            digamma(beta + m - x) - digamma(beta) - both,
            digamma(gamma + left) - digamma(gamma) - either,
            _by_count(digamma, delta, m) - digamma(delta) - either,
        ]
        both1 = _trigamma(alpha + beta) - _by_count(_trigamma, alpha + beta, m)
        either1 = _trigamma(gamma + delta) - _by_count(_trigamma, gamma + delta + left, m)
        second = [
            _trigamma(alpha + x) - _trigamma(alpha) + both1,
            both1,
            _trigamma(beta + m - x) - _trigamma(beta) + both1,
            _trigamma(gamma + left) - _trigamma(gamma) + either1,
            either1,
            _by_count(_trigamma, delta, m) - _trigamma(delta) + either1,
        ]
        return first, second

    def _there_slopes(self, x: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
        first, second = self._slopes(x, n, 0)
        curve = np.zeros((first[0].size, 10))
        for entry, values in zip(_CURVES, second, strict=True):
            curve[:, entry] = values
        return np.stack(first, axis=1), curve

    def _tables(self, x: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
        """ln S per (x, m), and per (m, x) means over S of the 4 derivatives and the 10 second moments of the term."""
        term = self._terms(x, columns)
        m = np.arange(columns, dtype=np.float64)
        first, second = self._slopes(x[:, None], np.maximum(m, x[:, None]), 1)
        point = np.empty((columns, x.size, 14))
        for entry, values in enumerate(first):
            point[:, :, entry] = values.T
        for entry, (i, j) in enumerate(_PAIRS):
            np.multiply(point[:, :, i], point[:, :, j], out=point[:, :, 4 + entry])
        for entry, values in zip(_CURVES, second, strict=True):
            point[:, :, 4 + entry] += values.T
        sums = np.full((x.size, columns + 1), -np.inf)
        sums[:, :-1] = np.logaddexp.accumulate(term[:, ::-1], axis=1)[:, ::-1]
        with np.errstate(invalid="ignore"):
            share = np.exp(term - sums[:, :-1])
        share = np.where(np.isfinite(term), share, 0.0).T[:, :, None]
        means = np.zeros((columns + 1, x.size, 14))
        for step in range(columns - 1, -1, -1):
            means[step] = share[step] * point[step] + (1 - share[step]) * means[step + 1]
        return sums, means


def _trigamma(value: Any) -> Any:
    return polygamma(1, value)


def _by_count(law: Callable[[FloatArray], FloatArray], base: float, count: FloatArray) -> FloatArray:
    """``law(base + count)`` of whole numbers, worked out once for each number that may occur."""
    known = law(base + np.arange(float(count.max(initial=0)) + 1))
    return known[count.astype(np.intp)]


_PAIRS = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)]
_CURVES = (0, 1, 4, 7, 8, 9)  # where aa, ab, bb, gg, gd, dd stand among the pairs


def _symmetric(entries: FloatArray) -> FloatArray:
    result = np.zeros((4, 4))
    for (i, j), value in zip(_PAIRS, entries, strict=True):
        result[i, j] = result[j, i] = value
    return result


def _log_minus(larger: FloatArray, smaller: FloatArray) -> FloatArray:
    """ln(e^larger - e^smaller) where larger > smaller, else -inf."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(larger > smaller, larger + np.log(-np.expm1(smaller - larger)), -np.inf)


__all__ = ["NAMES", "BgBb", "FitConfig", "Likelihood", "fit", "fit_cells", "occasions"]
