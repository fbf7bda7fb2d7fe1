"""Lanes of a board over a large base: told by one pass how far they reach, and the same as those that are walked."""

import random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from rondo.customers.actions import merge
from rondo.foundation.accounts import change_user
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.web.customers import extents, groups, selection
from rondo.web.customers.query import ListQuery
from rondo.web.tests.customers_data import give_score, make_customer, make_run

pytestmark = pytest.mark.django_db

BOARDS = [
    (asked, sort)
    for asked in (
        {},
        {"f": "orders:min:3"},
        {"f": "orders:max:2"},
        {"f": "orders:unknown"},
        {"f": "activity:not:late"},
        {"f": ["orders:min:1", "value:min:1"]},
        {"f": ["orders:min:2", "kind:is:person"]},
        {"rule": "orders > 3 and not value > 30", "f": "orders:min:1"},
    )
    for sort in ("", "value", "-value", "-orders", "name", "activity", "kind")
]


@pytest.fixture
def base(installation: Any, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> User:
    """Seventy customers, of whom some have no score, no value or no activity, and two were merged into another."""
    monkeypatch.setattr(extents, "_kept", {})
    make_run()
    chance = random.Random(4)
    rows = []
    for number in range(70):
        row = make_customer(f"C{number:02}", kind="person" if number % 3 else "household", owner=bob)
        rows.append(row)
        if number % 10 == 9:
            continue
        activity = chance.choice(["active", "active", "late", "asleep", "never", None])
        many = None if activity in ("never", None) else chance.randrange(6)
        give_score(row, activity=activity, orders=many, value=None if many is None else chance.randrange(40) * 100)
    merge(system(), rows[4], rows[1])
    merge(system(), rows[29], rows[2])
    change_user(system(), bob, reach="own")
    return bob


def _board(viewer: User, asked: dict[str, Any], sort: str) -> list[tuple[str, list[str]]]:
    params = QueryDict(urlencode({**asked, "as": "board", "by": "activity", "sort": sort}, doseq=True))
    query = ListQuery(viewer, params)
    assert not query.errors, query.errors
    return [(one.value, [row.key for row in one.rows]) for one in groups.lanes(query, groups.grouped_by(query))]


@pytest.mark.parametrize("narrow", [0, 4, 2000])
def test_every_lane_is_the_same_however_it_is_found(
    base: User, alice: User, monkeypatch: pytest.MonkeyPatch, narrow: int
) -> None:
    monkeypatch.setattr(groups, "CARDS", 5)
    monkeypatch.setattr(selection, "NARROW", narrow)
    monkeypatch.setattr(extents, "NARROW", narrow)
    for viewer in (alice, base):
        for asked, sort in BOARDS:
            monkeypatch.setattr(extents, "PASSED_FROM", 10**12)
            walked = _board(viewer, asked, sort)
            monkeypatch.setattr(extents, "PASSED_FROM", 0)
            assert _board(viewer, asked, sort) == walked, (viewer, asked, sort)
            assert _board(viewer, asked, sort) == walked, "as it is kept"


def test_a_lane_that_holds_nobody_is_not_walked(base: User, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass over the scores tells it, and is kept for the next who looks."""
    monkeypatch.setattr(selection, "NARROW", 4)
    monkeypatch.setattr(extents, "NARROW", 4)
    monkeypatch.setattr(extents, "PASSED_FROM", 0)

    def passes() -> int:
        with CaptureQueriesContext(connection) as context:
            assert dict(_board(alice, {"f": "orders:min:1"}, "-value"))["never"] == []
        of_scores = [one["sql"] for one in context if "analysis_score" in one["sql"]]
        assert not any("= 'never'" in sql and "ORDER BY" in sql and "IN (" not in sql for sql in of_scores)
        return sum("GROUP BY" in sql for sql in of_scores)

    assert (passes(), passes()) == (1, 0)
