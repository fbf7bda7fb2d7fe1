"""Customers are put into the bin and back: gone from every read at once, and nothing of them lost.

What was merged into a customer goes and comes back with them. Many go as a job, in portions.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, hold_all, key_of, locked, not_found, one_at_a_time
from rondo.customers.actions.links import unlink
from rondo.customers.actions.together import MOST_AT_ONCE
from rondo.customers.changed import mark
from rondo.customers.models import AttributeValue, Bin, Customer, NameWord, Survivor
from rondo.customers.queries import binned, survivor_id, visible
from rondo.errors import InputError, NotFound
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.long_work import worked_on
from rondo.foundation.models import AuditEntry

_MAKING = ("customer.created", "link.added", "link.removed")
"""What the audit log says of a customer that was made, linked, and let go again."""


def put_into_bin(actor: Actor, customers: Sequence[CustomerRef]) -> Bin:
    """Put up to :data:`MOST_AT_ONCE` customers into the bin together, all or none.

    Raises:
        NotFound: one is not there or not the actor's to see; InputError: none, or too many.
    """
    actor.require("delete")
    if not 0 < len(customers) <= MOST_AT_ONCE:
        raise InputError(
            _("%(count)d customers: choose from 1 to %(most)d.") % {"count": len(customers), "most": MOST_AT_ONCE}
        )
    with transaction.atomic():
        one_at_a_time()
        keys = {survivor_id(key_of(ref)): ref for ref in customers}
        row = Bin.objects.create(actor=actor.user, status=Bin.Status.DONE, finished_at=timezone.now())
        there = _put(actor, row, keys)
        for key, ref in keys.items():
            if key not in there:
                raise not_found(ref)
    row.refresh_from_db()
    return row


def take_back_made(actor: Actor, links: Sequence[int], made: CustomerRef) -> bool:
    """The undo of a household or company that was made together with its first ``links``: these go, and so does the
    customer ``made``, into the bin. It asks for no more than making did. Whether it went; it stays where anything else
    was done with it since, or somebody else made it.

    Raises:
        NotFound: a link, or one of its customers, is not there or not the actor's to see.
    """
    actor.require("edit")
    with transaction.atomic():
        one_at_a_time()
        for key in links:
            unlink(actor, key)
        row = locked(actor, made)
        told = AuditEntry.objects.filter(record_type="customer", record_id=row.pk)
        first = told.order_by("pk").first()
        if first is None or first.verb != "customer.created" or first.actor_id != (actor.user and actor.user.pk):
            return False
        if told.exclude(verb__in=_MAKING).exists() or row.is_merged or _needed(row):
            return False
        gone = Bin.objects.create(actor=actor.user, status=Bin.Status.DONE, finished_at=timezone.now())
        return bool(_put(actor, gone, [row.pk]))


def _needed(row: Customer) -> bool:
    """Whether anything refers to a customer, besides the words of its name and what every new one is given."""
    for relation in Customer._meta.related_objects:
        model = relation.related_model
        rows = model._base_manager.filter(**{relation.field.name: row.pk})
        if model is AttributeValue:  # those set by hand are told by the audit log
            rows = rows.filter(load__isnull=False)
        if model is not NameWord and rows.exists():
            return True
    return False


def request_binning(actor: Actor, keys: Iterable[int]) -> Bin:
    """Put any number of customers into the bin, given by the keys of those that the actor sees: a job does it. Raises
    InputError where there is none."""
    from rondo.customers.jobs import enqueue_binning

    actor.require("delete")
    wanted = sorted(set(keys))
    if not wanted:
        raise InputError(_("No customer is meant; look at the list again."))
    with transaction.atomic():
        row = Bin.objects.create(actor=actor.user, total=len(wanted), results={"keys": wanted})
        enqueue_binning(row.pk)
    return row


def carry_out_binning(bin_id: int) -> Bin:
    """The job of :func:`request_binning`. Safe to run twice; who is not there any more, or not the actor's to see, is
    left out."""
    row = Bin.objects.get(pk=bin_id)
    if not row.under_way:
        return row
    actor = Actor(row.actor, "job")
    with worked_on(row) as report:
        keys = row.results.get("keys", [])
        for start in range(0, len(keys), MOST_AT_ONCE):
            with transaction.atomic():
                one_at_a_time()
                _put(actor, row, keys[start : start + MOST_AT_ONCE])
            report.rows(min(start + MOST_AT_ONCE, len(keys)), len(keys))
        done = {"status": Bin.Status.DONE, "finished_at": timezone.now(), "error": "", "results": {}}
        Bin.objects.filter(pk=bin_id).update(**done)
    row.refresh_from_db()
    return row


def _put(actor: Actor, row: Bin, keys: Iterable[int]) -> set[int]:
    """Put those into the bin that the actor sees; their keys."""
    wanted = sorted(keys)
    hold_all(wanted)
    there = set(visible(actor.user).filter(pk__in=wanted).values_list("pk", flat=True))
    with_merged = _records(there)
    Customer.objects.filter(pk__in=with_merged).update(bin=row)
    _note(actor, "customer.binned", there, with_merged, [None, row.pk])
    Bin.objects.filter(pk=row.pk).update(count=F("count") + len(there))
    return there


def put_back(actor: Actor, bin_id: int) -> int:
    """Put back all that went into the bin together and is still there, in portions; how many customers."""
    actor.require("delete")
    done = 0
    while some := list(binned(actor.user).filter(bin_id=bin_id).order_by("pk").values_list("pk", flat=True)[:500]):
        done += _back(actor, some)
    return done


def put_back_some(actor: Actor, customers: Sequence[CustomerRef]) -> int:
    """Put customers back who are in the bin, all or none; how many.

    Raises:
        NotFound: one is not in the bin, or not the actor's to see.
    """
    actor.require("delete")
    with transaction.atomic():
        one_at_a_time()
        keys = {survivor_id(key_of(ref)): ref for ref in customers}
        there = set(binned(actor.user).filter(pk__in=list(keys)).values_list("pk", flat=True))
        if strangers := [ref for key, ref in keys.items() if key not in there]:
            raise NotFound(
                _("Customer %(id)s is not in the bin, or not yours to see; load the page again.") % {"id": strangers[0]}
            )
        return _back(actor, list(keys))


def _back(actor: Actor, keys: Iterable[int]) -> int:
    with transaction.atomic():
        one_at_a_time()
        wanted = sorted(keys)
        hold_all(wanted)
        there = dict(binned(actor.user).filter(pk__in=wanted).values_list("pk", "bin_id"))
        with_merged = _records(there)
        Customer.objects.filter(pk__in=with_merged).update(bin=None)
        for bin_id in sorted({key for key in there.values() if key is not None}):
            mine = {key for key, held in there.items() if held == bin_id}
            _note(actor, "customer.restored", mine, mine, [bin_id, None])
            Bin.objects.filter(pk=bin_id).update(back=F("back") + len(mine))
        mark(with_merged)
    return len(there)


def _records(survivors: Iterable[int]) -> list[int]:
    """These and all records that were merged into them."""
    keys = list(survivors)
    merged = Survivor.objects.filter(Q(survivor_id__in=keys)).values_list("customer_id", flat=True)
    return sorted({*keys, *merged})


def _note(actor: Actor, verb: str, survivors: Iterable[int], records: Iterable[int], change: list[int | None]) -> None:
    audit.record_many(audit.entry(actor, verb, "customer", key, {"bin": change}) for key in sorted(survivors))
    mark(records)
