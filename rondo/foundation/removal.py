"""Deletes rows together with everything that belongs to them, set by set, without reading it first.

What belongs to a row is told by the foreign keys: what cascades goes, what may stand without it loses the key. A table
that a room adds is known by that alone.
"""

from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from rondo.errors import StateError


def remove_rows(rows: "models.QuerySet[Any]") -> None:
    """Delete ``rows`` with what belongs to them; inside a transaction of the caller, who chooses as few rows as may
    hold the write lock.

    Raises:
        StateError: something refers to the rows that may not lose them.
    """
    for relation in rows.model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        field: models.ForeignKey[Any, Any] = relation.field
        referring = field.model._base_manager.filter(**{f"{field.name}__in": rows.order_by().values("pk")})
        if relation.on_delete is models.SET_NULL:
            referring.update(**{field.name: None})
        elif relation.on_delete is models.CASCADE or (relation.on_delete is models.DO_NOTHING and not field.null):
            remove_rows(referring)
        elif relation.on_delete is models.PROTECT and referring.exists():
            raise StateError(
                _("%(table)s still refers to what is to be removed; remove that first.")
                % {"table": field.model._meta.verbose_name_plural}
            )
    rows.order_by()._raw_delete(rows.db)
