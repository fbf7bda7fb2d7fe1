"""Who reads which entries of the audit log."""

from typing import Any

import pytest

from rondo.customers.actions import create_customer, define_attribute
from rondo.customers.models import Customer
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.interactions.audited import names_hidden, visible

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


@pytest.mark.parametrize("before", ["\n", "\t", " ", "(", "\u00a0"])
def test_a_rule_that_names_what_is_hidden_is_masked_whatever_stands_before_the_name(
    make_user: Any, installation: Any, before: str
) -> None:
    define_attribute(system(), "salary", label_en="Salary", type="number", form="demographic", visible_to=["analyst"])
    seller, analyst = make_user("seller", role="sales"), make_user("analyst", role="analyst")
    asked = [None, f"kind = person and{before}salary >= 3"]
    assert names_hidden(seller, "text", asked) and not names_hidden(analyst, "text", asked)
    assert not names_hidden(seller, "text", [None, f"kind = person and{before}presalary >= 3"])
