"""Shares: Wilson against published values, and the clustered interval against what it must do."""

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.proportions import Differences, clustered, differences, wilson


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17), table I, method 3 (score without continuity correction), 95 %.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_values(hits: int, trials: int, low: float, high: float) -> None:
    share = wilson(hits, trials, 0.95)
    assert share is not None
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)


def test_edges() -> None:
    assert wilson(0, 0) is None
    nothing, everything = wilson(0, 5), wilson(5, 5)
    assert nothing is not None and everything is not None
    assert nothing.low == 0 and everything.high == 1
    assert nothing.high == pytest.approx(1 - everything.low)


@pytest.mark.parametrize(("hits", "trials", "level"), [(-1, 5, 0.9), (6, 5, 0.9), (1, 5, 0.0), (1, 5, 1.0)])
def test_impossible_arguments_are_refused(hits: int, trials: int, level: float) -> None:
    with pytest.raises(InputError):
        wilson(hits, trials, level)


def test_people_counted_once_give_the_plain_interval() -> None:
    """With one trial each the design effect is (almost) one."""
    plain, many = wilson(30, 200), clustered([(1, 1, 30), (1, 0, 170)])
    assert plain is not None and many is not None
    assert many.low == pytest.approx(plain.low, abs=2e-4)
    assert many.high == pytest.approx(plain.high, abs=2e-4)


def test_people_who_always_do_the_same_count_once() -> None:
    """Four identical trials of a person are worth one."""
    once, four_times = wilson(30, 200), clustered([(4, 4, 30), (4, 0, 170)])
    assert once is not None and four_times is not None
    assert four_times.value == once.value
    assert four_times.high - four_times.low == pytest.approx(once.high - once.low, rel=0.01)


def test_clustered_interval_covers_where_the_plain_one_does_not() -> None:
    """People differ in their willingness (beta distributed): the 90 % interval must still cover about 90 % of the
    time."""
    rng = np.random.default_rng(20171)
    honest = plain_covers = 0
    for _ in range(400):
        trials = rng.integers(1, 9, 300)
        hits = rng.binomial(trials, rng.beta(0.3, 1.7, 300))
        cells, counts = np.unique(np.stack([trials, hits]), axis=1, return_counts=True)
        share = clustered([(int(n), int(a), int(c)) for n, a, c in zip(*cells, counts, strict=True)])
        naive = wilson(int(hits.sum()), int(trials.sum()))
        assert share is not None and naive is not None
        honest += share.low <= 0.15 <= share.high
        plain_covers += naive.low <= 0.15 <= naive.high
    assert 0.86 <= honest / 400 <= 0.94
    assert plain_covers / 400 < 0.8


def drawn_by_lot(seed: int, members: int, planted: float = 0.0) -> Differences:
    """Members drawn by lot among 1,000 customers of 80 facts that go together (they share five causes), a fifth of them
    rare; ``planted`` is added to the first fact of members."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(1000, 5))
    facts = causes @ rng.normal(size=(5, 80)) + rng.normal(size=(1000, 80))
    facts[:members, 0] += planted
    held = facts > np.where(np.arange(80) % 5 == 0, 4.0, 0.0)
    inside, outside = held[:members], held[members:]
    return differences(inside.sum(0), members, outside.sum(0), 1000 - members)


@pytest.mark.parametrize("members", [30, 250])
def test_members_drawn_by_lot_differ_in_nothing(members: int) -> None:
    """A/A: in at most a tenth of the draws is any difference called, and one interval at a time would call most."""
    draws = [drawn_by_lot(seed, members) for seed in range(400)]
    alarms = [bool(one.called.any()) for one in draws]
    assert np.mean(alarms) <= 0.1 + 2 * np.sqrt(0.09 / 400)
    plain = [
        bool(((one.low > 0) | (one.high < 0)).any()) for one, alarm in zip(draws, alarms, strict=True) if not alarm
    ]
    assert np.mean(plain) > 0.5


def test_what_was_planted_is_called_and_its_interval_allows_for_the_choice() -> None:
    found = [drawn_by_lot(seed, 250, planted=2.0) for seed in range(50)]
    assert np.mean([one.called[0] for one in found]) > 0.95
    first = [(one.high - one.low)[0] for one in found if one.called.sum() == 1]
    several = [(one.high - one.low)[0] for one in found if one.called.sum() > 10]
    assert not several or np.mean(several) < np.mean(first)


def test_differences_as_newcombe_printed_them() -> None:
    """Newcombe 1998, table II, cases (a) and (d) by method 10 at 95 %."""
    one = differences([56], [70], [48], [80], false=0.05)
    assert (round(float(one.low[0]), 4), round(float(one.high[0]), 4)) == (0.0524, 0.3339)
    none = differences([5], [56], [0], [29], false=0.05)
    assert (round(float(none.low[0]), 4), round(float(none.high[0]), 4)) == (-0.0381, 0.1926)


def test_differences_of_nothing_and_of_the_impossible() -> None:
    assert differences([], [], [], []).called.size == 0
    assert not differences([0, 5], [9, 5], [0, 5], [7, 5]).called.any()
    with pytest.raises(InputError, match="hits"):
        differences([3], [2], [0], [5])
    with pytest.raises(InputError, match="false=1"):
        differences([1], [2], [0], [5], false=1)
