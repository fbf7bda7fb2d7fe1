"""A store with one attribute of each type, a segment and a category, for rules that are written and not asked."""

import pytest

from rondo.catalogue.models import Category
from rondo.customers.models import AttributeDefinition
from rondo.foundation.models import User
from rondo.rules import Schema, schema

TYPES = {
    "age_group": "choice",
    "city": "text",
    "children": "number",
    "member": "boolean",
    "contract_end": "date",
    "budget": "money",
}


@pytest.fixture
def known(installation: object, alice: User) -> Schema:
    """Everything rules can name where the company counts in US dollars."""
    Category.objects.create(path="COFFEE", name="COFFEE", depth=0)
    choices = [{"value": value, "en": value} for value in ("19-24", "45-54")]
    for key, kind in TYPES.items():
        AttributeDefinition.objects.create(
            key=key, label_en=key, type=kind, form="demographic", choices=choices if kind == "choice" else []
        )
    return schema()
