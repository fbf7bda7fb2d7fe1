"""A/A of what moved since the run before: between bases of one process few parameters, between two processes some."""

import numpy as np

from rondo.science import bgnbd
from rondo.web.analysis.cards import _parameter

PAIRS, SIZE = 40, 1_200


def described(seed: int, alpha: float = 4.0) -> dict[str, object]:
    """The card of a fit to customers of a BG/NBD who were watched for a year and a half."""
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(0.9, 1 / alpha, SIZE), rng.beta(0.8, 2.4, SIZE)
    watched = rng.integers(30 * 7, 80 * 7, SIZE) / 7
    x, last, now, there = np.zeros(SIZE), np.zeros(SIZE), np.zeros(SIZE), np.ones(SIZE, bool)
    while there.any():
        now = now + rng.exponential(1, SIZE) / rate
        there &= now < watched
        x, last = x + there, np.where(there, np.ceil(now * 7) / 7, last)
        there &= rng.random(SIZE) >= leave
    return bgnbd.fit(x, last, watched).describe()


def moved(one: dict[str, object], other: dict[str, object]) -> list[bool]:
    return [_parameter(other, one, name).moved for name in ("r", "alpha", "a", "b")]


def test_of_two_bases_of_one_process_few_parameters_moved() -> None:
    """Each is said to have moved in a tenth of the pairs; the four of a pair move together, so that of 40 pairs a share
    of 18 % comes less than once in twenty."""
    found = np.array([moved(described(2 * turn), described(2 * turn + 1)) for turn in range(PAIRS)])
    assert found.mean() <= 0.18
    assert (found.mean(axis=0) <= 0.2).all()


def test_a_base_that_buys_half_as_often_is_seen_to_have_moved() -> None:
    found = np.array([moved(described(turn), described(turn + 500, alpha=8.0)) for turn in range(10)])
    assert found[:, 1].mean() >= 0.9, "the scale of the rates"
