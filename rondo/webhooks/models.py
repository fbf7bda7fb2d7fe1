"""Webhooks, the events that are told of, their messages, and what became of each attempt to deliver one."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rondo.foundation import ids
from rondo.foundation.models import User


class Endpoint(models.Model):
    """A webhook: an address of another system, and the kinds of events it is told of. It is told what ``owner`` sees.

    ``salt`` and ``former_salt`` (good until ``former_until``) are what secrets are made of together with the
    installation's key; ``key_mark`` tells whether that key is still the one that the secret was shown for.
    ``failing_since``: the first failure after the last success, and ``failures`` in a row since.
    """

    PREFIX: ClassVar[str] = "wh"

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        FAILED = "failed", _("paused after failures")

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    url = models.CharField(max_length=1000)
    kinds = models.JSONField(default=list)
    state = models.CharField(max_length=6, choices=State.choices, default=State.ACTIVE)
    why = models.CharField(max_length=300, blank=True)
    state_at = models.DateTimeField(default=timezone.now)
    salt = models.CharField(max_length=64)
    former_salt = models.CharField(max_length=64, blank=True)
    former_until = models.DateTimeField(null=True)
    key_mark = models.CharField(max_length=16)
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class Event(models.Model):
    """Something that happened, written in the transaction in which it did. ``facts`` are keys of records and names of
    fields, no values: what a webhook is told is made of them by what its owner sees. ``pending``: the messages are
    still to be made.
    """

    PREFIX: ClassVar[str] = "ev"

    kind = models.CharField(max_length=40)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    facts = models.JSONField(default=dict)
    pending = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(pending=True), name="webhook_event_pending")]

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class Delivery(models.Model):
    """One event's message to one webhook; the same one for every attempt, and there is never a second.

    Waiting, then *under way* under a lease, then delivered, or waiting again until it is given up. A worker that dies
    on the way leaves a lease that ends, and the message is sent again: at least once.
    """

    PREFIX: ClassVar[str] = "de"

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("under way")
        DELIVERED = "ok", _("delivered")
        GIVEN_UP = "failed", _("given up")

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    body = models.TextField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    made_at = models.DateTimeField(default=timezone.now, db_index=True)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    claims = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "event"], name="webhook_message_once")]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at"],
                condition=Q(status__in=["waiting", "sending"]),
                name="webhook_delivery_due",
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
        ]

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class Attempt(models.Model):
    """One try to deliver: how long it took, what came back (a bounded excerpt), or why nothing did."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField(default=timezone.now)
    milliseconds = models.PositiveIntegerField(default=0)
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    answer = models.TextField(blank=True)
