"""The verbs of webhooks: set up, change, pause, go on, new secret, test, send again, delete."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo import outside
from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import User
from rondo.foundation.rights import has_right
from rondo.webhooks import queries, signing
from rondo.webhooks.kinds import KINDS, PING
from rondo.webhooks.messages import message
from rondo.webhooks.models import Delivery, Endpoint, Event

OVERLAP = timedelta(hours=24)
"""How long the secret before is good beside a new one."""
UNUSED = timedelta(minutes=10)
"""A secret that another one replaces so shortly after is held to be in nobody's hands yet."""
MOST = 100
"""Webhooks that an installation has at most."""
MOST_REPLAYED = 10_000
RIGHT = "integrate"

Ref = str | int
State = Endpoint.State


def create_webhook(
    actor: Actor, *, name: str, url: str, kinds: Iterable[str], owner: User | None = None
) -> tuple[Endpoint, str]:
    """Set up a webhook; returns it with its secret, which is shown this once.

    It is told what ``owner`` sees, who is the actor unless an administrator says otherwise.

    Raises:
        InputError: an address that cannot be used, no kind, a kind that is none, or an owner who may not have one.
        StateError: there are :data:`MOST` of them.
    """
    actor.require(RIGHT)
    holder = _owner(actor, owner)
    fields = _checked(name=name, url=url, kinds=kinds)
    salt = signing.new_salt()
    with transaction.atomic():
        if Endpoint.objects.filter(deleted_at=None).count() >= MOST:
            raise StateError(_("There are %(most)d webhooks already; delete one of them first.") % {"most": MOST})
        row = Endpoint.objects.create(owner=holder, salt=salt, key_mark=signing.mark(salt), **fields)
        told = {name: [None, value] for name, value in fields.items()} | {"owner": [None, holder.pk]}
        audit.record(actor, "webhook.created", "webhook", row.pk, told)
    return row, signing.secret_of(salt)


def change_webhook(actor: Actor, ref: Ref, **fields: Any) -> Endpoint:
    """Set ``name``, ``url``, ``kinds`` or ``owner`` of a webhook.

    Raises:
        NotFound: no such webhook, or somebody else's. InputError: as :func:`create_webhook` has it.
    """
    actor.require(RIGHT)
    with transaction.atomic():
        row = _locked(actor, ref)
        wanted = _checked(**{name: value for name, value in fields.items() if name != "owner"})
        told = {name: [getattr(row, name), value] for name, value in wanted.items() if getattr(row, name) != value}
        if fields.get("owner") is not None and fields["owner"].pk != row.owner_id:
            holder = _owner(actor, fields["owner"])
            told["owner"] = [row.owner_id, holder.pk]
            wanted["owner"] = holder
        if told:
            for name, value in wanted.items():
                setattr(row, name, value)
            row.save(update_fields=list(wanted))
            audit.record(actor, "webhook.changed", "webhook", row.pk, told)
    return row


def pause_webhook(actor: Actor, ref: Ref) -> Endpoint:
    """Send nothing for a while; a second time changes nothing. What waits stays, what happens meanwhile can be sent
    afterwards (:func:`replay_span`)."""
    return _state(actor, ref, State.PAUSED, "webhook.paused")


def resume_webhook(actor: Actor, ref: Ref) -> Endpoint:
    """Send again, what waits at once."""
    return _state(actor, ref, State.ACTIVE, "webhook.resumed")


def rotate_secret(actor: Actor, ref: Ref) -> tuple[Endpoint, str]:
    """Make a new secret, shown this once; for :data:`OVERLAP` messages are signed with both.

    One that is made within :data:`UNUSED` of the one before (a second click, a secret that nobody copied) takes that
    one's place: the receiver still has the secret before both, which stays good as long as it was to.
    """
    actor.require(RIGHT)
    with transaction.atomic():
        row = _locked(actor, ref)
        good, now = signing.mark(row.salt) == row.key_mark, timezone.now()
        salt = signing.new_salt()
        if not (good and row.former_until is not None and row.former_until > now + OVERLAP - UNUSED):
            row.former_salt = row.salt if good else ""
            row.former_until = now + OVERLAP if good else None
        row.salt, row.key_mark = salt, signing.mark(salt)
        row.save(update_fields=["salt", "former_salt", "former_until", "key_mark"])
        audit.record(actor, "webhook.secret_made", "webhook", row.pk, {})
    return row, signing.secret_of(salt)


def end_former_secret(actor: Actor, ref: Ref) -> Endpoint:
    """Sign with the new secret alone from now on; where the former one got out, say."""
    actor.require(RIGHT)
    with transaction.atomic():
        row = _locked(actor, ref)
        if row.former_salt:
            row.former_salt, row.former_until = "", None
            row.save(update_fields=["former_salt", "former_until"])
            audit.record(actor, "webhook.secret_ended", "webhook", row.pk, {})
    return row


def delete_webhook(actor: Actor, ref: Ref) -> Endpoint:
    """Take a webhook away; :func:`restore_webhook` undoes it."""
    actor.require(RIGHT)
    with transaction.atomic():
        row = _locked(actor, ref)
        row.deleted_at = timezone.now()
        row.save(update_fields=["deleted_at"])
        audit.record(actor, "webhook.deleted", "webhook", row.pk, {"name": [row.name, None]})
    return row


def restore_webhook(actor: Actor, ref: Ref) -> Endpoint:
    """Undo a deletion; a second time changes nothing."""
    actor.require(RIGHT)
    with transaction.atomic():
        row = _locked(actor, ref, deleted=True)
        if row.deleted_at is not None:
            row.deleted_at = None
            row.save(update_fields=["deleted_at"])
            audit.record(actor, "webhook.restored", "webhook", row.pk, {"name": [None, row.name]})
    return row


def ping(actor: Actor, ref: Ref) -> Delivery:
    """Send a message that says nothing, to see whether it arrives.

    Raises:
        NotFound: as ever. StateError: the webhook is paused.
    """
    actor.require(RIGHT)
    with transaction.atomic():
        row = _locked(actor, ref)
        _active(row)
        event = Event.objects.create(kind=PING, pending=False, facts={"sent_by": str(actor.user or "")})
        body = message(row.owner, event)
        assert body is not None
        return Delivery.objects.create(endpoint=row, event=event, body=body)


def replay(actor: Actor, public_id: str) -> Delivery:
    """Send one message again, under the same id, by which the receiver knows it.

    Raises:
        NotFound: no such message, or none of the actor's. StateError: it is under way, or its webhook is paused.
    """
    actor.require(RIGHT)
    with transaction.atomic():
        found = queries.delivery_of(actor.user, public_id)
        _active(found.endpoint)
        row = Delivery.objects.select_for_update(of=("self",)).get(pk=found.pk)
        if row.status == Delivery.Status.SENDING:
            raise StateError(_("This message is under way just now; wait for what comes of it."))
        _again(Delivery.objects.filter(pk=row.pk))
        told = {"message": [None, found.event.public_id]}
        audit.record(actor, "webhook.replayed", "webhook", found.endpoint_id, told)
    row.refresh_from_db()
    return row


def replay_span(actor: Actor, ref: Ref, since: datetime, until: datetime, *, only_failed: bool = True) -> int:
    """Send again what happened from ``since`` to ``until`` (exclusive); returns how many messages wait for it.

    ``only_failed`` leaves out what was delivered. What happened while the webhook was paused is among it, as far as the
    log reaches; at most :data:`MOST_REPLAYED` a call.

    Raises:
        InputError: the span is empty, or holds more. NotFound, StateError: as :func:`ping` has it.
    """
    actor.require(RIGHT)
    if since >= until:
        raise InputError(_("The span ends before it begins; check both moments."))
    with transaction.atomic():
        row = _locked(actor, ref)
        _active(row)
        events = Event.objects.filter(at__gte=since, at__lt=until, kind__in=row.kinds, pending=False)
        kept = Delivery.objects.filter(endpoint=row, event__in=events.values("pk"))
        again = kept.exclude(status=Delivery.Status.SENDING)
        if only_failed:
            again = again.exclude(status=Delivery.Status.DELIVERED)
        missed = events.exclude(pk__in=kept.values("event_id")).order_by("pk")
        total = again.count() + missed.count()
        if total > MOST_REPLAYED:
            raise InputError(
                _("The span holds %(count)d messages; at most %(most)d are sent again at once. Shorten it.")
                % {"count": total, "most": MOST_REPLAYED}
            )
        made = [Delivery(endpoint=row, event=one, body=body) for one in missed if (body := message(row.owner, one))]
        count = _again(again) + len(made)  # before there are more of them
        Delivery.objects.bulk_create(made, batch_size=500)
        told: dict[str, list[Any]] = {
            "since": [None, since.isoformat()],
            "until": [None, until.isoformat()],
            "count": [None, count],
        }
        audit.record(actor, "webhook.replayed", "webhook", row.pk, told)
    return count


def _again(rows: Any) -> int:
    return int(rows.update(status="waiting", due_at=timezone.now(), attempts=0, lease_until=None, ended_at=None))


def _state(actor: Actor, ref: Ref, state: str, verb: str) -> Endpoint:
    actor.require(RIGHT)
    with transaction.atomic():
        row = _locked(actor, ref)
        if row.state != state:
            before, now = row.state, timezone.now()
            row.state, row.why, row.state_at, row.failing_since, row.failures = state, "", now, None, 0
            row.save(update_fields=["state", "why", "state_at", "failing_since", "failures"])
            audit.record(actor, verb, "webhook", row.pk, {"state": [before, state]})
    return row


def _locked(actor: Actor, ref: Ref, *, deleted: bool = False) -> Endpoint:
    found = queries.get_visible(actor.user, ref, deleted=deleted)
    return Endpoint.objects.select_for_update(of=("self",)).select_related("owner__role").get(pk=found.pk)


def _active(row: Endpoint) -> None:
    if row.state != State.ACTIVE:
        raise StateError(_("“%(name)s” is paused; let it go on first.") % {"name": row.name})


def _owner(actor: Actor, owner: User | None) -> User:
    """Whose rights the messages go by; somebody else's only where the actor may administer, who sees all."""
    holder = owner or actor.user
    if holder is None:
        raise InputError(_("A webhook belongs to a user, whose rights say what it is told; name one."))
    if actor.user is not None and holder.pk != actor.user.pk:
        actor.require("administer")
    if not has_right(User.objects.get(pk=holder.pk), RIGHT):
        raise InputError(_("%(user)s may not set up webhooks; choose somebody who may.") % {"user": holder})
    return holder


def _checked(**fields: Any) -> dict[str, Any]:
    """Given fields in the form that they are kept in."""
    made: dict[str, Any] = {}
    if "name" in fields:
        made["name"] = " ".join(str(fields["name"]).split())
        if not 1 <= len(made["name"]) <= 120 or "\x00" in made["name"]:
            raise InputError(_("name: 1 to 120 characters are needed."))
    if "url" in fields:
        made["url"] = str(fields["url"]).strip()
        outside.target(made["url"], settings.RONDO_WEBHOOK_NETWORKS)
    if "kinds" in fields:
        wanted = set(fields["kinds"])
        if unknown := sorted(wanted - set(KINDS)):
            raise InputError(
                _("%(kind)r is no kind of event; there are: %(known)s.")
                % {"kind": unknown[0][:60], "known": ", ".join(KINDS)}
            )
        made["kinds"] = [key for key in KINDS if key in wanted]
        if not made["kinds"]:
            raise InputError(_("kinds: at least one of %(known)s is needed.") % {"known": ", ".join(KINDS)})
    return made
