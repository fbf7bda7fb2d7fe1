"""Lead scoring: planted effects are found, promises hold, nothing is read from the future, and noise gets no score."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from rondo.errors import InputError
from rondo.science.discrimination import auc
from rondo.science.leads import NEVER, LeadConfig, LeadLog, LeadScores, fading, score_leads, signals_of
from rondo.science.tests.lead_worlds import LeadWorld, lead_world

TODAY = 419
QUICK = LeadConfig(horizons=(91,), landmarks=5, penalties=(0.01, 0.1))
PAGE = (Path(__file__).parents[3] / "docs" / "leads.md").read_text(encoding="utf-8")


@cache
def world() -> LeadWorld:
    return lead_world()


@cache
def scored() -> LeadScores:
    return score_leads(world().log, TODAY, QUICK)


def test_planted_effects_are_found_and_ranked_nearly_as_well_as_the_truth_does() -> None:
    found, log = scored(), world().log
    judged = found.judged
    assert found.verdict.reason == "" and judged is not None
    open_ = np.flatnonzero(log.at_risk(judged.day))
    truth = auc(log.bought[open_] <= judged.day + 91, world().truth[judged.day][open_])
    assert judged.auc.value > truth.value - 0.02
    assert judged.auc.value > judged.points.value + 0.03, "plain points count what tells nothing, too"
    weights = found.weights()
    assert weights["kind.web_visit"] > 2 * weights["kind.content_read"]
    assert weights["link.referred"] > weights["kind.campaign_mail"]


def test_promises_hold_on_people_of_a_later_time() -> None:
    judged = scored().judged
    assert judged is not None
    assert judged.calibration.expected == pytest.approx(judged.bought, rel=0.12)
    assert 0.8 < judged.slope < 1.2
    assert judged.skill_low > 0
    inside = [one.low - 0.02 <= one.expected <= one.high + 0.02 for one in judged.calibration.bins]
    assert np.mean(inside) >= 0.8


def test_every_chance_is_the_sum_of_its_parts() -> None:
    """What themes add up to is the distance from the average in log odds, so that reasons explain all of it."""
    found, log = scored(), world().log
    blocks = list(found.blocks(log))
    people = np.concatenate([one.person for one in blocks])
    assert people.tolist() == np.flatnonzero(log.at_risk(TODAY)).tolist()
    chance = np.concatenate([one.chance for one in blocks])
    parts = np.concatenate([one.parts for one in blocks])
    assert found.model is not None
    assert np.log(chance / (1 - chance)) == pytest.approx(parts.sum(axis=1) + found.model.intercept, abs=1e-9)
    visits = blocks[0].evidence.themes.index("kind.web_visit")
    best, worst = np.argmax(blocks[0].parts[:, visits]), np.argmin(blocks[0].parts[:, visits])
    assert blocks[0].evidence.total[best, visits] > blocks[0].evidence.total[worst, visits]


def test_what_comes_after_the_day_moves_nothing() -> None:
    log, day = world().log, TODAY - 60
    config = replace(QUICK, horizons=(56,), landmarks=2)
    moved = replace(
        log,
        bought=np.where((log.bought > day) & (log.bought < NEVER), day + 1, log.bought),
        day=np.where(log.day > day, np.minimum(log.day + 5, 10_000), log.day),
        kind=np.where(log.day > day, 0, log.kind),
        answered=np.full(log.day.size, day + 3),
        link_bought=np.where(log.link_bought > day, day + 2, log.link_bought),
    )
    one, two = score_leads(log, day, config), score_leads(moved, day, config)
    assert one.model is not None and two.model is not None
    assert one.describe() == two.describe()
    first, second = next(one.blocks(log)), next(two.blocks(replace(moved, bought=log.bought)))
    assert np.array_equal(first.chance, second.chance)


def test_shuffled_outcomes_get_no_score() -> None:
    """A/A: people and contacts as before, who buys is drawn by lot day by day, so that nothing known can tell it."""
    for seed in range(3):
        noise = lead_world(people=1200, seed=40 + seed, effect=0.0, base=-6.4).log
        found = score_leads(noise, TODAY, QUICK)
        assert found.verdict.reason in ("no_signal", "no_better"), seed
        assert list(found.blocks(noise)) == []


def test_too_little_says_what_is_missing() -> None:
    log = world().log
    assert score_leads(log.chosen(np.arange(60)), TODAY, QUICK).verdict.reason == "too_few_leads"
    rare = replace(log, bought=np.where(np.arange(log.people) % 50 == 0, log.bought, NEVER))
    few = score_leads(rare, TODAY, QUICK).verdict
    assert few.reason == "too_few_buyers" and few.have < few.need == 30
    sudden = replace(log, known=np.where(log.known < 300, np.minimum(log.bought, 10_000) - 5, log.known))
    sudden = sudden.chosen(np.flatnonzero((log.bought < NEVER) | (log.known >= 300)))
    taught = score_leads(sudden, TODAY, QUICK).verdict
    assert taught.reason == "too_few_taught" and taught.have < taught.need == 100
    short = score_leads(log, 150, QUICK).verdict
    assert (short.reason, short.have, short.need) == ("too_short", 150, 210)
    buyers = replace(log, known=np.minimum(log.bought, 400))
    assert score_leads(buyers.chosen(np.flatnonzero(log.bought < 400)), TODAY, QUICK).verdict.reason == "nobody"
    with pytest.raises(InputError, match="name one or more"):
        LeadConfig(horizons=())


def test_the_worked_table_of_signals() -> None:
    """The example of docs/leads.md, computed again."""
    text = PAGE.split("<!-- worked: signals -->")[1].split("\n\n")[0]
    table = {
        name.strip(): float(value) for name, value in re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([\d.]+) \|$", text, re.M)
    }
    none = np.full(4, -1)
    log = LeadLog(
        known=np.array([60]),
        bought=np.array([NEVER]),
        person=np.zeros(4, np.int64),
        day=np.array([72, 86, 93, 100]),
        kind=np.array([0, 1, 1, 1]),
        channel=np.array([0, 1, 1, 1]),
        medium=np.zeros(4, np.int64),
        inbound=np.array([False, True, True, True]),
        pull=np.array([False, True, True, True]),
        answers=np.array([False, True, False, False]),
        named=np.array([-1, -1, 5, 5]),
        waits=np.zeros(4, bool),
        answered=none * 0 + NEVER,
        kinds=("campaign_mail", "web_visit"),
        channels=("mail", "web"),
        media=("owned",),
    )
    found = signals_of(log, 100)
    assert len(table) >= 8
    for name, value in table.items():
        assert found.values[0, found.names.index(name)] == pytest.approx(value, abs=0.0005), name
    assert fading(28, 28.0) == 0.5
