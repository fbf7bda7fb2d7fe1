"""Merge and undo: pointers between records, and the maintained table of survivors.

Edges form a forest: a merge always points from one root to another root, so a circle cannot come about. Undo takes one
edge out; the loser and what was merged into it before stand for themselves again. Rows never move. What the survivor
shows of the other side is put in place, and taken back, by :mod:`rondo.customers.actions.picking`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers import names
from rondo.customers.actions.gate import CustomerRef, key_of, locked_pair, locked_root, one_at_a_time
from rondo.customers.actions.picking import check_choice, put_in_place, take_out
from rondo.customers.changed import mark, noted
from rondo.customers.identifiers import UNNAMED_KINDS
from rondo.customers.models import Customer, Identifier, Merge, NameWord, Survivor
from rondo.customers.picking import read_sides
from rondo.customers.queries import record_ids, survivor_id
from rondo.errors import NotFound, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.loads import shown


class Unmerged(NamedTuple):
    """Who stands for itself again, and the fields whose value was changed since the merge chose it, which were left as
    they are (as :func:`merge` names them)."""

    customer: Customer
    left: list[str]


def is_known(row: Customer) -> bool:
    """Whether a name or an identifier tells who this is; a browser's or device's id does not."""
    if row.name:
        return True
    held = Identifier.objects.filter(shown(), customer_id__in=record_ids(row.pk))
    return held.filter(~Q(kind__in=UNNAMED_KINDS)).exists()


def check_one_kind(one: Customer, other: Customer) -> None:
    """Refuse to make one of a person and their household, say. Of a record that nobody is known by, no one said what
    kind it is.

    Raises:
        StateError: both are known, and of different kinds.
    """
    if one.kind == other.kind or not (is_known(one) and is_known(other)):
        return
    raise StateError(
        _(
            "%(one)s (%(kind)s) and %(other)s (%(other_kind)s) are not of one kind, and so not one customer. Link "
            "them; or, where the kind of one is wrong, change that first."
        )
        % {
            "one": one,
            "kind": one.get_kind_display(),
            "other": other,
            "other_kind": other.get_kind_display(),
        }
    )


def merge(
    actor: Actor,
    loser: CustomerRef,
    winner: CustomerRef,
    reason: str = "",
    *,
    fields: Mapping[str, CustomerRef] | None = None,
) -> Merge:
    """Say that two customers are one: ``winner`` survives, ``loser`` points to it. Records merged before stand for
    their survivors. A known record outlives an anonymous one: if only the loser is known, the two change places.

    ``fields``: of which of the two the survivor shows the value of a field (:data:`rondo.customers.picking.FIELDS`, or
    ``attr.<key>``). Where nothing is chosen, the survivor's own value shows, and the other's where it has none; of two
    days since when somebody is known the earlier one. It needs no other right than merging.

    Raises:
        StateError: both are one customer already, or of different kinds; NotFound: one is not there or not the actor's
        to see. InputError: a field that is none, or a record that is neither of the two.
    """
    actor.require("merge")
    with transaction.atomic():
        one_at_a_time()
        lost, kept = locked_pair(actor, loser, winner)
        if lost.pk == kept.pk:
            raise StateError(
                _("%(customer)s (%(id)s) is one customer already; there is nothing to merge.")
                % {"customer": kept, "id": kept.public_id}
            )
        check_one_kind(lost, kept)
        if is_known(lost) and not is_known(kept):
            lost, kept = kept, lost
        chosen = {name: survivor_id(key_of(record)) for name, record in (fields or {}).items()}
        check_choice(actor, chosen, (lost.pk, kept.pk))
        sides = read_sides([lost, kept])
        edge = _point(actor, lost, kept, reason)
        shown_now = put_in_place(edge, sides[lost.pk], sides[kept.pk], chosen)
        _settled(actor, lost, kept, shown_now)
    return edge


def merge_back(actor: Actor, made: CustomerRef, customer: CustomerRef, reason: str) -> Merge:
    """Let a record that came out of ``customer`` point to it again: ``customer`` shows what it showed, whoever of the
    two is known."""
    actor.require("merge")
    with transaction.atomic():
        one_at_a_time()
        lost, kept = locked_pair(actor, made, customer)
        if lost.pk == kept.pk:
            raise StateError(_("%(customer)s is one customer already.") % {"customer": kept})
        edge = _point(actor, lost, kept, reason)
        _settled(actor, lost, kept, {})
    return edge


def _point(actor: Actor, lost: Customer, kept: Customer, reason: str) -> Merge:
    edge = Merge.objects.create(loser=lost, winner=kept, by=actor.user, reason=" ".join(reason.split())[:200])
    below = record_ids(lost.pk)[1:]
    Survivor.objects.filter(survivor=lost).update(survivor=kept)
    Survivor.objects.create(customer=lost, survivor=kept)
    Customer.objects.filter(pk=lost.pk).update(is_merged=True)
    NameWord.objects.filter(customer=lost).delete()
    mark(below)  # another record stands for them now
    return edge


def _settled(actor: Actor, lost: Customer, kept: Customer, told: Mapping[str, list[Any]]) -> None:
    names.reindex([kept.pk])
    noted(actor, "customer.merged", kept.pk, {"absorbed": [None, lost.pk], **told})
    noted(actor, "customer.merged", lost.pk, {"survivor": [None, kept.pk]})


def unmerge(actor: Actor, merge_id: int) -> Unmerged:
    """Undo one merge: the loser stands for itself again.

    What had been merged into it before goes with it; merges made later between others stay. What a survivor shows of
    those who leave goes back to what it held before, field by field, unless it was changed since.

    Raises:
        NotFound: no such merge, or its customer is not the actor's to see; StateError: undone already.
    """
    actor.require("merge")
    with transaction.atomic():
        one_at_a_time()
        edge = Merge.objects.filter(pk=merge_id).first()
        if edge is None:
            raise NotFound(_("This merge is not there; load the page again."))
        root = locked_root(actor, edge.loser_id)
        undone = Merge.objects.filter(pk=merge_id, undone_at__isnull=True)
        if not undone.update(undone_at=timezone.now(), undone_by=actor.user):
            raise StateError(_("This merge has been undone already; there is nothing to do."))
        group = record_ids(root.pk)
        branch = _below(edge.loser_id, group)
        put_back, left = take_out(actor, edge, group, [edge.loser_id, *branch])
        Survivor.objects.filter(customer_id=edge.loser_id).delete()
        Survivor.objects.filter(customer_id__in=branch).update(survivor_id=edge.loser_id)
        Customer.objects.filter(pk=edge.loser_id).update(is_merged=False)
        names.reindex([root.pk, edge.loser_id])
        noted(actor, "customer.unmerged", root.pk, {"absorbed": [edge.loser_id, None], **put_back})
        noted(actor, "customer.unmerged", edge.loser_id, {"survivor": [root.pk, None]})
        mark(branch)
    return Unmerged(Customer.objects.get(pk=edge.loser_id), left)


def _below(record: int, group: list[int]) -> list[int]:
    """The records of ``group`` whose standing edges lead to ``record``, without itself."""
    edges = Merge.objects.filter(loser_id__in=group, undone_at__isnull=True).values_list("loser_id", "winner_id")
    children: dict[int, list[int]] = {}
    for lost, kept in edges:
        children.setdefault(kept, []).append(lost)
    found: list[int] = []
    level = children.get(record, [])
    while level:
        found += level
        level = [below for parent in level for below in children.get(parent, [])]
    return found
