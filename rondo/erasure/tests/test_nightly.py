"""What was stopped where no job goes on with it is ended by a night: restores, and erasures themselves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rondo.customers.actions import create_customer
from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.erasure.actions import doing, ledger, request_erasure
from rondo.erasure.actions.again import erase_again
from rondo.erasure.actions.nightly import every_night
from rondo.erasure.marks import mark_of
from rondo.erasure.models import Erasure
from rondo.erasure.tests.test_erasure import home  # noqa: F401 - a fixture
from rondo.errors import StateError
from rondo.foundation.actors import system
from rondo.foundation.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_a_stopped_restore_brought_back_goes_the_night_after(
    home: Path,  # noqa: F811
    alice: User,
) -> None:
    ada = create_customer(system(), name="Ada King")
    ledger.add({mark_of(ada.pk, ada.created_at): "2026-01-01T00:00:00+00:00"})
    every_night(system())
    assert not Customer.objects.filter(name="Ada King").exists()
    assert Erasure.objects.get().reason == "restored"


def test_who_cannot_be_erased_again_at_once_is_out_of_sight(
    home: Path,  # noqa: F811
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = create_customer(system(), name="Ada King")
    ledger.add({mark_of(ada.pk, ada.created_at): "2026-01-01T00:00:00+00:00"})

    def busy(*_args: Any) -> Any:
        raise StateError("A file is being imported.")

    with monkeypatch.context() as patched:
        patched.setattr(doing, "_rows", busy)
        with pytest.raises(StateError, match="is being imported"):
            erase_again(system())
    assert not visible(None).exists() and Customer.objects.filter(name="Ada King").exists()
    assert erase_again(system()) == 0  # it was asked for
    assert every_night(system())["erasures"] == 1
    assert not Customer.objects.filter(name="Ada King").exists() and Erasure.objects.count() == 1


@pytest.mark.parametrize("status", ["queued", "running"])
def test_an_erasure_that_no_job_takes_up_again_goes_on_at_night(
    home: Path,  # noqa: F811
    alice: User,
    status: str,
) -> None:
    made = request_erasure(system(), [create_customer(system(), name="Ada King")])
    Erasure.objects.update(status=status)
    assert every_night(system())["erasures"] == 0  # somebody is at it
    Erasure.objects.update(created_at=datetime.now(UTC) - timedelta(days=1))
    assert every_night(system())["erasures"] == 1
    made.refresh_from_db()
    assert made.status == "done" and not Customer.objects.filter(name="Ada King").exists()
