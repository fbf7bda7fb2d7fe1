"""The page of twins teaches, asks, shows how far the job is, tells the answer and makes a segment of it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.segments.actions import add_members, create_segment
from rondo.analysis.segments.models import Segment
from rondo.analysis.studies.actions import answer_study
from rondo.analysis.studies.models import Study, StudyCustomer
from rondo.analysis.tests.world import START, customer, purchases
from rondo.foundation.actors import system
from rondo.foundation.models import User

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture(scope="module")
def regulars(module_world: Path) -> None:
    """Half of those who buy often, among 60 customers."""
    rng = np.random.default_rng(5)
    people = [customer(f"C{number}") for number in range(80)]
    purchases(
        (one, START + timedelta(days=day), int(rng.gamma(4, 500)) + 100)
        for number, one in enumerate(people)
        for day in np.sort(rng.choice(200, 6 if number % 2 == 0 else 2, replace=False)).tolist()
    )
    run_analysis(system())
    made = create_segment(system(), name="Regulars", kind="static")
    add_members(system(), made.key, [one.public_id for one in people[:40:2]])


@pytest.fixture
def seed(regulars: None, world_copy: Path) -> Segment:
    return Segment.objects.get(key="regulars")


def body(response: Any) -> str:
    return str(response.content.decode())


def test_from_the_question_to_the_segment(alice: User, signed_in: SignIn, seed: Segment) -> None:
    page = signed_in(alice)
    assert "/segments/regulars/twins" in body(page.get("/segments/regulars/"))
    empty = body(page.get("/segments/regulars/twins"))
    assert "Who resembles these customers?" in empty and "at least 20 members" in empty and "Look for twins" in empty
    assert page.get("/segments/regulars/twins/list").status_code == 404
    page.post("/segments/regulars/twins/ask", {"as_of": "2023-07-01"})
    study = Study.objects.get()
    assert "Queued" in body(page.get("/segments/regulars/twins"))
    Study.objects.update(status="running", step="model", done=3, total=16)
    assert "3 of 16" in body(page.get("/segments/regulars/twins/progress"))
    answer_study(study.pk)
    assert page.get("/segments/regulars/twins/progress")["HX-Refresh"] == "true"
    study.refresh_from_db()
    assert str(study.as_of) == "2023-07-01"
    text = body(page.get("/segments/regulars/twins"))
    assert "as its own median member" in text and "buy on more days" in text and "1 Jul 2023" in text
    first = StudyCustomer.objects.get(study=study, place=1).customer
    listed = page.get("/segments/regulars/twins/list?upto=55")
    assert first.public_id in body(listed) and listed.context["next"] == 50
    rest = page.get("/segments/regulars/twins/list?upto=55&after=50")
    assert [one.place for one, _value in rest.context["rows"]] == [51, 52, 53, 54, 55]
    csv = body(page.get("/segments/regulars/twins/reach.csv")).splitlines()
    assert csv[0].startswith("\ufeffThe closest,") and len(csv) == 1 + len(study.results["curve"])
    wrong = page.post("/segments/regulars/twins/keep", {"name": "Theirs", "number": "61"}, follow=True)
    assert "from 1 to that" in body(wrong)
    page.post("/segments/regulars/twins/keep", {"name": "Theirs", "number": "20"})
    assert Segment.objects.get(key="theirs").size == 20


def test_a_failure_is_told_on_the_page(alice: User, signed_in: SignIn, seed: Segment) -> None:
    page = signed_in(alice)
    page.post("/segments/regulars/twins/ask", {"as_of": "2030-01-01"})
    answer_study(Study.objects.get().pk)
    assert "as of 2030-01-01: a day from" in body(page.get("/segments/regulars/twins"))


def test_who_sees_few_is_told_why_there_is_nothing(charlie: User, signed_in: SignIn, seed: Segment) -> None:
    page = signed_in(charlie)
    text = body(page.get("/segments/regulars/twins"))
    assert "ask somebody who sees all" in text and '<form method="post" action="/segments/regulars/twins' not in text
    for name in ("ask", "keep"):
        assert page.post(f"/segments/regulars/twins/{name}").status_code == 403
