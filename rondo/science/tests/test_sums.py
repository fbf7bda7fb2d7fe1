"""Sums of estimates: exact where it can be; how often their intervals hold what comes, however the parts move."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import gamma

from rondo.errors import InputError
from rondo.science.sums import sum_of_estimates

Values = npt.NDArray[np.float64]


def test_one_part_is_itself_and_bounds_add_up() -> None:
    assert vars(sum_of_estimates([(10.0, 2.0, 25.0)])) == {
        "mean": 10.0, "low": 2.0, "high": 25.0, "low_apart": 2.0, "high_apart": 25.0,
    }  # fmt: skip
    found = sum_of_estimates([(10.0, 2.0, 25.0), (30.0, 20.0, 45.0), (0.0, 0.0, 0.0)])
    assert (found.mean, found.low, found.high) == (40.0, 22.0, 70.0)
    assert 22 < found.low_apart < 40 < found.high_apart < 70
    worked = vars(sum_of_estimates([(100.0, 40.0, 180.0), (20.0, 0.0, 70.0)])).values()
    assert [round(figure, 2) for figure in worked] == [120.0, 40.0, 250.0, 53.75, 207.32]  # docs/households.md
    assert vars(sum_of_estimates([])) == dict.fromkeys(vars(found), 0.0)


def test_the_interval_of_many_like_parts_is_that_of_their_gamma() -> None:
    """Sixteen exponential waiting times of mean 1, whose sum is Gamma(16); the 90 % interval is known exactly."""
    low, high = -np.log(0.95), -np.log(0.05)
    found = sum_of_estimates([(1.0, low, high)] * 16)
    exact = gamma.ppf([0.05, 0.95], 16)
    assert [found.low_apart, found.high_apart] == pytest.approx(exact, rel=0.07)
    assert [found.low, found.high] == pytest.approx([16 * low, 16 * high])


def brings(chance: Values, nothing: Values, scale: Values) -> Values:
    """What customers bring at a quantile: nothing with their own chance, else an exponential amount."""
    left = np.clip((chance - nothing) / (1 - nothing), 0, 1)
    return np.asarray(-scale * np.log1p(-left), dtype=np.float64)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_intervals_hold_as_often_as_they_say(count: int) -> None:
    """Customers of whom half may bring nothing: the wide interval holds nine of ten where all move as one, and no less
    where they do not; the narrow one about as many where they do not, and far fewer where they do."""
    rng = np.random.default_rng(20_170_102)
    held = {"one": [0, 0], "apart": [0, 0]}
    rounds = 2000
    for _ in range(rounds):
        nothing, scale = rng.uniform(0, 0.5, count), rng.uniform(20, 400, count)
        low, high = (brings(np.full(count, chance), nothing, scale) for chance in (0.05, 0.95))
        found = sum_of_estimates(zip(scale * (1 - nothing), low, high, strict=True))
        for way, chance in (("one", np.full(count, rng.random())), ("apart", rng.random(count))):
            came = brings(chance, nothing, scale).sum()
            held[way][0] += bool(found.low <= came <= found.high)
            held[way][1] += bool(found.low_apart <= came <= found.high_apart)
    wide_one, narrow_one = (hits / rounds for hits in held["one"])
    wide_apart, narrow_apart = (hits / rounds for hits in held["apart"])
    assert 0.86 <= wide_one <= 0.95 and wide_apart >= wide_one
    assert 0.78 <= narrow_apart <= 0.95 and narrow_one < 0.75


def test_what_is_no_interval_is_refused() -> None:
    with pytest.raises(InputError, match="above the upper"):
        sum_of_estimates([(1.0, 3.0, 2.0)])
    with pytest.raises(InputError, match="level"):
        sum_of_estimates([], level=1.0)
