"""Decide about a pair, and take a decision back. Merging is the pointer of :mod:`rondo.customers.actions.merging`."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers.actions import merge, unmerge
from rondo.customers.changed import noted
from rondo.customers.queries import survivor_id, visible
from rondo.duplicates.models import Decision, Pair
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor

DECISIONS = (Pair.Status.MERGED, Pair.Status.DIFFERENT, Pair.Status.LATER)


class TakenBack(NamedTuple):
    """The pair, open again, and the fields whose value was changed since it was merged and is left as it is."""

    pair: Pair
    left: list[str]


def decide(
    actor: Actor,
    pair_id: int,
    decided: str,
    *,
    survivor: str = "left",
    fields: Mapping[str, str] | None = None,
    automatic: bool = False,
    reason: str = "",
) -> Pair:
    """Say that a pair is one customer (``merged``: ``survivor``, left or right, stays), that it is not (``different``),
    or that it is decided another time (``later``). ``fields``: the side, left or right, whose value of a field shows
    then (:func:`rondo.customers.actions.merge`).

    Raises:
        PermissionRefused: the actor may not merge. NotFound: there is no such pair, or one of its customers is not the
        actor's to see. StateError: somebody decided already. InputError: no such decision.
    """
    actor.require("merge")
    wrong = [side for side in (survivor, *(fields or {}).values()) if side not in ("left", "right")]
    if wrong:
        raise InputError(_("%(side)r is neither left nor right.") % {"side": wrong[0][:20]})
    if decided not in DECISIONS:
        raise InputError(
            _("%(decided)s is no decision; one of %(decisions)s is needed.")
            % {"decided": decided, "decisions": ", ".join(DECISIONS)}
        )
    with transaction.atomic():
        pair = _locked(actor, pair_id)
        before = pair.status
        if before not in (Pair.Status.OPEN, Pair.Status.LATER) or before == decided:
            raise StateError(
                _("This pair was decided already: %(status)s. Take that back first.")
                % {"status": pair.get_status_display()}
            )
        pair.status, pair.changed = decided, False
        if decided == Pair.Status.MERGED:
            kept, lost = (pair.left_id, pair.right_id) if survivor == "left" else (pair.right_id, pair.left_id)
            chosen = {name: pair.left_id if side == "left" else pair.right_id for name, side in (fields or {}).items()}
            pair.merge = merge(actor, lost, kept, reason, fields=chosen)
        pair.save(update_fields=["status", "changed", "merge"])
        Decision.objects.create(
            pair=pair, decided=decided, probability=pair.probability, automatic=automatic, by=actor.user
        )
        audit.record(actor, "duplicate.decided", "duplicate", pair.pk, {"decision": [before, decided]})
        if decided == Pair.Status.DIFFERENT:
            _told_apart(actor, pair, [None, True])
    return pair


def take_back(actor: Actor, pair_id: int) -> TakenBack:
    """Take the last decision about a pair back: it is open again, and what was merged stands for itself again.

    Raises:
        PermissionRefused: the actor may not merge. NotFound: no such pair, or not the actor's to see.
        StateError: nothing was decided.
    """
    actor.require("merge")
    with transaction.atomic():
        pair = _locked(actor, pair_id)
        before, left = pair.status, list[str]()
        if before == Pair.Status.OPEN:
            raise StateError(_("Nothing was decided about this pair; there is nothing to take back."))
        if pair.merge is not None and pair.merge.undone_at is None:
            left = unmerge(actor, pair.merge.pk).left
        pair.status, pair.merge = Pair.Status.OPEN, None
        pair.save(update_fields=["status", "merge"])
        Decision.objects.filter(pair=pair, undone_at__isnull=True).update(
            undone_at=timezone.now(), undone_by=actor.user
        )
        audit.record(actor, "duplicate.decided", "duplicate", pair.pk, {"decision": [before, Pair.Status.OPEN]})
        if before == Pair.Status.DIFFERENT:
            _told_apart(actor, pair, [True, None])
    return TakenBack(pair, left)


def _locked(actor: Actor, pair_id: int) -> Pair:
    """The pair, locked; a merge of it that was undone elsewhere counts as open."""
    pair = Pair.objects.select_for_update(of=("self",)).select_related("merge").filter(pk=pair_id).first()
    if pair is None or not _seen(actor, pair):
        raise NotFound(_("This pair is not there any more, or not yours to see; load the page again."))
    if pair.status == Pair.Status.MERGED and (pair.merge is None or pair.merge.undone_at is not None):
        pair.status, pair.merge = Pair.Status.OPEN, None
        Decision.objects.filter(pair=pair, undone_at__isnull=True).update(undone_at=timezone.now())
    return pair


def _seen(actor: Actor, pair: Pair) -> bool:
    keys = {survivor_id(pair.left_id), survivor_id(pair.right_id)}
    return visible(actor.user).filter(pk__in=keys).count() == len(keys)


def _told_apart(actor: Actor, pair: Pair, change: list[object]) -> None:
    for one, other in ((pair.left_id, pair.right_id), (pair.right_id, pair.left_id)):
        noted(actor, "customer.told_apart", one, {"other": [other if v else None for v in change]})
