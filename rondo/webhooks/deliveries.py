"""What becomes of events: messages are made of them, claimed under a lease, sent, tried again, and given up.

The steps are conditional updates, so that of several workers one makes each message and one at a time sends it. What a
worker leaves that died is taken up when its lease has ended: a message arrives at least once.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry
from rondo.foundation.rights import has_right
from rondo.webhooks import signing
from rondo.webhooks.messages import message
from rondo.webhooks.models import Attempt, Delivery, Endpoint, Event
from rondo.webhooks.sending import Answer

RETRIES = tuple(timedelta(seconds=s) for s in (5, 60, 300, 1800, 7200, 14400, 28800, 28800))
"""Pauses before a message is sent again, together a day; each up to a fifth longer, by chance, so that many that failed
together do not come back together. After the last one it is given up."""
JITTER = 0.2
LONGEST_WAIT = timedelta(hours=8)
"""A receiver that asks for more time (Retry-After) gets at most so much."""
PAUSED_AFTER = timedelta(hours=22)
"""A webhook that took nothing for so long is paused, and says so: by the last attempt of what failed first."""
LEASE = timedelta(seconds=60)
"""How long a worker may take for one message, several times what an attempt lasts; then it counts as dead."""
AT_ONCE = 4
"""Messages under way to one webhook at a time; one, while it fails."""
_EVENTS = 100
GONE = 410

Status = Delivery.Status
State = Endpoint.State
WHY_GONE = gettext_noop("It answered 410: this address is gone for good.")
WHY_RESTORED = gettext_noop(
    "This installation was restored from a backup; let it go on where it takes the place of the one before."
)
WHY_FAILING = gettext_noop("It took nothing for almost a day.")


def plan(limit: int = _EVENTS) -> int:
    """Make the messages of events that wait; returns of how many events. Safe to run twice, and by two at once."""
    events = list(Event.objects.filter(pending=True).order_by("id")[:limit])
    if not events:
        return 0
    endpoints = list(Endpoint.objects.filter(state=State.ACTIVE, deleted_at=None).select_related("owner__role"))
    told = {
        event.pk: [
            Delivery(endpoint=one, event=event, body=made)
            for one in endpoints
            if event.kind in one.kinds and (made := _made(one, event))
        ]
        for event in events
    }
    with transaction.atomic():  # short: all that is read and made was before
        won = [key for key in told if Event.objects.filter(pk=key, pending=True).update(pending=False)]
        Delivery.objects.bulk_create([row for key in won for row in told[key]], ignore_conflicts=True)
    return len(events)


def _made(endpoint: Endpoint, event: Event) -> str | None:
    return message(endpoint.owner, event) if has_right(endpoint.owner, "integrate") else None


def claim(limit: int, now: datetime | None = None) -> list[Delivery]:
    """Messages that are due, claimed for :data:`LEASE`, at most ``limit``; what a dead worker left is among them."""
    now = now or timezone.now()
    active = list(Endpoint.objects.filter(state=State.ACTIVE, deleted_at=None).values_list("pk", "failures"))
    random.shuffle(active)  # none comes first for ever
    ready = Q(status=Status.WAITING) | Q(status=Status.SENDING, lease_until__lt=now)
    won: list[int] = []
    for endpoint, failures in active:
        open_rows = Delivery.objects.filter(endpoint=endpoint, status__in=[Status.WAITING, Status.SENDING])
        going = open_rows.filter(status=Status.SENDING, lease_until__gte=now).count()
        room = min((1 if failures else AT_ONCE) - going, limit - len(won))
        if room <= 0:
            continue
        due = open_rows.filter(ready, due_at__lte=now).order_by("due_at", "id")
        for key, claims in list(due.values_list("pk", "claims")[:room]):
            same = Delivery.objects.filter(ready, pk=key, claims=claims)
            if same.update(status=Status.SENDING, lease_until=now + LEASE, claims=claims + 1):
                won.append(key)
    if not won:
        return []
    rows = Delivery.objects.select_related("endpoint__owner__role", "event").filter(pk__in=won)
    return list(rows.order_by("due_at", "id"))


@dataclass(frozen=True)
class Letter:
    """What goes over the wire: nothing of it is read from the database any more."""

    url: str
    headers: dict[str, str]
    body: bytes


def letter(row: Delivery, now: datetime | None = None) -> Letter | str:
    """The claimed message as it is sent, signed at this moment; or why it is not sent."""
    endpoint = row.endpoint
    if not has_right(endpoint.owner, "integrate"):
        return _("%(owner)s may no longer set up webhooks.") % {"owner": endpoint.owner}
    if signing.mark(endpoint.salt) != endpoint.key_mark:
        return _("The installation's key (RONDO_SECRET_KEY) is another one; make a new secret.")
    body = row.body.encode()
    headers = {"content-type": "application/json", "user-agent": "Rondo-Webhooks/1"}
    signed = signing.headers(endpoint, row.event.public_id, now or timezone.now(), body)
    return Letter(endpoint.url, headers | signed, body)


def settle(row: Delivery, answer: Answer, now: datetime | None = None) -> None:
    """Write what came of an attempt, unless another worker has taken the message up meanwhile."""
    now = now or timezone.now()
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update(of=("self",)).get(pk=row.endpoint_id)
        if not Delivery.objects.select_for_update(of=("self",)).filter(pk=row.pk):
            return  # the log is not kept so long
        Attempt.objects.create(
            delivery=row,
            at=now,
            milliseconds=answer.milliseconds,
            status_code=answer.status,
            error=answer.error[:300],
            answer=answer.text,
        )
        mine = Delivery.objects.filter(pk=row.pk, status=Status.SENDING, claims=row.claims)
        attempts = row.attempts + 1
        if answer.delivered:
            if mine.update(status=Status.DELIVERED, attempts=attempts, lease_until=None, ended_at=now):
                endpoint.failing_since, endpoint.failures, endpoint.delivered_at = None, 0, now
                endpoint.save(update_fields=["failing_since", "failures", "delivered_at"])
            return
        over = attempts > len(RETRIES)
        if over:
            fields = {"status": Status.GIVEN_UP, "ended_at": now}
        else:
            fields = {"status": Status.WAITING, "due_at": now + pause(attempts, answer.retry_after)}
        if mine.update(attempts=attempts, lease_until=None, **fields):
            _failed(endpoint, answer, now)


def pause(attempts: int, asked: int | None = None) -> timedelta:
    """How long a message waits that was tried ``attempts`` times, longer where the receiver asks for it."""
    wait = RETRIES[attempts - 1] * (1 + random.random() * JITTER)
    return max(wait, min(timedelta(seconds=asked or 0), LONGEST_WAIT))


def _failed(endpoint: Endpoint, answer: Answer, now: datetime) -> None:
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.failures += 1
    endpoint.save(update_fields=["failing_since", "failures"])
    if endpoint.state != State.ACTIVE:
        return
    if answer.status == GONE:
        stop(endpoint, WHY_GONE, now)
    elif now - endpoint.failing_since >= PAUSED_AFTER:
        stop(endpoint, WHY_FAILING, now)


def stop(endpoint: Endpoint, why: str, now: datetime) -> None:
    """Pause a webhook that cannot go on; inside a transaction."""
    endpoint.state, endpoint.why, endpoint.state_at = State.FAILED, why, now
    endpoint.save(update_fields=["state", "why", "state_at"])
    audit.record(system("job"), "webhook.stopped", "webhook", endpoint.pk, {"reason": [None, why]})


def stop_restored(entries: Sequence[AuditEntry]) -> None:
    """Pause all webhooks of an installation that was made from a backup: it may stand beside the one it is a copy of,
    and would tell the same systems other things."""
    if any(entry.verb == "backup.restored" for entry in entries):
        for endpoint in Endpoint.objects.filter(state=State.ACTIVE, deleted_at=None):
            stop(endpoint, WHY_RESTORED, timezone.now())


def postpone(rows: Sequence[Delivery]) -> None:
    """Put claimed messages back that were not sent (the worker is being stopped); it counts as no attempt."""
    for row in rows:
        mine = Delivery.objects.filter(pk=row.pk, status=Status.SENDING, claims=row.claims)
        mine.update(status=Status.WAITING, lease_until=None)


def tidy(actor: Actor) -> dict[str, int]:
    """Remove events and messages older than the log is kept (RONDO_WEBHOOK_LOG_DAYS), in short transactions; what
    waits for a paused webhook so long goes, too. Returns how many rows of what."""
    now = timezone.now()
    before = now - timedelta(days=settings.RONDO_WEBHOOK_LOG_DAYS)
    gone = {"deliveries": 0, "events": 0}
    for name, rows in (
        (
            "deliveries",
            Delivery.objects.filter(made_at__lt=before).exclude(status=Status.SENDING, lease_until__gte=now),
        ),
        ("events", Event.objects.filter(at__lt=before, pending=False, deliveries=None)),
    ):
        while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:1000]):
            rows.model._default_manager.filter(pk__in=keys).delete()
            gone[name] += len(keys)
    return gone
