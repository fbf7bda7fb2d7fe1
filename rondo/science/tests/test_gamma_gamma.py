"""Gamma-Gamma: published fit, known parameters recovered, and the predictive law against simulation."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import gammaln

from rondo.errors import InputError
from rondo.science import GammaGamma, gamma_gamma, summarise
from rondo.science.gamma_gamma import data_fingerprint
from rondo.science.tests.logs import cdnow_sample


@pytest.fixture(scope="module")
def sample_fit() -> GammaGamma:
    """The literature's set: repeat purchases of the sample's calibration weeks, in dollars."""
    base = summarise(cdnow_sample(), 272, first_spend=False)
    return gamma_gamma.fit(base.spend_days, base.mean_spend / 100)


def test_published_fit_of_the_cdnow_sample(sample_fit: GammaGamma) -> None:
    """Fader & Hardie (2013) to the digits printed."""
    assert sample_fit.n_customers == 946
    assert [round(float(v), 2) for v in sample_fit.parameters] == [6.25, 3.74, 15.44]
    assert round(sample_fit.log_likelihood, 2) == -4055.92


def test_published_correlation_of_spend_and_frequency(sample_fit: GammaGamma) -> None:
    """Fader, Hardie & Lee (2005, RFM and CLV) report .11 for this sample."""
    assert round(sample_fit.frequency_correlation, 2) == 0.11


def test_unit_of_money_does_not_matter(sample_fit: GammaGamma) -> None:
    base = summarise(cdnow_sample(), 272, first_spend=False)
    cents = gamma_gamma.fit(base.spend_days, base.mean_spend)
    assert cents.parameters == pytest.approx(sample_fit.parameters * [1, 1, 100], rel=1e-8)
    assert cents.expected_mean_spend(3, 2000) == pytest.approx(100 * sample_fit.expected_mean_spend(3, 20), rel=1e-8)


def test_known_parameters_are_recovered() -> None:
    truth = np.array([2.0, 4.0, 900.0])
    rng = np.random.default_rng(8)
    n = 1 + rng.poisson(2, 20_000)
    rate = rng.gamma(truth[1], 1 / truth[2], n.size)
    mean = rng.gamma(truth[0] * n) / rate / n
    model = gamma_gamma.fit(n, mean)
    errors = np.sqrt(np.diag(np.array(model.log_covariance)))
    assert (np.abs(np.log(model.parameters / truth)) < 3 * errors).all()
    assert abs(model.frequency_correlation) < 0.03


def test_derivatives_equal_differences() -> None:
    base = summarise(cdnow_sample(), 272)
    n, z = base.spend_days.astype(float), base.mean_spend / 2000
    kept = n > 0
    likelihood = gamma_gamma._Likelihood(n[kept], (n * z)[kept], z[kept], np.ones(int(kept.sum())))
    step = 1e-4
    for point in (np.array([1.8, 1.3, 0.1]), np.array([-0.5, 2.0, 1.0])):
        _, gradient, hessian = likelihood(point)
        for i, direction in enumerate(np.eye(3) * step):
            up, down = likelihood(point + direction), likelihood(point - direction)
            assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-5, abs=1e-3)
            assert hessian[i] == pytest.approx((up[1] - down[1]) / (2 * step), rel=1e-5, abs=1e-3)


def test_likelihood_equals_the_published_formula(sample_fit: GammaGamma) -> None:
    base = summarise(cdnow_sample(), 272, first_spend=False)
    kept = base.spend_days > 0
    x, z = base.spend_days[kept], base.mean_spend[kept] / 100
    p, q, gamma = sample_fit.parameters
    terms = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
    terms += (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(gamma + x * z)
    assert sample_fit.log_likelihood == pytest.approx(terms.sum(), rel=1e-12)


def test_expectation_and_samples_agree(sample_fit: GammaGamma) -> None:
    n, z = np.array([0.0, 1, 6]), np.array([0.0, 90, 20])
    drawn = sample_fit.sample(n, z, np.full((100_000, 3), 4), np.random.default_rng(2)) / 4
    error = drawn.std(axis=0) / np.sqrt(drawn.shape[0])
    assert (np.abs(drawn.mean(axis=0) - sample_fit.expected_mean_spend(n, z)) < 4 * error).all()
    assert sample_fit.sample(n, z, np.zeros(3), np.random.default_rng(2)).tolist() == [0, 0, 0]


def test_few_purchases_are_drawn_to_the_population(sample_fit: GammaGamma) -> None:
    mean = sample_fit.describe()["population_mean_spend"]
    shrunk = sample_fit.expected_mean_spend([0, 1, 10, 1000], [0, 100, 100, 100])
    assert shrunk[0] == pytest.approx(mean)
    assert mean < shrunk[1] < shrunk[2] < shrunk[3] < 100
    assert shrunk[3] == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(
    ("n", "z", "message"),
    [
        ([1, 2], [5, 0], r"column mean_spend, index 1: 0\.0"),
        ([1, 2], [5, -3], r"column mean_spend, index 1: -3\.0"),
        ([1, np.nan], [5, 3], "column purchases, index 1: nan"),
        ([1], [5], "at least 2"),
        ([1, 2], [5], "purchases 2, mean_spend 1"),
    ],
)
def test_impossible_spending_is_named(n: list[float], z: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        gamma_gamma.fit(n, z)


@pytest.mark.parametrize("purchases", [[5] * 150, [1, 1], list(range(1, 9))])
def test_spending_that_is_the_same_for_all_is_what_all_are_expected_to_spend(purchases: list[int]) -> None:
    fitted = gamma_gamma.fit(purchases, [1999] * len(purchases))
    assert fitted.on_bound and fitted.frequency_correlation == 0
    assert fitted.expected_mean_spend([0, 1, 50], [0, 1999, 1999]) == pytest.approx(1999, rel=1e-4)


def test_fit_survives_storage_and_refuses_other_data(sample_fit: GammaGamma) -> None:
    base = summarise(cdnow_sample(), 272, first_spend=False)
    mark = data_fingerprint(base.spend_days[::-1], base.mean_spend[::-1] / 100)
    stored = json.loads(json.dumps(sample_fit.to_dict()))
    assert GammaGamma.from_dict(stored, fingerprint=mark) == sample_fit
    with pytest.raises(InputError, match="fit again on the given data"):
        GammaGamma.from_dict(stored, fingerprint=data_fingerprint([1, 2], [3, 4]))


def test_a_mean_that_does_not_exist_is_refused(sample_fit: GammaGamma) -> None:
    with pytest.raises(InputError, match="no mean spend exists"):
        replace(sample_fit, q=0.9).expected_mean_spend([0], [0])
