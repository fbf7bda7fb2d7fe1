"""Correlations of ranks: SciPy's where everything is known, a worked table with ties, and unknown values left out."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from rondo.errors import InputError
from rondo.science.ranks import rank_correlations


def test_without_gaps_it_is_spearmans_coefficient() -> None:
    rng = np.random.default_rng(7)
    columns = rng.normal(size=(300, 4))
    columns[:, 1] = np.exp(columns[:, 0])  # the same ranks
    columns[:, 2] = np.round(columns[:, 2])  # ties
    found = rank_correlations(columns)
    assert found == pytest.approx(spearmanr(columns).statistic)
    assert found[0, 1] == pytest.approx(1)


def test_a_worked_table_with_ties() -> None:
    """Ranks 1, 2.5, 2.5, 4, 5 against 2, 1, 3, 4, 5: 8 / √(9.5 × 10) by hand."""
    columns = np.array([[1, 2], [2, 1], [2, 3], [3, 4], [4, 5]], float)
    assert rank_correlations(columns)[0, 1] == pytest.approx(8 / np.sqrt(9.5 * 10))


def test_a_pair_is_compared_where_both_are_known_and_none_where_nothing_varies() -> None:
    gap = np.nan
    columns = np.array([[1, 6, 3], [2, 5, 3], [3, 4, 3], [4, 3, 3], [5, 2, 3], [6, gap, 3], [gap, 1, 3]], float)
    found = rank_correlations(columns)
    assert found[0, 1] == pytest.approx(-1)
    assert np.isnan(found[:, 2]).all()
    assert np.isnan(rank_correlations(columns, least=6)[0, 1])
    with pytest.raises(InputError, match="1 dimensions"):
        rank_correlations(np.zeros(3))
