"""How often one customer will buy while the risk lasts: what is told agrees with the risk and is judged."""

import numpy as np
import pytest

from rondo.analysis import modelling
from rondo.analysis.modelling import silence
from rondo.analysis.modelling.ahead import judge_singles
from rondo.analysis.tests.world import seeded_log
from rondo.science.clv import ValueConfig
from rondo.science.counts import fit_spread
from rondo.science.intervals import roll_holdouts
from rondo.science.models import counts_from, fit_base
from rondo.science.risks import UNCORRECTED, Correction, Curve
from rondo.science.summary import merge_days, summarise, window


def log_of(customers: int = 300, days: int = 360) -> modelling.Log:
    return modelling.Log(np.arange(customers, dtype=np.int64), seeded_log(customers, days))


@pytest.mark.parametrize("pinned", ["hybrid", "bgnbd"])
def test_what_is_told_of_a_customer_agrees_with_the_risk(pinned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bold = Correction(Curve((0.1, 0.9), (0.05, 0.3), 1.0), Curve((0.5,), (0.2,), 1.0), (1,))
    monkeypatch.setattr(silence, "correction", lambda *_given: bold)
    log = log_of()
    fitted = modelling.fit(log, log.days.last_day, ValueConfig(), pinned=pinned)
    columns = fitted.columns(log)[1]
    expected, low, high, churn = (
        columns[name].to_numpy() for name in ("purchases_ahead", "purchases_ahead_low", "purchases_ahead_high", "churn")
    )
    assert (expected >= 1 - churn).all() and (expected == 1 - churn).any()  # the correction had something to mend
    assert ((low == 0) == (churn >= 0.05)).all() and ((high == 0) == (churn >= 0.95)).all()
    assert (low <= high).all() and (low <= expected + 1).all() and (low > 0).any()


def test_a_hold_out_tells_how_many_customers_bought_as_often_as_said() -> None:
    log = log_of(600).days
    origin, days = log.last_day - 91, 91
    model = fit_base("mbgnbd", summarise(log, origin))
    rolled = roll_holdouts(log, origin, 91.0, model="mbgnbd")
    found = judge_singles(log, origin, days, model, UNCORRECTED, rolled)
    base = summarise(log, origin)
    came = window(log, origin, origin + days)[0][base.customer]
    again = base.x > 0  # who bought once has a path of their own
    law = counts_from(model, base, 13, fit_spread([one.counts for one in rolled], 91, 0.9))
    low, high = law.bounds(0.9)
    plain = ((low <= came) & (came <= high))[again].mean()
    assert found["held"] == pytest.approx(plain, abs=0.05) and found["level"] == 0.9
    assert found["randomised"] == pytest.approx(law.held(came, 0.9)[again].mean(), abs=0.05)
    assert sum(one["customers"] for one in found["tenths"]) == found["customers"] == len(base)
    assert sum(one["held"] * one["customers"] for one in found["tenths"]) == pytest.approx(
        found["held"] * found["customers"]
    )
    means = [one["expected"] for one in found["tenths"]]
    assert means == sorted(means, reverse=True) and all(one["low"] <= one["high"] for one in found["tenths"])


def test_it_is_part_of_the_hold_out_and_looks_at_nothing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of()
    as_of = log.days.last_day - 30
    judged = modelling.judge(log, as_of, "bgnbd")
    assert judged is not None and judged.holdout["singles"]["customers"] == judged.holdout["customers"]
    late = log.days.day > as_of
    moved = merge_days(
        log.days.customer, np.where(late, log.days.day + 9, log.days.day), log.days.spend, log.days.n_customers
    )
    assert modelling.judge(modelling.Log(log.customers, moved), as_of, "bgnbd") == judged
    told = [
        modelling.fit(modelling.Log(log.customers, one), as_of, ValueConfig(), pinned="bgnbd").columns(log)[1]
        for one in (log.days, moved)
    ]
    for name in ("purchases_ahead", "purchases_ahead_low", "purchases_ahead_high"):
        assert told[0][name].equals(told[1][name]), name
    monkeypatch.setattr(silence, "_JUDGED", 120)
    part = modelling.judge(log, as_of, "bgnbd")
    assert part is not None and 60 < part.holdout["singles"]["customers"] < 180
