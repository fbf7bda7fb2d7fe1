"""The overlap of segments: its figures, the customers behind each, and the choice of segments."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from rondo.analysis.segments.actions import create_segment
from rondo.analysis.segments.tests.test_overlap import world
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.web.tests.charted import words

pytestmark = pytest.mark.django_db


def body(response: Any) -> str:
    return unescape(str(response.content.decode()))


def test_every_set_opens_exactly_its_customers(alice: User, signed_in: Callable[[User], Client]) -> None:
    page = signed_in(alice)
    assert "segments-overlap" not in body(page.get("/segments/"))
    _people, _segments = world()
    assert 'hx-get="/segments/overlap"' in body(page.get("/segments/"))
    answer = page.get("/segments/overlap")
    chart, found = answer.context["chart"], answer.context["found"]
    assert found.segments[0].key == "even" and f"{found.shared} of {found.customers} customers" in words(body(answer))
    for line, (_places, count) in zip(chart.rows, found.sets, strict=True):
        listed = page.get(line[1].url)
        assert line[1].raw == count == len(listed.context["rows"])
    csv = body(page.get("/segments/overlap/sets.csv")).splitlines()
    assert len(csv) == 1 + len(found.sets) and csv[1].startswith(("Even", "Third", "First"))
    picture = page.get(chart.png_url)
    assert picture["Content-Type"] == "image/png" and "s=even" in chart.png_url
    two = page.get("/segments/overlap?s=even&s=first")
    assert [row.key for row in two.context["found"].segments] == ["even", "first"]
    assert "Choose at least two" in body(page.get("/segments/overlap?s=even"))


def test_without_two_segments_it_says_what_is_missing(alice: User, signed_in: Callable[[User], Client]) -> None:
    create_segment(system(), name="Nobody", kind="static")
    page = signed_in(alice)
    assert "Choose at least two" in body(page.get("/segments/overlap"))
    assert page.get("/segments/overlap/sets.csv").status_code == 404
