"""Merge the certain ones without being asked: the threshold that an administrator sets, and what the job does by it."""

from datetime import date

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from rondo.customers.models import Customer
from rondo.customers.picking import Which
from rondo.customers.queries import record_ids, survivor_id
from rondo.duplicates.actions.deciding import decide
from rondo.duplicates.models import AutomaticMerging, Pair
from rondo.duplicates.queries import automatic_from, certain_pairs
from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor

LEAST = 0.9
"""Nobody may merge less probable pairs without looking."""


def set_automatic(actor: Actor, least: float | None) -> AutomaticMerging:
    """Merge pairs from probability ``least`` on after each search; None: never.

    Raises:
        PermissionRefused: the actor may not administer. InputError: below :data:`LEAST`, or not below 1.
    """
    actor.require("administer")
    if least is not None and not LEAST <= least < 1.0:
        raise InputError(
            _("%(given)s is no threshold for merging by itself; give a probability from %(least)s to below 1.")
            % {"given": least, "least": LEAST}
        )
    with transaction.atomic():
        before = automatic_from()
        made = AutomaticMerging.objects.create(least=least, by=actor.user)
        audit.record(actor, "installation.changed", "installation", 1, {"merge_automatically_from": [before, least]})
    return made


def merge_certain(actor: Actor) -> int:
    """Merge the open pairs that reach the threshold, the most probable first; returns how many were merged.

    A pair stays for a person to decide where anybody ever decided about it or took its merge back, and where it would
    make one of two customers whom somebody told apart.
    """
    least = automatic_from()
    if least is None:
        return 0
    merged = 0
    for pair in list(certain_pairs(least).order_by("-weight", "pk")):
        if _told_apart(pair):
            continue
        try:
            decide(
                actor,
                pair.pk,
                Pair.Status.MERGED,
                survivor=longer_known(pair.left, pair.right),
                automatic=True,
                reason=_("Merged by itself: probability %(probability).4f") % {"probability": pair.probability},
            )
        except StateError:  # one of them was merged into the other by an earlier pair
            continue
        merged += 1
    return merged


def longer_known(left: Customer, right: Customer) -> Which:
    """Who of two survives unless somebody chooses: who is known longer, else who came in first."""

    def since(row: Customer) -> tuple[date, int]:
        return (row.known_since or row.created_at.date(), row.pk)

    return "left" if since(left) <= since(right) else "right"


def _told_apart(pair: Pair) -> bool:
    one, other = (record_ids(survivor_id(key)) for key in (pair.left_id, pair.right_id))
    between = Q(left_id__in=one, right_id__in=other) | Q(left_id__in=other, right_id__in=one)
    return Pair.objects.filter(between, status=Pair.Status.DIFFERENT).exclude(left_id=F("right_id")).exists()
