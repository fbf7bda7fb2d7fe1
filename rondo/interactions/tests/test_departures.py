"""Why customers leave: kept with what they said, checked, put back, and read from files."""

from pathlib import Path

import pytest

from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Installation, User
from rondo.interactions.actions import log_interaction, restore, retract
from rondo.interactions.importing import undo
from rondo.interactions.queries import standing
from rondo.interactions.tests.import_files import load, rejects, write

pytestmark = pytest.mark.django_db


def test_a_cancellation_states_its_reason_and_keeps_it_when_put_back(alice: User) -> None:
    anna, seller = Customer.objects.create(name="Anna"), Actor(alice, "web")
    made = log_interaction(seller, anna.public_id, "cancellation", body="Too dear", sub_reason="price")
    assert (made.departure.reason, made.departure.sub_reason) == ("product", "price")
    retract(seller, made, "mistaken")
    again = restore(seller, made).departure
    assert (again.reason, again.sub_reason) == ("product", "price")
    assert log_interaction(seller, anna.public_id, "notice", body="x", reason="natural").departure.sub_reason == ""
    assert not hasattr(log_interaction(seller, anna.public_id, "notice", body="x"), "departure")
    for kind, given, said in (
        ("note", {"reason": "brand"}, "Only a cancellation or a notice"),
        ("notice", {"reason": "brand", "sub_reason": "price"}, "no reason for leaving “brand.price”"),
        ("notice", {"sub_reason": "bored"}, "no reason for leaving “bored”"),
    ):
        with pytest.raises(InputError, match=said):
            log_interaction(
                seller,
                anna.public_id,
                kind,
                body="x",
                reason=given.get("reason", ""),
                sub_reason=given.get("sub_reason", ""),
            )


def test_reasons_for_leaving_come_with_cancellations_and_notices(tmp_path: Path, installation: Installation) -> None:
    text = (
        "customer,kind,occurred_at,reason,sub_reason\n"
        "1,cancellation,2024-01-08 10:00,,price\n"
        "1,notice,2024-01-07 10:00,brand,\n"
        "2,notice,2024-01-07 10:00,,\n"
        "2,notice,2024-01-07 10:00,brand,price\n"
        "2,enquiry,2024-01-07 10:00,natural,\n"
        "2,cancellation,2024-01-07 10:00,bored,\n"
    )
    run = load("interactions", write(tmp_path, text))
    assert [(row["line"], row["value"]) for row in rejects(run)] == [("5", "price"), ("6", "natural"), ("7", "bored")]
    told = standing().order_by("occurred_at", "pk").values_list("kind", "departure__reason", "departure__sub_reason")
    assert set(told) == {
        ("cancellation", "product", "price"),
        ("notice", None, None),
        ("notice", "brand", ""),
    }
    more = load("interactions", write(tmp_path, text + "3,notice,2024-01-09 10:00,,trust\n"))
    assert more.counts["interactions_created"] == 1 and more.counts["interactions_skipped"] == 3
    undo(system(), run.pk)
    assert list(standing().values_list("departure__reason", "departure__sub_reason")) == [("brand", "trust")]
