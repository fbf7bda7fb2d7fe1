"""One silence: what is served of it is carried into forecasts, of which none denies it, and totals stay."""

import numpy as np
import pytest

from rondo import science
from rondo.science import gamma_gamma
from rondo.science.clv import CustomerValues, ValueConfig, value_customers
from rondo.science.models import alive_of, expected_from, fit_at, silent_from
from rondo.science.served import Served, lifted
from rondo.science.tests.logs import cdnow_sample

CONFIG = ValueConfig(months=12, annual_discount_rate=0.1)


def test_what_a_few_lack_is_taken_off_all_others_alike() -> None:
    found = lifted(np.array([0.1, 4.0, 5.0, 0.9]), np.array([0.5, 0.6, 0.1, 0.9]))
    assert found.sum() == pytest.approx(10.0)
    assert found[0] == 0.5 and found[3] == 0.9  # the last one would have fallen below, and stays
    assert found[1:3] / np.array([4.0, 5.0]) == pytest.approx(8.6 / 9)
    same = np.array([1.0, 2.0])
    assert lifted(same, same - 0.1).tolist() == same.tolist()
    assert lifted(np.array([0.1, 0.2]), np.array([0.5, 0.5])).tolist() == [0.5, 0.5]  # more than there is to share out


def test_the_chance_served_is_carried_on_as_the_model_lets_it_grow() -> None:
    told = Served(13.0, np.array([0.5, 0.5, 0.5, 1.0, 0.2]), np.array([0.8, 0.8, 0.5, 1.0, 0.9]), np.ones(5))
    # By the model a purchase is half as likely again, twice, no more likely, and never.
    far = told.nothing(np.array([0.7, 0.6, 0.5, 1.0, 0.0]), 26.0)
    assert far == pytest.approx([0.25, 0.0, 0.5, 1.0, 0.0])
    near = told.nothing(np.array([0.9, 0.99, 0.5, 1.0, 0.95]), 6.5)
    assert near == pytest.approx([0.75, 0.75, 0.5, 1.0, 0.6])  # no faster than the weeks, back as on
    assert told.nothing(told.model, 13.0) == pytest.approx(told.silent)
    assert told.least(far, 26.0).tolist() == [1.0] * 5 and told.least(near, 6.5) == pytest.approx(1 - near)


@pytest.fixture(scope="module", params=["bgnbd", "paretonbd", "hybrid"])
def worths(request: pytest.FixtureRequest) -> tuple[Served, CustomerValues, CustomerValues]:
    log, day = cdnow_sample(), 364
    base = science.summarise(log, day)
    model = fit_at(request.param, log, day, 365.25, base=base)
    spend, alive = gamma_gamma.fit(base.spend_days, base.mean_spend), alive_of(model, base)
    plain = silent_from(model, base, 13.0, alive=alive)
    silent = np.random.default_rng(5).permutation(plain) * 0.4 + plain * 0.5  # a correction as bold as can be
    soon = lifted(expected_from(model, base, 13.0, alive), 1 - silent)
    columns = base.x, base.t_x, base.T, base.spend_days, base.mean_spend
    factors = model.factors(base, CONFIG.horizon_weeks, alive)
    told = Served(13.0, silent, plain, soon)
    before, after = (value_customers(model, spend, *columns, CONFIG, factors, alive, served) for served in (None, told))
    return told, before, after


def test_no_forecast_of_a_customer_denies_the_silence_served(
    worths: tuple[Served, CustomerValues, CustomerValues],
) -> None:
    told, before, after = worths
    chance = 1 - told.silent
    assert (before.expected_purchases < chance).any()  # there was something to mend
    assert (after.expected_purchases >= chance - 1e-12).all()
    assert (after.expected_purchases >= told.expected - 1e-12).all()
    assert ((after.low <= after.value) & (after.value <= after.high)).all()
    # Who buys with 6 % and more within the quarter brings more than the value at the upper end.
    assert (after.high > after.value)[(told.silent < 0.94) & (after.value > 0)].all()
    assert after.median_purchases[told.silent < 0.5].min() >= 1


def test_the_purchases_of_the_base_stay(worths: tuple[Served, CustomerValues, CustomerValues]) -> None:
    _told, before, after = worths
    assert after.expected_purchases.sum() == pytest.approx(before.expected_purchases.sum())
    assert after.value.sum() == pytest.approx(before.value.sum(), rel=0.05)


def test_a_silence_that_is_the_models_own_changes_nothing() -> None:
    log, day = cdnow_sample(), 364
    base = science.summarise(log, day)
    model = fit_at("paretonbd", log, day, 365.25, base=base)
    spend, alive = gamma_gamma.fit(base.spend_days, base.mean_spend), alive_of(model, base)
    silent = silent_from(model, base, 13.0, alive=alive)
    told = Served(13.0, silent, silent, expected_from(model, base, 13.0, alive))
    columns = base.x, base.t_x, base.T, base.spend_days, base.mean_spend
    before, after = (value_customers(model, spend, *columns, CONFIG, None, alive, one) for one in (None, told))
    for name in ("value", "low", "high", "median_purchases"):
        assert np.abs(getattr(before, name) - getattr(after, name)).max() <= 1, name
    assert after.expected_purchases == pytest.approx(before.expected_purchases)


@pytest.mark.parametrize("name", ["bgnbd", "paretonbd"])
def test_who_bought_daily_and_is_long_gone_has_a_value_within_an_interval(name: str) -> None:
    """P(alive) is too small for a difference from 1, yet what is served says that three in ten come back."""
    log, day = cdnow_sample(), 364
    base = science.summarise(log, day)
    model = fit_at(name, log, day, 365.25, base=base)
    spend = gamma_gamma.fit(base.spend_days, base.mean_spend)
    x, t_x, span = (
        np.array(column, float) for column in ([2.0, 30.0, 60.0, 600.0], [20.0, 104, 104, 104], [52.0, 400, 400, 400])
    )
    alive = model.probability_alive(x, t_x, span)
    assert alive[1:].max() < 1e-8
    silent = np.array([0.5, 0.7, 0.7, 0.7])
    told = Served(13.0, silent, np.array([0.5, 1.0, 1.0, 1.0]), 1 - silent)
    found = value_customers(model, spend, x, t_x, span, x, np.full(4, 3000.0), CONFIG, None, alive, told)
    assert (found.high > found.value).all() and (found.value > 0).all()
    assert (found.high[1:] > 2 * found.value[1:]).all()  # one purchase alone brings more than three tenths of one
