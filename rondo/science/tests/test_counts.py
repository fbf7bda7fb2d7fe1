"""The law of one customer's purchases: Panjer's class with nothing on top, and a spread that hold-outs teach."""

import numpy as np
import pytest
from scipy.stats import binom, nbinom

from rondo.science import PurchaseDays, ValueConfig, fit_base, forecast_base, gamma_gamma, merge_days, summarise, window
from rondo.science._checks import FloatArray
from rondo.science.counts import SPREADS, Reached, count_bounds, count_law, fit_spread, held_by_spread
from rondo.science.intervals import BaseForecast
from rondo.science.models import PURCHASE_MODELS, PurchaseModel, counts_from, history_for, weeks_in_units
from rondo.science.tests.logs import cdnow_sample

NUMBERS = np.arange(400)


def chances(expected: float, silent: float, shape: float, spread: float) -> FloatArray:
    each = np.ones(NUMBERS.size)
    law = count_law(expected * each, silent * each, shape * each, spread)
    return np.diff(law.at_most(NUMBERS), prepend=0.0)


def test_purchases_at_random_are_a_negative_binomial() -> None:
    mean, k = 6.0, 3.0
    law = nbinom(k, k / (k + mean))
    assert chances(mean, law.pmf(0), k, 1.0) == pytest.approx(law.pmf(NUMBERS), abs=1e-6)


def test_regular_customers_are_a_binomial() -> None:
    """Of 20 occasions each is taken with .3: a variance of .7 m, of which m^2 / k is the rate's."""
    law = binom(20, 0.3)
    assert chances(6.0, law.pmf(0), 60.0, 0.6) == pytest.approx(law.pmf(NUMBERS), abs=1e-6)
    assert count_law([6.0], [law.pmf(0)], [60.0], 0.6).at_most(25)[0] == 1


@pytest.mark.parametrize("silent", [0.15, 0.4, 0.8])
@pytest.mark.parametrize("spread", [0.5, 1.0, 2.5])
def test_mean_and_chance_of_nothing_are_as_told_and_the_spread_widens(silent: float, spread: float) -> None:
    given = chances(4.0, silent, 8.0, spread)
    assert given.sum() == pytest.approx(1)
    assert given[0] == pytest.approx(silent, abs=1e-5)
    assert given @ NUMBERS == pytest.approx(4.0, rel=0.02)
    law = count_law([4.0], [silent], [8.0], spread)
    c, mean = law.goes_on[0], law.mean[0]
    going_on = given / c
    going_on[0] -= (1 - c) / c
    assert going_on @ NUMBERS**2 - (going_on @ NUMBERS) ** 2 == pytest.approx(spread * mean + mean**2 / 8, rel=0.05)


def test_bounds_are_quantiles_and_hold_what_they_say() -> None:
    rng = np.random.default_rng(1)
    size = 4000
    shape = rng.uniform(0.5, 30, size)
    mean = rng.gamma(1.5, 4, size) + 0.05
    came = np.asarray(nbinom(shape, shape / (shape + mean)).rvs(random_state=rng), dtype=np.int64)
    law = count_law(mean, (1 + mean / shape) ** -shape, shape)
    low, high = law.bounds(0.9)
    for share, bound in ((0.05, low), (0.95, high)):
        assert (law.at_most(bound) >= share).all()
        assert (law.at_most(bound - 1) < share).all()
    assert ((low <= came) & (came <= high)).mean() > 0.9
    assert law.held(came, 0.9).mean() == pytest.approx(0.9, abs=0.015)


def reached(days: int, spread: float, half: float, customers: int = 3000) -> Reached:
    """A hold-out in which counts of the whole and of the first half had these spreads."""
    rng = np.random.default_rng(days)
    held = []
    for mean, own in ((12.0, spread), (6.0, half)):
        rate = rng.gamma(40.0, 1 / 40.0, customers) * mean
        came = (
            rng.poisson(rng.gamma(rate / (own - 1)) * (own - 1))
            if own > 1
            else rng.binomial(np.rint(rate / (1 - own)).astype(int), 1 - own)
        )
        told, shape = np.full(customers, mean), np.full(customers, 40.0)
        held.append(held_by_spread(told, np.full(customers, 1e-9), shape, came, 0.9))
    return Reached(days, customers, *held)


def test_the_spread_is_learnt_and_goes_on_as_it_rose() -> None:
    past = [reached(56, 2.0, 1.5)]
    assert fit_spread(past, 56, 0.9) == pytest.approx(2.0, rel=0.12)
    assert fit_spread(past, 28, 0.9) == pytest.approx(1.5, rel=0.12)  # back over a shorter one, but not below 1
    assert fit_spread([reached(56, 2.0, 0.9)], 14, 0.9) == 1.0
    assert fit_spread(past, 112, 0.9) == pytest.approx(3.0, rel=0.2)
    # It cannot rise faster than the days.
    steep = [reached(56, 2.0, 0.5)]
    assert fit_spread(steep, 112, 0.9) == pytest.approx(2 * fit_spread(steep, 56, 0.9))


def test_regular_customers_are_not_taken_to_be_surer_than_at_random_and_few_teach_nothing() -> None:
    assert fit_spread([reached(56, 0.6, 0.6)], 56, 0.9) == 1.0
    assert fit_spread([reached(56, 4.0, 2.0, customers=90)], 56, 0.9) == 1.0
    assert fit_spread([], 56, 0.9) == 1.0


def changing(seed: int, drift: float, customers: int = 800, days: int = 400) -> PurchaseDays:
    """Customers who are there from the start, and who have busy and idle spells of four weeks, by ``drift``."""
    rng = np.random.default_rng(seed)
    rate, spell = rng.gamma(4.0, 1 / 40, customers), np.ones(customers)
    codes, when = [np.arange(customers)], [np.zeros(customers, np.int64)]
    for day in range(1, days):
        if day % 28 == 0:
            spell = np.exp(rng.normal(-(drift**2) / 2, drift, customers))
        buys = np.flatnonzero(rng.random(customers) < 1 - np.exp(-rate * spell))
        codes.append(buys)
        when.append(np.full(buys.size, day))
    code = np.concatenate(codes)
    return merge_days(code, np.concatenate(when), np.rint(rng.gamma(3, 1000, code.size) + 1).astype(np.int64))


def told(log: PurchaseDays, as_of: int, months: int) -> tuple[BaseForecast, PurchaseModel]:
    base = summarise(log, as_of)
    often, much = fit_base("paretonbd", base), gamma_gamma.fit(base.spend_days, base.mean_spend)
    return forecast_base(log, as_of, often, much, ValueConfig(months=months, annual_discount_rate=0)), often


def test_customers_who_change_are_held_by_what_was_learnt_of_them_and_not_at_random() -> None:
    log, as_of = changing(1, 0.7), 300
    made, often = told(log, as_of, 3)
    base = summarise(log, as_of)
    came = window(log, as_of, as_of + 91)[0][base.customer]
    learnt, at_random = (counts_from(often, base, 13, one).held(came, 0.9).mean() for one in (made.counts_spread, 1.0))
    assert made.counts_spread > 1.5
    assert at_random < 0.85 < 0.87 < learnt < 0.93


def test_customers_who_stay_as_they_are_are_taken_to_buy_at_random() -> None:
    made, _often = told(changing(2, 0.0), 300, 3)
    assert made.counts_spread < 1.25


def test_bounds_of_many_are_those_of_each() -> None:
    rng = np.random.default_rng(4)
    size = 20_000
    shape, mean = rng.integers(0, 60, size) + 0.7, rng.gamma(0.6, 6, size) + 0.02
    silent = np.clip((1 + mean / shape) ** -shape + rng.uniform(0, 0.3, size), 0, 1)
    low, high = count_bounds(mean, silent, shape, 1.8, 0.9)
    each = count_law(mean, silent, shape, 1.8).bounds(0.9)
    for found, right in zip((low, high), each, strict=True):
        assert (found == right).mean() > 0.95 and np.abs(found - right)[np.abs(silent - 0.05) > 0.01].max() <= 1
    # Nothing lies within the bounds, or is all that does, by each one's own chance.
    assert ((low == 0) == (silent >= 0.05)).all() and ((high == 0) == (silent >= 0.95)).all()
    assert [bound.tolist() for bound in count_bounds([], [], [], 1.0, 0.9)] == [[], []]


@pytest.mark.parametrize("key", PURCHASE_MODELS)
def test_it_is_the_law_that_a_model_draws_from(key: str) -> None:
    base = summarise(cdnow_sample(), 272)
    model = fit_base(key, base)
    horizon = weeks_in_units(model.config.time_unit, 39)
    drawn = model.sample(horizon, *history_for(model, base), np.random.default_rng(2), draws=40)
    law = counts_from(model, base, 39)
    assert np.mean([law.held(one, 0.9).mean() for one in drawn]) == pytest.approx(0.9, abs=0.01)
    assert len(SPREADS) == held_by_spread(*(np.ones(1),) * 3, np.ones(1, np.int64), 0.9).size
