"""The pages of groups and of matched controls tell the answer, and make segments of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.features import feature_of
from rondo.analysis.segments.actions import add_members, create_segment
from rondo.analysis.segments.models import Segment
from rondo.analysis.studies.actions import answer_study
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.tests.test_groups import few_sizes, shoppers
from rondo.foundation.actors import system
from rondo.foundation.models import Installation, User
from rondo.web.segments.studying import written_apart

pytestmark = pytest.mark.django_db

__all__ = ["few_sizes"]

SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def warehouse(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    return tmp_path / "warehouse"


def body(response: Any) -> str:
    return str(response.content.decode())


def test_groups_from_the_question_to_the_segments(
    alice: User, charlie: User, signed_in: SignIn, few_sizes: None
) -> None:
    page = signed_in(alice)
    assert "Which kinds of customers are there?" in body(page.get("/segments/groups"))
    shoppers(50, 70)
    page.post("/segments/groups/ask")
    assert "Queued" in body(page.get("/segments/groups/progress"))
    study = answer_study(Study.objects.get().pk)
    text = body(page.get("/segments/groups"))
    assert "fall into" in text and "adjusted Rand index" in text and "rule=group+%3D+a" in text
    listed = page.get("/customers/", {"rule": "group = a"})
    assert len(listed.context["rows"]) == min(study.results["groups"][0]["customers"], 50)
    assert len(body(page.get("/segments/groups/stability.csv")).splitlines()) == 1 + len(study.results["stability"])
    page.post("/segments/groups/keep", {"group": "0", "rule": "1"})
    page.post("/segments/groups/keep", {"group": "0", "list": "1"})
    made = Segment.objects.order_by("pk")
    assert [one.kind for one in made] == ["rule", "static"]
    assert made[0].text == study.results["groups"][0]["rule"]["text"]
    assert made[1].size == study.results["groups"][0]["customers"]
    assert page.post("/segments/groups/keep", {"group": "77"}).status_code == 404
    few = signed_in(charlie)
    assert "ask somebody who sees all" in body(few.get("/segments/groups"))
    assert few.get("/segments/groups/stability.csv").status_code == 404
    assert few.post("/segments/groups/keep", {"group": "0"}).status_code == 403


def test_figures_that_differ_are_not_written_alike(installation: Installation) -> None:
    feature = feature_of("answers")
    assert feature is not None
    assert written_apart(feature, (0.42, 0.38, 3.0)) == ["0.42", "0.38", "3"]
    assert written_apart(feature, (0.02, 0.3)) == ["0.02", "0.30"]
    assert written_apart(feature, (0.4, 0.2, None)) == ["0.4", "0.2", "–"]


def test_controls_from_the_question_to_the_segment(alice: User, signed_in: SignIn) -> None:
    page = signed_in(alice)
    people = shoppers(40, 40)
    segment = create_segment(system(), name="Treated", kind="static")
    add_members(system(), segment.key, [one.public_id for one in people[:24]])
    assert "What would have happened anyway?" in body(page.get("/segments/treated/controls"))
    page.post("/segments/treated/controls/ask", {"as_of": ""})
    assert "Queued" in body(page.get("/segments/treated/controls/progress"))
    study = answer_study(Study.objects.get().pk)
    text = body(page.get("/segments/treated/controls"))
    alike = "who would as likely be a member" if study.results["unlike"] else "who is alike"
    assert alike in text and "Purchase days in 365 days" in text
    assert ("Not balanced:" in text) == bool(study.results["unlike"])
    shown = page.get("/segments/treated/controls/pairs").context["rows"]
    assert len(shown) == study.results["pairs"] and all(member in people[:24] for member, _control in shown)
    page.post("/segments/treated/controls/keep", {"name": "Controls"})
    assert Segment.objects.get(key="controls").size == study.results["pairs"]


def test_members_whom_nobody_resembles_are_compared_with_nobody(alice: User, signed_in: SignIn) -> None:
    page = signed_in(alice)
    people = shoppers(40, 40)
    segment = create_segment(system(), name="Frequent", kind="static")
    add_members(system(), segment.key, [one.public_id for one in people[:40]])  # all who buy often, and nobody else
    page.post("/segments/frequent/controls/ask", {"as_of": ""})
    study = answer_study(Study.objects.get().pk)
    assert study.results["pairs"] < 10 and study.results["unlike_plain"]
    text = body(page.get("/segments/frequent/controls"))
    assert "No comparison is possible" in text and "from the day before it happened" in text
    assert "who is alike" not in text and "Make a segment of the controls" not in text
    page.post("/segments/frequent/controls/keep", {"name": "Controls"})
    assert not Segment.objects.filter(key="controls").exists()
