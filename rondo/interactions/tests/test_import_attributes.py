"""Attributes in files: several choices, unique and required ones, and what is given at first."""

from pathlib import Path

import pytest

from rondo.customers import actions
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer
from rondo.customers.queries import attributes_of
from rondo.foundation.actors import system
from rondo.foundation.models import Installation
from rondo.interactions.tests.import_files import load, rejects

CHOICES = [{"value": value, "en": value.title(), "de": ""} for value in ("tea", "coffee", "wine")]


def define(key: str, type: str, **more: object) -> AttributeDefinition:
    """An attribute; of a type with choices, of drinks."""
    choices = CHOICES if type in ("choice", "multi") else ()
    fields = {"label_en": key.title(), "form": "benefit", "choices": choices, **more}
    return actions.define_attribute(system(), key, type=type, **fields)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_files_are_held_to_what_attributes_ask_for(tmp_path: Path, installation: Installation) -> None:
    bert = actions.create_customer(system(), name="Bert Hill")
    define("drinks", "multi")
    define("contract", "text", unique=True)
    define("branch", "text", required=True)
    define("region", "choice", default="wine")
    actions.set_attribute(system(), bert, "contract", "K9")
    file = tmp_path / "people.csv"
    file.write_text(
        "external_id,name,attribute:drinks,attribute:contract,attribute:branch\n"
        "1,Ann,wine; tea,K1,retail\n2,Bo,beer,K2,retail\n3,Cy,tea,k1,retail\n4,Di,tea,K9,retail\n5,Ed,tea,K5,\n"
    )
    run = load("customers", file)
    assert {row["external_id"] for row in rejects(run)} == {"2", "3", "4", "5"}
    ann = Customer.objects.get(name="Ann")
    assert {row.text for row in attributes_of(None, [ann.pk])} == {"|tea|wine|", "K1", "retail", "wine"}
    assert AttributeValue.objects.get(customer=ann, text="K1").unique_key == "k1"
