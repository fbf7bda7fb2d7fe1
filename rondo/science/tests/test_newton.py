"""The maximum is found where it lies on a bound, also along a narrow ridge that runs into it."""

import numpy as np
import pytest

from rondo.science import bgnbd, summarise
from rondo.science._newton import maximise
from rondo.science.summary import PurchaseDays, merge_days


def ridge(point: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Highest at (20, 20), falling steeply away from the diagonal."""
    x, y = point
    value = -1000 * (x - y) ** 2 - 0.01 * (y - 20) ** 2
    gradient = np.array([-2000 * (x - y), 2000 * (x - y) - 0.02 * (y - 20)])
    return float(value), gradient, np.array([[-2000.0, 2000.0], [2000.0, -2000.02]])


@pytest.mark.parametrize("start", [0.0, 7.9, 7.96, 8.0])
def test_a_ridge_that_runs_into_a_bound(start: float) -> None:
    found = maximise(ridge, np.array([start, start]), np.array([-8.0, -8.0]), np.array([9.0, 8.0]), names=("x", "y"))
    assert found.point[1] == 8.0 and found.on_bound == (False, True)
    assert found.point[0] == pytest.approx(8.0, abs=1e-3)


def small_log(customers: int, seed: int) -> PurchaseDays:
    """A few customers whose leaving hardly shows, so that b of the BG/NBD runs into its bound."""
    rng = np.random.default_rng(seed)
    who: list[int] = []
    when: list[int] = []
    for code in range(customers):
        rate = rng.gamma(1.5, 1 / 30)
        day = int(rng.integers(0, 60))
        leaves = rng.random() * 0.1
        while day < 200:
            who.append(code)
            when.append(day)
            if rng.random() < leaves:
                break
            day += 1 + int(rng.exponential(1 / rate))
    return merge_days(who, when)


@pytest.mark.parametrize("seed", range(20))
def test_small_bases_can_be_fitted(seed: int) -> None:
    base = summarise(small_log(30, seed), 199)
    assert bgnbd.fit(base.x, base.t_x, base.T).r > 0
