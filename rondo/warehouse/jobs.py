"""Periodic work of the columnar copy."""

from datetime import timedelta

from django.db.models import Max

from rondo.errors import StateError
from rondo.foundation.actors import Actor
from rondo.foundation.audit import changed_since
from rondo.warehouse.models import CopyState
from rondo.warehouse.refresh import refresh

_LONGEST_TRANSACTION = timedelta(minutes=10)
"""A change says when it was made, and is seen when its transaction ends: so far back it is looked for."""


def keep_up(actor: Actor) -> bool:
    """Bring the copy up to date if anything may have changed since it last was; whether it was brought up."""
    last = CopyState.objects.aggregate(last=Max("refreshed_at"))["last"]
    if last is not None and not changed_since(last - _LONGEST_TRANSACTION, apart_from=["user"]):
        return False
    try:
        refresh()
    except StateError:  # somebody else is refreshing it, for long: that will do
        return False
    return True
