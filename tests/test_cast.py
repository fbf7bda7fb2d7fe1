"""Proves the fixtures other tests stand on: an own home, a fresh installation, and who may see what."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from rondo.customers.models import Customer
from rondo.foundation.installation import installation as current
from rondo.foundation.models import Installation, User
from rondo.foundation.rights import has_right


def test_the_home_is_a_temporary_folder_of_this_run() -> None:
    assert Path(os.environ["RONDO_HOME"]).resolve() == settings.RONDO_HOME
    assert Path("~/.rondo").expanduser().resolve() != settings.RONDO_HOME


def test_what_asks_for_no_database_is_refused_one() -> None:
    """Such tests run on SQLite alone: what they prove holds on every database."""
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        Customer.objects.count()


def test_the_cast_has_three_reaches(alice: User, bob: User, charlie: User) -> None:
    assert [person.reach for person in (alice, bob, charlie)] == ["all", "team", "own"]
    assert has_right(alice, "administer")
    assert has_right(bob, "edit")
    assert not has_right(charlie, "edit")


def test_a_signed_in_client_carries_a_session(signed_in: Callable[[User], Client], bob: User) -> None:
    assert signed_in(bob).session["_auth_user_id"] == str(bob.pk)


@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.django_db
def test_no_cached_installation_outlives_its_test(turn: int) -> None:
    assert current().company == ""
    Installation.objects.filter(pk=1).update(company=f"turn {turn}")


def test_the_installation_fixture_is_what_the_product_reads(installation: Installation) -> None:
    assert (current().company, current().currency) == (installation.company, "USD")
