"""Chances of silence are corrected by what came of them before: only where that would have helped, and then it does."""

import numpy as np
import numpy.typing as npt
import pytest

from rondo.science._checks import FloatArray
from rondo.science.churn import ChurnRisk, check_churn, churn_risk, fit_second
from rondo.science.models import fit_at
from rondo.science.risks import UNCORRECTED, Correction, learn_correction, learn_curve
from rondo.science.summary import PurchaseDays, summarise
from rondo.science.tests.logs import cdnow, complete_journey

DAYS = 91


def windows(
    rng: np.random.Generator, happens: float, times: int = 3, size: int = 4000
) -> list[tuple[FloatArray, npt.NDArray[np.bool_]]]:
    """Windows in which what is told above .5 comes with chance ``happens`` and all else as told."""
    made = []
    for _ in range(times):
        told = rng.random(size)
        came = rng.random(size) < np.where(told > 0.5, happens, told)
        made.append((told, came))
    return made


def test_what_was_told_rightly_stays_nearly_as_it_is() -> None:
    rng = np.random.default_rng(5)
    told = rng.random(4000)
    right = [(told, rng.random(4000) < told) for _ in range(3)]
    curve = learn_curve(right)
    chances = np.linspace(0, 1, 101)
    assert curve is None or np.abs(curve(chances) - chances).max() < 0.05


def test_what_was_told_wrongly_is_told_as_it_came() -> None:
    curve = learn_curve(windows(np.random.default_rng(6), happens=0.55))
    assert curve is not None and curve.share >= 0.75
    chances = curve(np.linspace(0, 1, 101))
    assert (np.diff(chances) >= -1e-12).all() and chances.min() >= 0 and chances.max() <= 1
    assert np.abs(chances[75:] - 0.55).max() < 0.1
    assert np.abs(chances[:40] - np.linspace(0, 1, 101)[:40]).max() < 0.06


def test_what_came_otherwise_the_last_time_is_not_taken_over() -> None:
    rng = np.random.default_rng(7)
    before, (told, _came) = windows(rng, 0.3, 2), windows(rng, 0.3, 1)[0]
    assert learn_curve([*before, (told, rng.random(told.size) < told)]) is None


def test_chance_alone_is_seldom_taken_for_a_fault() -> None:
    """Of bases of 200 who do just as they are told to; without a margin it would be two of five."""
    rng = np.random.default_rng(9)
    taken = 0
    for _ in range(200):
        told = rng.beta(1, 3, 200)
        taken += learn_curve([(told, rng.random(200) < told) for _ in range(3)]) is not None
    assert taken <= 30


def test_one_window_says_nothing() -> None:
    rng = np.random.default_rng(8)
    assert learn_curve(windows(rng, 0.3, 1)) is None
    empty = (np.empty(0), np.empty(0, np.bool_))
    assert learn_curve([empty, *windows(rng, 0.3, 1)]) is None


def test_paths_have_their_own_and_nobody_is_likelier_gone_than_silent() -> None:
    curve = learn_curve(windows(np.random.default_rng(6), happens=0.55))
    once = np.array([True, False])
    risk = ChurnRisk(np.arange(2), once, np.full(2, 0.9), np.full(2, 0.8), np.array([np.nan, 0.85]), np.full(2, 0.9))
    found = Correction(curve, None, (1, 2))(risk)
    assert found.silent[0] == 0.9 and found.usual[0] == 0.8
    assert found.silent[1] < 0.7 and found.usual[1] <= found.silent[1] and found.gone[1] == found.silent[1]
    assert (UNCORRECTED(risk).silent == risk.silent).all()


@pytest.mark.parametrize("day", [273, 287])
def test_it_makes_the_risk_of_the_complete_journey_truer(day: int) -> None:
    """Households that the model takes for gone come back there, more than the half of them."""
    log = complete_journey()
    fitted = fit_at("hybrid", log, day, DAYS)
    corrected = learn_correction(log, day, DAYS, "hybrid")
    assert len(corrected.origins) == 2 and corrected.repeat is not None and corrected.once is not None
    told, mended = (check_churn(log, day, DAYS, "hybrid", fitted, how, (0.5,)) for how in (lambda r: r, corrected))
    assert told.levels[1].expected > 1.4 * told.levels[1].silent > 0
    for before, after in zip(told.paths, mended.paths, strict=True):
        assert after.calibration.brier < before.calibration.brier
        off = abs(after.calibration.expected - after.calibration.happened)
        assert off <= abs(before.calibration.expected - before.calibration.happened) + 1
    high = mended.levels[1]
    assert abs(high.expected - high.silent) <= 0.3 * max(high.customers, 1)


def test_the_one_time_buyers_of_cdnow_need_none() -> None:
    corrected = learn_correction(cdnow(), 364, DAYS, "bgnbd")
    assert corrected.once is None and corrected.repeat is not None


@pytest.mark.parametrize("model", ["mbgnbd", "hybrid"])
def test_nothing_after_the_day_moves_it(model: str) -> None:
    log = complete_journey()
    later = log.day > 273
    moved = PurchaseDays(log.customer[~later], log.day[~later], log.spend[~later], log.n_customers)
    assert learn_correction(log, 273, DAYS, model) == learn_correction(moved, 273, DAYS, model)


def test_a_log_too_short_is_left_as_it_is() -> None:
    log = complete_journey()
    found = learn_correction(log, 150, DAYS, "mbgnbd")
    assert found.repeat is None and found.once is None and found.origins == ()
    base = summarise(log, 150)
    risk = churn_risk(fit_at("mbgnbd", log, 150, DAYS), fit_second(log, 150), log, base, DAYS)
    assert (found(risk).silent == risk.silent).all()
