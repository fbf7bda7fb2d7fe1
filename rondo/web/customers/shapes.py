"""What tells the statement of a list's conditions from that of others."""

from collections.abc import Hashable
from datetime import date

from rondo.web.customers.fields import Field
from rondo.web.customers.filters import Condition

_COMPARED = frozenset({"min", "max", "above", "below", "between"})
_FIGURES = frozenset({"money", "count", "days", "date"})


def varies(condition: Condition) -> bool:
    """Whether the values of a condition are values of the statement; else they are part of its shape."""
    if condition.operator not in _COMPARED or condition.field.type not in _FIGURES:
        return False
    return all(isinstance(value, int | date) for value in condition.values)


def shape_of_field(field: Field) -> Hashable:
    """All that a statement may look at of a field."""
    known = tuple(value for value, _label in field.choices)
    return field.key, field.place, field.column, field.definition, field.model, field.type, field.several, known


def shape_of(condition: Condition) -> Hashable:
    """All that a statement may look at of a condition but the values that vary."""
    return shape_of_field(condition.field), condition.operator, () if varies(condition) else condition.values
