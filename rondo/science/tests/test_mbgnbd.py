"""MBG/NBD: known values, known parameters recovered, and every formula against an independent one."""

import json
import warnings

import numpy as np
import pytest
from scipy.special import betaln, gammaln

from rondo.errors import InputError
from rondo.science import compare, mbgnbd, reduce_to_cells, summarise, window
from rondo.science._beta_geometric import Likelihood
from rondo.science.mbgnbd import MbgNbd
from rondo.science.tests.logs import cdnow_sample


@pytest.fixture(scope="module")
def sample_fit() -> MbgNbd:
    base = summarise(cdnow_sample(), 272)
    return mbgnbd.fit(base.x, base.t_x, base.T)


def simulate(size: int, parameters: tuple[float, ...], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers buying one by one in continuous time, with a coin after the first purchase too."""
    r, alpha, a, b = parameters
    rng = np.random.default_rng(seed)
    rows = []
    for rate, leave, T in zip(
        rng.gamma(r, 1 / alpha, size), rng.beta(a, b, size), rng.uniform(30, 90, size), strict=True
    ):
        x, last, now = 0, 0.0, 0.0
        while rng.random() >= leave:
            now += rng.exponential(1 / max(rate, 1e-9))
            if now > T:
                break
            x, last = x + 1, now
        rows.append((x, last, T))
    x_, t_x, T_ = np.array(rows).T
    return x_, t_x, T_


def test_known_fit_and_hold_out_of_the_cdnow_sample(sample_fit: MbgNbd) -> None:
    """Parameters, log-likelihood and hold-out as other programs find them."""
    assert [round(float(v), 3) for v in sample_fit.parameters] == [0.525, 6.183, 0.891, 1.614]
    assert sample_fit.log_likelihood == pytest.approx(-9582.13, abs=0.01)
    base = summarise(cdnow_sample(), 272)
    came = window(cdnow_sample(), 272, 545)[0][base.customer]
    check = compare(sample_fit.expected_purchases(39, base.x, base.t_x, base.T), came)
    got = (check.forecast, check.mae, check.rmse, check.correlation)
    assert [round(float(v or 0), d) for v, d in zip(got, (1, 4, 3, 4), strict=True)] == [1576.7, 0.7648, 1.607, 0.6273]


def test_agrees_with_lifetimes_per_customer(sample_fit: MbgNbd) -> None:
    pd = pytest.importorskip("pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitters = pytest.importorskip("lifetimes")
    other = fitters.ModifiedBetaGeoFitter()
    other.params_ = pd.Series(sample_fit.parameters, index=["r", "alpha", "a", "b"])
    base = summarise(cdnow_sample(), 272)
    theirs = other.conditional_expected_number_of_purchases_up_to_time(39, base.x, base.t_x, base.T)
    assert sample_fit.expected_purchases(39, base.x, base.t_x, base.T) == pytest.approx(np.asarray(theirs), rel=1e-9)
    alive = other.conditional_probability_alive(base.x, base.t_x, base.T)
    assert sample_fit.probability_alive(base.x, base.t_x, base.T) == pytest.approx(np.asarray(alive), rel=1e-9)
    new = other.expected_number_of_purchases_up_to_time(np.array([1.0, 39.0]))
    assert sample_fit.expected_purchases_new([1.0, 39.0]) == pytest.approx(np.asarray(new), rel=1e-9)


def test_known_parameters_are_recovered() -> None:
    """Within three standard errors that the fit itself states, on 20,000 simulated customers."""
    truth = (0.6, 6.0, 0.9, 2.0)
    model = mbgnbd.fit(*simulate(20_000, truth, seed=9))
    errors = model.log_standard_errors
    assert (errors < 0.2).all()
    assert (np.abs(np.log(model.parameters / truth)) < 3 * errors).all()
    assert model.dropout_identified and model.warnings() == ()


def test_gradient_and_hessian_equal_differences() -> None:
    base = summarise(cdnow_sample(), 272)
    likelihood = Likelihood(base.x.astype(float), base.t_x, base.T, np.ones(len(base)), first_coin=1)
    for point in (np.log([0.5, 6.0, 0.9, 1.6]), np.array([0.5, -1.0, -3.0, 4.0]), np.array([-1.0, 3.0, 2.0, -2.0])):
        _, gradient, hessian = likelihood(point)
        step = 1e-4
        for i, direction in enumerate(np.eye(4) * step):
            up, down = likelihood(point + direction), likelihood(point - direction)
            assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-5, abs=1e-3)
            assert hessian[i] == pytest.approx((up[1] - down[1]) / (2 * step), rel=1e-5, abs=1e-3)


def test_likelihood_equals_the_published_formula_row_by_row() -> None:
    base = summarise(cdnow_sample(), 272)
    x, t_x, T = np.asarray(base.x, float), base.t_x, base.T
    r, alpha, a, b = 0.5, 5.0, 0.7, 1.9
    front = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    stays = front + betaln(a, b + x + 1) - (r + x) * np.log(alpha + T)
    left = front + betaln(a + 1, b + x) - (r + x) * np.log(alpha + t_x)
    cells = reduce_to_cells(x, t_x, T)
    likelihood = Likelihood(cells.x, cells.t_x, cells.T, cells.counts, first_coin=1)
    assert likelihood(np.log([r, alpha, a, b]))[0] == pytest.approx(np.logaddexp(stays, left).sum(), rel=1e-12)


def test_one_time_buyers_fade(sample_fit: MbgNbd) -> None:
    """What the BG/NBD cannot: the longer the silence after a single purchase, the less likely the customer is there."""
    alive = sample_fit.probability_alive([0, 0, 0], [0, 0, 0], [1, 20, 80])
    assert (np.diff(alive) < 0).all() and alive[0] < 1
    assert alive[0] > 0.5


def test_storage_and_card(sample_fit: MbgNbd) -> None:
    stored = json.loads(json.dumps(sample_fit.to_dict()))
    assert MbgNbd.from_dict(stored, fingerprint=sample_fit.fingerprint) == sample_fit
    with pytest.raises(InputError, match="model 'bgnbd', expected 'mbgnbd'"):
        MbgNbd.from_dict({**stored, "model": "bgnbd"}, fingerprint=sample_fit.fingerprint)
    card = json.loads(json.dumps(sample_fit.describe()))
    assert card["model"] == "MBG/NBD" and card["n_cells"] == 1016 and card["warnings"] == []
