"""Figures of lists over a large base, kept for a minute: how many customers, and what they are worth.

They stand as long as nothing changes that they are made of: the run whose scores are served, the loads that are shown,
and every record of a customer, each change of which draws a number (:mod:`rondo.foundation.change_numbers`). Who just
changed something sees it at once, and nobody is told the figures of another circle of viewers.
"""

import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Max

from rondo.analysis.queries import current_run_key
from rondo.customers.models import Customer
from rondo.customers.queries import scope_key
from rondo.foundation.change_numbers import drawn
from rondo.foundation.loads import hidden_loads
from rondo.web.customers.shapes import shape_of

if TYPE_CHECKING:
    from rondo.web.customers.selection import Selection

KEPT_FROM = 50_000
"""From this highest key of a customer on figures are kept."""
_KEPT_SECONDS, _MOST_KEPT = 60.0, 500
_PLACES = frozenset({"fact", "customer"})
_kept: dict[Hashable, tuple[float, object]] = {}
Told = TypeVar("Told")


def tallied(selection: "Selection", of: Hashable, ask: Callable[[], Told]) -> Told:
    """What ``ask()`` tells of a selection, which ``of`` names; lists with a rule or a search, and those that ask for
    attributes, segments or what is worked out after a run, are asked anew each time."""
    if not _can_be_kept(selection):
        return ask()
    conditions = tuple((shape_of(one), one.values) for one in selection.conditions)
    stand = (current_run_key(), drawn(), tuple(hidden_loads()))  # read before the figures are
    asked_for, now = (scope_key(selection.viewer), conditions, of, stand), time.monotonic()
    until, found = _kept.get(asked_for, (now, None))
    if until > now:
        return found  # type: ignore[return-value]  # as it was told for the same
    told = ask()
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[asked_for] = (now + _KEPT_SECONDS, told)
    return told


def _can_be_kept(selection: "Selection") -> bool:
    if selection.rule is not None or selection.search or selection.only is not None:
        return False
    if not all(condition.field.place in _PLACES for condition in selection.conditions):
        return False
    return (Customer.objects.aggregate(highest=Max("pk"))["highest"] or 0) >= KEPT_FROM
