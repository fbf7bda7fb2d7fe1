"""Which figures rank customers alike: Spearman's correlation of ranks between columns that may have gaps."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from rondo.errors import InputError
from rondo.science._checks import FloatArray


def rank_correlations(columns: FloatArray, least: int = 5) -> FloatArray:
    """Spearman's rank correlation of each pair of columns (Spearman 1904), ties at their mean rank.

    A value is ranked among the known ones of its column; a pair is correlated over the rows in which both are known.
    Where nothing is missing that is Spearman's coefficient itself.

    Args:
        columns: a row per customer and a column per figure; not a number where it is not known.
        least: pairs known together in fewer rows have no correlation.

    Returns:
        A square matrix in the order of the columns; not a number where a pair has none: too few rows, or one of the two
        the same in all of them.

    Raises:
        InputError: no table of two dimensions.
    """
    if columns.ndim != 2:
        raise InputError(f"columns has {columns.ndim} dimensions; rows by columns are needed.")
    known: npt.NDArray[np.bool_] = ~np.isnan(columns)
    ranks = np.zeros_like(columns)
    for number, column in enumerate(columns.T):
        there = known[:, number]
        if there.any():
            # From -1 to 1, so that sums of products of many ranks keep their digits.
            ranks[there, number] = rankdata(column[there]) * 2 / (there.sum() + 1) - 1
    weight = known.astype(float)
    rows = weight.T @ weight
    sums = ranks.T @ weight  # of each row's column, over the rows that the other knows too
    squares = (ranks**2).T @ weight
    with np.errstate(divide="ignore", invalid="ignore"):
        together = ranks.T @ ranks - sums * sums.T / rows
        spread = squares - sums**2 / rows
        found: FloatArray = together / np.sqrt(spread * spread.T)
    found[(rows < least) | (spread < 1e-9) | (spread.T < 1e-9)] = np.nan
    return np.clip(found, -1, 1)
