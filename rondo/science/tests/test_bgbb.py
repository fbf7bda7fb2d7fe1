"""BG/BB three ways: published values, known parameters recovered, and every formula against an independent one."""

import warnings
from math import comb

import numpy as np
import pytest
from scipy.special import betaln

from rondo.errors import InputError
from rondo.science import bgbb, summarise
from rondo.science.bgbb import BgBb
from rondo.science.tests.logs import cdnow_sample, donations


@pytest.fixture(scope="module")
def donors() -> BgBb:
    return bgbb.fit(*donations(), config=bgbb.FitConfig(time_unit="year"))


def simulate(size: int, parameters: tuple[float, ...], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers occasion by occasion: first the coin of leaving, then the coin of buying."""
    alpha, beta, gamma, delta = parameters
    rng = np.random.default_rng(seed)
    buys, leaves = rng.beta(alpha, beta, size), rng.beta(gamma, delta, size)
    n = rng.integers(6, 40, size)
    x, t_x, there = np.zeros(size), np.zeros(size), np.ones(size, bool)
    for occasion in range(1, 40):
        there &= rng.random(size) >= leaves
        bought = there & (rng.random(size) < buys) & (occasion <= n)
        x += bought
        t_x[bought] = occasion
    return x, t_x, n.astype(float)


def by_the_sum(x: float, t_x: float, n: float, parameters: tuple[float, ...]) -> tuple[float, float]:
    """ln L and P(alive at n), equations (4) and (11) of the paper, term by term."""
    alpha, beta, gamma, delta = parameters
    stays = np.exp(betaln(alpha + x, beta + n - x) + betaln(gamma, delta + n))
    left = sum(
        np.exp(betaln(alpha + x, beta + t_x - x + i) + betaln(gamma + 1, delta + t_x + i)) for i in range(int(n - t_x))
    )
    return float(np.log(stays + left) - betaln(alpha, beta) - betaln(gamma, delta)), float(stays / (stays + left))


def test_published_fit_of_the_donations(donors: BgBb) -> None:
    """Fader, Hardie & Shang (2010), table 3, to the digits printed."""
    assert donors.n_customers == 11_104
    assert [round(float(v), 3) for v in donors.parameters] == [1.204, 0.75, 0.657, 2.783]
    assert round(donors.log_likelihood, 2) == -33225.58
    assert donors.dropout_identified and donors.config.time_unit == "year"


def test_agrees_with_lifetimes_per_customer(donors: BgBb) -> None:
    pd = pytest.importorskip("pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitters = pytest.importorskip("lifetimes")
    other = fitters.BetaGeoBetaBinomFitter()
    other.params_ = pd.Series(donors.parameters, index=["alpha", "beta", "gamma", "delta"])
    x, t_x, n, _ = donations()
    theirs = other.conditional_expected_number_of_purchases_up_to_time(5, x, t_x.astype(int), n.astype(int))
    assert donors.expected_purchases(5, x, t_x, n) == pytest.approx(np.asarray(theirs), rel=1e-9)
    for ahead in (0, 1, 4):
        alive = other.conditional_probability_alive(ahead, x, t_x.astype(int), n.astype(int))
        assert donors.probability_alive_after(ahead, x, t_x, n) == pytest.approx(np.asarray(alive), rel=1e-9)


def test_unconditional_expectation_is_the_mean_over_all_histories(donors: BgBb) -> None:
    """Every history of six occasions, by its chance: they sum to 1, and their purchases to the expectation."""
    parameters = tuple(donors.parameters.tolist())
    chances = {
        (x, t_x): comb(t_x - 1, x - 1) * np.exp(by_the_sum(x, t_x, 6, parameters)[0])
        for x in range(1, 7)
        for t_x in range(x, 7)
    }
    chances[0, 0] = np.exp(by_the_sum(0, 0, 6, parameters)[0])
    assert sum(chances.values()) == pytest.approx(1, rel=1e-12)
    mean = sum(x * chance for (x, _), chance in chances.items())
    assert donors.expected_purchases_new(6)[0] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize(
    "row", [(0, 0, 6), (6, 6, 6), (2, 5, 40), (1, 1, 1), (30, 39, 200), (0, 0, 0), (150, 400, 900)]
)
def test_likelihood_and_alive_equal_the_sum_of_the_paper(row: tuple[float, float, float]) -> None:
    parameters = (0.9, 7.0, 0.6, 9.0)
    value, alive = by_the_sum(*row, parameters)
    x, t_x, n = (np.array([float(v)]) for v in row)
    assert bgbb.Likelihood(x, t_x, n, np.ones(1))(np.log(parameters))[0] == pytest.approx(value, rel=1e-10, abs=1e-10)
    model = BgBb(*parameters, 1, 0, 0, ((0.0,) * 4,) * 4, "")
    assert model.probability_alive(*row)[0] == pytest.approx(alive, rel=1e-9)


def test_tables_in_parts_give_the_same(monkeypatch: pytest.MonkeyPatch, donors: BgBb) -> None:
    x, t_x, n, counts = donations()
    whole = bgbb.Likelihood(x, t_x, n, counts)(np.log(donors.parameters))
    monkeypatch.setattr(bgbb, "_MOST_ENTRIES", 8)
    parts = bgbb.Likelihood(x, t_x, n, counts)(np.log(donors.parameters))
    assert parts[0] == pytest.approx(whole[0], rel=1e-13)
    assert parts[2] == pytest.approx(whole[2], rel=1e-9)
    assert donors.expected_purchases(5, x, t_x, n) == pytest.approx(
        donors.expected_purchases_by([3, 5], x, t_x, n)[:, 1], rel=1e-12
    )


def test_known_parameters_are_recovered() -> None:
    """Within three standard errors that the fit itself states, on 30,000 simulated customers."""
    truth = (0.8, 3.0, 0.7, 9.0)
    model = bgbb.fit(*simulate(30_000, truth, seed=12))
    errors = model.log_standard_errors
    assert (errors < 0.2).all()
    assert (np.abs(np.log(model.parameters / truth)) < 3 * errors).all()
    assert model.dropout_identified


def test_gradient_and_hessian_equal_differences() -> None:
    base = summarise(cdnow_sample(), 272)
    columns = (base.x.astype(float), base.recency_days.astype(float), base.age_days.astype(float), np.ones(len(base)))
    likelihood = bgbb.Likelihood(*columns)
    for point in (np.log([0.5, 70.0, 0.6, 80.0]), np.array([0.5, -1.0, -2.0, 3.0]), np.array([-1.0, 3.0, 2.0, -2.0])):
        _, gradient, hessian = likelihood(point)
        step = 1e-4
        for i, direction in enumerate(np.eye(4) * step):
            up, down = likelihood(point + direction), likelihood(point - direction)
            assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-5, abs=1e-3)
            assert hessian[i] == pytest.approx((up[1] - down[1]) / (2 * step), rel=1e-5, abs=1e-3)


def test_days_of_a_log_are_occasions() -> None:
    """The discrete twin of the Pareto/NBD: on daily occasions both say nearly the same of the CDNOW sample."""
    from rondo.science import paretonbd

    base = summarise(cdnow_sample(), 272)
    daily = bgbb.fit(base.x, base.recency_days, base.age_days)
    weekly = paretonbd.fit(base.x, base.t_x, base.T)
    ours = daily.expected_purchases(273, base.x, base.recency_days, base.age_days)
    theirs = weekly.expected_purchases(39, base.x, base.t_x, base.T)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.999
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.02)


def test_what_is_no_history_of_occasions_is_refused() -> None:
    with pytest.raises(InputError, match=r"column t_x, index 0: 2\.5.*whole number of occasions"):
        bgbb.fit([1], [2.5], [6])
    with pytest.raises(InputError, match=r"column x, index 1: 4\.0.*one purchase counts per occasion"):
        bgbb.fit([1, 4], [2, 3], [6, 6])
    with pytest.raises(InputError, match="no repeat purchase in the base"):
        bgbb.fit([0], [0], [6])


def test_a_horizon_is_a_number_of_occasions(donors: BgBb) -> None:
    with pytest.raises(InputError, match=r"column t, index 0: 1\.5"):
        donors.expected_purchases(1.5, 0, 0, 6)
    assert donors.expected_purchases(0, 3, 5, 6)[0] == 0
