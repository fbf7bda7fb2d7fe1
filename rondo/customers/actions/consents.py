"""Consents: noting that one was given or withdrawn, and taking an entry back. The ledger is append-only."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, check_fields, locked
from rondo.customers.changed import noted
from rondo.customers.consents import CLOCK_SKEW, ledger, state
from rondo.customers.models import Consent, Customer
from rondo.customers.queries import record_ids
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.installation import zone

_TAKEN_BACK = "taken back"


def note_consent(
    actor: Actor,
    ref: CustomerRef,
    channel: str,
    given: str,
    *,
    purpose: str = Consent.Purpose.MARKETING,
    at: datetime | None = None,
    source: str = "",
    evidence: str = "",
) -> Consent:
    """Add an entry: the customer gave (``given``) or withdrew (``withdrawn``) consent to a channel for a purpose.

    ``at``: when it was said, now unless told otherwise; without an offset it is in the company's zone.

    Raises:
        InputError: no such channel, purpose or state, or a moment that is still to come. NotFound: the customer is not
        there, or not the actor's to see.
    """
    actor.require("edit")
    with transaction.atomic():
        row = locked(actor, ref)
        return attach_consent(actor, row, channel, given, purpose=purpose, at=at, source=source, evidence=evidence)


def attach_consent(
    actor: Actor,
    row: Customer,
    channel: str,
    given: str,
    *,
    purpose: str = Consent.Purpose.MARKETING,
    at: datetime | None = None,
    source: str = "",
    evidence: str = "",
    is_first: bool = False,
) -> Consent:
    """:func:`note_consent` of a customer that the caller has locked, or just made: ``is_first`` of its channel and
    purpose."""
    for value, known in (
        (channel, Consent.Channel.values),
        (purpose, Consent.Purpose.values),
        (given, [Consent.State.GIVEN.value, Consent.State.WITHDRAWN.value]),
    ):
        if value not in known:
            raise InputError(
                _("“%(value)s” is none of %(known)s.") % {"value": str(value)[:40], "known": ", ".join(known)}
            )
    moment = timezone.now() if at is None else timezone.make_aware(at, zone()) if timezone.is_naive(at) else at
    if moment > timezone.now() + CLOCK_SKEW or moment.year < 1900:
        raise InputError(_("Consent is given or withdrawn between 1900 and now; check the day."))
    said = " ".join(source.split()), " ".join(evidence.split())
    return _added(actor, row, channel, purpose, given, moment, *said, is_first=is_first)


def take_back_consent(actor: Actor, ref: CustomerRef, entry_id: int) -> Consent:
    """Undo the last entry about a channel and purpose: another entry says that what held before holds again.

    Raises:
        NotFound: no such entry about this customer. StateError: a later entry holds already.
    """
    actor.require("edit")
    with transaction.atomic():
        row = locked(actor, ref)
        entries = ledger(record_ids(row.pk))
        entry = next((one for one in entries if one.pk == entry_id), None)
        if entry is None:
            raise NotFound(_("This entry about consent is not there."))
        same = [one for one in entries if (one.channel, one.purpose) == (entry.channel, entry.purpose)]
        if same[0].pk != entry.pk:
            raise StateError(_("A later entry about this consent holds already; look at it and enter what is right."))
        before = same[1].state if len(same) > 1 else Consent.State.UNKNOWN
        now = max(timezone.now(), entry.at)
        return _added(actor, row, entry.channel, entry.purpose, before, now, "", _TAKEN_BACK)


def _added(
    actor: Actor,
    row: Customer,
    channel: str,
    purpose: str,
    given: str,
    at: datetime,
    source: str,
    evidence: str,
    *,
    is_first: bool = False,
) -> Consent:
    records = [] if is_first else record_ids(row.pk)
    before = str(Consent.State.UNKNOWN) if is_first else state(records, channel, purpose)
    made = Consent(
        customer=row,
        channel=channel,
        purpose=purpose,
        state=given,
        at=at,
        source=source,
        evidence=evidence,
        actor=actor.user,
        load_id=actor.load_id,
    )
    check_fields(made, {"channel", "purpose", "state", "source", "evidence"})
    made.save(force_insert=True)
    after = given if is_first else state(records, channel, purpose)
    noted(actor, "consent.noted", row.pk, {f"consent.{channel}.{purpose}": [before, after]})
    return made
