"""Holds: a customer is not to be erased for now, with the reason and the last day."""

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, check_fields, locked
from rondo.customers.changed import noted
from rondo.customers.queries import record_ids
from rondo.erasure.models import Hold
from rondo.errors import InputError, NotFound
from rondo.foundation.actors import Actor
from rondo.foundation.installation import business_now


def put_hold(actor: Actor, customer: CustomerRef, reason: str, until: date | None = None) -> Hold:
    """Refuse the erasure of a customer until a day (None: until the hold is ended).

    Raises:
        InputError: no reason, or a day that is over. NotFound: the customer is not there or not the actor's to see.
    """
    actor.require("erase")
    reason = " ".join(reason.split())
    if not reason:
        raise InputError(_("Say why the data are to be kept, such as a case that is open."))
    if until is not None and until < business_now().date():
        raise InputError(_("until = %(day)s is over; give a day to come, or none.") % {"day": until.isoformat()})
    with transaction.atomic():
        row = locked(actor, customer)
        made = Hold(customer=row, reason=reason, until=until, by=actor.user)
        check_fields(made, {"reason"})
        made.save(force_insert=True)
        noted(
            actor,
            "hold.put",
            row.pk,
            {"reason": [None, reason], "until": [None, until.isoformat() if until else None]},
        )
    return made


def end_hold(actor: Actor, customer: CustomerRef, hold_id: int) -> Hold:
    """Let a customer be erased again.

    Raises:
        NotFound: the customer has no such hold that stands.
    """
    actor.require("erase")
    with transaction.atomic():
        row = locked(actor, customer)
        found = Hold.objects.filter(pk=hold_id, customer_id__in=record_ids(row.pk), ended_at=None).first()
        if found is None:
            raise NotFound(_("This hold is not there any more; load the page again."))
        found.ended_at, found.ended_by = timezone.now(), actor.user
        found.save(update_fields=["ended_at", "ended_by"])
        noted(actor, "hold.ended", row.pk, {"reason": [found.reason, None]})
    return found
