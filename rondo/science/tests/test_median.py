"""The median forecast: that of the law a model draws from, none where nothing is likelier, low in absolute error."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import nbinom

from rondo import science
from rondo.errors import InputError
from rondo.science.median import median_purchases
from rondo.science.models import PURCHASE_MODELS, expected_from, fit_base, history_for, median_from, weeks_in_units
from rondo.science.tests.logs import cdnow_sample


def test_without_leaving_it_is_the_median_of_a_negative_binomial() -> None:
    shape = np.array([0.3, 0.6, 2.6, 8.0, 40.0])
    mean, k = (grid.ravel() for grid in np.meshgrid(np.exp(np.arange(-100, 500, 7) / 100), shape))
    found = median_purchases(mean, (1 + mean / k) ** -k, k)
    law = nbinom(k, k / (k + mean))
    # Chances of none are taken to half a percent.
    assert (law.cdf(found) >= 0.5 - 0.006).all() and (law.cdf(found - 1) <= 0.5 + 0.006).all()


def test_who_rather_buys_nothing_has_none() -> None:
    assert median_purchases([9.0, 0.0], [0.5, 0.0], [1.0, 1.0]).tolist() == [0, 0]
    assert median_purchases([], [], []).size == 0


@pytest.mark.parametrize("silent", [0.2, 0.35, 0.45, 0.49])
def test_nothing_may_come_by_leaving_too(silent: float) -> None:
    """The law of the docstring, solved and summed step by step."""
    mean, k = 9.0, 5.0
    c = brentq(lambda c: 1 - c + c * (1 + mean / (c * k)) ** -k - silent, 0.4, 1)
    chances = c * nbinom(k, k / (k + mean / c)).pmf(np.arange(200))
    chances[0] += 1 - c
    assert chances[0] == pytest.approx(silent) and chances @ np.arange(200) == pytest.approx(mean)
    assert median_purchases([mean], [silent], [k])[0] == np.flatnonzero(chances.cumsum() >= 0.5)[0]


@pytest.mark.parametrize("columns", [([1.0], [1.1], [1.0]), ([1.0], [0.1], [0.0])])
def test_impossible_figures_are_refused(columns: tuple[list[float], ...]) -> None:
    with pytest.raises(InputError, match="median: chances of none from 0 to 1"):
        median_purchases(*columns)


@pytest.mark.parametrize("key", PURCHASE_MODELS)
def test_it_is_the_median_of_what_a_model_draws(key: str) -> None:
    base = science.summarise(cdnow_sample(), 272)
    model = fit_base(key, base)
    found = median_from(model, base, 39)
    horizon = weeks_in_units(model.config.time_unit, 39)
    drawn = model.sample(horizon, *history_for(model, base), np.random.default_rng(2), draws=400)
    assert (found == np.median(drawn, axis=0)).mean() > 0.96
    # Where it is another number, about a half of the draws lies on either side of it all the same.
    assert (drawn <= found).mean(axis=0).min() > 0.4 and (drawn < found).mean(axis=0).max() < 0.6


def test_absolute_error_is_lower_than_that_of_the_mean() -> None:
    log = cdnow_sample()
    base = science.summarise(log, 272)
    came = science.window(log, 272, 545)[0][base.customer]
    model = fit_base("bgnbd", base)
    off = np.abs(median_from(model, base, 39) - came).mean()
    assert off < 0.9 * np.abs(expected_from(model, base, 39) - came).mean()
