"""Who lived with an erased person, or where they lived, keeps what is theirs."""

from pathlib import Path

import pytest

from rondo.customers.actions import (
    add_address,
    create_customer,
    define_attribute,
    remove_address,
    set_attribute,
)
from rondo.customers.models import Address, Customer
from rondo.erasure.actions import erase
from rondo.erasure.tests.test_erasure import home  # noqa: F401 - a fixture
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, Installation, Load, User
from rondo.interactions.actions import log_interaction
from rondo.interactions.importing import run_import
from rondo.interactions.importing import undo as undo_load

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = {"external_id": "No", "name": "Name", "street": "Street", "city": "City"}


def moved(who: Actor, folder: Path, street: str) -> Load:
    file = folder / "couple.csv"
    file.write_text(f"No,Name,Street,City\nCODE-11,Ada Zq,{street},Ulm\nCODE-12,Bea Zq,{street},Ulm\n")
    load = run_import(who, "customers", file, source="shop", mapping=COLUMNS)
    file.unlink()
    return load


def test_one_of_a_couple_that_moved_goes_and_the_other_keeps_street_and_texts(
    home: Path,  # noqa: F811
    installation: Installation,
    alice: User,
) -> None:
    who = Actor(alice, "web")
    moved(who, home, "5 Oldroad")
    load = moved(who, home, "7 Newroad")
    ada, bea = Customer.objects.get(name="Ada Zq"), Customer.objects.get(name="Bea Zq")
    note = log_interaction(who, bea, "note", body="Her parcel went to 5 Oldroad, send it again.")
    erase(who, [ada])
    note.refresh_from_db()
    assert note.body == "Her parcel went to 5 Oldroad, send it again."
    assert {"street": ["5 Oldroad", "7 Newroad"]} in [row.changes for row in AuditEntry.objects.filter(about=bea.pk)]
    undo_load(who, load.pk)
    assert Address.objects.get(customer=bea).street == "5 Oldroad"


def test_entries_of_before_are_not_taken_for_those_of_somebody_else(
    home: Path,  # noqa: F811
    installation: Installation,
    alice: User,
) -> None:
    who = Actor(alice, "web")
    define_attribute(who, "hobby", label_en="Hobby", label_de="Hobby", type="text", form="demographic")
    ada, bea = (create_customer(who, name=name) for name in ("Ada Zq", "Bea Zq"))
    for one in (ada, bea):
        set_attribute(who, one, "hobby", "Walking")
        set_attribute(who, one, "hobby", None)
        add_address(who, one, street="5 Oldroad", city="Ulm")
        remove_address(who, Address.objects.get(street="5 Oldroad").pk)
    text = audit.record(system(), "attribute.imported", "attribute", 987654, {"text": ["Running", "Walking"]})
    street = audit.record(system(), "address.imported", "address", 987655, {"street": ["1 Else Road", "5 Oldroad"]})
    erase(who, [ada])
    for entry, told in ((text, {"text": ["Running", "Walking"]}), (street, {"street": ["1 Else Road", "5 Oldroad"]})):
        entry.refresh_from_db()
        assert entry.about is None and entry.changes == told
