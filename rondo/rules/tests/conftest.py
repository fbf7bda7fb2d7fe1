"""A store with one attribute of each kind and one category, for rules that are written and read but not asked."""

import pytest

from rondo.customers.models import AttributeDefinition
from rondo.rules import Schema, schema


@pytest.fixture
def known(installation: object) -> Schema:
    """Everything rules can name where the company counts in US dollars."""
    choices = [{"value": value, "en": value} for value in ("19-24", "45-54")]
    for key, kind in (("age_group", "choice"), ("city", "text"), ("member", "boolean"), ("contract_end", "date")):
        AttributeDefinition.objects.create(
            key=key, label_en=key, type=kind, form="demographic", choices=choices if kind == "choice" else []
        )
    return schema()
