"""Asking for an erasure. From that moment on nobody sees the person any more; a job does the rest."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, hold_all, key_of, not_found, one_at_a_time
from rondo.customers.changed import mark
from rondo.customers.models import Customer
from rondo.customers.queries import binned, record_ids, survivor_id, visible
from rondo.erasure.models import Erasure
from rondo.erasure.queries import held
from rondo.errors import StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.holdings import Held


def request_erasure(actor: Actor, customers: Sequence[CustomerRef], reason: str = Erasure.Reason.ASKED) -> Erasure:
    """Erase customers for good, with all records that were merged into them: a job does it, and this returns its row.

    From the end of this transaction on no read finds them. It cannot be undone.

    Raises:
        PermissionRefused: the actor may not erase. NotFound: a customer is not there or not the actor's to see.
        StateError: a hold or an open case stands against it; nobody is erased then.
    """
    from rondo.erasure.jobs import enqueue_erasure

    row = begin(actor, customers, reason)
    enqueue_erasure(row.pk)
    return row


def erase(actor: Actor, customers: Sequence[CustomerRef], reason: str = Erasure.Reason.ASKED) -> Erasure:
    """As :func:`request_erasure`, but the erasure is done when this returns: for commands and jobs."""
    from rondo.erasure.actions.doing import carry_out

    return carry_out(begin(actor, customers, reason).pk)


def begin(actor: Actor, customers: Sequence[CustomerRef], reason: str) -> Erasure:
    """Write down an erasure and hide the persons; see :func:`request_erasure`."""
    actor.require("erase")
    with transaction.atomic():
        one_at_a_time()
        roots = _persons(actor, customers)
        records = [record for root in roots for record in record_ids(root.pk)]
        if stands := held(records):
            raise StateError(_("This customer cannot be erased now: %(why)s") % {"why": words(stands[0])})
        made = Erasure.objects.create(
            reason=Erasure.Reason(reason), records=records, persons=len(roots), actor=actor.user
        )
        # A record that is merged and that nobody stands for: every read leaves it out.
        Customer.objects.filter(pk__in=[root.pk for root in roots]).update(is_merged=True)
        Customer.objects.filter(pk__in=records, bin__isnull=False).update(bin=None)
        mark(records)
        audit.record(actor, "erasure.requested", "erasure", made.pk, {"persons": [None, len(roots)]})
    return made


def _persons(actor: Actor, customers: Sequence[CustomerRef]) -> list[Customer]:
    """Those who are meant, locked; who is in the bin, too."""
    wanted = {survivor_id(key_of(customer)): customer for customer in customers}
    hold_all(wanted)
    rows = [one for some in (visible, binned) for one in some(actor.user).filter(pk__in=list(wanted))]
    for key in sorted(set(wanted) - {row.pk for row in rows}):
        raise not_found(wanted[key])
    return sorted(rows, key=lambda row: row.pk)


def words(one: Held) -> str:
    """Why somebody cannot be erased now, as a sentence."""
    if one.until is None:
        return one.reason
    from django.utils.formats import date_format

    return _("%(reason)s (until %(day)s)") % {"reason": one.reason, "day": date_format(one.until)}
