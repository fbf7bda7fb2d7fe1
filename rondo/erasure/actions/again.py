"""Erasing again who is back: after the restore of a backup that was made before the erasure."""

from pathlib import Path

from django.db import transaction

from rondo.customers.actions.gate import one_at_a_time
from rondo.customers.changed import mark
from rondo.customers.models import Customer, Survivor
from rondo.erasure.actions import ledger
from rondo.erasure.actions.doing import carry_out, stand_alone
from rondo.erasure.marks import records_with
from rondo.erasure.models import Erased, Erasure
from rondo.errors import StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor


def bring_ledger(file: Path) -> int:
    """Take over the marks of a ledger from another home; how many were not known here."""
    return ledger.add(ledger.read(file))


def erase_again(actor: Actor) -> int:
    """Erase all records that the ledger of this home knows and that hold something; how many. They have been asked for
    once, so that no hold stands against it.

    Raises:
        InputError: the ledger is not readable. StateError: it could not be ended; they are out of sight, and a night
        goes on.
    """
    actor.require("erase")
    ledger.mirror()
    found = records_with(ledger.read(ledger.path()).keys() - set(Erased.objects.values_list("mark", flat=True)))
    done = set(Erased.objects.filter(record__in=found).values_list("record", flat=True))
    for records in Erasure.objects.exclude(status=Erasure.Status.DONE).values_list("records", flat=True):
        done.update(records)  # asked for already: that one goes on
    back = [record for record in found if record not in done]
    if not back:
        return 0
    with transaction.atomic():
        one_at_a_time()
        stand_alone(back)
        Customer.objects.filter(pk__in=back).update(is_merged=True, bin=None)  # out of sight, whatever comes
        mark(back)
        made = Erasure.objects.create(
            reason=Erasure.Reason.RESTORED, records=back, persons=_persons(back), actor=actor.user
        )
        audit.record(actor, "erasure.requested", "erasure", made.pk, {"persons": [None, made.persons]})
    row = carry_out(made.pk)
    if row.status != Erasure.Status.DONE:
        raise StateError(row.error)
    return len(back)


def _persons(records: list[int]) -> int:
    merged = Survivor.objects.filter(customer_id__in=records, survivor_id__in=records).count()
    return Customer.objects.filter(pk__in=records).count() - merged
