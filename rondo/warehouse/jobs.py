"""Periodic work of the columnar copy."""

from datetime import timedelta

from django.db.models import Max

from rondo.errors import StateError
from rondo.foundation.actors import Actor
from rondo.foundation.audit import changed_since
from rondo.warehouse import delta
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
    _put_in_order()
    return True


def _put_in_order() -> None:
    """Make the order of the chain where it is not there or holds no more, so that nobody has to wait for it."""
    # The engine is slow to import, and seldom needed here.
    from rondo.warehouse.chronology import CHAIN, WORTH
    from rondo.warehouse.engines import is_cluster
    from rondo.warehouse.tables import open_tables

    chain = delta.existing(CHAIN)
    if chain is not None and chain.count() >= WORTH and not is_cluster():
        with open_tables() as tables:
            tables.chronology()
