"""The model of purchases is chosen by hold-out or pinned by an analyst, and whichever it is values the whole base."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

import rondo
from rondo.analysis import modelling
from rondo.analysis.actions import run_analysis
from rondo.analysis.modelling.ahead import served
from rondo.analysis.models import Pin, Run, Score
from rondo.analysis.pins import pin_model, pinned_model
from rondo.analysis.tests.world import seeded_base, seeded_log
from rondo.errors import InputError, PermissionRefused
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, User
from rondo.science import bgnbd, gamma_gamma
from rondo.science.clv import ValueConfig, value_customers
from rondo.science.intervals import forecast_base
from rondo.science.models import CANDIDATES, alive_of, fit_base
from rondo.science.summary import summarise

ANALYSTS = (Path(__file__).parents[3] / "docs" / "analysts.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def analysed(module_world: Path) -> None:
    """A base that was analysed once, when no model was in use yet."""
    seeded_base(customers=60, days=280)
    run_analysis(system())


@pytest.fixture
def fresh(analysed: None, world_copy: Path) -> Run:
    """That analysis."""
    return Run.objects.get()


def log_of(customers: int = 120, days: int = 300) -> modelling.Log:
    return modelling.Log(np.arange(customers, dtype=np.int64) * 10, seeded_log(customers, days))


@pytest.mark.django_db
@pytest.mark.parametrize("key", CANDIDATES)
def test_every_model_values_a_base_from_hold_out_to_score_table(fresh: Run, key: str) -> None:
    run = run_analysis(system(), model=key)
    assert run.results["selection"]["chosen"] == key
    assert (run.results["selection"]["reason"], run.config["pinned"]) == ("pinned", key)
    assert run.models_json["purchases"]["model"] == key == run.models_json["cards"]["purchases"]["kind"]
    value, held = run.results["value"], run.results["holdout"]
    assert value["low"] < value["total"] < value["high"] and value["method"] == modelling.CALIBRATED
    assert held["low"] <= held["forecast"] <= held["high"] and len(run.results["forecast"]) == 13
    assert Score.objects.filter(value__isnull=False).count() == 60
    assert {one["model"] for one in run.results["selection"]["candidates"]} == set(CANDIDATES)
    assert all(one["mae"] > 0 and one["correlation"] > 0 for one in run.results["selection"]["candidates"])
    the_documented_notebook_gives_the_same(key)


def the_documented_notebook_gives_the_same(key: str) -> None:
    (block,) = re.findall(r"```python\n(fitted = rondo.models\(\)\n.*?)```", ANALYSTS, re.DOTALL)
    *body, last = block.strip().splitlines()
    with rondo.tables() as tables:
        names: dict[str, Any] = {"rondo": rondo, "tables": tables}
        exec("\n".join(body), names)
        expected = eval(last, names)  # noqa: S307 - our own document
        fitted, histories = names["fitted"], names["histories"]
        risks = fitted.churn(tables).to_pylist()
    assert fitted.purchases.kind == key
    ids = histories["customer_id"].to_pylist()
    assert len(ids) == len(expected) == Score.objects.count()
    alive, spend = fitted.probability_alive(histories), fitted.expected_spend(histories)
    for pk, chance, money, row in zip(ids, alive, spend, risks, strict=True):
        score = Score.objects.get(customer_id=pk)
        assert score.alive in (None, pytest.approx(max(chance, 1 - row["churn"])))  # who buys is there
        assert score.expected_spend == pytest.approx(money, abs=1)
    assert Score.objects.filter(alive__isnull=False).exists()
    assert [row["customer_id"] for row in risks] == ids and sum(histories["x"].to_numpy() == 0) > 0
    assert fitted.second is None or fitted.second.survival(91) < 1
    for row in risks:
        score = Score.objects.get(customer_id=row["customer_id"])
        assert (score.churn, score.churn_usual) == pytest.approx((row["churn"], row["churn_usual"]))


def test_the_chosen_model_gives_the_figures_that_it_gives_alone() -> None:
    log, value = log_of(), ValueConfig(months=3, margin_rate=0.3)
    as_of = log.days.last_day
    fitted = modelling.fit(log, as_of, value, pinned="paretonbd")
    base = summarise(log.days, as_of)
    often, much = fit_base("paretonbd", base), gamma_gamma.fit(base.spend_days, base.mean_spend)
    told = served(often, base, alive_of(often, base), fitted.risk)
    columns = base.x, base.t_x, base.T, base.spend_days, base.mean_spend
    alone = value_customers(often, much, *columns, value, served=told)
    ids, facts = fitted.columns(log)
    assert ids.tolist() == (base.customer * 10).tolist()
    assert facts["value"].to_pylist() == alone.value.tolist()
    whole = forecast_base(log.days, as_of, often, much, value, served=told)
    assert fitted.forecast.value == whole.value
    # What is served of silence is between customers: the purchases of the base are the model's.
    plain = forecast_base(log.days, as_of, often, much, value)
    assert whole.purchases.expected == pytest.approx(plain.purchases.expected)


def test_whom_a_model_calls_alive_by_construction_it_says_nothing_of() -> None:
    log = log_of()
    once = summarise(log.days, log.days.last_day).x == 0
    assert once.any()
    for key, told in (("bgnbd", False), ("mbgnbd", True)):
        fitted = modelling.fit(log, log.days.last_day, ValueConfig(months=3), pinned=key)
        alive = fitted.columns(log)[1]["alive"].to_pylist()
        assert {alive[row] is not None for row in np.flatnonzero(once)} == {told}
        assert all(alive[row] is not None for row in np.flatnonzero(~once))


@pytest.mark.django_db
def test_the_model_in_use_stays_and_two_runs_agree(fresh: Run) -> None:
    first = run_analysis(system(), model="paretonbd")
    pinned = first.results["selection"]
    second = run_analysis(system())
    assert second.results["selection"]["incumbent"] == "paretonbd"
    third = run_analysis(system())
    assert third.results["selection"]["incumbent"] == second.results["selection"]["chosen"]
    assert third.result_hash == second.result_hash
    assert pinned["by_rule"] and pinned["candidates"] == second.results["selection"]["candidates"]


@pytest.mark.django_db
def test_a_hash_does_not_depend_on_what_was_in_use_before(fresh: Run) -> None:
    again = run_analysis(system())
    assert fresh.results["selection"]["incumbent"] is None
    assert fresh.result_hash == again.result_hash


@pytest.mark.django_db
def test_an_analyst_pins_a_model_and_lifts_the_pin(fresh: Run, make_user: Callable[..., User]) -> None:
    ann = Actor(make_user("ann", role="analyst", reach="all"), "web")
    pin_model(ann, "mbgnbd", " Leaves after the first order. ")
    pin_model(ann, "mbgnbd", "Leaves after the first order.")
    assert pinned_model() == "mbgnbd" and Pin.objects.get().reason == "Leaves after the first order."
    run = run_analysis(system())
    assert (run.results["selection"]["chosen"], run.results["selection"]["reason"]) == ("mbgnbd", "pinned")
    assert run_analysis(system(), model="bgnbd").results["selection"]["chosen"] == "bgnbd"
    pin_model(ann, "")
    assert pinned_model() == "" and not Pin.objects.exists()
    assert run_analysis(system()).results["selection"]["pinned"] is None
    kept = AuditEntry.objects.filter(verb="model.pin").order_by("id").values_list("changes", flat=True)
    assert [entry["model"] for entry in kept] == [["", "mbgnbd"], ["mbgnbd", ""]]


@pytest.mark.django_db
def test_who_may_not_analyse_may_not_pin_and_no_unknown_model_is_taken(make_user: Callable[..., User]) -> None:
    reader = Actor(make_user("rita", role="reader", reach="all"), "web")
    with pytest.raises(PermissionRefused):
        pin_model(reader, "bgnbd")
    some = Actor(make_user("saul", role="analyst", reach="own"), "web")
    with pytest.raises(PermissionRefused, match="for all customers"):
        pin_model(some, "bgnbd")
    with pytest.raises(InputError, match=r"'nbd': unknown; choose one of bgnbd"):
        pin_model(system(), "nbd")
    with pytest.raises(InputError, match="at most 500"):
        pin_model(system(), "bgnbd", "x" * 501)
    with pytest.raises(InputError, match=r"'nbd': unknown"):
        call_command("analyse", "--model", "nbd")
    assert not Pin.objects.exists() and not Run.objects.exists() and not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_the_command_takes_a_model_and_prints_the_candidates(fresh: Run, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("analyse", "--model", "mbgnbd", "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(found["mbgnbd"]) == {"r", "alpha", "a", "b", "log_likelihood"} and "bgnbd" not in found
    assert found["selection"]["by_rule"] in CANDIDATES


def test_nothing_after_the_day_of_the_run_is_looked_at() -> None:
    log, value = log_of(), ValueConfig(months=3)
    later = log.days.day > 200
    moved = replace(log, days=replace(log.days, day=np.where(later, log.days.day + 500, log.days.day)))
    for one in (log, moved):
        fitted = modelling.fit(one, 200, value)
        judged = modelling.judge(one, 200, fitted.purchases.kind)
        assert judged is not None
        found = fitted.describe(), fitted.risk.silent.tolist(), judged.holdout, judged.weekly_error
        if one is log:
            before = found
    assert found == before


def test_the_hold_out_is_of_the_model_named() -> None:
    log = log_of()
    as_of = log.days.last_day
    one, other = modelling.judge(log, as_of, "bgnbd"), modelling.judge(log, as_of, "paretonbd")
    assert one and other and one.holdout["forecast"] != other.holdout["forecast"]
    base = summarise(log.days, as_of - one.holdout["days"])
    expected = bgnbd.fit(base.x, base.t_x, base.T).expected_purchases(one.holdout["days"] / 7, base.x, base.t_x, base.T)
    assert one.holdout["forecast"] == pytest.approx(expected.sum())
