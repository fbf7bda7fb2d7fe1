"""Who falls silent: repeat buyers by the model, one-time buyers by how the base came back, both against what came."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rondo import science
from rondo.errors import InputError
from rondo.science.churn import SecondConfig, check_churn, churn_risk, first_gaps, fit_second
from rondo.science.summary import PurchaseDays, merge_days
from rondo.science.tests.logs import cdnow, complete_journey

BANDS = (0, 30, 90)
RATES = (0.02, 0.008, 0.003)


def returning(size: int = 20_000, seed: int = 6) -> PurchaseDays:
    """First purchases over 200 days; second ones at known rates per band, doubled for large first baskets."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 200, size)
    large = rng.random(size) < 0.5
    mass = rng.exponential(size=size) / np.where(large, 2.0, 1.0)
    edges = np.append(BANDS, 1e6)
    gap = np.ceil(np.interp(mass, np.concatenate(([0], np.cumsum(np.diff(edges) * RATES))), edges)).astype(np.int64)
    spend = np.where(large, rng.integers(5000, 9000, size), rng.integers(100, 4000, size))
    again = first + gap <= 300
    code = np.arange(size)
    return merge_days(
        np.concatenate((code, code[again])),
        np.concatenate((first, (first + gap)[again])),
        np.concatenate((spend, np.zeros(int(again.sum()), np.int64))),
    )


def test_first_gaps_by_hand() -> None:
    log = merge_days([0, 0, 0, 1, 2, 2], [1, 4, 9, 2, 3, 30], [5, 1, 1, 7, 9, 1])
    first, gap, spend = first_gaps(log, 10)
    assert (first.tolist(), gap.tolist(), spend.tolist()) == ([1, 2, 3], [3, -1, -1], [5, 7, 9])


def test_known_rates_and_multipliers_are_recovered() -> None:
    """Rates of a middling customer times the multiplier of each group, within 6 %; survival as it was made."""
    second = fit_second(returning(), 300, SecondConfig(bands=BANDS, spend_groups=2, smoothing=0.0))
    small, large = second.spend_effects
    assert large / small == pytest.approx(2.0, rel=0.05)
    assert np.array(second.rates) * small == pytest.approx(RATES, rel=0.06)
    assert second.survival([0])[0] == 1 and (np.diff(second.survival([1, 30, 100, 500])) < 0).all()
    assert second.quarter_effects == (1.0,) * 4


def test_without_multipliers_it_is_the_kaplan_meier_curve() -> None:
    """On bands of one day the curve equals the product-limit estimate up to exp(-h) against 1 - h."""
    log = returning(4000)
    second = fit_second(log, 300, SecondConfig(bands=tuple(range(60)), spend_groups=1, smoothing=0.0, ridge=1e6))
    first, gap, _ = first_gaps(log, 300)
    watched = np.where(gap >= 0, gap, 300 - first)
    share = 1.0
    for day in range(1, 51):
        at_risk = int((watched >= day).sum())
        share *= 1 - int((gap == day).sum()) / at_risk
        if day in (10, 25, 50):
            assert second.survival([day])[0] == pytest.approx(share, abs=0.01)


def test_one_time_buyers_of_cdnow_are_forecast_where_the_bgnbd_says_nothing() -> None:
    """Hold-out of 91 days: silent in number within 1 %, calibrated in most bins, not worse than recency alone."""
    check = check_churn(cdnow(), 272, 91)
    once = next(path for path in check.paths if path.path == "once")
    assert once.calibration.expected == pytest.approx(once.calibration.happened, rel=0.01)
    inside = [bin.low <= bin.expected <= bin.high for bin in once.calibration.bins]
    assert np.mean(inside) >= 0.7
    assert once.area is not None and once.by_recency is not None and once.by_alive is not None
    assert once.area.value >= once.by_recency.value > 0.5
    assert once.by_alive.value == 0.5
    assert once.calibration.brier <= once.calibration.brier_base


def test_everybody_is_ranked_better_than_by_the_probability_of_being_alive() -> None:
    """The trap of the BG/NBD on the whole base: P(alive) ranks the wrong way round, the two paths do not."""
    everybody, repeat, _ = check_churn(cdnow(), 272, 91).paths
    assert everybody.area is not None and everybody.by_alive is not None and everybody.by_recency is not None
    assert everybody.by_alive.value < 0.4
    assert everybody.area.value > 0.75 and everybody.area.value >= everybody.by_recency.value
    assert repeat.area is not None and repeat.by_recency is not None
    assert repeat.area.value > repeat.by_recency.value + 0.01


def test_repeat_buyers_of_the_complete_journey() -> None:
    _, repeat, _ = check_churn(complete_journey(), 273, 28, "mbgnbd").paths
    assert repeat.area is not None and repeat.by_recency is not None
    assert repeat.area.low > repeat.by_recency.value
    assert repeat.calibration.expected == pytest.approx(repeat.calibration.happened, rel=0.06)
    assert repeat.calibration.brier < 0.8 * repeat.calibration.brier_base


def test_nothing_after_the_date_is_looked_at() -> None:
    log = cdnow()
    later = log.day > 272
    moved = replace(log, day=np.where(later, log.day + 1000, log.day), spend=np.where(later, 0, log.spend))
    assert fit_second(moved, 272) == fit_second(log, 272)


def test_paths_stay_apart() -> None:
    log = cdnow()
    base = science.summarise(log, 272)
    model = science.fit_base("bgnbd", base)
    risk = churn_risk(model, fit_second(log, 272), log, base, 91)
    assert np.isnan(risk.gone[risk.once]).all() and not np.isnan(risk.gone[~risk.once]).any()
    assert (risk.silent[~risk.once] >= 1 - model.probability_alive(base.x, base.t_x, base.T)[~risk.once] - 1e-12).all()
    by_model = churn_risk(model, None, log, base, 91)
    assert (by_model.silent[~risk.once] == risk.silent[~risk.once]).all()
    assert not np.isnan(by_model.gone).any()


def test_too_few_returns_are_refused_with_a_reason() -> None:
    with pytest.raises(InputError, match="second purchases: 1 by day 9, at least 20"):
        fit_second(merge_days([0, 0, 1], [1, 5, 2]), 9)
    assert first_gaps(merge_days([], []), 5)[0].size == 0


def test_document_is_ready_to_be_stored() -> None:
    stored = json.loads(json.dumps(fit_second(returning(), 300).to_dict()))
    assert stored["model"] == "second_purchase" and len(stored["rates"]) == 9
