"""Intervals of the base: parts that add up, no look into the future, and coverage where the truth is known."""

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from rondo.errors import InputError
from rondo.science import (
    BaseForecast,
    PurchaseDays,
    ValueConfig,
    bgnbd,
    fit_base,
    forecast_base,
    gamma_gamma,
    merge_days,
    rank_groups,
    roll_holdouts,
    summarise,
    window,
)
from rondo.science.intervals import CalibrationConfig, log_interval, spread_of_totals
from rondo.science.models import PURCHASE_MODELS
from rondo.science.tests.logs import cdnow_sample, complete_journey


def forecast(log: PurchaseDays, as_of: int, months: int, model: str = "bgnbd") -> BaseForecast:
    base = summarise(log, as_of)
    often, much = fit_base(model, base), gamma_gamma.fit(base.spend_days, base.mean_spend)
    return forecast_base(log, as_of, often, much, ValueConfig(months=months, annual_discount_rate=0))


@pytest.fixture(scope="module")
def sample() -> BaseForecast:
    return forecast(cdnow_sample(), 272, 9)


def invented(seed: int, customers: int = 1500, days: int = 400, season: float = 0.0) -> PurchaseDays:
    """A log that the models describe exactly, but for a common season that multiplies every rate."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 100, customers)
    rate, leave = rng.gamma(0.8, 1 / 40, customers), rng.beta(0.8, 6.0, customers)
    alive = np.ones(customers, bool)
    codes, when = [np.arange(customers)], [start]
    for day in range(1, days):
        pace = rate * np.exp(season * np.sin(2 * np.pi * day / 120 + seed))
        buys = alive & (day > start) & (rng.random(customers) < 1 - np.exp(-pace))
        codes.append(np.flatnonzero(buys))
        when.append(np.full(int(buys.sum()), day))
        alive &= ~(buys & (rng.random(customers) < leave))
    code = np.concatenate(codes)
    money = np.maximum(1, np.rint(rng.gamma(3, size=code.size) / rng.gamma(4, 1 / 3000, customers)[code]))
    return merge_days(code, np.concatenate(when), money.astype(np.int64))


def test_the_sample_comes_out_inside_and_the_model_is_the_largest_part(sample: BaseForecast) -> None:
    came, money = (column.sum() for column in window(cdnow_sample(), 272, 546))
    assert sample.purchases.low < came < sample.purchases.high
    assert sample.value.low < money < sample.value.high
    assert sample.purchases.model > sample.purchases.chance > 0
    assert sample.purchases.model > sample.purchases.parameters > 0
    assert sample.calibrated


def test_without_the_models_own_error_the_interval_would_be_too_narrow(sample: BaseForecast) -> None:
    """FACTS of the sample: parameters alone 1532-1794, with chance 1445-1837, and 1,882 happened."""
    narrow = 1.645 * np.hypot(sample.purchases.chance, sample.purchases.parameters)
    assert sample.purchases.expected * np.exp(narrow) < 1882
    parameters = 1.645 * sample.purchases.parameters
    assert 2 * parameters == pytest.approx(np.log(1794 / 1532), rel=0.15)
    assert 2 * narrow == pytest.approx(np.log(1837 / 1445), rel=0.2)


def test_groups_add_up_to_the_base(sample: BaseForecast) -> None:
    assert sum(group.expected for group in sample.purchases_groups) == pytest.approx(sample.purchases.expected)
    assert sum(group.expected for group in sample.value_groups) == pytest.approx(sample.customers.total)
    assert all(group.low <= group.expected <= group.high for group in sample.value_groups)
    expected = [group.expected for group in sample.purchases_groups]
    assert expected == sorted(expected, reverse=True)


def test_hold_outs_end_before_the_date_and_nothing_later_is_read() -> None:
    log = cdnow_sample()
    before = log.day <= 272
    cut = merge_days(log.customer[before], log.day[before], log.spend[before], n_customers=log.n_customers)
    held = roll_holdouts(log, 272, 273)
    assert len(held) >= 6
    assert all(h.until <= 272 for h in held)
    again = roll_holdouts(cut, 272, 273)
    for one, two in zip(held, again, strict=True):
        assert np.array_equal(one.actual_spend, two.actual_spend)
        assert np.array_equal(one.forecast_spend, two.forecast_spend)


def test_a_hold_out_counts_what_came(sample: BaseForecast) -> None:
    log = cdnow_sample()
    held = sample.holdouts[-1]
    base = summarise(log, held.origin)
    came, money = (column[base.customer].sum() for column in window(log, held.origin, held.until))
    assert (held.actual_purchases[0], held.actual_spend[0]) == (came, money)
    assert held.actual_purchases[1:].sum() == came
    assert held.customers == len(base)


def test_hold_outs_of_a_large_base_take_a_sample_and_own_its_chance() -> None:
    log = cdnow_sample()
    whole, some = (roll_holdouts(log, 272, 273, CalibrationConfig(sample=size)) for size in (log.n_customers, 600))
    assert [held.origin for held in some] == [held.origin for held in whole]
    for one, other in zip(whole, some, strict=True):
        share = other.customers / one.customers
        assert 0.2 < share < 0.31
        assert other.actual_purchases[0] < one.actual_purchases[0]
        # Chance shrinks with the root of the customers it is spread over.
        chance = other.purchases_spread.chance[0] / one.purchases_spread.chance[0]
        assert chance == pytest.approx(share**-0.5, rel=0.2)
    again = roll_holdouts(log, 272, 273, CalibrationConfig(sample=600))
    assert [held.actual_spend.tolist() for held in again] == [held.actual_spend.tolist() for held in some]


def test_a_short_log_is_forecast_and_marked_as_not_calibrated() -> None:
    log = invented(1)
    made = forecast(log, 80, 1)
    assert not made.calibrated
    assert made.holdouts == ()
    assert made.value.model == 0
    assert not made.value.calibrated
    assert made.value.low < made.value.expected < made.value.high


def test_spread_of_a_total_equals_simulation() -> None:
    """Chance of the whole base, against 400 futures drawn customer by customer."""
    base = summarise(invented(2), 300)
    often, much = bgnbd.fit(base.x, base.t_x, base.T), gamma_gamma.fit(base.spend_days, base.mean_spend)
    ranks = rank_groups(often.expected_purchases(26, base.x, base.t_x, base.T))
    purchases, spend = spread_of_totals(often, much, base, 26, ranks)
    rng = np.random.default_rng(0)
    future = often.sample(26, base.x, base.t_x, base.T, rng, draws=400)
    money = much.sample(base.spend_days, base.mean_spend, future, rng).sum(axis=1)
    assert purchases.chance[0] == pytest.approx(future.sum(axis=1).std() / future.sum(axis=1).mean(), rel=0.15)
    assert spend.chance[0] == pytest.approx(money.std() / money.mean(), rel=0.15)
    total = [m.expected_purchases(26, base.x, base.t_x, base.T).sum() for m in often.draw_parameters(rng, 400)]
    assert purchases.parameters[0] == pytest.approx(np.std(np.log(total)), rel=0.25)


@pytest.mark.parametrize(("model", "season"), [("bgnbd", 0.0), *((model, 0.5) for model in PURCHASE_MODELS)])
def test_intervals_cover_the_truth_of_invented_logs(model: str, season: float) -> None:
    """At least the stated nine of ten, also when all customers' rates swing together by half, which no
    model knows."""
    inside = 0
    for seed in range(20):
        log = invented(seed, customers=600, season=season)
        made = forecast(log, 270, 3, model)
        came = window(log, 270, 270 + 91)[0].sum()
        inside += made.purchases.low <= came <= made.purchases.high
    assert inside >= 17


def test_complete_journey_is_forecast_inside_its_interval() -> None:
    log = complete_journey()
    made = forecast(log, 182, 6)
    base = summarise(log, 182)
    came, money = (column[base.customer].sum() for column in window(log, 182, 364))
    assert made.purchases.low < came < made.purchases.high
    assert made.value.low < money < made.value.high
    assert made.value.high / made.value.low < 1.3


@pytest.mark.parametrize("normal", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("scale", [0.0, 0.05, 0.4])
def test_interval_of_a_normal_and_a_student_t_together(normal: float, scale: float) -> None:
    low, high = log_interval(normal, scale, 3.0, 0.9)
    rng = np.random.default_rng(1)
    drawn = normal * rng.standard_normal(400_000) + scale * rng.standard_t(3.0, 400_000)
    assert low == -high
    assert (np.abs(drawn) <= high).mean() == pytest.approx(0.9 if normal or scale else 1.0, abs=0.003)
    if not scale:
        assert high == pytest.approx(norm.ppf(0.95) * normal)
    if not normal:
        assert high == pytest.approx(student.ppf(0.95, 3) * scale)


def test_a_date_before_the_first_purchase_is_refused() -> None:
    log = cdnow_sample()
    base = summarise(log, 272)
    often, much = bgnbd.fit(base.x, base.t_x, base.T), gamma_gamma.fit(base.spend_days, base.mean_spend)
    with pytest.raises(InputError, match="day -5: nobody had bought"):
        forecast_base(log, -5, often, much)
    with pytest.raises(InputError, match="level: 2"):
        log_interval(1, 1, 3, 2)
