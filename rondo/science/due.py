"""When a customer buys of a category again: from the own gaps, drawn towards those of the category.

The logarithm of a gap is forecast by the mean of the customer's earlier ones in the category and of the category's,
weighted by how much customers differ (the credibility weight of Bühlmann 1967). How far gaps fall from that is read
off the data, gaps still open included (Kaplan & Meier 1958), for short and long histories apart; so a category that
many leave gets a forecast that says so. What has passed since the last purchase conditions the forecast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray

HISTORIES = (1, 2, 4, 8, 16)
"""Gaps known from which a history counts as longer: none, 1, 2 to 3, 4 to 7, 8 to 15, 16 and more."""
FEWEST_GAPS = 100
LEVEL = 0.9


@dataclass(frozen=True)
class Pairs:
    """Customer and category, one row per pair that was bought, by both: ``days`` purchase days, ``last`` the latest of
    them, ``mean`` mean logarithm of the gaps between them, ``typical`` their median in days (0 where there is none)."""

    customer: IntArray
    category: IntArray
    days: IntArray
    last: IntArray
    mean: FloatArray
    typical: FloatArray


@dataclass(frozen=True)
class Due:
    """Per pair, days from ``as_of`` until the next purchase: ``median``, and ``low`` to ``high`` (90 %). Infinite where
    that share is not expected to come back at all."""

    median: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Rhythm:
    """Fitted on purchase days up to ``as_of``. ``usual``: mean logarithm of gaps per category. ``weight``: gaps that
    the category's mean counts for. ``edges``, ``survival``: share of gaps longer than the forecast times exp(edge), by
    length of history."""

    as_of: int
    usual: FloatArray
    weight: float
    edges: FloatArray
    survival: FloatArray

    def forecast(self, pairs: Pairs, there: FloatArray | None = None) -> Due:
        """When each pair is due. ``there``: chance of each that its rhythm goes on, by what is known of the customer
        beside it; 1 unless given."""
        centre, row, left, elapsed = self._now(pairs)
        # Of who may be gone, that share of all is a larger one of those who are there, or more than these are.
        still = 1.0 if there is None else np.maximum(there, 1e-9)
        found = []
        for share in (0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2):
            wanted = left * (1 - share / still)
            place = np.empty(row.size, np.int64)
            for kind in range(self.survival.shape[0]):
                here = row == kind
                # Survival falls: the first edge at which no more than that share is left.
                place[here] = np.searchsorted(-self.survival[kind], -wanted[here], side="left")
            beyond = place >= self.edges.size
            gap = np.exp(centre + self.edges[np.minimum(place, self.edges.size - 1)])
            found.append(np.where(beyond, np.inf, np.maximum(np.rint(gap) - elapsed, 1.0)))
        return Due(*found)

    def chance(self, pairs: Pairs, days: float, there: FloatArray | None = None) -> FloatArray:
        """Probability that a pair is bought within ``days`` after ``as_of``; ``there``: see :meth:`forecast`."""
        centre, row, left, elapsed = self._now(pairs)
        later = self._left(row, np.log(elapsed + days + 0.5) - centre)
        found: FloatArray = 1 - later / left
        return found if there is None else found * there

    def _now(self, pairs: Pairs) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
        gaps = pairs.days - 1
        centre = (gaps * pairs.mean + self.weight * self.usual[pairs.category]) / (gaps + self.weight)
        row = np.searchsorted(HISTORIES, gaps, side="right")
        elapsed = (self.as_of - pairs.last).astype(np.float64)
        return centre, row, np.maximum(self._left(row, np.log(elapsed + 0.5) - centre), 1e-9), elapsed

    def _left(self, row: IntArray, value: FloatArray) -> FloatArray:
        place = np.searchsorted(self.edges, value, side="right")
        found: FloatArray = np.concatenate((np.ones((self.survival.shape[0], 1)), self.survival), axis=1)[row, place]
        return found


def purchase_pairs(
    customer: npt.ArrayLike, category: npt.ArrayLike, day: npt.ArrayLike, as_of: int
) -> tuple[Pairs, IntArray, IntArray]:
    """Pairs of customer and category up to the end of day ``as_of`` (rows in any order, days may repeat).

    Also returns the gaps between purchase days, and the place in the pairs that each belongs to, in their order.
    """
    who, what, when = (np.asarray(column, np.int64) for column in (customer, category, day))
    if not who.shape == what.shape == when.shape:
        raise InputError(f"columns differ in length: customer {who.size}, category {what.size}, day {when.size}")
    past = when <= as_of
    who, what, when = who[past], what[past], when[past]
    if not who.size:
        none, real = np.empty(0, np.int64), np.empty(0)
        return Pairs(none, none, none, none, real, real), none, none
    kinds, first, span = int(what.max()) + 1, int(when.min()), int(as_of - when.min()) + 1
    keys = np.unique((who * kinds + what) * span + (when - first))
    pair, date = np.divmod(keys, span)
    start = np.flatnonzero(np.concatenate(([True], np.diff(pair) != 0)))
    days = np.diff(np.append(start, pair.size))
    last = date[start + days - 1] + first
    inside = np.ones(pair.size, bool)
    inside[start] = False
    gaps = np.diff(date, prepend=0)[inside]
    place = np.repeat(np.arange(start.size), days)[inside]
    mean = np.bincount(place, np.log(gaps), minlength=start.size) / np.maximum(days - 1, 1)
    order = np.lexsort((gaps, place))
    known = days > 1
    middle = np.concatenate(([0], np.cumsum(days - 1)))[:-1]
    typical = np.zeros(start.size)
    if gaps.size:
        low, high = middle[known] + (days[known] - 2) // 2, middle[known] + (days[known] - 1) // 2
        typical[known] = (gaps[order][low] + gaps[order][high]) / 2
    who, what = np.divmod(pair[start], kinds)
    return Pairs(who, what, days, last, mean, typical), gaps, place


def fit(pairs: Pairs, gaps: IntArray, place: IntArray, as_of: int, categories: int) -> Rhythm:
    """Fit to what :func:`purchase_pairs` gave for the same ``as_of``; ``categories``: how many there are.

    Raises InputError for fewer than 100 gaps.
    """
    if gaps.size < FEWEST_GAPS:
        raise InputError(f"gaps: {gaps.size} between purchases of a category; at least {FEWEST_GAPS} are needed")
    logs = np.log(gaps)
    usual, weight = credibility(pairs, gaps, place, categories)
    of, each = pairs.category[place], pairs.days - 1
    # Every gap as it was forecast from those before it; then the gap still open, known only to be longer.
    head = np.concatenate(([True], np.diff(place) != 0))
    number = np.arange(gaps.size) - np.maximum.accumulate(np.where(head, np.arange(gaps.size), 0))
    running = np.cumsum(logs)
    before = running - logs
    earlier = before - np.repeat(before[head], np.diff(np.append(np.flatnonzero(head), gaps.size)))
    forecast = (earlier + weight * usual[of]) / (number + weight)
    final = (each * pairs.mean + weight * usual[pairs.category]) / (each + weight)
    open_for = np.log(as_of - pairs.last + 0.5)
    value = np.concatenate((logs - forecast, open_for - final))
    ended = np.concatenate((np.ones(gaps.size, bool), np.zeros(each.size, bool)))
    row = np.searchsorted(HISTORIES, np.concatenate((number, each)), side="right")
    edges = np.unique(np.quantile(value[ended], np.linspace(0, 1, 401)))
    survival = np.stack([_kaplan_meier(value[row == k], ended[row == k], edges) for k in range(len(HISTORIES) + 1)])
    return Rhythm(as_of, usual, weight, edges, survival)


def credibility(pairs: Pairs, gaps: IntArray, place: IntArray, categories: int) -> tuple[FloatArray, float]:
    """Mean logarithm of the gaps of each category, drawn towards that of all by the weight of 5 gaps; and how many of
    a pair's own gaps the category's mean counts for (Bühlmann 1967).

    Raises InputError without any gap.
    """
    if not gaps.size:
        raise InputError("gaps: nobody bought of a category on two days; at least one gap is needed")
    logs = np.log(gaps)
    everybody = float(logs.mean())
    of = pairs.category[place]
    count = np.bincount(of, minlength=categories)
    usual = (np.bincount(of, logs, minlength=categories) + 5 * everybody) / (count + 5)
    # How much gaps of a pair differ, and how much pairs of a category do.
    each = pairs.days - 1
    within = float(((logs - pairs.mean[place]) ** 2).sum() / max(int((each[each > 1] - 1).sum()), 1))
    known = each > 0
    apart = float(((pairs.mean - usual[pairs.category])[known] ** 2 * each[known]).sum() / each.sum())
    between = max(apart - within * int(known.sum()) / int(each.sum()), 0.01 * within, 1e-6)
    return usual, within / between


def _kaplan_meier(value: FloatArray, ended: npt.NDArray[np.bool_], edges: FloatArray) -> FloatArray:
    """Share longer than each edge."""
    order = np.lexsort((~ended, value))
    value, ended = value[order], ended[order]
    left = np.arange(value.size, 0, -1)
    logs = np.cumsum(np.where(ended, np.log1p(-1 / np.maximum(left, 1.000001)), 0.0))
    place = np.searchsorted(value, edges, side="right")
    found: FloatArray = np.exp(np.concatenate(([0.0], logs)))[place]
    return found


@dataclass(frozen=True)
class HeldOut:
    """What came of forecasts: ``pairs`` whose interval ends within the days watched, the share bought within it, and
    the shares bought too early and too late (or not). ``expected`` and ``came`` within ``days``, of all pairs."""

    pairs: int
    inside: float
    early: float
    late: float
    days: tuple[int, ...]
    expected: tuple[float, ...]
    came: tuple[float, ...]


def hold_out(
    customer: IntArray, category: IntArray, day: IntArray, origin: int, until: int, fewest_days: int = 3
) -> HeldOut:
    """Fit up to day ``origin`` and watch until day ``until`` what pairs with so many purchase days bought."""
    kinds = int(category.max()) + 1
    known, gaps, place = purchase_pairs(customer, category, day, origin)
    model = fit(known, gaps, place, origin, kinds)
    later = (day > origin) & (day <= until)
    keys = customer[later] * kinds + category[later]
    own = known.customer * kinds + known.category
    at = np.clip(np.searchsorted(own, keys), 0, own.size - 1)
    here = own[at] == keys
    wait = np.full(own.size, np.inf)
    np.minimum.at(wait, at[here], (day[later][here] - origin).astype(np.float64))
    enough = known.days >= fewest_days
    due = model.forecast(known)
    judged = enough & (due.high <= until - origin)
    spans = tuple(d for d in (7, 14, 28, 56) if d <= until - origin)
    count = max(int(judged.sum()), 1)
    return HeldOut(
        int(judged.sum()),
        float(((wait >= due.low) & (wait <= due.high))[judged].sum() / count),
        float((wait < due.low)[judged].sum() / count),
        float((wait > due.high)[judged].sum() / count),
        spans,
        tuple(float(model.chance(known, d)[enough].mean()) for d in spans),
        tuple(float((wait <= d)[enough].mean()) for d in spans),
    )
