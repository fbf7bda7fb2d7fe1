"""Who reads which entries of the audit log."""

from typing import Any

import pytest

from rondo.customers.actions import create_customer
from rondo.customers.models import Customer
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.interactions.audited import visible

pytestmark = pytest.mark.django_db


def test_entries_of_a_part_are_read_by_who_sees_the_customer(make_user: Any, installation: Any) -> None:
    seller = make_user("seller", role="sales", reach="own")
    mine, others = (create_customer(system(), name=name) for name in ("Ada", "Bea"))
    Customer.objects.filter(pk=mine.pk).update(owner=seller)
    who = Actor(seller, "import")
    audit.record_many(
        audit.entry(who, "address.imported", "address", key, {"city": ["", "Ulm"]}, row.pk)
        for key, row in ((1, mine), (2, others))
    )
    assert [row.record_id for row in visible(seller).filter(record_type="address")] == [1]
