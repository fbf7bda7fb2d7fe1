"""Reads of the catalogue."""

from collections.abc import Sequence

from django.db.models import QuerySet

from rondo.catalogue.models import Category
from rondo.foundation.prepared import prepared


def paths_of(categories: Sequence[int]) -> dict[int, str]:
    """The paths of categories by their keys; of those that are there."""
    return dict(_paths(categories))


@prepared
def _paths(categories: Sequence[int]) -> QuerySet[Category, tuple[int, str]]:
    return Category.objects.filter(pk__in=categories).values_list("pk", "path")
