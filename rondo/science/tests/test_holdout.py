"""The hold-out check and the measures of concentration, against figures worked by hand."""

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science import compare, lorenz, rank_groups, top_share


def test_check_by_hand() -> None:
    check = compare([3.0, 1.0, 2.0, 0.0], [5, 0, 2, 1], groups=2)
    assert (check.forecast, check.actual, check.ratio) == (6.0, 8.0, 0.75)
    assert check.mae == 1.0
    assert check.rmse == pytest.approx(np.sqrt(6 / 4))
    assert check.correlation == pytest.approx(7 / np.sqrt(5 * 14))
    table = [(g.group, g.customers, g.forecast, g.actual) for g in check.groups]
    assert table == [(1, 2, 5.0, 7.0), (2, 2, 1.0, 1.0)]


def test_ranks_are_even_and_keep_the_order_of_ties() -> None:
    groups = rank_groups(np.array([1.0, 1, 1, 1, 9, 1, 1]), 3)
    assert groups.tolist() == [0, 0, 1, 1, 0, 2, 2]
    assert rank_groups(np.array([2.0, 1.0]), 10).tolist() == [0, 1]


def test_spend_may_be_returned_and_forecasts_may_not_vary() -> None:
    check = compare([1.0, 1.0], [-500, 100])
    assert check.correlation is None
    assert check.actual == -400
    assert compare([1.0], [0]).ratio is None


def test_unusable_columns_are_named() -> None:
    with pytest.raises(InputError, match="no customers"):
        compare([], [])
    with pytest.raises(InputError, match="forecast 2, actual 1"):
        compare([1, 2], [1])
    with pytest.raises(InputError, match="column actual, index 0: nan"):
        compare([1.0], [np.nan])
    with pytest.raises(InputError, match="column forecast, index 1"):
        compare([1.0, -1.0], [1, 1])


def test_lorenz_by_hand() -> None:
    curve = lorenz([10, 20, 30, 40], points=5)
    assert curve.customers.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.share == pytest.approx([0, 0.1, 0.3, 0.6, 1])
    assert curve.gini == pytest.approx(0.25)
    assert top_share([10, 20, 30, 40], 0.25) == pytest.approx(0.4)
    assert top_share([10, 20, 30, 40], 0.125) == pytest.approx(0.2)


def test_equal_and_extreme_concentration() -> None:
    assert lorenz([7] * 50).gini == pytest.approx(0, abs=1e-12)
    assert lorenz([0] * 99 + [5]).gini == pytest.approx(0.99)
    assert top_share([0] * 99 + [5], 0.01) == pytest.approx(1)
    assert top_share([1, 2], 1) == pytest.approx(1)


def test_large_sums_are_of_whole_numbers() -> None:
    amounts = np.full(3, 2**53 + 1, dtype=np.int64)
    assert lorenz(amounts).gini == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("amounts", "message"),
    [([1, -2], "index 1: -2"), ([], "no customers"), ([0, 0], "total is 0"), ([np.nan], "index 0: nan")],
)
def test_amounts_without_a_curve_are_refused(amounts: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        lorenz(amounts)
