"""What is bought together: chance is not called a pair, a planted pair is found, and the table of the docs holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.together import PairConfig, bought_together

DOCS = Path(__file__).parents[3] / "docs" / "next.md"


def by_chance(baskets: int, seed: int, planted: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Baskets of very different size and items of very different frequency, without any tie (but the one planted:
    who takes item 4 takes item 9 half of the time)."""
    rng = np.random.default_rng(seed)
    liked = rng.normal(0, 1.0, 40)
    sizes = np.minimum(1 + rng.geometric(0.25, baskets), 30)
    order = np.argsort(-(liked + rng.gumbel(size=(baskets, 40))), axis=1)
    rows = [(basket // 10, basket, int(item)) for basket in range(baskets) for item in order[basket, : sizes[basket]]]
    if planted:
        with_four = [basket for basket in range(baskets) if 4 in order[basket, : sizes[basket]]]
        rows += [(basket // 10, basket, 9) for basket in with_four if rng.random() < 0.5]
    who, place, what = (np.array(column) for column in zip(*rows, strict=True))
    return who, place, what


def test_chance_is_rarely_called_a_pair_though_plain_lift_calls_all_of_them() -> None:
    called = tested = 0
    for seed in range(3):
        found = bought_together(*by_chance(6_000, seed))
        called, tested = called + int(found.called.sum()), tested + found.tested
        assert np.median(found.lift) == pytest.approx(1, abs=0.05)
        assert np.median(found.plain) > 1.2
    assert tested > 1_000
    assert called <= 0.02 * tested


def test_a_planted_pair_comes_first() -> None:
    found = bought_together(*by_chance(6_000, 1, planted=True))
    assert (int(found.one[0]), int(found.other[0])) == (4, 9)
    assert found.called[0] and found.low[0] > 1.2


def test_counts_are_of_baskets_and_each_pair_is_there_once() -> None:
    who, place, what = by_chance(2_000, 3)
    found = bought_together(np.tile(who, 2), np.tile(place, 2), np.tile(what, 2))
    assert (found.one < found.other).all()
    first, second = set(place[what == found.one[0]]), set(place[what == found.other[0]])
    assert found.baskets[0] == len(first & second)
    assert (found.with_one[0], found.with_other[0], found.total) == (len(first), len(second), 2_000)


def test_rare_pairs_are_left_out() -> None:
    found = bought_together(*by_chance(2_000, 3), PairConfig(fewest=80))
    assert found.baskets.min() >= 80
    assert bought_together([0], [0], [0]).tested == 0


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(InputError, match="basket 1"):
        bought_together([0, 0], [1], [1, 1])


def test_the_worked_table_of_the_docs() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in DOCS.read_text().partition("<!-- worked: lift -->")[2].splitlines()[1:]
        if line.startswith("|") or line == ""
    ]
    table = [row for row in rows[: rows.index([""], 1)] if len(row) > 1][2:]
    assert len(table) == 3
    # 40 baskets of two: coffee and milk 16, coffee and bread 4, milk and bread 4, and 16 of two others.
    pairs = [(0, 1)] * 16 + [(0, 2)] * 4 + [(1, 2)] * 4 + [(3, 4)] * 16
    names = ("coffee", "milk", "bread")
    basket = np.repeat(np.arange(40), 2)
    found = bought_together(basket, basket, np.array(pairs).ravel(), PairConfig(fewest=1))
    for row in table:
        one, other = (names.index(name) for name in row[0].split(" and "))
        at = int(np.flatnonzero((found.one == one) & (found.other == other))[0])
        figures = [found.baskets[at], found.with_one[at], found.with_other[at]]
        assert row[1:4] == [str(figure) for figure in figures]
        assert row[4:] == [f"{found.plain[at]:.2f}", f"{found.lift[at]:.2f}"]
