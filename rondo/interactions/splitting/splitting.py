"""Split a record that was two customers, and take the split back.

The second customer is made new. Identifiers go to whom they recognise. Contacts and orders are retracted and written
anew for the second customer (:mod:`rondo.interactions.splitting.moving`). Consents stay; but one that was withdrawn is
withdrawn for both, since nobody knows who said so. Taken back, identifiers return to the record that held them, the
contacts stand again as they were written, and the second record points to the first as a merged one does: what came to
it meanwhile shows there.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, locked, one_at_a_time
from rondo.customers.actions.merging import merge_back
from rondo.customers.actions.records import part_off
from rondo.customers.changed import noted
from rondo.customers.consents import standing as consents_standing
from rondo.customers.models import Consent, Customer, Identifier
from rondo.customers.queries import record_ids, survivor_id
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.loads import shown
from rondo.interactions.models import Split
from rondo.interactions.splitting.choosing import Choice, taken
from rondo.interactions.splitting.moving import move, move_back

NAMES = ("name", "given_name", "family_name")


class Undone(NamedTuple):
    """The customer who is one again, and how many identifiers were left since they are elsewhere or gone by now."""

    customer: Customer
    left: int


def split(actor: Actor, ref: CustomerRef, choice: Choice, identifiers: Sequence[int] = (), **name: str) -> Split:
    """Make a second customer of one: ``name`` (:data:`NAMES`) is theirs, ``identifiers`` (keys) and the contacts of
    ``choice`` go to them, with the answers to these. Kind, language, owner and team are as of the first.

    Raises:
        InputError: nothing is chosen, more than a split takes, or what is not the customer's. NotFound: the customer is
        not there, or not the actor's to see.
    """
    actor.require("merge")
    with transaction.atomic():
        one_at_a_time()
        row = locked(actor, ref)
        records = record_ids(row.pk)
        going = taken(records, choice)
        held = _held(records, identifiers)
        if not going.keys and not held:
            raise InputError(_("Nothing is chosen that could go to the new record; choose identifiers or contacts."))
        made = part_off(actor, row, **{key: value for key, value in name.items() if key in NAMES and value.strip()})
        done = Split.objects.create(
            customer=row, made=made, by=actor.user, identifiers=[[one.pk, one.customer_id] for one in held]
        )
        for one in held:
            _give(actor, one, made.pk)
        _withdraw_too(records, made)
        move(actor, done, going.keys, made)
        noted(actor, "customer.split", row.pk, {"other": [None, made.pk], "contacts": [None, len(going.keys)]})
        noted(actor, "customer.split", made.pk, {"other": [None, row.pk], "contacts": [None, len(going.keys)]})
    return done


def take_back_split(actor: Actor, split_id: int) -> Undone:
    """The two are one again, as before the split, with what came to either of them since.

    Raises:
        NotFound: no such split, or one of the two is not the actor's to see. StateError: it was taken back already, or
        the two were merged meanwhile.
    """
    actor.require("merge")
    with transaction.atomic():
        one_at_a_time()
        done = Split.objects.filter(pk=split_id).first()
        if done is None:
            raise NotFound(_("This split is not there; load the page again."))
        one, other = sorted((survivor_id(done.customer_id), survivor_id(done.made_id)))
        rows = {key: locked(actor, key) for key in (one, other)}
        if done.undone_at is not None:
            raise StateError(_("This split has been taken back already; there is nothing to do."))
        first = rows[survivor_id(done.customer_id)]
        if one == other:
            raise StateError(_("The two were merged since; take that merge back first."))
        left = 0
        for key, holder in done.identifiers:
            held = Identifier.objects.filter(pk=key, customer_id__in=record_ids(survivor_id(done.made_id))).first()
            if held is None:
                left += 1
            else:
                _give(actor, held, holder)
        move_back(actor, done)
        merge_back(actor, done.made_id, first, _("split taken back"))
        Split.objects.filter(pk=done.pk).update(undone_at=timezone.now(), undone_by=actor.user)
        for key, second in ((first.pk, done.made_id), (done.made_id, first.pk)):
            noted(actor, "customer.split_back", key, {"other": [second, None]})
    return Undone(Customer.objects.get(pk=first.pk), left)


def _held(records: Sequence[int], keys: Sequence[int]) -> list[Identifier]:
    rows = list(Identifier.objects.filter(shown(), pk__in=keys, customer_id__in=records).order_by("pk"))
    if len(rows) < len(set(keys)):
        raise InputError(_("An identifier that was chosen is not this customer's any more; load the page again."))
    return rows


def _give(actor: Actor, row: Identifier, to: int) -> None:
    before = row.customer_id
    Identifier.objects.filter(pk=row.pk).update(customer_id=to)
    noted(actor, "identifier.removed", before, {row.kind: [row.shown, None]})
    noted(actor, "identifier.added", to, {row.kind: [None, row.shown]})


def _withdraw_too(records: Sequence[int], made: Customer) -> None:
    entries: list[Any] = [one.last for one in consents_standing(records) if one.last.state == Consent.State.WITHDRAWN]
    Consent.objects.bulk_create(
        Consent(
            customer=made,
            channel=one.channel,
            purpose=one.purpose,
            state=one.state,
            at=one.at,
            source=one.source,
            evidence=one.evidence,
            actor=one.actor,
        )
        for one in entries
    )
