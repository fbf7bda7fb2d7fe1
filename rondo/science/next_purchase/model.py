"""The model: two logistic regressions learnt on the latest baskets, one for what comes again, one for what is new.

What is learnt comes from baskets after a day before ``as_of`` and from what was known on that day, so that the present
stands to the model as those baskets stood to what preceded them. Each basket weighs the same in all, however large it
is: that is what Recall@10, a mean over baskets, rewards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.next_purchase import habits, tastes
from rondo.science.next_purchase.baskets import BasketLog
from rondo.science.next_purchase.habits import habits_of
from rondo.science.next_purchase.market import Market, market_of, window_of
from rondo.science.next_purchase.regression import FEWEST_HITS, Regression, Rows
from rondo.science.next_purchase.tastes import tastes_of

FEWEST_BASKETS = 200


@dataclass(frozen=True)
class NextConfig:
    """``candidates``: best sold products from which new ones are taken. ``occasions``: baskets per customer that are
    learnt from. ``history``: visits that must precede one. ``rows``: about how many pairs each regression reads.
    ``penalty``: inverse strength (scikit-learn's ``C``). ``block``: customers scored at once. ``seed``: of draws."""

    candidates: int = 1_000
    occasions: int = 6
    history: int = 3
    rows: int = 400_000
    penalty: float = 1.0
    block: int = 500
    seed: int = 0


@dataclass(frozen=True)
class Ranking:
    """The best products per customer, ordered by customer and ``place`` (from 1).

    ``probability``: that it is in the next basket. ``is_new``: never bought before. Of others: ``count`` purchases,
    ``silent`` days since the last, until the last visit, and ``gap`` mean days between them (0: bought once).
    """

    customer: IntArray
    product: IntArray
    place: IntArray
    probability: FloatArray
    is_new: npt.NDArray[np.bool_]
    count: IntArray
    silent: IntArray
    gap: FloatArray

    def rows(self, chosen: npt.NDArray[Any]) -> Ranking:
        """Some of the rows."""
        return Ranking(*(getattr(self, name)[chosen] for name in Ranking.__dataclass_fields__))

    def best(self, top: int) -> Ranking:
        """The best ``top`` of each customer, of those here; places count from 1 again."""
        order = np.lexsort((self.product, -self.probability, self.customer))
        who = self.customer[order]
        place = np.arange(who.size) - np.searchsorted(who, who) + 1
        kept = place <= top
        found = self.rows(order[kept])
        found.place[:] = place[kept]
        return found


@dataclass(frozen=True)
class NextModel:
    """Fitted on baskets up to ``market.as_of``; ``baskets`` learnt from."""

    market: Market
    again: Regression
    new: Regression
    baskets: int
    config: NextConfig

    def rank(self, log: BasketLog, top: int = 10) -> Ranking:
        """The best ``top`` products bought before and the best ``top`` new ones of every customer with a visit.

        ``log`` may go on after the model's day; its last visits are the present. ``best`` mixes the two.
        """
        parts = [part.best(2 * top) for part in self.blocks(log, top)]
        if not parts:
            return _nothing()
        return Ranking(*(np.concatenate([getattr(p, n) for p in parts]) for n in Ranking.__dataclass_fields__))

    def blocks(self, log: BasketLog, top: int = 10) -> Iterator[Ranking]:
        """As :meth:`rank`, block of customers by block, each ordered by what is new, customer and place."""
        for start in range(0, log.customers, self.config.block):
            part = log.of(start, min(start + self.config.block, log.customers))
            found = _joined(self._again(part, top), self._new(part, top))
            found.customer[:] += start
            yield found

    def _again(self, log: BasketLog, top: int) -> Ranking:
        found = habits_of(log, self.market)
        chance = expit(self.again.logit(found.features)) if found.product.size else np.empty(0)
        known = np.zeros(found.product.size, bool)
        size = np.zeros(found.product.size, np.int64)
        ranking = Ranking(found.customer, found.product, size, chance, known, found.count, found.silent, found.gap)
        return ranking.best(top)

    def _new(self, log: BasketLog, top: int) -> Ranking:
        found = tastes_of(log, self.market)
        top = min(top, self.market.candidates.size)
        if not top or not log.customers:
            return _nothing()
        score = self.new.total(found.columns)
        score = np.where(found.has | (log.visits == 0)[:, None], np.float32(-np.inf), score)
        chosen = np.sort(np.argpartition(-score, top - 1, axis=1)[:, :top], axis=1)
        chance = expit(np.take_along_axis(score, chosen, axis=1).astype(np.float64)).ravel()
        kept = chance > 0
        rows = int(kept.sum())
        none = np.zeros(rows, np.int64)
        customer = np.repeat(np.arange(log.customers), top)[kept]
        product = self.market.candidates[chosen.ravel()[kept]]
        ranking = Ranking(customer, product, none.copy(), chance[kept], np.ones(rows, bool), none, none, np.zeros(rows))
        return ranking.best(top)

    def describe(self) -> dict[str, Any]:
        """The card: what it was learnt from, and the weights."""
        return {
            "as_of": self.market.as_of,
            "window": self.market.window,
            "baskets": self.baskets,
            "again": self.again.describe(),
            "new": self.new.describe(),
        }


def fit(log: BasketLog, as_of: int, config: NextConfig | None = None) -> NextModel:
    """Learn from the baskets up to the end of day ``as_of``; what comes after it is not looked at.

    Raises InputError where the baskets after the teaching day, ``window`` days before ``as_of``, are too few.
    """
    config = config or NextConfig()
    log = log.until(log.known(as_of))
    window = window_of(log, as_of)
    before = log.known(as_of - window)
    targets = np.clip(log.visits - before, 0, config.occasions) * (before >= config.history)
    if targets.sum() < FEWEST_BASKETS:
        raise InputError(
            f"baskets: {int(targets.sum())} of the last {window} days follow {config.history} or more of the same "
            f"customer; at least {FEWEST_BASKETS} are needed to learn what comes next"
        )
    teaching = market_of(log, as_of - window, config.candidates)
    again, new, baskets = _learn(log, before, targets, teaching, config)
    return NextModel(market_of(log, as_of, config.candidates), again, new, baskets, config)


def _learn(
    log: BasketLog, before: IntArray, targets: IntArray, market: Market, config: NextConfig
) -> tuple[Regression, Regression, int]:
    rng = np.random.default_rng(config.seed)
    pairs = np.bincount(log.customer, minlength=log.customers)
    able = rng.permutation(np.flatnonzero(targets))
    # Pairs that came are few and all kept, so that ten times as many are looked at as are read.
    wanted = 10 * config.rows
    many = np.cumsum(pairs[able] * targets[able]) < wanted
    often = np.sort(able[: max(int(many.sum()), 1)])
    old, novel = Rows(), Rows()
    cells = max(int(5 * wanted // max(market.candidates.size, 1)), 1)
    baskets = 0
    for start in range(0, often.size, config.block):
        some = often[start : start + config.block]
        part = log.chosen(some)
        for turn in range(config.occasions):
            who = targets[some] > turn
            if not who.any():
                break
            upto = part.chosen(np.flatnonzero(who)) if not who.all() else part
            shown = before[some][who] + turn
            came = _targets(upto, shown)
            baskets += shown.size
            history = upto.until(shown)
            found = habits_of(history, market)
            size = upto.visit_size[upto.first[:-1] + shown]
            again = np.isin(found.customer * log.products + found.product, came)
            old.take(found.features, again, 1 / size[found.customer], 0.1, rng)
            if novel.looked < cells:
                novel.looked += shown.size
                taste = tastes_of(history, market)
                keys = np.arange(shown.size)[:, None] * log.products + market.candidates
                hit = np.isin(keys, came) & ~taste.has
                fresh = size - np.bincount(found.customer[again], minlength=size.size)
                each = np.broadcast_to((1 / np.maximum(fresh, 1))[:, None], hit.shape)
                open_ = ~taste.has
                novel.take(taste.features(open_), hit[open_], each[open_], 0.02, rng)
    if (hits := old.hits) < FEWEST_HITS:
        raise InputError(
            f"baskets: {hits} products in {baskets} of them had been bought before; at least {FEWEST_HITS} are needed"
        )
    return old.regression(habits.FEATURES, config.penalty), novel.regression(tastes.FEATURES, config.penalty), baskets


def _targets(log: BasketLog, visit: IntArray) -> IntArray:
    """Pairs (customer times products plus product) of each customer's basket number ``visit``."""
    rows = log.visit == visit[log.customer]
    found: IntArray = log.customer[rows] * log.products + log.product[rows]
    return found


def _joined(one: Ranking, other: Ranking) -> Ranking:
    return Ranking(*(np.concatenate((getattr(one, n), getattr(other, n))) for n in Ranking.__dataclass_fields__))


def _nothing() -> Ranking:
    whole, real = np.empty(0, np.int64), np.empty(0)
    return Ranking(whole, whole, whole, real, np.empty(0, bool), whole, whole, real)
