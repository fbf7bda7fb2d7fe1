"""Overlap counts every customer once, by exactly the segments they are in, over who the viewer may see."""

from itertools import product

import pytest

from rondo.analysis.segments.actions import add_members, create_segment, remove_members
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.overlap import comparable, overlap
from rondo.analysis.tests.world import customer
from rondo.customers.actions import merge
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import User

pytestmark = pytest.mark.django_db


def world() -> tuple[list[Customer], list[Segment]]:
    """Twelve customers; the first segment has the even ones, the second every third, the third the first four."""
    people = [customer(f"C{number}") for number in range(12)]
    made = []
    for name, places in (("Even", range(0, 12, 2)), ("Third", range(0, 12, 3)), ("First", range(4))):
        row = create_segment(system(), name=name, kind="static")
        add_members(system(), row.key, [people[place].public_id for place in places])
        made.append(Segment.objects.get(pk=row.pk))
    return people, made


def test_each_customer_counts_once_in_the_set_of_their_segments(alice: User) -> None:
    _people, segments = world()
    found = overlap(alice, segments)

    def where(number: int) -> tuple[bool, ...]:
        return number % 2 == 0, number % 3 == 0, number < 4

    expected = {}
    for wanted in product((True, False), repeat=3):
        count = sum(where(number) == wanted for number in range(12))
        if count and any(wanted):
            expected[tuple(place for place in range(3) if wanted[place])] = count
    assert dict(found.sets) == expected and found.sizes == [6, 4, 4]
    assert found.customers == sum(expected.values())
    assert found.shared == sum(count for places, count in expected.items() if len(places) > 1)
    assert [count for _places, count in found.sets] == sorted(expected.values(), reverse=True)


def test_who_left_was_merged_or_may_not_be_seen_does_not_count(alice: User, charlie: User) -> None:
    people, segments = world()
    remove_members(system(), "even", [people[2].public_id])
    merge(system(), people[1], people[0])
    assert overlap(alice, segments).sizes == [5, 4, 3]
    Customer.objects.filter(pk__in=[people[0].pk, people[4].pk]).update(owner=charlie)
    assert overlap(charlie, segments).sets == [((0,), 1), ((0, 1, 2), 1)]


def test_segments_without_members_are_not_compared() -> None:
    _people, segments = world()
    create_segment(system(), name="Nobody", kind="static")
    assert comparable() == segments
    assert overlap(None, []).sets == []
