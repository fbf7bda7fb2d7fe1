"""Whether somebody buys other things, or over other channels, than before: shares of parts, day by day.

Each purchase day is a point: what part of its spend went to which category (or channel). The mean of the days looked at
is compared with that of the days before by the squared distance, which chance makes about tr(S) (1/n + 1/m) large, S
being the scatter of days within both times; its distribution is taken as a scaled chi-square with tr(S)² / tr(S²)
degrees of freedom (Box 1954, Annals of Mathematical Statistics 25), with tr(S²) estimated as by Bai & Saranadasa (1996,
Statistica Sinica 6), and turned into a standard score by the cube root of Wilson & Hilferty (1931). A day counts once
however much was spent, so that one large purchase is no change. What all customers' means moved meanwhile is taken off.

Rare things make tails longer than that. Whose score is high is therefore looked at again: the own days are dealt at
random to the two times, and the distance is judged by the first three moments of those so dealt (Pearson type III).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import gamma, norm, skew

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray

WEEKS = 52
"""So many weeks are looked back."""
RECENT_DAYS, PAST_DAYS = 5, 10
"""Purchase days that each time needs."""
_PEERS = 100
"""From so many customers on what all moved is taken off."""
_BLOCK_ROWS = 20_000
_CLOSER = 2.0
_DEALS = 999
_SEED = 1931


@dataclass(frozen=True)
class Parts:
    """What each customer's purchase days were made of: one row per ``customer`` code, ``day`` and ``part`` (0 to
    ``parts`` - 1) with the ``amount`` above 0, by customer and day."""

    customer: IntArray
    day: IntArray
    part: IntArray
    amount: FloatArray
    parts: int
    n_customers: int

    def __post_init__(self) -> None:
        sizes = {column.size for column in (self.customer, self.day, self.part, self.amount)}
        if len(sizes) != 1:
            raise InputError(f"parts: columns differ in length: {sorted(sizes)}")
        if self.part.size and not 0 <= int(self.part.min()) <= int(self.part.max()) < self.parts:
            raise InputError(f"part: {int(self.part.max())}; codes from 0 to below {self.parts} are needed")

    def of(self, customers: np.ndarray) -> Parts:
        """The rows of some customers, given as a mask by code."""
        rows = customers[self.customer]
        return Parts(
            self.customer[rows], self.day[rows], self.part[rows], self.amount[rows], self.parts, self.n_customers
        )


@dataclass(frozen=True)
class Scored:
    """Standard scores of ``customer`` codes that can be judged (large: other than before); ``gained``: the part whose
    share rose most, and its mean share ``before`` and ``now``."""

    score: FloatArray
    customer: IntArray
    gained: IntArray
    before: FloatArray
    now: FloatArray


def scored(parts: Parts, as_of: int, weeks: int) -> Scored:
    """Scores of the last ``weeks`` up to the end of day ``as_of`` against the rest of a year; later rows are not
    read."""
    age = as_of - parts.day
    inside = (age >= 0) & (age < 7 * WEEKS) & (parts.amount > 0)
    customer, day, part = parts.customer[inside], parts.day[inside], parts.part[inside]
    amount = parts.amount[inside]
    none, real = np.empty(0, np.int64), np.empty(0)
    if not customer.size or parts.parts < 2:
        return Scored(real, none, none, real, real)
    new = np.concatenate(([True], (np.diff(customer) != 0) | (np.diff(day) != 0)))
    visit = np.cumsum(new) - 1
    who, when = customer[new], day[new]
    recent = as_of - when < 7 * weeks
    size = parts.n_customers
    n = np.bincount(who[recent], minlength=size)
    m = np.bincount(who[~recent], minlength=size)
    able = np.flatnonzero((n >= RECENT_DAYS) & (m >= PAST_DAYS))
    if not able.size:
        return Scored(real, none, none, real, real)
    share = amount / np.bincount(visit, amount)[visit]
    place = np.full(size, -1)
    place[able] = np.arange(able.size)
    kept = place[customer] >= 0
    counts = np.stack([m[able], n[able]]).astype(np.float64)
    sums = np.zeros((2, able.size * parts.parts))
    cell = place[customer[kept]] * parts.parts + part[kept]
    for late in (0, 1):
        here = recent[visit[kept]] == bool(late)
        sums[late] = np.bincount(cell[here], share[kept][here], minlength=able.size * parts.parts)
    means = sums.reshape(2, able.size, parts.parts) / counts[:, :, None]
    trace, squared = _scatter(parts.parts, visit, part, share, place[who], means, counts)
    move = means[1] - means[0]
    if able.size >= _PEERS:
        move = move - move.mean(axis=0)
    distance = (move**2).sum(axis=1)
    expected = trace * (1 / counts[0] + 1 / counts[1])
    known = (trace > 1e-9) & (squared > 1e-12)
    # Who bought one thing alone before and another alone now has no scatter, and yet changed: dealing tells.
    plain = ~known & (distance > 1e-9)
    freedom = np.where(known, trace**2 / np.where(known, squared, 1.0), 1.0).clip(1.0, parts.parts - 1)
    ratio = np.where(known, distance / np.where(known, expected, 1.0), 0.0)
    spread = 2 / (9 * freedom)
    score = (np.cbrt(ratio) - (1 - spread)) / np.sqrt(spread)
    high = np.flatnonzero(plain | (known & (score > _CLOSER)))
    days_of = np.searchsorted(who, able[high]), np.searchsorted(who, able[high], side="right")
    rng = np.random.default_rng(_SEED)
    starts = np.searchsorted(visit, np.arange(who.size + 1))
    for row, first, last in zip(high, *days_of, strict=True):
        rows = slice(starts[first], starts[last])
        dense = np.zeros((last - first, parts.parts))
        dense[visit[rows] - first, part[rows]] = share[rows]
        score[row] = _dealt(dense, int(n[able[row]]), float(distance[row]), rng)
    gained = move.argmax(axis=1)
    each = np.arange(able.size)
    found = Scored(score, able, gained, means[0][each, gained], means[1][each, gained])
    known |= plain
    return Scored(*(getattr(found, name)[known] for name in ("score", "customer", "gained", "before", "now")))


def _dealt(days: FloatArray, recent: int, distance: float, rng: np.random.Generator) -> float:
    """The standard score of a distance among those of the same ``days`` dealt at random to two times."""
    order = rng.random((_DEALS, len(days))).argpartition(recent - 1, axis=1)[:, :recent]
    whole = days.sum(axis=0)
    late = days[order].sum(axis=1)
    past = len(days) - recent
    dealt = ((late / recent - (whole - late) / past) ** 2).sum(axis=1)
    mean, spread, lean = float(dealt.mean()), float(dealt.std()), max(float(skew(dealt)), 0.1)
    if spread <= 0:
        return 0.0
    shape = 4 / lean**2
    return float(-norm.ppf(gamma.sf(max(shape + np.sqrt(shape) * (distance - mean) / spread, 0.0), shape).clip(1e-300)))


def _scatter(
    parts: int, visit: IntArray, part: IntArray, share: FloatArray, place: IntArray, means: FloatArray,
    counts: FloatArray,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """tr(S) and tr(S²) of the scatter S of days within both times, per customer judged; ``place`` of each day's
    customer among them (-1: not judged)."""
    size = counts.shape[1]
    products = np.zeros((size, parts, parts))
    days = place.size
    starts = np.searchsorted(visit, np.arange(0, days + _BLOCK_ROWS, _BLOCK_ROWS))
    for number, first in enumerate(range(0, days, _BLOCK_ROWS)):
        rows = slice(starts[number], starts[number + 1])
        dense = np.zeros((min(_BLOCK_ROWS, days - first), parts))
        np.add.at(dense, (visit[rows] - first, part[rows]), share[rows])
        here = place[first : first + _BLOCK_ROWS]
        judged = here >= 0
        dense, here = dense[judged], here[judged]
        if not here.size:
            continue
        begins = np.flatnonzero(np.concatenate(([True], np.diff(here) != 0)))
        outer = dense[:, :, None] * dense[:, None, :]
        products[here[begins]] += np.add.reduceat(outer, begins, axis=0)
    for late in (0, 1):
        products -= counts[late][:, None, None] * means[late][:, :, None] * means[late][:, None, :]
    freedom = counts.sum(axis=0) - 2
    scatter = products / freedom[:, None, None]
    trace = np.trace(scatter, axis1=1, axis2=2)
    plain = (scatter**2).sum(axis=(1, 2))
    squared = freedom**2 / ((freedom + 2) * (freedom - 1)) * (plain - trace**2 / freedom)
    # The estimate can fall below what any scatter has: all along one direction is the least even.
    return trace, np.maximum(squared, trace**2 / (parts - 1))
