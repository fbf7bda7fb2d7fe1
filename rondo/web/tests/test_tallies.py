"""Figures of lists over a large base: kept for a minute, and the same as if they were asked anew, whatever changed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from rondo.analysis.models import Run, Score
from rondo.customers.actions import assign_owner, merge, put_back, put_into_bin, unmerge
from rondo.customers.models import Customer
from rondo.foundation.accounts import change_user
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Load, User
from rondo.web.customers import selection, tallies
from rondo.web.customers.groups import figures, groups_of
from rondo.web.customers.query import ListQuery
from rondo.web.tests.customers_data import give_score, make_customer, make_run

pytestmark = pytest.mark.django_db

ADDRESSES = ("", "f=orders:min:2", "f=orders:min:2&f=kind:is:person", "f=activity:not:late", "f=owner:unknown")
FIELDS = ("activity", "kind", "owner")


@pytest.fixture
def base(installation: Any, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> User:
    """Thirty customers, ten of them Bob's, who sees no others."""
    monkeypatch.setattr(tallies, "_kept", {})
    monkeypatch.setattr(tallies, "KEPT_FROM", 0)
    monkeypatch.setattr(selection, "NARROW", 3)
    monkeypatch.setattr(selection, "PART", 12)
    make_run()
    for number in range(30):
        row = make_customer(
            f"C{number}", kind="person" if number % 4 else "household", owner=None if number % 3 else bob
        )
        if number % 9 != 8:
            activity = (None, "late", "active", "asleep")[number % 4]
            give_score(row, activity=activity, orders=number % 7, value=None if number % 5 == 4 else number * 100)
    change_user(system(), bob, reach="own")
    return bob


def _figures(viewer: User, address: str, by: str) -> list[Any]:
    query = ListQuery(viewer, QueryDict(address))
    assert not query.errors
    found = figures(query, groups_of(query, query.fields[by]))
    return [[(one.group.value, one.number, one.worth) for one in found], query.selection.count()]


def _told(*viewers: User) -> list[Any]:
    return [_figures(viewer, address, by) for viewer in viewers for address in ADDRESSES for by in FIELDS]


def test_what_is_kept_is_what_would_be_counted(base: User, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each change by an action, an import that comes or is taken back, and a new run."""
    rows = list(Customer.objects.order_by("pk"))
    actor = Actor(alice, "web")
    done: list[int] = []

    def put() -> None:
        done.append(put_into_bin(actor, rows[2:6]).pk)

    def point() -> None:
        done.append(merge(actor, rows[9], rows[13]).pk)

    def came(status: str) -> Callable[[], Any]:
        return lambda: Load.objects.filter(kind="customers").update(status=status)

    def ran() -> None:
        Run.objects.update(is_current=False)
        make_run()
        Score.objects.filter(customer=rows[1]).update(activity="asleep", value=7, orders=3)

    load = Load.objects.create(kind="customers", file_name="f", fingerprint="f", status="loading")
    give_score(make_customer("of a load", load=load), activity="late", orders=5, value=500)
    changes = [
        lambda: None,
        put,
        lambda: put_back(actor, done.pop()),
        point,
        lambda: unmerge(actor, done.pop()),
        lambda: assign_owner(actor, rows[0], alice),
        came("visible"),
        came("undone"),
        ran,
    ]
    before: list[Any] = []
    for number, change in enumerate(changes):
        change()
        told = _told(alice, base)
        assert _told(alice, base) == told, "as it is kept"
        with monkeypatch.context() as anew:
            anew.setattr(tallies, "KEPT_FROM", 10**12)
            assert _told(alice, base) == told, number
        assert told != before, f"change {number} is none"
        before = told


def test_what_is_asked_again_is_not_counted_again(base: User, alice: User) -> None:
    """Nor is it told to whom has another reach."""

    def counts(viewer: User) -> int:
        with CaptureQueriesContext(connection) as context:
            _figures(viewer, "f=orders:min:2", "activity")
        return sum("SUM(" in one["sql"] for one in context)

    assert (counts(alice), counts(alice), counts(base), counts(base)) == (2, 0, 2, 0)
    assign_owner(system(), Customer.objects.get(name="C0"), alice)
    assert (counts(alice), counts(base)) == (2, 2)


def test_everybody_is_counted_without_the_deleted(base: User, alice: User) -> None:
    put_into_bin(system(), list(Customer.objects.order_by("pk")[2:6]))
    for by in FIELDS:
        assert _figures(alice, "", by) == _figures(alice, "f=kind:known", by)
