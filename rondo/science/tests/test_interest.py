"""Interest by category: planted tastes and looks are found, promises hold, nothing is read ahead, noise stays noise."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from rondo.science.interest import InterestConfig, InterestLog, Interests, Why, score_interest

TODAY = 300
CATEGORIES = 30


@cache
def world(effect: float = 1.0, seed: int = 5, people: int = 700) -> InterestLog:
    """Two tastes of fifteen categories each; a look at a category makes its first purchase far likelier for a while."""
    rng = np.random.default_rng(seed)
    taste = rng.integers(0, 2, people)
    alike = (np.arange(CATEGORIES) % 2)[None, :] == taste[:, None]
    popular = rng.normal(0, 0.5, CATEGORIES)[None, :]
    warm = np.zeros((people, CATEGORIES))
    rows: list[np.ndarray] = []
    looks: list[np.ndarray] = []
    for day in range(TODAY + 1):
        warm *= 0.5 ** (1 / 14)
        looked = np.argwhere(rng.random(warm.shape) < 0.0006)
        warm[looked[:, 0], looked[:, 1]] += 1
        odds = -7.4 + popular + effect * (1.6 * alike + 2.0 * np.minimum(warm, 2))
        bought = np.argwhere(rng.random(warm.shape) < 1 / (1 + np.exp(-odds)))
        rows.append(np.column_stack([bought, np.full(len(bought), day)]))
        looks.append(np.column_stack([looked, np.full(len(looked), day)]))
    told, seen = np.concatenate(rows), np.concatenate(looks)
    told, seen = told[np.lexsort(told.T[::-1])], seen[np.lexsort(seen.T[::-1])]
    return InterestLog(
        known=np.zeros(people, np.int64),
        family=np.arange(CATEGORIES) % 2,
        customer=told[:, 0],
        category=told[:, 1],
        day=told[:, 2],
        told_customer=seen[:, 0],
        told_category=seen[:, 1],
        told_day=seen[:, 2],
        told_inbound=np.ones(len(seen), bool),
    )


CONFIG = InterestConfig(firsts=100)


@cache
def scored() -> Interests:
    return score_interest(world(), TODAY, CONFIG)


def test_it_beats_the_rates_of_the_categories_and_promises_hold() -> None:
    found = scored()
    judged = found.judged
    assert found.verdict.reason == "" and judged is not None
    assert judged.auc.low > judged.base_auc.high
    assert judged.calibration.brier < judged.base.brier
    assert judged.skill_low > 0
    assert judged.within > 0.6
    assert judged.calibration.expected == pytest.approx(judged.calibration.happened, rel=0.12)
    assert 0.8 < judged.slope < 1.25


def test_who_looked_is_told_so_and_stands_in_front() -> None:
    log, found = world(), scored()
    likely = next(found.blocks(log))
    looked = (log.told_day > TODAY - 5) & (log.told_day <= TODAY)
    pairs = set(zip(log.told_customer[looked].tolist(), log.told_category[looked].tolist(), strict=True))
    pairs -= set(zip(log.customer.tolist(), log.category.tolist(), strict=True))
    at = {pair: row for row, pair in enumerate(zip(likely.customer.tolist(), likely.category.tolist(), strict=True))}
    told = [at[pair] for pair in pairs if pair in at]
    assert len(told) > 10
    assert np.mean(likely.why[told] == Why.LOOKED) > 0.9
    assert likely.times[told].mean() > 1.5 * likely.times.mean()
    begins = np.flatnonzero(likely.place == 1)
    assert np.all(np.diff(likely.chance)[likely.place[1:] > 1] <= 0) and begins.size > 0
    assert likely.place.max() <= found.config.top and likely.chance.min() >= found.config.least


def test_what_comes_after_the_day_moves_nothing_and_two_runs_agree() -> None:
    log, day = world(), TODAY - 40
    moved = replace(
        log,
        category=np.where(log.day > day, 3, log.category),
        told_category=np.where(log.told_day > day, 3, log.told_category),
    )
    one, two = (score_interest(some, day, CONFIG) for some in (log, moved))
    assert one.verdict.reason == "" and one.describe() == two.describe()
    first, second = next(one.blocks(log)), next(two.blocks(moved))
    assert np.array_equal(first.chance, second.chance) and np.array_equal(first.category, second.category)


def test_where_all_are_alike_there_is_no_score_beyond_the_rates() -> None:
    """A/A: categories differ in how many try them, customers in nothing."""
    for seed in (1, 2):
        found = score_interest(world(0.0, seed, 400), TODAY, InterestConfig(firsts=20))
        assert found.verdict.reason == "no_better", seed
        assert list(found.blocks(world(0.0, seed, 400))) == []


def test_too_little_says_what_is_missing() -> None:
    log = world()
    assert score_interest(log, 100).verdict.reason == "too_short"
    few = score_interest(log.of(0, 20), TODAY).verdict
    assert few.reason == "too_few_firsts" and few.have < few.need
    none = log.of(0, 0)
    assert score_interest(none, TODAY).verdict.reason == "no_categories"
