"""Twins of a segment: asked by an action, answered by a job, kept with what they stand on, and made a segment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.features import feature_of
from rondo.analysis.segments.actions import add_members, create_segment
from rondo.analysis.segments.ledger import standing_keys
from rondo.analysis.segments.models import Segment
from rondo.analysis.studies import actions
from rondo.analysis.studies.jobs import study_job
from rondo.analysis.studies.models import Study, StudyCustomer
from rondo.analysis.studies.queries import latest
from rondo.analysis.tests.world import START, customer, purchases, seeded_base
from rondo.customers.models import Customer
from rondo.errors import InputError, NotFound, PermissionRefused
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, User

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def analysed(module_world: Path) -> None:
    """Two kinds of customers in turn, those with even numbers often and those with odd ones seldom; a list of half of
    the first kind."""
    rng = np.random.default_rng(5)
    people = [customer(f"C{number}") for number in range(96)]
    purchases(
        (one, START + timedelta(days=day), int(rng.gamma(4, 500)) + 100)
        for number, one in enumerate(people)
        for day in np.sort(rng.choice(200, 9 if number % 2 == 0 else 2, replace=False)).tolist()
    )
    run_analysis(system())
    made = create_segment(system(), name="Regulars", kind="static")
    add_members(system(), made.key, [one.public_id for one in people[:48:2]])


@pytest.fixture
def people(analysed: None, world_copy: Path) -> list[Customer]:
    return list(Customer.objects.order_by("pk"))


@pytest.fixture
def seed(people: list[Customer]) -> Segment:
    return Segment.objects.get(key="regulars")


def test_twins_are_those_of_the_same_kind(people: list[Customer], seed: Segment, alice: User) -> None:
    study = actions.request_study(Actor(alice, "web"), "twins", segment=seed)
    assert study.status == "queued" and actions.request_study(system(), "twins", segment=seed).pk == study.pk
    assert study_job.func(study.pk) == "done"
    study.refresh_from_db()
    results: dict[str, Any] = study.results
    assert (results["members"], results["others"], results["kept"]) == (24, 72, 72)
    assert study.run_id and study.as_of and len(study.fingerprint) == 64 and study.config["folds"] == 5
    found = list(StudyCustomer.objects.filter(study=study).order_by("place"))
    alike = {one.pk for one in people[48::2]}
    assert {one.customer_id for one in found[:24]} == alike
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    # Half of the others are of the members' own kind, and are counted against the model.
    assert 0.75 < results["auc"]["low"] < results["auc"]["value"] < 0.9
    assert {driver["feature"][:4] for driver in results["drivers"]} & {"days", "spen", "line"}
    strongest = results["drivers"][0]
    assert strongest["high"] and strongest["inside"] > strongest["outside"] and feature_of(strongest["feature"])
    assert sum(driver["share"] for driver in results["drivers"]) == pytest.approx(1, abs=0.1)
    curve = results["curve"]
    assert [point["similarity"] for point in curve] == sorted((p["similarity"] for p in curve), reverse=True)
    assert all(point["low"] <= point["found"] <= point["high"] for point in curve)
    assert results["closest"][0]["customer"] == found[0].customer_id and results["closest"][0]["why"]
    assert latest("twins", seed).answered == study and latest("twins", seed).newer is None


def test_the_same_data_give_the_same_answer(seed: Segment) -> None:
    one, two = (actions.answer_study(actions.request_study(system(), "twins", segment=seed).pk) for _turn in range(2))
    assert one.pk != two.pk and (one.fingerprint, one.results) == (two.fingerprint, two.results)
    assert actions.answer_study(one.pk).finished_at == one.finished_at


def test_the_closest_become_a_segment(seed: Segment, alice: User) -> None:
    study = actions.answer_study(actions.request_study(Actor(alice, "web"), "twins", segment=seed).pk)
    made = actions.keep_as_segment(Actor(alice, "web"), study, name="Twins of regulars", places=10)
    wanted = set(StudyCustomer.objects.filter(study=study, place__lte=10).values_list("customer_id", flat=True))
    assert set(standing_keys(made).tolist()) == wanted and (made.kind, made.size) == ("static", 10)
    entry = AuditEntry.objects.filter(verb="segment.members_added", record_id=made.pk).get()
    assert entry.changes == {"study": [None, study.pk], "count": [None, 10]} and entry.actor == alice
    with pytest.raises(InputError, match="from 1 to"):
        actions.keep_as_segment(Actor(alice, "web"), study, name="More", places=73)


def test_a_small_seed_is_told_what_it_lacks() -> None:
    people = seeded_base(customers=30, days=60)
    run_analysis(system())
    small = create_segment(system(), name="Few", kind="static")
    add_members(system(), small.key, [one.public_id for one in people[:19]])
    study = actions.answer_study(actions.request_study(system(), "twins", segment=small).pk)
    assert study.status == "failed" and "19 members" in study.error and "fewer than 20" in study.error
    nearly = create_segment(system(), name="Nearly all", kind="static")
    add_members(system(), nearly.key, [one.public_id for one in people[:25]])
    study = actions.answer_study(actions.request_study(system(), "twins", segment=nearly).pk)
    assert study.status == "failed" and "Only 5 customers are outside" in study.error
    assert latest("twins", small).newer is not None


def test_without_an_analysis_it_says_so() -> None:
    people = seeded_base(customers=4, days=60)
    seed = create_segment(system(), name="Few", kind="static")
    add_members(system(), seed.key, [people[0].public_id])
    study = actions.answer_study(actions.request_study(system(), "twins", segment=seed).pk)
    assert study.status == "failed" and "analyse first" in study.error


def test_who_may_ask(charlie: User, make_user: Any) -> None:
    seed = create_segment(system(), name="Few", kind="static")
    with pytest.raises(PermissionRefused):
        actions.request_study(Actor(charlie, "web"), "twins", segment=seed)
    dora = make_user("dora", role="marketing", reach="own")
    with pytest.raises(PermissionRefused, match="all customers"):
        actions.request_study(Actor(dora, "web"), "twins", segment=seed)
    with pytest.raises(NotFound, match="no kind of study"):
        actions.request_study(system(), "horoscope", segment=seed)
    assert not Study.objects.exists()


def test_a_worker_that_died_leaves_nothing_double(people: list[Customer], seed: Segment) -> None:
    study = actions.request_study(system(), "twins", segment=seed)
    Study.objects.filter(pk=study.pk).update(status="running")
    StudyCustomer.objects.create(study=study, customer=people[0], place=1, score=0.5)
    study = actions.answer_study(study.pk)
    assert study.status == "done" and StudyCustomer.objects.filter(study=study).count() == 72


def test_customers_of_old_studies_are_dropped(seed: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "KEPT_STUDIES", 2)
    made = [
        actions.answer_study(actions.request_study(system(), "twins", segment=seed).pk)
        for _turn in range(actions.KEPT_STUDIES + 1)
    ]
    kept = set(StudyCustomer.objects.values_list("study", flat=True))
    assert kept == {study.pk for study in made[1:]} and Study.objects.get(pk=made[0].pk).results
