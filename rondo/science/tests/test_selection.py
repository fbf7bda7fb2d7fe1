"""A model is chosen by what it forecast at earlier dates, not by noise, and not by what came later."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rondo import science
from rondo.errors import InputError
from rondo.science import selection
from rondo.science.features import Features
from rondo.science.models import PurchaseModel, fit_base
from rondo.science.selection import REASONS, SelectionConfig, poisson_deviance, select_model
from rondo.science.summary import merge_days
from rondo.science.tests.logs import cdnow_sample
from rondo.science.tests.test_hybrid import reached

FAST = SelectionConfig(candidates=("bgnbd", "mbgnbd", "paretonbd"), origins=3)


def test_the_model_in_use_stays_where_hold_outs_do_not_tell() -> None:
    """On the CDNOW sample BG/NBD and MBG/NBD are within a standard error: whichever is in use stays."""
    for name in ("bgnbd", "mbgnbd"):
        found = select_model(cdnow_sample(), 272, 91, incumbent=name, config=FAST)
        assert (found.chosen, found.reason) == (name, "incumbent")
    fresh = select_model(cdnow_sample(), 272, 91, config=FAST)
    assert (fresh.chosen, fresh.reason) == ("bgnbd", "preferred")
    assert fresh.best is not None
    best = next(c for c in fresh.candidates if c.model == fresh.best)
    assert best.excess == 0 and all((c.excess or 0) >= 0 for c in fresh.candidates)


def test_a_better_model_replaces_the_one_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A BG/NBD made to forecast far too little loses to models that are within a standard error of each other."""

    def spoilt(
        name: str, log: Any, as_of: int, days: float, bases: Any, base: science.Summary, **_known: Any
    ) -> PurchaseModel:
        model = fit_base(name, base)
        return model.with_parameters(alpha=6 * float(model.parameters[1])) if name == "bgnbd" else model

    monkeypatch.setattr(selection, "fit_at", spoilt)
    found = select_model(cdnow_sample(), 272, 91, incumbent="bgnbd", config=FAST)
    errors = {c.model: c for c in found.candidates}
    assert found.chosen == "mbgnbd" and found.reason in ("best", "preferred")
    assert (errors["bgnbd"].excess or 0) > (errors["bgnbd"].excess_error or 0)


def test_a_pin_overrules_and_what_the_rule_says_is_kept() -> None:
    found = select_model(cdnow_sample(), 272, 91, incumbent="bgnbd", pinned="bgbb", config=replace(FAST, origins=2))
    assert (found.chosen, found.reason, found.pinned, found.by_rule) == ("bgbb", "pinned", "bgbb", "bgnbd")
    assert [c.model for c in found.candidates] == ["bgnbd", "mbgnbd", "paretonbd", "bgbb"]
    stored = json.loads(json.dumps(found.to_dict()))
    assert stored["reason_text"] == REASONS["pinned"]
    assert len(stored["candidates"][0]["trials"]) == 2


def test_nothing_after_the_date_is_looked_at() -> None:
    log = cdnow_sample()
    later = log.day > 272
    moved = replace(log, day=np.where(later, log.day + 1000, log.day), spend=np.where(later, 0, log.spend))
    assert select_model(moved, 272, 91, config=FAST) == select_model(log, 272, 91, config=FAST)


def test_a_hybrid_is_judged_with_what_it_would_take_at_each_date() -> None:
    """Who was reached buys more: from a date on, trials before it find so, and the choice sees what is gained."""
    log, sent = reached(0.9)
    asked: list[int] = []

    def campaigns(day: int) -> Features:
        asked.append(day)
        return Features(("received",), sent[:, max(day - 29, 0) : day + 1].max(axis=1)[:, None].astype(float))

    config = SelectionConfig(candidates=("paretonbd", "hybrid"), origins=3)
    told, plain = (
        {one.model: one for one in select_model(log, 400, 91, config=config, offered=offered).candidates}
        for offered in ({"campaigns": campaigns}, None)
    )
    trials = told["hybrid"].trials
    assert trials[-1].taken == ("campaigns",) and max(asked) == trials[-1].origin == 309
    assert trials[-1].deviance < 0.99 * plain["hybrid"].trials[-1].deviance
    assert told["paretonbd"].trials == plain["paretonbd"].trials and not plain["hybrid"].trials[-1].taken


def test_errors_are_those_of_the_forecast() -> None:
    log = cdnow_sample()
    found = select_model(log, 272, 91, config=replace(FAST, origins=1, candidates=("mbgnbd",)))
    trial = found.candidates[0].trials[0]
    base = science.summarise(log, trial.origin)
    model = science.fit_base("mbgnbd", base)
    came = science.window(log, trial.origin, trial.until)[0][base.customer]
    check = science.compare(science.expected_from(model, base, (trial.until - trial.origin) / 7), came)
    assert (trial.forecast, trial.actual) == pytest.approx((check.forecast, check.actual))
    assert (trial.mae, trial.rmse) == pytest.approx((check.mae, check.rmse))
    assert trial.total_error == pytest.approx(check.forecast / check.actual - 1)
    assert found.candidates[0].excess == 0


def test_deviance_by_hand() -> None:
    found = poisson_deviance(np.array([0.5, 2.0, 1.0]), np.array([0, 2, 3]))
    assert found == pytest.approx([1.0, 0.0, 2 * (3 * np.log(3) - 2)])


def test_short_or_empty_logs_are_no_error() -> None:
    short = merge_days([0, 0, 1], [0, 5, 3])
    found = select_model(short, 10, 91, incumbent="paretonbd")
    assert (found.chosen, found.reason, found.best) == ("paretonbd", "no_holdout", None)
    assert select_model(merge_days([], []), 10, 91).chosen == "bgnbd"


def test_a_model_that_cannot_be_fitted_says_why_and_is_not_chosen() -> None:
    nobody_returns = merge_days(np.arange(200), np.arange(200))
    found = select_model(nobody_returns, 199, 40, config=FAST)
    assert found.reason == "no_holdout"
    assert all("no repeat purchase" in (c.failed or "") for c in found.candidates)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="model 'nbd': unknown"):
        select_model(cdnow_sample(), 272, 91, pinned="nbd")
    with pytest.raises(InputError, match="candidates: none"):
        SelectionConfig(candidates=())
