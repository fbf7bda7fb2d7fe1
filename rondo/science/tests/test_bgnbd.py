"""BG/NBD three ways: published values, known parameters recovered, and every formula against an independent one."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1
from scipy.stats import beta as beta_law

from rondo.errors import InputError
from rondo.science import BgNbd, bgnbd, compare, reduce_to_cells, summarise, window
from rondo.science._purchases import expected_while_alive
from rondo.science.tests.logs import cdnow, cdnow_sample, complete_journey

PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


@pytest.fixture(scope="module")
def sample_fit() -> BgNbd:
    base = summarise(cdnow_sample(), 272)
    return bgnbd.fit(base.x, base.t_x, base.T)


def simulate(size: int, parameters: tuple[float, ...], seed: int) -> tuple[np.ndarray, ...]:
    """Customers buying one by one in continuous time, as the model tells the story."""
    r, alpha, a, b = parameters
    rng = np.random.default_rng(seed)
    rows = []
    for rate, leave, T in zip(
        rng.gamma(r, 1 / alpha, size), rng.beta(a, b, size), rng.uniform(30, 90, size), strict=True
    ):
        x, last, now = 0, 0.0, 0.0
        while True:
            now += rng.exponential(1 / max(rate, 1e-9))
            if now > T:
                break
            x, last = x + 1, now
            if rng.random() < leave:
                break
        rows.append((x, last, T))
    return tuple(np.array(rows).T)


def test_published_fit_of_the_cdnow_sample(sample_fit: BgNbd) -> None:
    """Fader, Hardie & Lee (2005), table 2, to the digits printed."""
    assert sample_fit.n_customers == 2357
    assert {
        name: round(float(value), 3) for name, value in zip(PUBLISHED, sample_fit.parameters, strict=True)
    } == PUBLISHED
    assert round(sample_fit.log_likelihood, 1) == -9582.4
    assert round(sample_fit.log_likelihood, 2) == -9582.43


def test_published_worked_example(sample_fit: BgNbd) -> None:
    model = replace(sample_fit, r=0.243, alpha=4.414, a=0.793, b=2.426)
    assert round(float(model.expected_purchases(39, 2, 30.43, 38.86)[0]), 3) == 1.226


@pytest.mark.parametrize(
    ("full", "origin", "row"),
    [
        (False, 272, (2357, 1653.4, 1882, 0.7855, 1.608, 0.6256)),
        (True, 273, (23570, 16870, 19604, 0.817, 1.725, 0.669)),
    ],
    ids=["sample", "full log"],
)
def test_hold_out_of_cdnow(full: bool, origin: int, row: tuple[float, ...]) -> None:
    log = cdnow() if full else cdnow_sample()
    base = summarise(log, origin)
    model = bgnbd.fit(base.x, base.t_x, base.T)
    came = window(log, origin, 545)[0][base.customer]
    check = compare(model.expected_purchases(39, base.x, base.t_x, base.T), came)
    digits = (0, 0, 0, 3, 3, 3) if full else (0, 1, 0, 4, 3, 4)
    got = (check.customers, check.forecast, check.actual, check.mae, check.rmse, check.correlation)
    assert tuple(round(float(v or 0), d) for v, d in zip(got, digits, strict=True)) == row


def test_known_parameters_are_recovered() -> None:
    """Within three standard errors that the fit itself states, on 20,000 simulated customers."""
    truth = (0.5, 6.0, 0.9, 2.5)
    x, t_x, T = simulate(20_000, truth, seed=7)
    model = bgnbd.fit(x, t_x, T)
    errors = np.sqrt(np.diag(np.array(model.log_covariance)))
    assert (errors < 0.15).all()
    assert (np.abs(np.log(model.parameters / truth)) < 3 * errors).all()
    assert model.dropout_identified


def test_gradient_and_hessian_equal_differences() -> None:
    base = summarise(cdnow_sample(), 272)
    likelihood = bgnbd.Likelihood(base.x.astype(float), base.t_x, base.T, np.ones(len(base)))
    for point in (np.log([0.25, 4.4, 0.8, 2.4]), np.array([0.5, -1.0, -3.0, 4.0]), np.array([-1.0, 3.0, 2.0, -2.0])):
        value, gradient, hessian = likelihood(point)
        assert np.isfinite(value)
        step = 1e-4
        for i, direction in enumerate(np.eye(4) * step):
            up, down = likelihood(point + direction), likelihood(point - direction)
            assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-5, abs=1e-3)
            assert hessian[i] == pytest.approx((up[1] - down[1]) / (2 * step), rel=1e-5, abs=1e-3)


def test_likelihood_equals_the_published_formula_row_by_row() -> None:
    """Equation (6) term by term with scipy's beta functions, against the sums over cells."""
    from scipy.special import betaln, gammaln

    base = summarise(cdnow_sample(), 272)
    x, t_x, T = np.asarray(base.x, float), base.t_x, base.T
    r, alpha, a, b = 0.3, 5.0, 0.6, 1.9
    stays = (
        betaln(a, b + x) - betaln(a, b) + gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + T)
    )
    repeat = x > 0
    left = np.full(x.size, -np.inf)
    left[repeat] = (
        betaln(a + 1, b + x - 1) - betaln(a, b) + gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        - (r + x) * np.log(alpha + t_x)
    )[repeat]  # fmt: skip
    cells = reduce_to_cells(x, t_x, T)
    likelihood = bgnbd.Likelihood(cells.x, cells.t_x, cells.T, cells.counts)
    assert likelihood(np.log([r, alpha, a, b]))[0] == pytest.approx(np.logaddexp(stays, left).sum(), rel=1e-12)


def test_cells_weights_and_raw_rows_give_one_fit(sample_fit: BgNbd) -> None:
    base = summarise(cdnow_sample(), 272)
    cells = reduce_to_cells(base.x, base.t_x, base.T)
    assert bgnbd.fit_cells(cells) == sample_fit
    weighted = bgnbd.fit(cells.x, cells.t_x, cells.T, weights=cells.counts)
    assert weighted.parameters == pytest.approx(sample_fit.parameters, rel=1e-12)
    assert weighted.fingerprint == sample_fit.fingerprint


def test_unit_of_time_does_not_matter(sample_fit: BgNbd) -> None:
    base = summarise(cdnow_sample(), 272)
    days = bgnbd.fit(base.x, base.recency_days, base.age_days, config=bgnbd.FitConfig(time_unit="day"))
    assert days.parameters == pytest.approx(sample_fit.parameters * [1, 7, 1, 1], rel=1e-7)
    assert days.expected_purchases(70, 3, 100, 250) == pytest.approx(
        sample_fit.expected_purchases(10, 3, 100 / 7, 250 / 7), rel=1e-7
    )


def test_expectation_equals_the_closed_form(sample_fit: BgNbd) -> None:
    """Equation (10) with the hypergeometric function, where that one is well-conditioned."""
    r, alpha, a, b = sample_fit.parameters
    x, t_x, T, t = np.array([0.0, 1, 2, 7]), np.array([0.0, 3, 30, 37]), np.array([38.0, 38, 38, 39]), 39.0
    series = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
    top = (a + b + x - 1) / (a - 1) * (1 - ((alpha + T) / (alpha + T + t)) ** (r + x) * series)
    below = 1 + (x > 0) * a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
    assert sample_fit.expected_purchases(t, x, t_x, T) == pytest.approx(top / below, rel=1e-10)
    new = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t)))
    assert sample_fit.expected_purchases_new(t)[0] == pytest.approx(new, rel=1e-10)


@pytest.mark.parametrize("a", [0.05, 1.0, 40.0])
@pytest.mark.parametrize("b", [0.3, 300.0])
@pytest.mark.parametrize("x", [0, 3, 300])
@pytest.mark.parametrize("t", [0.5, 52.0, 520.0])
def test_expectation_is_stable_where_the_closed_form_is_not(a: float, b: float, x: int, t: float) -> None:
    """Against adaptive quadrature, a = 1 (where the closed form is 0 / 0) and 300 purchases included."""
    r, alpha, T = 0.4, 3.0, 40.0

    def integrand(p: float) -> float:
        return float(-np.expm1(-(r + x) * np.log1p(p * t / (alpha + T))) / p * beta_law.pdf(p, a, b + x))

    centre = a / (a + b + x)
    cuts = [0.0, *np.clip([centre / 100, centre / 10, centre, 5 * centre, 20 * centre], 1e-12, 1.0), 1.0]
    expected = sum(
        quad(integrand, low, high, epsabs=0, epsrel=1e-9, limit=200)[0] for low, high in pairwise(cuts) if high > low
    )
    got = expected_while_alive(np.array([t]), np.array([float(x)]), np.array([T]), r, alpha, a, b)[0, 0]
    assert got == pytest.approx(expected, rel=1e-5)


def test_samples_agree_with_the_expectation(sample_fit: BgNbd) -> None:
    x, t_x, T = np.array([0.0, 1, 5, 20]), np.array([0.0, 5, 35, 38]), np.full(4, 38.86)
    drawn = sample_fit.sample(39, x, t_x, T, np.random.default_rng(5), draws=200_000)
    expected = sample_fit.expected_purchases(39, x, t_x, T)
    error = drawn.std(axis=0) / np.sqrt(drawn.shape[0])
    assert (np.abs(drawn.mean(axis=0) - expected) < 4 * error).all()
    assert ((drawn == 0).mean(axis=0) >= 1 - sample_fit.probability_alive(x, t_x, T) - 0.01).all()


def test_one_time_buyers_are_alive_by_construction(sample_fit: BgNbd) -> None:
    """The trap that docs/models.md warns of: recency says nothing at x = 0."""
    assert sample_fit.probability_alive([0, 0], [0, 0], [1, 500]).tolist() == [1.0, 1.0]
    alive = sample_fit.probability_alive([5, 5, 5], [10, 20, 38], [39, 39, 39])
    assert (np.diff(alive) > 0).all()


def test_short_left_cut_log_does_not_identify_dropout(sample_fit: BgNbd) -> None:
    """Complete Journey: no crash, sensible totals, and the fit says itself that it cannot tell how customers leave."""
    log = complete_journey()
    base = summarise(log, 364)
    model = bgnbd.fit(base.x, base.t_x, base.T)
    assert not model.dropout_identified
    assert sample_fit.dropout_identified
    expected = model.expected_purchases(52, base.x, base.t_x, base.T)
    assert 0.9 < expected.sum() / base.x.sum() < 1.1
    assert round(float((model.probability_alive(base.x, base.t_x, base.T) < 0.5).mean()), 3) == 0.024


def test_customers_who_never_leave_are_no_obstacle() -> None:
    """An NBD without dropout has its maximum at the edge: found, and marked as not identified."""
    rng = np.random.default_rng(3)
    T = np.full(3000, 52.0)
    x = rng.poisson(rng.gamma(2, 0.1, 3000) * T)
    t_x = np.where(x > 0, T * rng.random(3000) ** (1 / np.maximum(x, 1)), 0)
    model = bgnbd.fit(x, t_x, T)
    assert not model.dropout_identified
    assert model.expected_purchases(52, x, t_x, T).sum() == pytest.approx(x.sum(), rel=0.05)


def test_fit_survives_storage_and_refuses_other_data(sample_fit: BgNbd) -> None:
    stored = json.loads(json.dumps(sample_fit.to_dict()))
    assert BgNbd.from_dict(stored, fingerprint=sample_fit.fingerprint) == sample_fit
    with pytest.raises(InputError, match="fit again on the given data"):
        BgNbd.from_dict(stored, fingerprint="0" * 64)
    with pytest.raises(InputError, match="model 'gamma_gamma', expected 'bgnbd'"):
        BgNbd.from_dict({**stored, "model": "gamma_gamma"}, fingerprint=sample_fit.fingerprint)
    with pytest.raises(InputError, match="version 9"):
        BgNbd.from_dict({**stored, "version": 9}, fingerprint=sample_fit.fingerprint)
    with pytest.raises(InputError, match="missing or unknown: alpha"):
        BgNbd.from_dict({k: v for k, v in stored.items() if k != "alpha"}, fingerprint=sample_fit.fingerprint)
    with pytest.raises(InputError, match="r: -1"):
        BgNbd.from_dict({**stored, "r": -1.0}, fingerprint=sample_fit.fingerprint)


def test_parameter_draws_spread_as_the_covariance_says(sample_fit: BgNbd) -> None:
    drawn = np.log([model.parameters for model in sample_fit.draw_parameters(np.random.default_rng(1), 4000)])
    assert np.cov(drawn.T) == pytest.approx(np.array(sample_fit.log_covariance), abs=0.005)


def test_a_base_without_repeat_purchases_is_refused_with_a_reason() -> None:
    with pytest.raises(InputError, match="no repeat purchase in the base"):
        bgnbd.fit([0, 0], [0, 0], [5, 6])
    with pytest.raises(InputError, match="no repeat purchase"):
        bgnbd.fit([], [], [])


def test_description_is_ready_for_a_card(sample_fit: BgNbd) -> None:
    card = json.loads(json.dumps(sample_fit.describe()))
    assert card["parameters"]["r"] == sample_fit.r
    assert card["dropout_identified"] is True
    assert card["time_unit"] == "week"


def test_no_customers_give_no_scores(sample_fit: BgNbd) -> None:
    assert sample_fit.expected_purchases(10, [], [], []).shape == (0,)
    with pytest.raises(InputError, match="horizon: -1"):
        sample_fit.sample(-1, 0, 0, 5, np.random.default_rng(0))
