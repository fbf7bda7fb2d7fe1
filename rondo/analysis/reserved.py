"""Attributes that the analysis reads where an administrator defines them: by their keys, which docs/standing.md lists.

So contracts, connected products and answers to surveys come in today, by ``rondo import customers --define``, as
attributes of customers. An attribute of such a key but of another type is left alone; :func:`mistyped` names it.
"""

from rondo.customers.models import AttributeDefinition
from rondo.science.standing import Relation

RELATIONS = tuple(relation.name.lower() for relation in Relation)
TYPES = {
    "contract_end": "date",
    "notice_months": "number",
    "connected_products": "number",
    "commitment": "number",
    "promoter_score": "number",
    "community_member": "boolean",
    "relationship_survey": "choice",
    "relationship_survey_on": "date",
}
"""The type that each reserved attribute has to have."""


def defined() -> set[str]:
    """The reserved attributes that are defined and of the right type."""
    return {row.key for row in _definitions() if row.type == TYPES[row.key]}


def mistyped() -> list[AttributeDefinition]:
    """Attributes that bear a reserved key but are of another type, and so are not read."""
    return [row for row in _definitions() if row.type != TYPES[row.key]]


def _definitions() -> list[AttributeDefinition]:
    return list(AttributeDefinition.objects.filter(key__in=TYPES))
