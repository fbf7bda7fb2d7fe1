"""Proves that blocks of keys follow each other without overlap, on both databases, the empty block included."""

import pytest
from django.db import transaction

from rondo.errors import StateError
from rondo.foundation.keys import allocate
from rondo.foundation.models import Load, Team


@pytest.mark.django_db
def test_blocks_do_not_overlap_and_leave_room_for_ordinary_rows() -> None:
    with transaction.atomic():
        first = allocate(Team, 3)
        Team.objects.bulk_create([Team(pk=first + step, name=f"Team {step}") for step in range(3)])
        later = allocate(Team, 2)
    assert later >= first + 3
    assert Team.objects.create(name="Another").pk >= later + 2


@pytest.mark.django_db
def test_a_block_of_none_takes_nothing_from_the_next() -> None:
    with transaction.atomic():
        nothing = allocate(Load, 0)
        assert allocate(Load, 2) >= nothing


@pytest.mark.django_db(transaction=True)
def test_keys_are_given_out_inside_a_transaction_only() -> None:
    with pytest.raises(StateError, match="open one first"):
        allocate(Load, 1)
