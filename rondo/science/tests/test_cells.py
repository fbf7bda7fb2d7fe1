"""Distinct histories: nothing is lost or invented when a base is reduced to its cells."""

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science import reduce_to_cells
from rondo.science.cells import distinct_rows


def base(size: int = 5000, seed: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 60, size)
    x = rng.poisson(1, size)
    last = np.where(x > 0, 1 + rng.integers(0, 20, size), 0)
    return x.astype(float), last / 7, age / 7


@pytest.mark.parametrize("scale", [1.0, 7.0, np.pi], ids=["weeks", "days", "any real numbers"])
def test_every_customer_finds_the_own_history_again(scale: float) -> None:
    x, t_x, T = base()
    cells = reduce_to_cells(x, t_x * scale, T * scale)
    assert np.array_equal(cells.x[cells.inverse], x)
    assert np.allclose(cells.t_x[cells.inverse], t_x * scale, rtol=1e-14)
    assert np.allclose(cells.T[cells.inverse], T * scale, rtol=1e-14)
    assert cells.counts.sum() == x.size
    assert len(cells) == len({*zip(x, np.rint(t_x * 7), np.rint(T * 7), strict=True)})


def test_long_logs_take_the_sorting_path_to_the_same_cells() -> None:
    """Keys too many for a table, and too large for one word, give what Python's own counting gives."""
    rng = np.random.default_rng(2)
    for top in (3_000, 2**30):
        a, b, c = (rng.integers(0, top, 4000).astype(float) for _ in range(3))
        a[2000:], b[2000:], c[2000:] = a[:2000], b[:2000], c[:2000]
        (ua, ub, uc), inverse, counts = distinct_rows(a, b, c)
        assert [*zip(ua, ub, uc, strict=True)] == sorted({*zip(a, b, c, strict=True)})
        assert np.array_equal(ua[inverse], a)
        assert np.array_equal(ub[inverse], b)
        assert np.array_equal(uc[inverse], c)
        assert (counts == 2).all()


def test_fingerprint_knows_the_base_in_any_order_and_no_other() -> None:
    x, t_x, T = base()
    order = np.random.default_rng(0).permutation(x.size)
    same = reduce_to_cells(x[order], t_x[order], T[order]).fingerprint()
    assert same == reduce_to_cells(x, t_x, T).fingerprint()
    T[17] += 1 / 7
    assert same != reduce_to_cells(x, t_x, T).fingerprint()


def test_weights_stand_for_repeated_rows() -> None:
    x, t_x, T = (column[:50] for column in base())
    times = np.arange(50) % 3
    repeated = reduce_to_cells(np.repeat(x, times), np.repeat(t_x, times), np.repeat(T, times))
    weighted = reduce_to_cells(x, t_x, T, weights=times)
    kept = weighted.counts > 0
    assert np.array_equal(weighted.counts[kept], repeated.counts)
    assert np.array_equal(weighted.T[kept], repeated.T)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((-1, 0, 9), r"column x, index 1: -1\.0"),
        ((0.5, 1, 9), r"column x, index 1: 0\.5.*whole number"),
        ((1, np.nan, 9), "column t_x, index 1: nan"),
        ((1, 10, 9), r"column t_x, index 1: 10\.0 is after T = 9\.0"),
        ((1, 0, 9), r"column t_x, index 1: 0\.0.*above 0"),
        ((0, 2, 9), r"column t_x, index 1: 2\.0.*must be 0"),
        ((1, 2, np.inf), "column T, index 1: inf"),
    ],
)
def test_impossible_history_is_named_by_column_index_and_value(row: tuple[float, ...], message: str) -> None:
    x, t_x, T = ([good, bad] for good, bad in zip((2, 3, 9), row, strict=True))
    with pytest.raises(InputError, match=message):
        reduce_to_cells(x, t_x, T)


def test_unequal_columns_and_words_are_refused() -> None:
    with pytest.raises(InputError, match="x 2, t_x 3, T 3"):
        reduce_to_cells([1, 1], [1, 1, 1], [2, 2, 2])
    with pytest.raises(InputError, match="column x: not numeric"):
        reduce_to_cells(["many"], [1], [2])
    with pytest.raises(InputError, match="weights, index 0"):
        reduce_to_cells([1], [1], [2], weights=[-1])


def test_an_empty_base_has_no_cells() -> None:
    assert len(reduce_to_cells([], [], [])) == 0
