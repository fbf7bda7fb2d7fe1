"""The risk of falling silent: each customer by the path that suits, told in levels and drivers, judged by what came."""

from dataclasses import replace

import numpy as np
import pytest

from rondo.analysis import modelling
from rondo.analysis.modelling import silence
from rondo.analysis.tests.world import seeded_log
from rondo.science.churn import ChurnRisk, check_churn
from rondo.science.clv import ValueConfig
from rondo.science.models import alive_of, fit_base
from rondo.science.risks import UNCORRECTED, Correction, Curve, learn_correction
from rondo.science.summary import summarise


def log_of(customers: int = 150, days: int = 360) -> modelling.Log:
    return modelling.Log(np.arange(customers, dtype=np.int64), seeded_log(customers, days))


def test_levels_and_drivers_by_hand() -> None:
    found = ChurnRisk(
        customer=np.arange(6),
        once=np.array([False, False, False, False, True, True]),
        silent=np.array([0.19, 0.2, 0.49, 0.5, 0.9, 0.1]),
        usual=np.array([0.01, 0.05, 0.3, 0.25, 0.6, 0.1]),
        gone=np.zeros(6),
        model=np.zeros(6),
    )
    columns = silence.columns(found)
    assert columns["risk"].to_pylist() == ["low", "elevated", "elevated", "high", "high", "low"]
    # .2 has .15 of silence above .05 of rhythm; .49 has .19 above .3; .5 has as much of either.
    assert columns["risk_driver"].to_pylist() == [None, "silence", "rhythm", "rhythm", "once", None]


def test_the_longer_the_silence_the_higher_the_risk_and_never_below_the_usual() -> None:
    log = log_of().days
    base = summarise(log, log.last_day)
    for key in ("bgnbd", "mbgnbd", "paretonbd", "bgbb"):
        model = fit_base(key, base)
        second = silence.second_purchase(log, log.last_day)
        found = silence.risk(model, second, log, base, alive_of(model, base))
        again = ~found.once
        assert (found.silent[again] >= found.usual[again] - 1e-9).all(), key
        assert ((found.silent >= 0) & (found.silent <= 1)).all() and found.once.sum() == (base.x == 0).sum()


def test_one_time_buyers_are_not_ranked_by_being_alive() -> None:
    """All of them are alive to the BG/NBD; the longer ago the purchase, the higher the risk all the same."""
    log = log_of(600, 360).days
    base = summarise(log, log.last_day)
    model = fit_base("bgnbd", base)
    found = silence.risk(model, silence.second_purchase(log, log.last_day), log, base, alive_of(model, base))
    age, chance = base.age_days[found.once], found.silent[found.once]
    assert found.once.sum() >= 20
    assert np.corrcoef(np.argsort(np.argsort(age)), np.argsort(np.argsort(chance)))[0, 1] > 0.2


@pytest.mark.parametrize("pinned", ["hybrid", "bgnbd"])
def test_nobody_is_less_likely_there_than_to_buy(pinned: str) -> None:
    log = log_of(600, 360)
    fitted = modelling.fit(log, log.days.last_day, ValueConfig(), pinned=pinned)
    ids, columns = fitted.columns(log)
    alive, churn = (columns[name].to_numpy(zero_copy_only=False) for name in ("alive", "churn"))
    told = ~np.isnan(alive)
    assert told.sum() > 300 and (alive[told] >= 1 - churn[told]).all() and (alive[told] <= 1).all()
    some = ids[::7] + (np.arange(ids[::7].size) == 3) * 10_000  # one who is no buyer
    shown = fitted.present_of(log, np.sort(some))
    assert np.isnan(shown[-1]) and np.isfinite(shown[:-1]).all()


@pytest.mark.parametrize("pinned", ["hybrid", "bgnbd", "bgbb"])
def test_no_customer_is_told_what_the_risk_denies(pinned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However bold the correction: value, its interval, purchases expected and usual all know of it."""
    bold = Correction(Curve((0.1, 0.9), (0.05, 0.3), 1.0), Curve((0.5,), (0.2,), 1.0), (1,))
    monkeypatch.setattr(silence, "correction", lambda *_given: bold)
    log = log_of(600, 360)
    columns = modelling.fit(log, log.days.last_day, ValueConfig(), pinned=pinned).columns(log)[1]
    facts = {name: column.to_numpy(zero_copy_only=False) for name, column in columns.items() if name[:4] != "risk"}
    chance = 1 - facts["churn"]
    for name in ("expected_purchases", "purchases_ahead"):
        assert (facts[name] >= chance - 1e-12).all(), name
    assert (facts["expected_purchases"] >= facts["purchases_ahead"] - 1e-12).all()
    assert (facts["value_high"] > facts["value"])[chance > 0.06].all()
    assert (facts["value_low"] <= facts["value"]).all() and (facts["median_purchases"] >= 1)[chance > 0.5].all()


def test_the_check_is_that_of_the_science_floor_and_of_the_last_91_days() -> None:
    log = log_of()
    as_of = log.days.last_day
    judged = modelling.judge(log, as_of, "mbgnbd")
    assert judged is not None and judged.churn is not None
    origin = as_of - silence.CHURN_DAYS
    corrected = learn_correction(log.days, origin, silence.CHURN_DAYS, "mbgnbd")
    cuts = (silence.ELEVATED, silence.HIGH)
    alone = check_churn(log.days, origin, silence.CHURN_DAYS, "mbgnbd", None, corrected, cuts)
    assert [path["brier"] for path in judged.churn["paths"]] == [path.calibration.brier for path in alone.paths]
    told = judged.churn["levels"]
    assert [one["level"] for one in told] == ["low", "elevated", "high"]
    assert [one["silent"] for one in told] == [level.silent for level in alone.levels]
    whole = judged.churn["paths"][0]
    assert sum(one["customers"] for one in told) == whole["customers"]
    assert sum(one["silent"] for one in told) == whole["silent"]
    assert whole["path"] == "all" and sum(one["customers"] for one in whole["bins"]) == whole["customers"]
    assert round(sum(one["share"] * one["customers"] for one in whole["bins"])) == whole["silent"]


def test_shorter_data_give_a_risk_without_a_check() -> None:
    log = log_of(80, 200)
    judged = modelling.judge(log, log.days.last_day, "bgnbd")
    assert judged is not None and judged.holdout["days"] < silence.CHURN_DAYS and judged.churn is None


def test_a_large_base_is_judged_on_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of(400, 360)
    origin = log.days.last_day - silence.CHURN_DAYS
    fitted = fit_base("bgnbd", summarise(log.days, origin))
    whole = silence.check(log.days, origin, fitted, UNCORRECTED)
    monkeypatch.setattr(silence, "_JUDGED", 200)
    part = silence.check(log.days, origin, fitted, UNCORRECTED)
    assert 120 < part["paths"][0]["customers"] < 280 < whole["paths"][0]["customers"]
    assert part == silence.check(replace(log.days), origin, fitted, UNCORRECTED)
