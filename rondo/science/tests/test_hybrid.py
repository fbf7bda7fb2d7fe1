"""The hybrid learns what its base leaves out from earlier dates alone, and is its base where there are none."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from rondo import science
from rondo.errors import InputError
from rondo.science import hybrid, models
from rondo.science.features import Features
from rondo.science.hybrid import Bases, Hybrid, HybridConfig, model
from rondo.science.hybrid.level import cohort_total, fit_level
from rondo.science.intervals import roll_holdouts
from rondo.science.paretonbd import ParetoNbd
from rondo.science.selection import SelectionConfig, poisson_deviance, select_model
from rondo.science.summary import PurchaseDays, merge_days, summarise, window
from rondo.science.tests.logs import complete_journey

pytestmark = pytest.mark.once


@cache
def world(
    days: int = 420, customers: int = 1500, swing: float = 0.0, pull: float = 0.0, often: float = 0.05
) -> PurchaseDays:
    """Customers who buy at rates of their own, ``often`` a day; a season of that swing; a pull of odd codes."""
    rng = np.random.default_rng(7)
    rate = rng.gamma(1.2, often / 1.2, customers)
    first = rng.integers(0, 60, customers)
    stays = first + 30 + rng.exponential(900, customers)
    day = np.arange(days)
    season = np.exp(swing * np.cos(2 * np.pi * day / 365.25))
    odd = np.exp(pull * (np.arange(customers) % 2))
    chance = np.clip((rate * odd)[:, None] * season[None, :], 0, 0.9)
    buys = (rng.random((customers, days)) < chance) & (day > first[:, None]) & (day < stays[:, None])
    who, when = np.nonzero(buys)
    return merge_days(np.append(who, np.arange(customers)), np.append(when, first), n_customers=customers)


def parity(day: int) -> Features:
    """What only the covariate tells: the odd codes."""
    return Features(("odd",), (np.arange(1500) % 2)[:, None].astype(float))


def off(made: Hybrid, log: PurchaseDays, until: int) -> float:
    """ln(forecast / happened) of the total."""
    base, weeks = summarise(log, made.as_of), (until - made.as_of) / 7
    return float(np.log(models.expected_from(made, base, weeks).sum() / window(log, made.as_of, until)[0].sum()))


def apart(expected: np.ndarray, came: np.ndarray, base: science.Summary) -> float:
    """How differently the forecast is off for odd codes and for even ones, on the logarithmic scale."""
    odd = base.customer % 2 == 1
    one, other = (np.log(expected[rows].sum() / came[base.customer][rows].sum()) for rows in (odd, ~odd))
    return float(abs(one - other))


def test_it_recovers_the_effect_of_a_covariate() -> None:
    """Odd codes buy e^1.6 times as often. Some of it shows in the own history; the rest is the covariate's to tell."""
    log = world(pull=1.6, often=0.004)
    plain, told = (hybrid.fit(log, 300, 91, covariates) for covariates in (None, parity))
    effects = told.effects
    assert effects is not None and effects.names[-1] == "odd"
    assert effects.weights[-1] > 4 * effects.errors[-1] > 0
    base, came = summarise(log, 300), window(log, 300, 391)[0]
    alone = models.fit_base("paretonbd", base)
    untold, by_base, by_all = (apart(models.expected_from(m, base, 13), came, base) for m in (plain, alone, told))
    assert by_all < 0.5 * min(untold, by_base)


def test_where_nothing_is_left_out_little_is_learnt() -> None:
    log = world()
    told = hybrid.fit(log, 300, 91, parity)
    assert told.effects is not None and abs(told.effects.weights[-1]) < 3 * told.effects.errors[-1]
    base, came = summarise(log, 300), window(log, 300, 391)[0]
    one, other = (
        poisson_deviance(models.expected_from(m, base, 13), came[base.customer]).mean()
        for m in (told, models.fit_base("paretonbd", base))
    )
    assert one < 1.02 * other


def test_the_total_is_that_of_the_cohorts_and_a_season_of_two_years_moves_it() -> None:
    """Summer buys e^-0.8 times what winter does; the base knows nothing of it, and one year of log does not tell."""
    log = world(days=1095, customers=600, swing=0.4)
    young, old = hybrid.fit(log, 500, 91), hybrid.fit(log, 850, 91)
    assert young.season is None and young.effects is not None and young.level is not None
    base = summarise(log, 500)
    cohorts = cohort_total(young, base.T, 13) * np.exp(young.level.carried)
    assert models.expected_from(young, base, 13).sum() == pytest.approx(cohorts)
    assert old.season is not None
    assert old.season.waves[0] == pytest.approx(0.4, abs=0.1) and abs(old.season.waves[1]) < 0.1
    base_alone = models.fit_base("paretonbd", summarise(log, 850))
    forecast = models.expected_from(base_alone, summarise(log, 850), 13).sum()
    before = float(np.log(forecast / window(log, 850, 941)[0].sum()))
    assert abs(before) > 0.25 and abs(off(old, log, 941)) < abs(before) / 2


@cache
def reached(effect: float, customers: int = 1500) -> tuple[PurchaseDays, np.ndarray]:
    """Customers of like rates who get a campaign on a day of their own about every 200; for 90 days they then buy
    e^effect times as often. The log, and who was reached on which day (customer, day)."""
    rng = np.random.default_rng(11)
    first, day = rng.integers(0, 60, customers), np.arange(420)
    sent = rng.random((customers, day.size)) < 1 / 200
    before: np.ndarray = np.cumsum(sent, axis=1) - sent
    under = before - np.pad(before, ((0, 0), (90, 0)))[:, : day.size] > 0
    rate = rng.gamma(3, 0.02 / 3, customers)[:, None] * np.exp(effect * under)
    who, when = np.nonzero((rng.random(sent.shape) < 1 - np.exp(-rate)) & (day > first[:, None]))
    return merge_days(np.append(who, np.arange(customers)), np.append(when, first), n_customers=customers), sent


@cache
def drifting(effect: float, customers: int = 1500) -> PurchaseDays:
    """Customers of like rates; those with odd codes buy of a category that grows, the others of one that shrinks."""
    rng = np.random.default_rng(13)
    first, day = rng.integers(0, 60, customers), np.arange(420)
    sign = np.where(np.arange(customers) % 2, 1.0, -1.0)[:, None]
    rate = rng.gamma(3, 0.02 / 3, customers)[:, None] * np.exp(effect * sign * (day / 210 - 1))
    who, when = np.nonzero((rng.random(rate.shape) < 1 - np.exp(-rate)) & (day > first[:, None]))
    return merge_days(np.append(who, np.arange(customers)), np.append(when, first), n_customers=customers)


@pytest.mark.parametrize("effect", [0.9, 0.0])
def test_campaigns_and_mix_are_taken_where_they_matter_and_left_out_where_not(effect: float) -> None:
    log, sent = reached(effect)
    noise = np.random.default_rng(1).normal(size=(1500, 1))

    def campaigns(day: int) -> Features:
        lately: np.ndarray = sent[:, max(day - 29, 0) : day + 1].max(axis=1)
        return Features(("received",), lately[:, None].astype(float))

    offered = {"luck": lambda day: Features(("luck",), noise), "campaigns": campaigns}
    made = hybrid.fit(log, 400, 91, offered=offered)
    luck, told = made.tried
    assert (luck.taken, told.taken) == (False, effect > 0)
    alone = hybrid.fit(drifting(effect), 400, 91, offered={"mix": parity})
    assert [one.taken for one in alone.tried] == [effect > 0]
    assert made.describe()["tried"][1]["gain"] == told.gain
    stored = models.load(json.loads(json.dumps(made.to_dict())), fingerprint=made.fingerprint)
    assert isinstance(stored, Hybrid) and stored.tried == made.tried
    if effect:
        assert told.gain is not None and told.gain > 0.01
        with_it, without = (hybrid.fit(log, 300, 91, offered=one) for one in (offered, None))
        base, came = summarise(log, 300), window(log, 300, 391)[0]
        one, other = (
            poisson_deviance(models.expected_from(m, base, 13), came[base.customer]).mean() for m in (with_it, without)
        )
        assert one < 0.99 * other
    else:
        assert made.effects is not None and "received" not in made.effects.names


def test_a_date_at_which_nobody_of_a_half_was_there_teaches_nothing() -> None:
    """The halves that judge each other when covariates are tried: at an early date one may be empty."""
    log = world()
    nobody = np.zeros(log.n_customers, np.bool_)
    bases = Bases(log, None)
    assert model._learn(bases, [200], 91, (), None, nobody) == (None, ())
    effects, used = model._learn(bases, [200], 91, (), None, ~nobody)
    assert effects is not None and used == (200,)


def test_both_ways_to_the_total_agree_where_the_base_model_is_right() -> None:
    base = summarise(world(), 300)
    model = models.fit_base("paretonbd", base)
    assert isinstance(model, ParetoNbd)
    summed = model.expected_purchases(13, base.x, base.t_x, base.T).sum()
    by_age = model.expected_purchases_new(base.T + 13) - model.expected_purchases_new(base.T)
    assert cohort_total(model, base.T, 13) == pytest.approx(by_age.sum())
    assert cohort_total(model, base.T, 13) == pytest.approx(summed, rel=0.03)


def test_an_error_is_carried_over_as_far_as_the_dates_agree_on_it() -> None:
    days, origins = 50, [100, 125, 150, 175, 200]
    chance = np.full(5, 0.01)
    agreed = fit_level(origins, days, np.array([0.21, 0.2, 0.19, 0.2, 0.2]), chance)
    assert agreed.mean == pytest.approx(0.2) and 0.19 < agreed.carried < 0.2
    for swinging in ([0.2, -0.1, 0.3, 0.0, 0.1], [0.005, 0.001, -0.002, 0.004, 0.0]):
        assert fit_level(origins, days, np.array(swinging), chance).carried == 0
    assert fit_level([100], days, np.array([0.4]), chance[:1]).carried == 0
    # Dates whose windows are almost the same are hardly more than one.
    close = fit_level([100, 105, 110], days, np.array([0.2, 0.15, 0.1]), chance[:3])
    assert close.carried == 0


def test_hold_outs_judge_a_hybrid_with_its_covariates_as_they_stood_then() -> None:
    """Who was reached moves purchases between tenths: hold-outs with it, as without, ask nothing of a later day."""
    log, sent = reached(0.9)
    log, sent, asked = replace(log, spend=500 + log.customer % 7 * 100), sent.copy(), list[int]()

    def campaigns(day: int) -> Features:
        asked.append(day)
        return Features(("received",), sent[:, max(day - 29, 0) : day + 1].max(axis=1)[:, None].astype(float))

    told = roll_holdouts(log, 400, 91, model="hybrid", covariates=campaigns)
    assert max(asked) == told[-1].origin and told[-1].until <= 400
    plain = roll_holdouts(log, 400, 91, model="hybrid")
    assert [one.origin for one in told] == [one.origin for one in plain]
    last = told[-1].forecast_purchases
    assert last[0] == pytest.approx(plain[-1].forecast_purchases[0])
    assert last[1] / last[10] > 1.1 * plain[-1].forecast_purchases[1] / plain[-1].forecast_purchases[10]
    off = [
        [abs(np.log(one.actual_purchases[1:] / one.forecast_purchases[1:])).mean() for one in s] for s in (told, plain)
    ]
    assert np.mean(off[0]) < 1.2 * np.mean(off[1])
    # What comes after the last origin may be anything.
    late = log.day > told[-1].origin
    moved = replace(log, day=np.where(late, log.day + 500, log.day))
    sent[:, told[-1].origin + 1 :] = True
    again = roll_holdouts(moved, 400, 91, model="hybrid", covariates=campaigns)
    assert np.array_equal(again[-1].forecast_purchases, last)


def test_nothing_after_the_date_is_looked_at() -> None:
    log = complete_journey()
    later = log.day > 200
    day, spend = np.where(later, log.day + 300, log.day), np.where(later, 1, log.spend)
    moved = merge_days(log.customer, day, spend, log.n_customers)
    one, other = (hybrid.fit(each, 200, 91) for each in (log, moved))
    assert one.effects == other.effects and max(one.origins) + one.days <= 200
    assert np.array_equal(one.tilt, other.tilt) and one.to_dict() == other.to_dict()


def test_two_fits_are_equal_and_what_is_shared_changes_nothing() -> None:
    log, bases = complete_journey(), Bases(complete_journey())
    first = hybrid.fit(log, 200, 91)
    assert hybrid.fit(log, 214, 91, bases=bases).origins
    again = hybrid.fit(log, 200, 91, bases=bases)
    assert first.to_dict() == again.to_dict() and np.array_equal(first.tilt, again.tilt)


def test_with_too_little_past_it_is_its_base() -> None:
    log = complete_journey()
    for made in (hybrid.fit(log, 60, 91), hybrid.fit(log, 200, 91, config=HybridConfig(minimum_customers=9999))):
        base = summarise(log, made.as_of)
        plain = models.fit_base("paretonbd", base)
        assert not made.learnt and made.origins == () and made.factors(base, 13) is None
        assert np.array_equal(models.expected_from(made, base, 13), models.expected_from(plain, base, 13))
        assert made.describe()["effects"] == [] and made.describe()["kind"] == "hybrid"


def test_a_stored_fit_is_read_back_and_speaks_of_no_other_customers() -> None:
    log = complete_journey()
    made = hybrid.fit(log, 200, 91)
    stored = json.loads(json.dumps(made.to_dict()))
    read = models.load(stored, fingerprint=made.fingerprint)
    assert isinstance(read, Hybrid) and read.effects == made.effects and read.to_dict() == made.to_dict()
    assert np.array_equal(read.bound(log).tilt, made.tilt)
    with pytest.raises(InputError, match="differ from those of the fit in odd"):
        read.bound(log, lambda day: Features(("odd",), np.zeros((log.n_customers, 1))))
    with pytest.raises(InputError, match="fit it on that day"):
        made.factors(summarise(log, 201), 13)
    with pytest.raises(InputError, match="fit again"):
        models.load({**stored, "version": 0}, fingerprint=made.fingerprint)


def test_it_beats_the_best_of_the_four_on_the_complete_journey_and_is_chosen() -> None:
    """Floors below what docs/models.md reports; the data are real, the margin is wide."""
    log = complete_journey()
    config = SelectionConfig(candidates=("mbgnbd", "paretonbd", "hybrid"), origins=2)
    found = select_model(log, 364, 91, incumbent="mbgnbd", config=config)
    errors = {one.model: one for one in found.candidates}
    best = errors["paretonbd"]
    assert (found.chosen, found.reason) == ("hybrid", "best")
    assert errors["hybrid"].mae is not None and best.mae is not None and errors["hybrid"].mae < 0.96 * best.mae
    assert errors["hybrid"].rmse is not None and best.rmse is not None and errors["hybrid"].rmse < 0.94 * best.rmse


def test_value_intervals_and_silence_follow_the_forecast() -> None:
    log = complete_journey()
    base = summarise(log, 200)
    made = models.fit_at("hybrid", log, 200, 91)
    spend = science.gamma_gamma.fit(base.spend_days, base.mean_spend)
    config = science.CalibrationConfig(origins=2, sample=1000)
    forecast = science.forecast_base(log, 200, made, spend, science.ValueConfig(months=3), config)
    weeks = science.ValueConfig(months=3).horizon_weeks
    expected = models.expected_from(made, base, weeks)
    assert forecast.customers.expected_purchases == pytest.approx(expected)
    assert forecast.purchases.expected == pytest.approx(expected.sum())
    assert forecast.calibrated and forecast.purchases.low < expected.sum() < forecast.purchases.high
    factors = made.factors(base, weeks)
    assert factors is not None
    up = factors > 1
    silent = models.silent_from(made, base, weeks)
    plain = made.probability_silent(weeks, *models.history_for(made, base))
    assert (silent[up] <= plain[up]).all() and (silent[~up] >= plain[~up]).all()


def test_a_large_base_is_learnt_from_a_part_of_it() -> None:
    log = world()
    part = Bases(log, replace(HybridConfig(), sample=700)).log
    assert 600 < np.unique(part.customer).size < 800 and part.n_customers == log.n_customers
    made = hybrid.fit(log, 300, 91, config=replace(HybridConfig(), sample=700))
    assert made.learnt and made.customers.size == len(summarise(log, 300))
    assert hybrid.sampled(log, 10**6, 1) is log
