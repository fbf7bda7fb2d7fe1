"""One face for all models of purchases: what one promises, every one keeps."""

import json
from functools import cache

import numpy as np
import pytest

from rondo import science
from rondo.errors import InputError
from rondo.science import gamma_gamma, models
from rondo.science.models import PURCHASE_MODELS, PurchaseModel, fit_base, in_units, weeks_in_units
from rondo.science.tests.logs import cdnow_sample

X, T_X, T = np.array([0.0, 1, 5, 20]), np.array([0.0, 5, 35, 38]), np.full(4, 39.0)


@cache
def fitted(name: str) -> PurchaseModel:
    return fit_base(name, science.summarise(cdnow_sample(), 272))


def rows(model: PurchaseModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, t_x, observed = map(np.asarray, in_units(model.config.time_unit, X, T_X, T))
    return x, t_x, observed


@pytest.fixture(params=PURCHASE_MODELS)
def model(request: pytest.FixtureRequest) -> PurchaseModel:
    return fitted(request.param)


def test_registry_and_models_agree(model: PurchaseModel) -> None:
    kind = PURCHASE_MODELS[model.kind]
    assert kind.title == model.title
    assert kind.module.__name__ == f"rondo.science.{model.kind}"
    assert kind.time_unit == model.config.time_unit
    assert len(model.names) == model.parameters.size == len(model.log_covariance)


def test_samples_agree_with_all_that_is_said_of_the_future(model: PurchaseModel) -> None:
    """Mean and share of nothing of 100,000 draws, against the formulas, for histories of every kind."""
    unit, history = model.config.time_unit, rows(model)
    horizon = weeks_in_units(unit, 39)
    drawn = model.sample(horizon, history[0], history[1], history[2], np.random.default_rng(5), draws=100_000)
    expected, silent = model.expected_purchases(horizon, *history), model.probability_silent(horizon, *history)
    error = drawn.std(axis=0) / np.sqrt(drawn.shape[0])
    assert (np.abs(drawn.mean(axis=0) - expected) < 4 * error).all()
    nothing = (drawn == 0).mean(axis=0)
    assert nothing == pytest.approx(silent, abs=4 * 0.5 / np.sqrt(100_000))
    assert (silent >= 1 - model.probability_alive(*history) - 1e-12).all()


def test_the_future_adds_up(model: PurchaseModel) -> None:
    """Expectations over two spans are consistent; nobody comes back to life; silence only becomes less likely."""
    unit, history = model.config.time_unit, rows(model)
    times = [weeks_in_units(unit, weeks) for weeks in (0, 1, 13, 52)]
    by_time = model.expected_purchases_by(times, *history)
    assert (by_time[:, 0] == 0).all() and (np.diff(by_time, axis=1) > 0).all()
    for column, time in enumerate(times):
        assert by_time[:, column] == pytest.approx(model.expected_purchases(time, *history), rel=1e-9)
    alive = np.stack([model.probability_alive_after(time, *history) for time in times])
    assert alive[0] == pytest.approx(model.probability_alive(*history), rel=1e-12)
    assert (np.diff(alive, axis=0) < 0).all() and (alive > 0).all()
    silent = np.stack([model.probability_silent(time, *history) for time in times])
    assert silent[0] == pytest.approx(np.ones(4)) and (np.diff(silent, axis=0) < 0).all()


def test_derivative_of_the_expectation_is_rate_times_survival(model: PurchaseModel) -> None:
    """Two formulas of one model against each other: after a long silence both must fall together.

    One more unit of time adds at most the rate of those who are still there.
    """
    unit, history = model.config.time_unit, rows(model)
    one = weeks_in_units(unit, 1)
    added = model.expected_purchases(one, *history)
    rate = model.expected_while_alive(np.array([one]), history[0], history[2])[:, 0]
    assert added == pytest.approx(rate * model.probability_alive(*history), rel=1e-12)


def test_storage_refuses_other_data(model: PurchaseModel) -> None:
    stored = json.loads(json.dumps(model.to_dict()))
    assert models.load(stored, fingerprint=model.fingerprint) == model
    with pytest.raises(InputError, match="fit again on the given data"):
        models.load(stored, fingerprint="0" * 64)
    with pytest.raises(InputError, match="'nbd': unknown; choose one of bgnbd, mbgnbd, paretonbd, bgbb"):
        models.load({**stored, "model": "nbd"}, fingerprint=model.fingerprint)


def test_card_is_complete(model: PurchaseModel) -> None:
    card = json.loads(json.dumps(model.describe()))
    assert set(card["parameters"]) == set(card["log_standard_errors"]) == set(model.names)
    assert card["n_customers"] == 2357 and card["n_cells"] == 1016
    assert [entry["code"] for entry in card["warnings"]] == list(model.warnings())
    assert all(entry["text"] for entry in card["warnings"])


def test_only_the_bgnbd_warns_of_one_time_buyers() -> None:
    assert [name for name in PURCHASE_MODELS if "one_time_buyers" in fitted(name).warnings()] == ["bgnbd"]
    faded = {name: fitted(name).probability_alive(*(c[:1] for c in rows(fitted(name))))[0] for name in PURCHASE_MODELS}
    assert faded.pop("bgnbd") == 1
    assert all(alive < 0.9 for alive in faded.values())


def test_parameter_draws_spread_as_the_covariance_says(model: PurchaseModel) -> None:
    drawn = np.log([other.parameters for other in model.draw_parameters(np.random.default_rng(1), 4000)])
    assert np.cov(drawn.T) == pytest.approx(np.array(model.log_covariance), abs=0.03)
    with pytest.raises(InputError, match="weight: no parameter of"):
        model.with_parameters(weight=1.0)


def test_value_and_interval_take_any_model(model: PurchaseModel) -> None:
    log = cdnow_sample()
    base = science.summarise(log, 272)
    much = gamma_gamma.fit(base.spend_days, base.mean_spend)
    made = science.forecast_base(log, 272, model, much, science.ValueConfig(months=9, annual_discount_rate=0.0))
    came = science.window(log, 272, 272 + 274)[0][base.customer].sum() if log.last_day > 546 else 1882
    assert made.calibrated and made.purchases.low < came < made.purchases.high
    assert (made.customers.low <= made.customers.high).all()
    per_customer = models.expected_from(model, base, science.ValueConfig(months=9).horizon_weeks)
    assert made.customers.expected_purchases == pytest.approx(per_customer, rel=1e-9)


def test_units_that_no_base_is_counted_in_are_refused() -> None:
    assert weeks_in_units("day", 39.0) == 273
    with pytest.raises(InputError, match="time unit 'year'"):
        in_units("year", 1, 2, 3)


def test_spend_model_warns_where_spend_depends_on_frequency() -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(1, 20, 2000)
    related = gamma_gamma.fit(n, n * 100 * rng.gamma(5, 0.2, 2000))
    assert "spend_depends_on_frequency" in related.warnings()
    assert "spend_depends_on_frequency" not in gamma_gamma.fit(n, 100 * rng.gamma(5, 0.2, 2000)).warnings()
    assert [*models.SPEND_MODELS] == [related.kind]
