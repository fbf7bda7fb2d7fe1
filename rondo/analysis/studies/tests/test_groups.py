"""Groups and matched controls: what was planted is found, told with how far it holds, and made a segment."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.segments.actions import add_members, create_segment
from rondo.analysis.segments.ledger import standing_keys
from rondo.analysis.segments.queries import list_context
from rondo.analysis.segments.refreshing import refresh_segment
from rondo.analysis.studies import actions, groups
from rondo.analysis.studies.models import Series, Study, StudyCustomer
from rondo.analysis.studies.telling import apart
from rondo.analysis.tests.world import START, customer, product, purchases
from rondo.catalogue.models import Product
from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import User
from rondo.rules import compile_q, parse, schema
from rondo.science.clusters import ClusterConfig
from rondo.science.features import Features

pytestmark = pytest.mark.django_db


def shoppers(often: int, seldom: int, seed: int = 4) -> list[Customer]:
    """Customers of two kinds: many purchases of much, and few of little; and one who never bought."""
    rng = np.random.default_rng(seed)
    goods = [product(f"p{number}", f"Food > Kind {number % 9}") for number in range(30)]
    people = [customer(f"C{number}") for number in range(often + seldom)]
    bought: list[tuple[Customer, date, list[tuple[Product, int, int]]]] = []
    for number, one in enumerate(people):
        days = rng.choice(200, 12 if number < often else 2, replace=False)
        for day in np.sort(days).tolist():
            basket = rng.choice(30, 4 if number < often else 1, replace=False)
            lines = [(goods[place], int(rng.gamma(9, 60)) + 50, 0) for place in basket]
            bought.append((one, START + timedelta(days=day), lines))
    purchases(bought)
    customer("Nobody yet")
    run_analysis(system())
    return people


@pytest.fixture
def few_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two or three groups are tried, so that none is too small to find a rule for."""
    monkeypatch.setattr(groups, "ClusterConfig", lambda: ClusterConfig(sizes=(2, 3)))


def answered(kind: str, **more: Any) -> Study:
    return actions.answer_study(actions.request_study(system(), kind, **more).pk)


def test_planted_groups_are_found_named_and_become_segments(alice: User, few_sizes: None) -> None:
    people = shoppers(50, 70)
    study = answered("groups")
    assert study.status == "done", study.error
    results = study.results
    assert results["stable"] and (results["buyers"], results["without"]) == (120, 1)
    few = {one.pk for one in people[50:]}
    lettered = {one.customer_id: int(one.score) for one in StudyCustomer.objects.filter(study=study)}
    of_few = {lettered[key] for key in few}
    assert of_few.isdisjoint({lettered[one.pk] for one in people[:50]})  # no group has both kinds
    assert sum(group["customers"] for group in results["groups"]) == 120
    first = results["groups"][lettered[people[60].pk]]
    assert {trait["high"] for trait in first["traits"][:2]} == {False}
    for trait in (trait for group in results["groups"] for trait in group["traits"]):
        assert trait["inside"] > trait["outside"] if trait["high"] else trait["inside"] < trait["outside"]
    rule = first["rule"]
    assert rule["precision"]["low"] < rule["precision"]["value"] and rule["recall"]["value"] > 0.6 and rule["text"]
    known = schema()
    for number, group in enumerate(results["groups"]):
        node = parse(f"group = {'abcdefgh'[number]}", known)
        rows = visible(alice).filter(compile_q(node, known, list_context(alice)))
        assert set(rows.values_list("pk", flat=True)) == {key for key, score in lettered.items() if score == number}
        places = StudyCustomer.objects.filter(study=study, score=number).values_list("place", flat=True)
        assert (min(places), max(places)) == (group["first"], group["last"])
    made = create_segment(Actor(alice, "web"), name="By rule", text=rule["text"])
    assert refresh_segment(system(), made.key).size == rule["found"]
    kept = actions.keep_as_segment(
        Actor(alice, "web"), study, name="By name", first=first["first"], places=first["last"]
    )
    assert kept.size == first["customers"]


def test_what_sets_apart_is_told_by_figures_that_differ() -> None:
    inside = np.arange(10) < 5
    answers, days, nothing = [0.0, 0, 0, 1, 1, 0, 0, 0, 0, 1], [1.0, 2, 2, 2, 3, 2, 3, 3, 3, 9], [0.0] * 10
    features = Features(("answers", "days_30", "kinds"), np.array([answers, days, nothing]).T)
    assert apart(features, 0, inside, ~inside, high=True) == {"inside": 0.4, "outside": 0.2, "mean": True}
    assert apart(features, 1, inside, ~inside, high=False) == {"inside": 2.0, "outside": 3.0, "mean": False}
    assert apart(features, 1, inside, ~inside, high=True) is None and apart(features, 2, inside, ~inside, True) is None


def test_customers_of_one_kind_have_no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    shoppers(0, 110)
    monkeypatch.setattr(groups, "ClusterConfig", lambda: ClusterConfig(stable=1.01))
    study = answered("groups")
    assert study.status == "done" and not study.results["stable"] and not study.results["groups"]
    assert not Series.objects.exists() and not StudyCustomer.objects.exists()
    assert "group" not in schema().fields


def test_too_few_buyers_are_told() -> None:
    shoppers(5, 5)
    study = answered("groups")
    assert study.status == "failed" and "at least 100 are needed" in study.error


def test_controls_are_alike_and_become_a_segment(alice: User) -> None:
    people = shoppers(60, 60)
    rng = np.random.default_rng(7)
    # Members are mostly of the frequent kind, so that all others differ from them before matching.
    members = [one for number, one in enumerate(people) if rng.random() < (0.5 if number < 60 else 0.1)]
    segment = create_segment(system(), name="Treated", kind="static")
    add_members(system(), segment.key, [one.public_id for one in members])
    study = answered("controls", segment=segment, config={"as_of": "2023-07-19"})
    assert study.status == "done", study.error
    results = study.results
    assert results["pairs"] + results["alone"] == results["members"] == len(members) and results["pairs"] >= 15
    pairs = list(StudyCustomer.objects.filter(study=study))
    keys = {one.pk for one in members}
    assert {one.other_id for one in pairs} <= keys and keys.isdisjoint({one.customer_id for one in pairs})
    assert len({one.customer_id for one in pairs}) == len(pairs) == results["pairs"]
    before = max(abs(row["before"]) for row in results["balance"])
    assert before > 0.5 and all(
        row["name"] in results["unlike"] or abs(row["after"]) < 0.1 for row in results["balance"]
    )
    assert np.mean([abs(row["after"]) for row in results["balance"]]) < np.mean(
        [abs(row["before"]) for row in results["balance"]]
    )
    made = actions.keep_as_segment(Actor(alice, "web"), study, name="Controls")
    assert set(standing_keys(made).tolist()) == {one.customer_id for one in pairs}


def test_controls_need_members_too() -> None:
    people = shoppers(10, 20)
    segment = create_segment(system(), name="Few", kind="static")
    add_members(system(), segment.key, [one.public_id for one in people[:5]])
    study = answered("controls", segment=segment)
    assert study.status == "failed" and "5 members" in study.error
