"""Prepared queries: put into SQL once, and what they give is what the query as built would give."""

import gc
import weakref
from collections.abc import Sequence
from datetime import date, timedelta
from threading import Thread
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Q, QuerySet
from django.test.utils import CaptureQueriesContext

from rondo.foundation.models import Load, Team, User
from rondo.foundation.prepared import MOST, prepared
from rondo.webhooks.models import Attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def teams() -> list[Team]:
    return [Team.objects.create(name=f"Team {number}") for number in range(MOST + 6)]


def test_a_list_of_any_length_gives_its_rows_and_no_others(teams: list[Team]) -> None:
    @prepared
    def named(keys: Sequence[int]) -> QuerySet[Team]:
        return Team.objects.filter(pk__in=keys).order_by("pk")

    for count in (0, 1, 2, 3, 5, 9, MOST, MOST + 1, 2, 0):
        assert named([team.pk for team in teams[:count]]) == teams[:count]


def test_the_query_is_built_once_and_asked_with_each_value(teams: list[Team]) -> None:
    built = []

    @prepared
    def by(key: int, name: str) -> QuerySet[Team, str]:
        built.append(key)
        return Team.objects.filter(pk=key, name=name).values_list("name", flat=True)

    found = [by(team.pk, team.name) for team in teams[:4]]

    assert found == [[team.name] for team in teams[:4]]
    assert by(teams[0].pk, "another") == []
    assert len(built) == 2, "once with marks of each size"


def test_a_change_is_seen_at_once_and_rows_are_new_each_time(teams: list[Team]) -> None:
    @prepared
    def by(key: int) -> QuerySet[Team]:
        return Team.objects.filter(pk=key)

    first = by(teams[0].pk)[0]
    first.name = "changed by a reader, for itself"
    Team.objects.filter(pk=teams[0].pk).update(name="Renamed")

    assert [team.name for team in by(teams[0].pk)] == ["Renamed"]


def test_days_compare_as_days() -> None:
    Load.objects.create(kind="orders")

    @prepared
    def since(day: date) -> QuerySet[Load]:
        return Load.objects.filter(started_at__date__gte=day)

    today = Load.objects.get().started_at.date()
    assert len(since(today)) == 1
    assert since(today + timedelta(days=1)) == []


def test_what_is_related_is_read_with_it(teams: list[Team]) -> None:
    person = User.objects.create(email="p@example.com", team=teams[0])

    @prepared
    def users(keys: Sequence[int]) -> QuerySet[User]:
        return User.objects.filter(pk__in=keys).select_related("team")

    users([person.pk])
    with CaptureQueriesContext(connection) as asked:
        assert [user.team for user in users([person.pk])] == [teams[0]]
    assert len(asked) == 1


def test_a_value_that_is_no_parameter_is_refused(teams: list[Team]) -> None:
    @prepared
    def some(limit: int) -> QuerySet[Team]:
        return Team.objects.all()[:limit]

    @prepared
    def flagged(flag: bool) -> QuerySet[User]:
        return User.objects.filter(is_active=flag)

    @prepared
    def answered(status: int) -> QuerySet[Attempt]:
        return Attempt.objects.filter(status_code=status)

    @prepared
    def either(number: int) -> QuerySet[Attempt]:
        return Attempt.objects.filter(Q(status_code=number) | Q(pk=number))

    @prepared
    def below(number: int) -> QuerySet[Attempt]:
        return Attempt.objects.filter(Q(status_code__lt=number), pk=number)

    if connection.vendor == "postgresql":  # a column of 16 bits, which would seem to hold nothing for ever
        for query in (answered, either, below):
            with pytest.raises(FieldError, match="too small"):
                query(200)
    with pytest.raises(FieldError, match="no parameter"):
        some(3)
    with pytest.raises(FieldError, match="no integer, text or day"):
        flagged(True)

    @prepared
    def by(key: int) -> QuerySet[Team]:
        return Team.objects.filter(pk=key)

    assert by(teams[0].pk) == [teams[0]]
    with pytest.raises(FieldError, match="no integer, text or day"):
        by(None)  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="by position"):
        by(key=teams[1].pk)


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_over_its_own_connection() -> None:
    team = Team.objects.create(name="One")

    @prepared
    def by(key: int) -> QuerySet[Team]:
        return Team.objects.filter(pk=key)

    assert by(team.pk) == [team]
    found: list[Team] = []

    def ask() -> None:
        found.extend(by(team.pk))
        connection.close()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [team]


@pytest.mark.django_db(transaction=True)
def test_no_statement_keeps_the_connection_of_a_thread_that_ended() -> None:
    @prepared
    def by(key: int) -> QuerySet[Team]:
        return Team.objects.filter(pk=key)

    held: list[Any] = []

    def ask() -> None:
        assert by(1) == []
        held.append(weakref.ref(connections[DEFAULT_DB_ALIAS]))
        connection.close()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    gc.collect()
    assert held[0]() is None


@pytest.mark.django_db
def test_a_user_by_key_is_read_by_a_kept_statement_and_no_other_way_is() -> None:
    first = User.objects.create_user("a@example.org", name="A", role="sales")
    second = User.objects.create_user("b@example.org", name="B", role="reader")
    with CaptureQueriesContext(connection) as caught:
        assert User.objects.get(pk=first.pk).name == "A" and User.objects.get(pk=second.pk).role.key == "reader"
    assert len(caught) == 2
    with pytest.raises(User.DoesNotExist):
        User.objects.get(pk=second.pk + 1)
    with pytest.raises(User.DoesNotExist):  # of a role's users, not of all
        second.role.users.get(pk=first.pk)
    assert User.objects.get(pk=str(first.pk)) == first == User.objects.get(email="a@example.org")
