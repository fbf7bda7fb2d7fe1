"""Lifetime value: the product of its parts, whole minor units, and intervals that hold what they claim."""

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science import (
    BgNbd,
    CustomerValues,
    GammaGamma,
    Summary,
    ValueConfig,
    bgnbd,
    gamma_gamma,
    summarise,
    value_customers,
)
from rondo.science.models import alive_of, fit_at, silent_from
from rondo.science.tests.logs import cdnow_sample, complete_journey


@pytest.fixture(scope="module")
def base() -> Summary:
    return summarise(cdnow_sample(), 272)


@pytest.fixture(scope="module")
def often(base: Summary) -> BgNbd:
    return bgnbd.fit(base.x, base.t_x, base.T)


@pytest.fixture(scope="module")
def much(base: Summary) -> GammaGamma:
    return gamma_gamma.fit(base.spend_days, base.mean_spend)


def value(base: Summary, often: BgNbd, much: GammaGamma, config: ValueConfig | None = None) -> CustomerValues:
    return value_customers(often, much, base.x, base.t_x, base.T, base.spend_days, base.mean_spend, config)


def test_value_is_discounted_purchases_times_spend_times_margin(base: Summary, often: BgNbd, much: GammaGamma) -> None:
    config = ValueConfig(months=12, annual_discount_rate=0.15, margin_rate=0.3)
    worth = value(base, often, much, config)
    month = 365.25 / 12 / 7
    discounted = np.zeros(len(base))
    before = np.zeros(len(base))
    for number in range(12):
        until = often.expected_purchases((number + 1) * month, base.x, base.t_x, base.T)
        discounted += (until - before) * 1.15 ** (-(number + 0.5) / 12)
        before = until
    spend = much.expected_mean_spend(base.spend_days, base.mean_spend)
    assert worth.expected_purchases == pytest.approx(before)
    assert worth.expected_spend == pytest.approx(spend)
    assert worth.value.dtype == np.int64
    assert np.abs(worth.value - discounted * spend * 0.3).max() <= 0.5 + 1e-6
    assert worth.total == int(worth.value.sum())


def test_without_discount_and_cost_value_is_expected_spend(base: Summary, often: BgNbd, much: GammaGamma) -> None:
    worth = value(base, often, much, ValueConfig(months=3, annual_discount_rate=0))
    assert np.abs(worth.value - worth.expected_purchases * worth.expected_spend).max() <= 0.5 + 1e-6


def test_customer_intervals_cover_what_the_models_draw(often: BgNbd, much: GammaGamma) -> None:
    """Simulated futures of every customer: 5 % fall above and, where anything can, 5 % below."""
    config = ValueConfig(months=12, annual_discount_rate=0, level=0.9)
    rng = np.random.default_rng(6)
    x, t_x, T, days, mean = (
        np.repeat(c, 5) for c in ([0, 3, 20, 60], [0, 30, 76, 77], [78] * 4, [1, 4, 21, 61], [3000] * 4)
    )
    worth = value_customers(often, much, x, t_x, T, days, mean, config)
    future = often.sample(config.horizon_weeks, x, t_x, T, rng, draws=20_000)
    money = much.sample(days, mean, future, rng)
    above = (money > worth.high).mean(axis=0).reshape(4, 5).mean(axis=1)
    below = (money < worth.low).mean(axis=0).reshape(4, 5).mean(axis=1)
    assert above == pytest.approx([0.05] * 4, abs=0.01)
    assert (worth.low > 0).reshape(4, 5)[:, 0].tolist() == [False, False, False, True]
    assert below[3] == pytest.approx(0.05, abs=0.01)
    assert (worth.low <= worth.high).all()


@pytest.mark.parametrize("factor", [0.5, 4.0, 20.0])
def test_a_factor_moves_the_chance_of_nothing_and_the_amounts_and_keeps_the_mean(
    often: BgNbd, much: GammaGamma, factor: float
) -> None:
    """Draws of the base's law, weighed so that nothing has the chance it has to the power of the factor."""
    config = ValueConfig(months=12, annual_discount_rate=0, level=0.9)
    rng = np.random.default_rng(7)
    x, t_x, T, days, mean = (
        np.repeat(c, 5) for c in ([3, 3, 20, 60], [5, 30, 62, 77], [78] * 4, [4, 4, 21, 61], [3000] * 4)
    )
    worth = value_customers(often, much, x, t_x, T, days, mean, config, factors=np.full(x.size, factor))
    money = much.sample(days, mean, often.sample(config.horizon_weeks, x, t_x, T, rng, draws=40_000), rng)
    nothing = (money == 0).mean(axis=0) ** factor
    some = (1 - nothing) / (money > 0).mean(axis=0)
    amount = worth.value / (some * money.mean(axis=0))
    above = some * (money * amount > worth.high).mean(axis=0)
    # Nothing lies above the interval of who buys with less than 5 %; of all others 5 % do.
    assert np.minimum(1 - nothing, 0.05) == pytest.approx(above, abs=0.012)
    assert ((worth.low <= worth.value) & (worth.value <= worth.high)).all()


def test_no_value_of_a_hybrid_lies_outside_its_interval() -> None:
    log = complete_journey()
    base = summarise(log, 364)
    model = fit_at("hybrid", log, 364, 365.25, base=base)
    spend, config, alive = gamma_gamma.fit(base.spend_days, base.mean_spend), ValueConfig(), alive_of(model, base)
    factors = model.factors(base, config.horizon_weeks, alive)
    columns = base.x, base.t_x, base.T, base.spend_days, base.mean_spend
    worth = value_customers(model, spend, *columns, config, factors, alive)

    def nothing_within(weeks: float) -> np.ndarray:
        return silent_from(model, base, weeks, alive=alive)

    assert ((worth.low <= worth.value) & (worth.value <= worth.high)).all()
    # Who buys within a span is there: P(alive) is no less likely than a purchase, however short or long the span.
    assert (model.probability_alive(base.x, base.t_x, base.T) < 1 - nothing_within(13.0)).any()
    assert (worth.probability_alive >= 1 - nothing_within(config.horizon_weeks) - 1e-12).all()
    # Whose upper end is nothing, or no more than the value, is likely to bring nothing.
    nothing = nothing_within(config.horizon_weeks)
    little = worth.high <= worth.value
    assert little.any() and (nothing[little] > 0.94).all()
    assert (worth.high[nothing < 0.94] > worth.value[nothing < 0.94]).all()


def test_equal_input_gives_equal_intervals(base: Summary, often: BgNbd, much: GammaGamma) -> None:
    one, two = (value(base, often, much) for _ in range(2))
    assert np.array_equal(one.low, two.low)
    assert np.array_equal(one.high, two.high)


def test_no_customers(often: BgNbd, much: GammaGamma) -> None:
    assert value_customers(often, much, [], [], [], [], []).total == 0


def test_a_model_in_days_says_the_same_and_other_units_are_refused(
    base: Summary, often: BgNbd, much: GammaGamma
) -> None:
    days = bgnbd.fit(base.x, base.recency_days, base.age_days, config=bgnbd.FitConfig(time_unit="day"))
    assert value(base, days, much).total == pytest.approx(value(base, often, much).total, rel=0.003)
    years = bgnbd.fit(base.x, base.t_x, base.T, config=bgnbd.FitConfig(time_unit="year"))
    with pytest.raises(InputError, match="time unit 'year'"):
        value(base, years, much)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"months": 0}, "months: 0"),
        ({"annual_discount_rate": 15.0}, r"annual_discount_rate: 15\.0"),
        ({"margin_rate": 0.0}, "margin_rate: 0.0"),
        ({"margin_rate": 1.5}, r"margin_rate: 1\.5"),
        ({"level": 1.0}, "level: 1.0"),
    ],
)
def test_senseless_assumptions_are_refused(given: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ValueConfig(**given)  # type: ignore[arg-type]
