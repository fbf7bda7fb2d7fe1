"""Which attributes there are, and who sees which: the read gate of attributes, asked by lists, rules, files, the API
and the audit log alike."""

from collections.abc import Iterable
from typing import TypeVar

from django.db.models import QuerySet

from rondo.customers.models import AttributeDefinition, AttributeValue
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.rights import ADMINISTRATOR

T = TypeVar("T", bound=AttributeValue)


def may_see(viewer: User | None, definition: AttributeDefinition) -> bool:
    """Whether ``viewer``'s role sees the attribute; the system and administrators see all."""
    if viewer is None or definition.visible_to is None or viewer.role_id == ADMINISTRATOR:
        return True
    return viewer.role_id in definition.visible_to


def definitions_for(viewer: User | None) -> list[AttributeDefinition]:
    """The attributes in use that ``viewer`` sees, in their order."""
    return [row for row in _definitions() if may_see(viewer, row)]


@prepared
def _definitions() -> QuerySet[AttributeDefinition]:
    return AttributeDefinition.objects.all()


def hidden_from(viewer: User | None) -> frozenset[str]:
    """Keys of the attributes that ``viewer`` does not see, archived and former ones among them."""
    if viewer is None or viewer.role_id == ADMINISTRATOR:
        return frozenset()
    limited = AttributeDefinition.everything.filter(visible_to__isnull=False)
    return frozenset(row.key for row in limited if not may_see(viewer, row))


def seen(viewer: User | None, values: Iterable[T]) -> list[T]:
    """Of some values those of the attributes that ``viewer`` sees; each brings its definition."""
    return [value for value in values if may_see(viewer, value.definition)]
