"""Pareto/NBD three ways: published values, known parameters recovered, and every formula against an independent one."""

import warnings
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1

from rondo.science import compare, paretonbd, reduce_to_cells, summarise, window
from rondo.science._silence import log_mass
from rondo.science.paretonbd import ParetoNbd
from rondo.science.tests.logs import cdnow_sample, complete_journey


@pytest.fixture(scope="module")
def sample_fit() -> ParetoNbd:
    base = summarise(cdnow_sample(), 272)
    return paretonbd.fit(base.x, base.t_x, base.T)


def simulate(size: int, parameters: tuple[float, ...], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers with an exponential lifetime and Poisson purchases until its end or until T."""
    r, alpha, s, beta = parameters
    rng = np.random.default_rng(seed)
    T = rng.uniform(30, 90, size)
    until = np.minimum(rng.exponential(1 / rng.gamma(s, 1 / beta, size)), T)
    x = rng.poisson(rng.gamma(r, 1 / alpha, size) * until)
    # The last of x uniform moments is the largest of them.
    return x, np.where(x > 0, until * rng.random(size) ** (1 / np.maximum(x, 1)), 0.0), T


def published(x: float, t_x: float, T: float, r: float, alpha: float, s: float, beta: float) -> tuple[float, float]:
    """ln L and P(alive) as Fader & Hardie (2005) print them, equations (15), (16) and (36): two branches of 2F1."""
    c, total = r + x, r + s + x
    if alpha >= beta:
        series = [
            hyp2f1(total, s + 1, total + 1, (alpha - beta) / (alpha + t)) / (alpha + t) ** total for t in (t_x, T)
        ]
    else:
        series = [hyp2f1(total, c, total + 1, (beta - alpha) / (beta + t)) / (beta + t) ** total for t in (t_x, T)]
    left = s / total * (series[0] - series[1])
    stays = (alpha + T) ** -c * (beta + T) ** -s
    front = gammaln(c) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return float(front + np.log(stays + left)), float(stays / (stays + left))


def test_published_fit_of_the_cdnow_sample(sample_fit: ParetoNbd) -> None:
    """Fader, Hardie & Lee (2005), table 2, to the digits printed."""
    assert [round(float(v), 3) for v in sample_fit.parameters] == [0.553, 10.578, 0.606, 11.669]
    assert round(sample_fit.log_likelihood, 1) == -9595.0
    assert sample_fit.log_likelihood == pytest.approx(-9594.97, abs=0.01)


def test_hold_out_of_the_cdnow_sample(sample_fit: ParetoNbd) -> None:
    base = summarise(cdnow_sample(), 272)
    came = window(cdnow_sample(), 272, 545)[0][base.customer]
    check = compare(sample_fit.expected_purchases(39, base.x, base.t_x, base.T), came)
    got = (check.forecast, check.mae, check.rmse, check.correlation)
    assert [round(float(v or 0), d) for v, d in zip(got, (1, 4, 3, 4), strict=True)] == [1665.5, 0.7545, 1.603, 0.6302]


@pytest.mark.parametrize("alpha", [0.5, 10.578])
@pytest.mark.parametrize("beta", [0.9, 10.0, 30.0])
def test_likelihood_and_alive_equal_both_hypergeometric_branches(alpha: float, beta: float) -> None:
    r, s = 0.553, 0.606
    rows = [(0.0, 0.0, 38.9), (0.0, 0.0, 0.0), (1.0, 2.0, 38.9), (7.0, 30.0, 38.9), (12.0, 38.9, 38.9)]
    model = ParetoNbd(r, alpha, s, beta, 1, 0, 0, ((0.0,) * 4,) * 4, "")
    for x, t_x, T in rows:
        value, alive = published(x, t_x, T, r, alpha, s, beta)
        likelihood = paretonbd.Likelihood(np.array([x]), np.array([t_x]), np.array([T]), np.ones(1))
        assert likelihood(np.log([r, alpha, s, beta]))[0] == pytest.approx(value, rel=1e-9, abs=1e-9)
        assert model.probability_alive(x, t_x, T)[0] == pytest.approx(alive, rel=1e-8)


def test_the_integral_is_stable_where_the_series_are_not() -> None:
    """Against adaptive quadrature: frequent buyers, extreme parameters of either order."""
    worst = 0.0
    for alpha, beta, s, x, t_x in product((0.1, 300.0), (0.1, 300.0), (0.05, 8.0), (0, 7, 400), (0.14, 38.0)):
        start = t_x if x else 0.0
        c, A, B, L = 0.5 + x, alpha + start, beta + start, 38.9 - start

        def fall(w: float, c: float = c, A: float = A, B: float = B, s: float = s) -> float:
            scale = 1 / (c / A + (s + 1) / B)
            y = scale * np.expm1(w)
            return float(scale * np.exp(w - c * np.log1p(y / A) - (s + 1) * np.log1p(y / B)))

        end = np.log1p(L * (c / A + (s + 1) / B))
        cuts = np.linspace(0, end, 12)
        area = sum(quad(fall, low, high, epsabs=0, epsrel=1e-11)[0] for low, high in pairwise(cuts))
        expected = np.log(s * area / B) + c * np.log1p(L / A) + s * np.log1p(L / B)
        got = log_mass(np.array([c]), s, np.array([A]), np.array([B]), np.array([L]))[0]
        worst = max(worst, abs(float(got - expected)))
    assert worst < 1e-7


def test_agrees_with_lifetimes_per_customer(sample_fit: ParetoNbd) -> None:
    pd = pytest.importorskip("pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitters = pytest.importorskip("lifetimes")
        other = fitters.ParetoNBDFitter()
        other.params_ = pd.Series(sample_fit.parameters, index=["r", "alpha", "s", "beta"])
        base = summarise(cdnow_sample(), 272)
        x, t_x, T = base.x, base.t_x, base.T
        theirs = other.conditional_expected_number_of_purchases_up_to_time(39, x, t_x, T)
        alive = other.conditional_probability_alive(x, t_x, T)
        new = other.expected_number_of_purchases_up_to_time(np.array([1.0, 39.0]))
    assert sample_fit.expected_purchases(39, x, t_x, T) == pytest.approx(np.asarray(theirs), rel=1e-6)
    assert sample_fit.probability_alive(x, t_x, T) == pytest.approx(np.asarray(alive), rel=1e-6)
    assert sample_fit.expected_purchases_new([1.0, 39.0]) == pytest.approx(np.asarray(new), rel=1e-9)


def test_known_parameters_are_recovered() -> None:
    """Within three standard errors that the fit itself states, on 40,000 simulated customers, alpha below beta."""
    truth = (0.6, 8.0, 0.8, 25.0)
    model = paretonbd.fit(*simulate(40_000, truth, seed=3))
    errors = model.log_standard_errors
    assert (errors < 0.25).all()
    assert (np.abs(np.log(model.parameters / truth)) < 3 * errors).all()
    assert model.dropout_identified


def test_gradient_and_hessian_equal_differences() -> None:
    base = summarise(cdnow_sample(), 272)
    likelihood = paretonbd.Likelihood(base.x.astype(float), base.t_x, base.T, np.ones(len(base)))
    for point in (np.log([0.5, 10.0, 0.6, 11.0]), np.array([0.5, -1.0, -2.0, 3.0]), np.array([-1.0, 3.0, 2.0, -2.0])):
        _, gradient, hessian = likelihood(point)
        step = 1e-4
        for i, direction in enumerate(np.eye(4) * step):
            up, down = likelihood(point + direction), likelihood(point - direction)
            assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-5, abs=1e-3)
            assert hessian[i] == pytest.approx((up[1] - down[1]) / (2 * step), rel=1e-5, abs=1e-3)


def test_cells_and_rough_start_change_nothing(monkeypatch: pytest.MonkeyPatch, sample_fit: ParetoNbd) -> None:
    base = summarise(cdnow_sample(), 272)
    cells = reduce_to_cells(base.x, base.t_x, base.T)
    monkeypatch.setattr(paretonbd, "_ROUGH_CELLS", 100)
    rough = paretonbd.fit_cells(cells)
    assert rough.parameters == pytest.approx(sample_fit.parameters, rel=1e-5)
    assert rough.fingerprint == sample_fit.fingerprint


def test_unit_of_time_does_not_matter(sample_fit: ParetoNbd) -> None:
    base = summarise(cdnow_sample(), 272)
    days = paretonbd.fit(base.x, base.recency_days, base.age_days, config=paretonbd.FitConfig(time_unit="day"))
    assert days.parameters == pytest.approx(sample_fit.parameters * [1, 7, 1, 7], rel=1e-6)


def test_expectation_is_continuous_at_s_equal_1(sample_fit: ParetoNbd) -> None:
    exact = sample_fit.with_parameters(s=1.0).expected_purchases(39, 2, 30, 38)
    near = sample_fit.with_parameters(s=1 + 1e-9).expected_purchases(39, 2, 30, 38)
    assert near == pytest.approx(exact, rel=1e-6)


def test_short_left_cut_log_does_not_identify_dropout() -> None:
    base = summarise(complete_journey(), 182)
    model = paretonbd.fit(base.x, base.t_x, base.T)
    assert "dropout_not_identified" in model.warnings()
    came = window(complete_journey(), 182, 364)[0][base.customer]
    assert model.expected_purchases(26, base.x, base.t_x, base.T).sum() == pytest.approx(came.sum(), rel=0.02)
