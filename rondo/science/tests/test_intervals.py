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
from rondo.science.counts import SPREADS, Reached
from rondo.science.intervals import (
    CalibrationConfig,
    RolledHoldOut,
    Spread,
    intervals_of,
    log_interval,
    model_errors,
    spread_of_totals,
)
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
    assert all(group.low < group.high for group in sample.value_groups)
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


def rolled(errors: list[list[float]], days: int = 28) -> tuple[RolledHoldOut, ...]:
    """Hold-outs side by side in which the base and two groups missed by these logarithms, beyond any chance."""
    none, nobody = Spread(np.zeros(3), np.zeros(3)), Reached(days, 0, np.zeros(len(SPREADS)), np.zeros(len(SPREADS)))
    forecast = np.full(3, 1e6)
    found = []
    for number, missed in enumerate(errors):
        came = np.rint(forecast * np.exp(missed)).astype(np.int64)
        start = 100 + number * days
        found.append(RolledHoldOut(start, start + days, 10, forecast, came, forecast, came, none, none, nobody))
    return tuple(found)


def test_a_share_missed_alike_at_all_dates_moves_its_group_and_the_base_stays() -> None:
    """The first group had .4 more than its share each time, the second went up and down by as much."""
    signs = zip([1, -1] * 4, [1, 1, -1, -1] * 2, strict=True)
    held = rolled([[0.1 * sign, 0.4 + 0.1 * sign, 0.4 * other] for sign, other in signs])
    error = model_errors(held, held[-1].until, 28)
    assert error is not None
    shift, scale, freedom = error[0].shift, error[0].scale, error[0].freedom
    assert shift[0] == 0
    assert shift[1] == pytest.approx(0.4 * 8 / 8.5, rel=0.02)
    assert abs(shift[2]) < 0.4 * 8 / 8.5
    assert scale[1] < 0.6 * scale[2]
    assert freedom.tolist() == [9.0, 10.0, 10.0]
    total, spread = np.array([200.0, 100.0, 100.0]), Spread(np.full(3, 0.05), np.zeros(3))
    base, moved, wide = intervals_of(total, spread, error[0], 0.9)
    assert base.low < 200 < base.high
    assert moved.low < 100 * np.exp(0.4) < moved.high
    assert moved.high / moved.low < wide.high / wide.low
    # One hold-out tells a shift, and nothing of how well it would have been foretold.
    first, _spend = model_errors(held[:1], held[0].until, 28) or (None, None)
    assert first is not None
    assert first.shift[1] == pytest.approx(0.4 / 1.5, rel=0.02)
    assert first.scale[1] > 0.3


def test_errors_of_one_size_reach_less_far_than_errors_of_many_sizes() -> None:
    """Both have a root mean square of .1; Student's quantile alone would not tell them apart."""
    one = rolled([[0.1 * sign, 0, 0] for sign in [1, -1] * 4])
    size = 0.1 * 8**0.5
    many = rolled([[missed, 0, 0] for missed in [size, *[0.0] * 7]])
    steady, wild = (model_errors(held, 324, 28) for held in (one, many))
    assert steady is not None
    assert wild is not None
    sure = student.isf(0.05, 9)
    # Eight hold-outs weigh 8 to 3; of eight errors the 90 % point lies seven tenths of the way from the last but one.
    assert steady[0].scale[0] * sure == pytest.approx(0.1 * sure ** (3 / 11), rel=1e-3)
    assert wild[0].scale[0] * sure == pytest.approx(0.1 * (0.7 * 8**0.5) ** (8 / 11) * sure ** (3 / 11), rel=1e-3)
    assert model_errors((), 100, 28) is None


def test_a_group_of_which_nothing_may_come_has_an_interval_from_nothing_on() -> None:
    spread = Spread(np.array([1.2]), np.zeros(1))
    (little,) = intervals_of(np.array([0.7]), spread, None, 0.9)
    assert little.low == 0.0
    assert little.low < little.expected < little.high


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
