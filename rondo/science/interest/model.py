"""Teaching, judging and applying the score of interest: a first purchase of a category within the horizon.

One logistic regression over pairs of customer and category that were open (never bought) on days in the past. It is
judged on the last horizon before the run, taught on those before it, beside the rate of the category alone, and scored
only where it tells more than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from rondo.science._checks import FloatArray, IntArray
from rondo.science.discrimination import Auc, Calibration, auc, calibrate, top_lift
from rondo.science.interest.log import InterestLog
from rondo.science.interest.tastes import FEATURES, NEVER, SEASON, WHY, Market, Signals, market_of, signals_of
from rondo.science.next_purchase.regression import Regression, Rows
from rondo.science.reasons import Why

_SPEAKS = 0.2
"""Log odds from which a reason speaks for a category."""
Reason = Literal["", "no_categories", "too_short", "too_few_firsts", "no_better"]


@dataclass(frozen=True)
class InterestConfig:
    """``horizon`` in days; ``landmarks`` taught, a horizon apart; ``customers``: most that are taught, drawn at random;
    ``firsts``: fewest first purchases in the horizon judged; ``rows``: about how many pairs the regression reads;
    ``least``, ``top``: what is kept per customer, chances of at least so much and so many of them; ``sure``: level at
    which the score has to be better than the categories' rates; ``seed``: of draws; ``block``: customers at once."""

    horizon: int = 28
    landmarks: int = 4
    customers: int = 20_000
    firsts: int = 200
    rows: int = 400_000
    penalty: float = 1.0
    least: float = 0.01
    top: int = 20
    sure: float = 0.99
    seed: int = 0
    block: int = 4_000


@dataclass(frozen=True)
class CategoryJudged:
    """A category in the horizon judged: ``open`` customers, first purchases ``expected`` and those that ``came``, and
    the area under the curve among its customers (nan with fewer than ten that came)."""

    category: int
    open: int
    expected: float
    came: int
    auc: float


@dataclass(frozen=True)
class InterestJudged:
    """How a model taught before ``day`` did on the pairs open on that day. ``base``: the same of the categories' rates
    known on that day. ``within``: mean area inside a category, weighted by first purchases (.5 for the rates).
    ``skill``: part of the rates' squared error that is gone, with its interval, counting customers. ``inside``: share
    of categories whose first purchases lie in the 90 % interval of those expected; ``slope``, ``level``: of the line
    from promised to true log odds (1 and 0 are right)."""

    day: int
    customers: int
    auc: Auc
    base_auc: Auc
    within: float
    calibration: Calibration
    base: Calibration
    lift: float
    skill: float
    skill_low: float
    skill_high: float
    slope: float
    level: float
    inside: float
    categories: tuple[CategoryJudged, ...]


@dataclass(frozen=True)
class InterestVerdict:
    """Whether there is a score, and if not why: of what there are ``have`` and ``need``."""

    reason: Reason
    have: int = 0
    need: int = 0


@dataclass(frozen=True)
class Likely:
    """Pairs of a block, by customer and ``place`` (from 1, the likeliest first). ``times``: chance against the mean of
    those who never bought of the category. ``why``: codes of :class:`~rondo.science.reasons.Why`."""

    customer: IntArray
    category: IntArray
    place: IntArray
    chance: FloatArray
    times: FloatArray
    why: IntArray
    open: IntArray
    expected: FloatArray


@dataclass(frozen=True)
class Interests:
    """The verdict; where there is a score, the ``model``, the ``market`` of ``as_of``, and how it was ``judged``."""

    as_of: int
    verdict: InterestVerdict
    config: InterestConfig
    model: Regression | None = None
    market: Market | None = None
    judged: InterestJudged | None = None
    pairs: int = 0
    firsts: int = 0
    landmarks: tuple[int, ...] = ()

    def blocks(self, log: InterestLog) -> Iterator[Likely]:
        """The likeliest categories of everybody, block by block; nothing where there is no score."""
        if self.model is None or self.market is None:
            return
        usual = self.usual(log)
        for start in range(0, log.customers, self.config.block):
            part = log.of(start, min(start + self.config.block, log.customers))
            signals = signals_of(part, self.as_of, self.market)
            yield self._likely(signals, start, usual)

    def usual(self, log: InterestLog) -> FloatArray:
        """Mean chance per category of those who never bought of it, over a draw of the customers."""
        if self.model is None or self.market is None:
            return np.zeros(log.categories)
        part = _drawn(log, self.config)
        signals = signals_of(part, self.as_of, self.market)
        chance = np.where(signals.open, expit(self.model.total(signals.columns)), 0.0)
        found: FloatArray = chance.sum(axis=0) / np.maximum(signals.open.sum(axis=0), 1)
        return found

    def _likely(self, signals: Signals, start: int, usual: FloatArray) -> Likely:
        assert self.model is not None
        chance = np.where(signals.open, expit(self.model.total(signals.columns)), np.float32(0))
        top = min(self.config.top, chance.shape[1])
        best = np.argpartition(-chance, top - 1, axis=1)[:, :top]
        shown = np.take_along_axis(chance, best, axis=1)
        order = np.lexsort((best, -shown), axis=1)
        best, shown = np.take_along_axis(best, order, axis=1), np.take_along_axis(shown, order, axis=1)
        kept = shown >= self.config.least
        row, place = np.nonzero(kept)
        category = best[row, place]
        return Likely(
            row + start,
            category,
            place + 1,
            shown[kept].astype(np.float64),
            shown[kept] / np.maximum(usual[category], 1e-9),
            self._why(signals, row, category),
            signals.open.sum(axis=0),
            chance.sum(axis=0, dtype=np.float64),
        )

    def _why(self, signals: Signals, row: IntArray, category: IntArray) -> IntArray:
        """The strongest reason for each pair."""
        assert self.model is not None
        scale = self.model.slope * self.model.weights / self.model.deviation
        parts = np.zeros((row.size, len(Why)))
        for number, why in enumerate(WHY):
            column = signals.columns[number]
            value = np.broadcast_to(column, signals.open.shape)[row, category]
            parts[:, why] += scale[number] * (value - self.model.mean[number])
        # That many try it is the reason where nothing of the customer's own speaks up.
        own = parts[:, : Why.POPULAR]
        found: IntArray = np.where(own.max(axis=1) >= _SPEAKS, own.argmax(axis=1), int(Why.POPULAR))
        return found

    def describe(self) -> dict[str, Any]:
        """The card of the model; empty where there is none."""
        return {} if self.model is None else self.model.describe()


def score_interest(log: InterestLog, as_of: int, config: InterestConfig | None = None) -> Interests:
    """Teach and judge a score of interest on what was known by the end of day ``as_of``; later rows are not looked at.

    Where the data do not support one, the verdict says what is missing.
    """
    config = config or InterestConfig()

    def nothing(reason: Reason, have: int = 0, need: int = 0, judged: InterestJudged | None = None) -> Interests:
        return Interests(as_of, InterestVerdict(reason, have, need), config, judged=judged)

    past = log.day <= as_of
    if log.categories < 2 or not past.any():
        return nothing("no_categories", log.categories if past.any() else 0, 2)
    begins, need = int(log.day[past].min()), SEASON + 2 * config.horizon
    if as_of - begins < need:
        return nothing("too_short", as_of - begins, need)
    told = _drawn(log, config)
    first = told.first_days(NEVER)
    first[first > as_of] = NEVER
    judged_on = as_of - config.horizon
    came = int(((first > judged_on) & (first <= as_of) & (told.known <= judged_on)[:, None]).sum())
    if came < config.firsts:
        return nothing("too_few_firsts", came, config.firsts)

    def days(last: int) -> list[int]:
        all_ = [last - number * config.horizon for number in range(config.landmarks)]
        return [day for day in all_ if day >= begins + SEASON]

    model, _pairs, _firsts = _taught(told, first, days(judged_on - config.horizon), config)
    judged = _judge(told, first, judged_on, model, config)
    if judged.skill_low <= 0 or judged.auc.value <= judged.base_auc.value:
        return nothing("no_better", judged=judged)
    model, pairs, firsts = _taught(told, first, days(judged_on), config)
    return Interests(
        as_of,
        InterestVerdict(""),
        config,
        model,
        market_of(told, as_of),
        judged,
        pairs,
        firsts,
        tuple(days(judged_on)),
    )


def _drawn(log: InterestLog, config: InterestConfig) -> InterestLog:
    if log.customers <= config.customers:
        return log
    chosen = np.random.default_rng(config.seed).choice(log.customers, config.customers, replace=False)
    return log.chosen(np.sort(chosen))


def _taught(
    log: InterestLog, first: npt.NDArray[np.int32], days: list[int], config: InterestConfig
) -> tuple[Regression, int, int]:
    rng = np.random.default_rng(config.seed)
    rows = Rows()
    pairs, share = 0, min(1.0, config.rows / max(log.customers * log.categories * max(len(days), 1), 1))
    for day in days:
        signals = signals_of(log, day, market_of(log, day))
        open_ = signals.open
        came = (first <= day + config.horizon)[open_]
        pairs += came.size
        rows.take(signals.features(open_), came, np.ones(came.size), share, rng)
    return rows.regression(FEATURES, config.penalty), pairs, rows.hits


def _judge(
    log: InterestLog, first: npt.NDArray[np.int32], day: int, model: Regression, config: InterestConfig
) -> InterestJudged:
    market = market_of(log, day)
    signals = signals_of(log, day, market)
    open_ = signals.open
    whole = expit(model.total(signals.columns).astype(np.float64)) * np.ones(open_.shape)
    did = (first <= day + config.horizon) & open_
    rate = np.broadcast_to(market.rate, open_.shape)
    chance, came, base = whole[open_], did[open_], np.minimum(rate[open_], 1.0)
    # Pairs of one customer are no independent witnesses: gains are added up by customer first.
    gain = np.where(open_, (np.minimum(rate, 1.0) - did) ** 2 - (whole - did) ** 2, 0.0).sum(axis=1)
    reach = NormalDist().inv_cdf(config.sure) * float(gain.std(ddof=1)) * np.sqrt(gain.size)
    error = float(((base - came) ** 2).sum())
    categories = _by_category(open_, did, whole)
    weight = np.array([one.came for one in categories if not np.isnan(one.auc)], np.float64)
    areas = np.array([one.auc for one in categories if not np.isnan(one.auc)])
    line = LogisticRegression(C=1e6, max_iter=1000, solver="newton-cholesky")
    line.fit(logit(np.clip(chance, 1e-9, 1 - 1e-9))[:, None], came)
    inside = _inside(open_, did, whole)
    return InterestJudged(
        day=day,
        customers=int(open_.any(axis=1).sum()),
        auc=auc(came, chance),
        base_auc=auc(came, base),
        within=float(np.average(areas, weights=weight)) if areas.size else 0.5,
        calibration=calibrate(came, chance),
        base=calibrate(came, base),
        lift=top_lift(came, chance),
        skill=float(gain.sum()) / error,
        skill_low=(float(gain.sum()) - reach) / error,
        skill_high=(float(gain.sum()) + reach) / error,
        slope=float(line.coef_[0, 0]),
        level=float(line.intercept_[0]),
        inside=inside,
        categories=tuple(categories),
    )


_ENOUGH = 10


def _by_category(open_: npt.NDArray[np.bool_], did: npt.NDArray[np.bool_], chance: FloatArray) -> list[CategoryJudged]:
    found = []
    for number in range(open_.shape[1]):
        here = open_[:, number]
        came = int(did[here, number].sum())
        area = float("nan")
        if _ENOUGH <= came < here.sum():
            area = auc(did[here, number], chance[here, number]).value
        found.append(CategoryJudged(number, int(here.sum()), float(chance[here, number].sum()), came, area))
    return found


def _inside(open_: npt.NDArray[np.bool_], did: npt.NDArray[np.bool_], chance: FloatArray) -> float:
    """Share of categories (of those with ten or more expected) whose total lies in the 90 % interval of chance."""
    expected = np.where(open_, chance, 0.0).sum(axis=0)
    spread = np.sqrt(np.where(open_, chance * (1 - chance), 0.0).sum(axis=0))
    told = expected >= _ENOUGH
    if not told.any():
        return 1.0
    off = np.abs(did.sum(axis=0) - expected) <= NormalDist().inv_cdf(0.95) * spread + 0.5
    return float(off[told].mean())
