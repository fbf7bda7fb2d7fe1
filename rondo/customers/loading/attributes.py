"""Attributes that a file defines, and how their values are stored."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import models

from rondo.customers.models import AttributeDefinition, AttributeValue
from rondo.foundation.loading.fields import FieldType
from rondo.foundation.loading.job import LoadJob
from rondo.foundation.models import Load

PREFIX = "attribute:"
ATTRIBUTE_FIELDS: dict[str, FieldType] = {
    "text": "text",
    "number": "number",
    "date": "date",
    "choice": "choice",
    "boolean": "boolean",
    "money": "money",
}


def defined(job: LoadJob) -> dict[str, AttributeDefinition]:
    """Every attribute there is by its key, once those of ``define`` that are missing are made."""
    if job.options.define:
        _define(job)
    return {definition.key: definition for definition in AttributeDefinition.objects.all()}


def _define(job: LoadJob) -> None:
    with job.chunk():
        for key, (kind, form) in job.options.define.items():
            choices = []
            if kind == "choice" and job.has(f"{PREFIX}{key}"):
                values = job.query(f'SELECT DISTINCT "{PREFIX}{key}" AS v FROM staged WHERE v IS NOT NULL ORDER BY v')
                choices = [{"value": v, "en": v, "de": v} for v in values.column(0).to_pylist()]
            definition, is_new = AttributeDefinition.objects.get_or_create(
                key=key,
                defaults={"label_en": key.replace("_", " "), "type": kind, "form": form, "choices": choices},
            )
            if is_new:
                job.note(AttributeDefinition, [definition.pk])


def remove_definitions(load: Load, low: int, high: int) -> int:
    """Delete the attributes that a dead load defined, unless somebody came to use them; never waits."""
    used = models.Exists(AttributeValue.objects.filter(definition_id=models.OuterRef("pk")))
    keys = list(load.options.get("define", {}))
    AttributeDefinition.objects.filter(~used, pk__range=(low, high), key__in=keys).delete()
    return 0


def stored_as(kind: str, values: Any) -> tuple[str, Any]:
    """(column of AttributeValue, values) for an attribute of a type."""
    if kind in {"text", "choice"}:
        return "text", values
    if kind == "date":
        return "day", values
    return "number", pc.cast(values, pa.float64())
