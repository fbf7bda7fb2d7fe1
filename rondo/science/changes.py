"""What changed in somebody's buying: the last weeks against the own past, and against what everybody did meanwhile.

Four things are watched in the last 8 weeks. *Rhythm*: purchase days against those that the own weeks before, and the
season of all, let expect, in units of their own scatter (variance over mean of the weekly counts, held to that of the
base); Anscombe's root (1948, Biometrika 35) for more than expected. *Level*: spend of a purchase day against the own
before, by Wilcoxon's rank sum with ties (Lehmann 1975, section 1.4) and a continuity correction. *Mix* and *channel*:
what the purchase days were made of, see :mod:`rondo.science.mixes`.

Against peers: the scores of all customers are centred and scaled by their own middle half, the empirical null of Efron
(2004, J. Amer. Statist. Assoc. 99, section 2). A season that moves everybody moves nobody then, and what makes scores
scatter more than independent weeks would is taken off. The scale is never below 1.

False alarms: over all customers and all kinds the false discovery rate is held by Benjamini & Hochberg (1995). Who
buys too rarely to tell is not judged. How long a change has lasted is estimated afterwards, for those found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control, norm

from rondo.errors import InputError
from rondo.science import mixes
from rondo.science._checks import FloatArray, IntArray
from rondo.science.mixes import Parts
from rondo.science.summary import PurchaseDays

KINDS = ("rhythm", "level", "mix", "channel")
_TWO_SIDED = 2
WINDOW = 8
"""The time looked at, in weeks."""
LASTING = (4, 8, 13)
"""How long a change may be said to have lasted, in weeks."""
WEEKS = 52
"""So many weeks are looked back."""
FALSE_SHARE = 0.05
"""Share of false alarms among all alarms that is accepted on average."""
_PAST_WEEKS = 12
_EXPECTED = 3.0
"""Purchase days expected in the window below which a change of rhythm is not judged: where hardly anything can happen,
nothing can be missed."""
_BASE_WEEKS = 20
_LEAST_UNEVEN = 0.2
"""Nobody's weeks are taken for more even than this share of chance."""
_RECENT_DAYS, _PAST_DAYS = 5, 10
_PEERS = 100
"""From so many scores on they are measured by their own middle."""
_BLOCK = 50_000


@dataclass(frozen=True)
class Found:
    """Changes that stand after the control of false alarms, one row each, by customer code and kind.

    ``kind``: place in :data:`KINDS`; ``up``: more than before; ``weeks``: of :data:`LASTING` the time in which it shows
    most clearly; ``before`` and ``now``: the mean per week (rhythm) or per purchase day (level, minor units; mix and
    channel: the share of the part ``gained``, whose share rose most) before and in the last 8 weeks; ``gained`` is -1
    for others; ``p``: p-value before the control. ``judged``: how many customers were judged in each kind; ``able``:
    who was in any, ascending.
    """

    customer: IntArray
    kind: IntArray
    up: np.ndarray
    weeks: IntArray
    before: FloatArray
    now: FloatArray
    gained: IntArray
    p: FloatArray
    judged: tuple[int, ...]
    able: IntArray

    def __len__(self) -> int:
        return int(self.customer.size)


@dataclass(frozen=True)
class _Scored:
    """Scores of one kind and window: rows are customers that can be judged."""

    score: FloatArray
    customer: IntArray
    before: FloatArray
    now: FloatArray
    gained: IntArray | None = None


_NAMES = ("customer", "before", "now")


def find_changes(
    log: PurchaseDays,
    as_of: int,
    false_share: float = FALSE_SHARE,
    *,
    mix: Parts | None = None,
    channel: Parts | None = None,
) -> Found:
    """Changes as of the end of day ``as_of``; later rows are not read. ``mix``, ``channel``: what the purchase days of
    the same customers were made of; without them these two are not judged.

    Raises:
        InputError: ``false_share`` is not between 0 and 1.
    """
    if not 0 < false_share < 1:
        raise InputError(f"false_share = {false_share}: a share between 0 and 1 is needed.")
    known = log.day <= as_of
    log = PurchaseDays(log.customer[known], log.day[known], log.spend[known], log.n_customers)
    parts = (mix, channel)
    scored = [_rhythm(log, as_of, WINDOW), _level(log, as_of, WINDOW), *(_made_of(one, as_of, WINDOW) for one in parts)]
    score = np.concatenate([_against_peers(one.score) for one in scored])
    kind = np.repeat(np.arange(len(KINDS)), [one.score.size for one in scored])
    # A mix is other or not; rhythm and level can rise and fall.
    p = np.where(kind < _TWO_SIDED, 2 * norm.sf(np.abs(score)), norm.sf(score))
    customer, before, now = (np.concatenate([getattr(one, name) for one in scored]) for name in _NAMES)
    gained = np.concatenate([np.full(one.score.size, -1) if one.gained is None else one.gained for one in scored])
    # Benjamini & Hochberg 1995: of those found, at most this share is chance, on average.
    found = np.flatnonzero(false_discovery_control(p) <= false_share) if p.size else np.zeros(0, np.int64)
    found = found[np.lexsort((kind[found], customer[found]))]
    return Found(
        customer[found],
        kind[found],
        score[found] > 0,
        _lasting(log, as_of, customer[found], kind[found], score[found] > 0, parts),
        before[found],
        now[found],
        gained[found].astype(np.int64),
        p[found],
        tuple(one.score.size for one in scored),
        _marked(customer, log.n_customers),
    )


def _marked(customer: IntArray, customers: int) -> IntArray:
    """Each code once, ascending."""
    marks = np.zeros(customers, bool)
    marks[customer] = True
    return np.flatnonzero(marks)


def _made_of(parts: Parts | None, as_of: int, weeks: int) -> _Scored:
    if parts is None:
        real = np.empty(0)
        return _Scored(real, np.empty(0, np.int64), real, real)
    one = mixes.scored(parts, as_of, weeks)
    return _Scored(one.score, one.customer, one.before, one.now, one.gained)


def _lasting(
    log: PurchaseDays, as_of: int, customer: IntArray, kind: IntArray, up: np.ndarray, parts: tuple[Parts | None, ...]
) -> IntArray:
    """Of :data:`LASTING` the weeks in which each change shows most clearly."""
    sign = np.where(up, 1.0, -1.0)
    theirs = np.zeros(log.n_customers, bool)
    theirs[customer] = True
    rows = theirs[log.customer]
    log = PurchaseDays(log.customer[rows], log.day[rows], log.spend[rows], log.n_customers)
    theirs_of = [None if one is None else one.of(theirs) for one in parts]
    clearest, weeks = np.full(customer.size, -np.inf), np.full(customer.size, WINDOW)
    for length in LASTING:
        judged = [_rhythm(log, as_of, length), _level(log, as_of, length)]
        judged += [_made_of(one, as_of, length) for one in theirs_of]
        for number, one in enumerate(judged):
            score = np.full(log.n_customers, np.nan)
            score[one.customer] = one.score
            size = np.where(kind == number, sign * score[customer], np.nan)
            better = size > clearest
            clearest[better], weeks[better] = size[better], length
    return weeks


def _against_peers(score: FloatArray) -> FloatArray:
    if score.size < _PEERS:
        return score
    low, middle, high = np.quantile(score, [0.25, 0.5, 0.75])
    scale = max((high - low) / (norm.ppf(0.75) - norm.ppf(0.25)), 1.0)
    found: FloatArray = (score - middle) / scale
    return found


def _rank_score(
    rank_sum: FloatArray, recent: FloatArray, whole: FloatArray, ties: FloatArray, step: float
) -> FloatArray:
    """Standard score of the rank sum of ``recent`` among ``whole`` observations; ``ties`` is the sum of t³ − t over
    groups of equal ones; ``step`` is the continuity correction in ranks. 0 where nothing varies."""
    past = whole - recent
    mean = recent * (whole + 1) / 2
    spread = whole + 1 - ties / np.maximum(whole * (whole - 1), 1)
    variance = recent * past / 12 * np.maximum(spread, 0)
    beyond = rank_sum - mean
    beyond = np.sign(beyond) * np.maximum(np.abs(beyond) - step, 0)
    score: FloatArray = np.divide(beyond, np.sqrt(variance), out=np.zeros_like(beyond), where=variance > 1e-9)
    return score


def _rhythm(log: PurchaseDays, as_of: int, weeks: int) -> _Scored:
    """Purchase days of the last ``weeks`` against the weeks since the first purchase week before them."""
    season = _season(log, as_of, weeks)
    parts = []
    for first in range(0, max(log.n_customers, 1), _BLOCK):
        start, stop = np.searchsorted(log.customer, (first, first + _BLOCK))
        parts.append(_rhythm_block(log.customer[start:stop], log.day[start:stop], first, as_of, weeks, season))
    return _Scored(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("score", *_NAMES)))


def _season(log: PurchaseDays, as_of: int, weeks: int) -> float:
    """How much oftener all together bought in the last ``weeks`` than in the weeks before; 1 for few customers."""
    age = (as_of - log.day) // 7
    began = np.zeros(log.n_customers, np.int64)
    np.maximum.at(began, log.customer, age)
    known = np.minimum(began, WEEKS)
    old = known >= weeks + _PAST_WEEKS
    counted = old[log.customer] & (age < known[log.customer])
    now = np.bincount(log.customer[counted & (age < weeks)], minlength=log.n_customers)[old]
    before = np.bincount(log.customer[counted & (age >= weeks)], minlength=log.n_customers)[old]
    expected = float((before * weeks / np.maximum(known[old] - weeks, 1)).sum())
    return float(now.sum()) / expected if old.sum() >= _PEERS and expected > 0 else 1.0


def _rhythm_block(customer: IntArray, day: IntArray, first: int, as_of: int, weeks: int, season: float) -> _Scored:
    code = customer - first
    size = int(code.max()) + 1 if code.size else 0
    age = (as_of - day) // 7
    began = np.full(size, -1, np.int64)
    np.maximum.at(began, code, age)
    # The week of the first purchase always has one; the weeks after it are the customer's own.
    known = np.minimum(began, WEEKS)
    inside = age < np.minimum(known, WEEKS)[code]
    counts = np.zeros((size, WEEKS), np.int64)
    np.add.at(counts, (code[inside], age[inside]), 1)
    valid = np.arange(WEEKS) < known[:, None]
    total = counts.sum(axis=1)
    past = known - weeks
    expected = np.divide(total * weeks, known, out=np.zeros(size), where=known > 0)
    able = np.flatnonzero((past >= max(_PAST_WEEKS, weeks)) & (expected >= _EXPECTED))
    counts, valid, known, past, total = counts[able], valid[able], known[able], past[able], total[able]
    now = counts[:, :weeks].sum(axis=1)
    before = (total - now) / past
    earlier = valid & (np.arange(WEEKS) >= weeks)
    variance = (((counts - before[:, None]) ** 2) * earlier).sum(axis=1) / (past - 1)
    expected = before * weeks * season
    # How unevenly the own weeks fall, held to that of the base by the weight of so many weeks.
    uneven = np.divide(variance, before, out=np.ones(able.size), where=before > 0)
    usual = float(np.median(uneven)) if able.size else 1.0
    uneven = np.maximum((past * uneven + _BASE_WEEKS * usual) / (past + _BASE_WEEKS), _LEAST_UNEVEN)
    spread = np.sqrt(uneven * (1 + weeks / past))
    # Of counts the lower tail is thinner than the normal one and the upper one thicker: there the root of Anscombe.
    fall = np.minimum(now - expected + 0.5, 0) / np.sqrt(np.maximum(expected, 1e-9))
    rise = np.maximum(2 * (np.sqrt(now + 3 / 8) - np.sqrt(expected + 3 / 8)), 0)
    score = np.where(now < expected, fall, rise) / spread
    return _Scored(score, able + first, before, now / weeks)


def _level(log: PurchaseDays, as_of: int, weeks: int) -> _Scored:
    """Spend of the purchase days of the last ``weeks`` among those of the last year."""
    age = as_of - log.day
    size = log.n_customers
    counted = (age < 7 * WEEKS) & (log.spend > 0)
    whole = np.bincount(log.customer[counted], minlength=size).astype(float)
    recent = np.bincount(log.customer[counted], weights=age[counted] < 7 * weeks, minlength=size)
    judged = (recent >= _RECENT_DAYS) & (whole - recent >= _PAST_DAYS)
    whole, recent = np.where(judged, whole, 0.0), np.where(judged, recent, 0.0)
    # Only who can be judged is sorted: in most bases they are few.
    rows = np.flatnonzero(counted & judged[log.customer])
    customer, spend, is_recent = log.customer[rows], log.spend[rows].astype(float), age[rows] < 7 * weeks
    order = np.lexsort((spend, customer))
    starts = np.concatenate(([0], np.cumsum(whole)[:-1]))
    place = np.arange(order.size) - starts[customer[order]]
    new = np.ones(order.size, bool)
    new[1:] = (np.diff(customer[order]) != 0) | (np.diff(spend[order]) != 0)
    group = np.cumsum(new) - 1
    length = np.bincount(group) if order.size else np.zeros(0)
    midrank = (place[new] + (length + 1) / 2)[group] if order.size else np.zeros(0)
    rank_sum = np.bincount(customer[order], weights=midrank * is_recent[order], minlength=size)
    ties = np.bincount(customer[order][new], weights=length.astype(float) ** 3 - length, minlength=size)
    able = np.flatnonzero(judged)
    figures = [np.asarray(part[able], np.float64) for part in (rank_sum, recent, whole, ties)]
    score = _rank_score(figures[0], figures[1], figures[2], figures[3], 0.5)
    money = np.bincount(customer, weights=spend, minlength=size)[able]
    money_now = np.bincount(customer, weights=spend * is_recent, minlength=size)[able]
    return _Scored(score, able, (money - money_now) / (whole - recent)[able], money_now / recent[able])
