"""Erasing again who is back: after the restore of a backup that was made before the erasure."""

from pathlib import Path

from django.db import transaction

from rondo.customers.models import Customer, Survivor
from rondo.erasure.actions import ledger
from rondo.erasure.actions.doing import carry_out
from rondo.erasure.marks import records_with
from rondo.erasure.models import Erased, Erasure
from rondo.foundation import audit
from rondo.foundation.actors import Actor


def bring_ledger(file: Path) -> int:
    """Take over the marks of a ledger from another home; how many were not known here."""
    return ledger.add(ledger.read(file))


def erase_again(actor: Actor) -> int:
    """Erase all records that the ledger of this home knows and that hold something; how many. They have been asked for
    once, so that no hold stands against it.

    Raises:
        InputError: the ledger is not readable.
    """
    actor.require("erase")
    ledger.mirror()
    found = records_with(ledger.read(ledger.path()))
    done = set(Erased.objects.filter(record__in=found).values_list("record", flat=True))
    back = [record for record in found if record not in done]
    if not back:
        return 0
    with transaction.atomic():
        made = Erasure.objects.create(
            reason=Erasure.Reason.RESTORED, records=back, persons=_persons(back), actor=actor.user
        )
        audit.record(actor, "erasure.requested", "erasure", made.pk, {"persons": [None, made.persons]})
    carry_out(made.pk)
    return len(back)


def _persons(records: list[int]) -> int:
    merged = Survivor.objects.filter(customer_id__in=records, survivor_id__in=records).count()
    return Customer.objects.filter(pk__in=records).count() - merged
