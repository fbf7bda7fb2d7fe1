"""Proves that no table escapes: each says what it holds about a person, or why it holds nothing."""

import pytest
from django.apps import apps
from django.db import models

from rondo.customers.models import Customer
from rondo.foundation.registry import registries

pytestmark = pytest.mark.once


def texts(model: type[models.Model]) -> set[str]:
    """The columns that people write into, or that hold JSON."""
    return {
        field.name
        for field in model._meta.local_concrete_fields
        if isinstance(field, (models.CharField, models.TextField, models.JSONField))
        and not field.choices
        and field.remote_field is None
    }


def tables() -> list[type[models.Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def belongs(model: type[models.Model], seen: frozenset[type[models.Model]] = frozenset()) -> bool:
    """Whether rows lead to a customer by keys, over however many tables."""
    for field in model._meta.local_concrete_fields:
        if field.remote_field is None or field.remote_field.model in seen:
            continue
        other = field.remote_field.model
        if other is Customer or belongs(other, seen | {model}):
            return True
    return False


def test_every_table_says_what_it_holds_about_a_person() -> None:
    held = {one.model for one in registries.holdings}
    swept = {one.model for one in registries.swept}
    impersonal = {one.model: one.why for one in registries.impersonal}
    missing = [model._meta.label for model in tables() if model not in held | swept | set(impersonal)]
    assert not missing, "register these in the held.py of their room (docs/erasure.md)"
    assert all(impersonal.values())
    leading = [model._meta.label for model in tables() if belongs(model) and model not in held]
    assert not leading, "these lead to a customer, and no holding says how"


def test_every_text_of_a_table_that_stays_is_swept_or_emptied() -> None:
    """Rows that an erasure deletes take their texts along; those of others are looked through where they may name."""
    swept = {one.model: set(one.columns) for one in registries.swept}
    for one in registries.holdings:
        if one.fate == "blank":
            assert texts(one.model) <= set(one.blank) | swept.get(one.model, set()) | {"arm", "suppressed"}, one.key
        named = {field.name for field in one.model._meta.get_fields()} | {
            field.attname for field in one.model._meta.concrete_fields
        }
        assert set(one.blank) <= named
    assert all(columns <= texts(model) for model, columns in swept.items())
