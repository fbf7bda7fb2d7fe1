"""Statements kept by their shape: what they give is what the query as built would give, or they are not kept."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet

from rondo.foundation.models import Team, User
from rondo.foundation.statements import MOST, CannotBeKept, Statements
from rondo.webhooks.models import Attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def teams() -> list[Team]:
    return [Team.objects.create(name=f"Team {number}") for number in range(6)]


def test_one_statement_serves_all_values_of_a_shape(teams: list[Team]) -> None:
    statements, built = Statements(), []

    def build(values: list[Any]) -> QuerySet[Team]:
        built.append(values)
        return Team.objects.filter(pk__gte=values[0], name__in=values[1:]).order_by("pk")

    for first in teams:
        for last in teams:
            asked = [first.pk, first.name, last.name]
            expected = [team for team in teams if team.pk >= first.pk and team in (first, last)]
            assert statements.ask("two names", asked, build) == expected
    assert len(built) == 2  # with large marks and with small ones
    assert statements.ask("one name", [teams[0].pk, teams[1].name], build) == [teams[1]]
    assert len(built) == 4


def test_what_the_statement_puts_behind_a_text_stays_behind_it(teams: list[Team]) -> None:
    """The upper bound of names that begin so is the text and the last letter of all."""
    statements = Statements()

    def begun(values: list[Any]) -> QuerySet[Team]:
        return Team.objects.filter(name__gte=values[0], name__lt=f"{values[0]}\U0010ffff").order_by("pk")

    assert statements.ask_kept("", ["Team 3"], begun) == [teams[3]]
    assert statements.ask_kept("", ["Team"], begun) == teams
    assert statements.ask_kept("", ["Teams"], begun) == []


@pytest.mark.parametrize(
    "build",
    [
        lambda values: Team.objects.filter(name__icontains=values[1], pk__gt=values[0]),  # the text among signs of LIKE
        lambda values: Team.objects.filter(Q(pk=values[0]) | Q(pk=values[0] + 3), name=values[1]),  # a sum
        lambda values: Team.objects.filter(pk=values[0], name=f"a {values[1]}"),  # something before it
    ],
)
def test_what_cannot_be_kept_is_built_each_time(build: Callable[[list[Any]], QuerySet[Any]]) -> None:
    team = Team.objects.create(name="Team")
    with pytest.raises(CannotBeKept):
        Statements().ask_kept("", [team.pk, "Team"], build, some=True)
    assert Statements().ask("", [team.pk, "Team"], build) == list(build([team.pk, "Team"]))


def test_a_column_that_holds_no_mark_is_asked_with_its_value() -> None:
    """Of 16 bits, say: PostgreSQL's planner is never told that nothing can be equal to the mark."""

    def build(values: list[Any]) -> QuerySet[Attempt]:
        return Attempt.objects.filter(status_code=values[0])

    assert Statements().ask("", [404], build) == []
    with pytest.raises(CannotBeKept) if connection.vendor == "postgresql" else nullcontext():
        assert Statements().ask_kept("", [404], build) == []


def test_a_value_that_is_not_asked_for_needs_leave() -> None:
    def build(values: list[Any]) -> QuerySet[Team]:
        return Team.objects.filter(pk=values[0])

    team = Team.objects.create(name="Team")
    with pytest.raises(CannotBeKept):
        Statements().ask_kept("", [team.pk, "unused"], build)
    assert Statements().ask_kept("", [team.pk, "unused"], build, some=True) == [team]


def test_a_broken_number_is_asked_as_it_is(alice: Any) -> None:
    found = Statements().ask("", [1.5], lambda values: User.objects.filter(pk__gt=values[0] - 1000))
    assert alice in found


def test_no_more_than_so_many_are_kept() -> None:
    statements = Statements()
    for number in range(MOST + 50):
        statements.ask(number, [number], lambda values: Team.objects.filter(pk=values[0]))
    assert len(statements._kept) <= MOST
