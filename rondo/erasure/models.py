"""Erasures, whom they erased as marks, holds against them, and figures that the law keeps without the person."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rondo.customers.models import Customer
from rondo.foundation import ids
from rondo.foundation.long_work import LongWork


class Erasure(LongWork):
    """One erasure, of one person or of many: ``records`` are the keys of their customer records, which hold nothing any
    more once it is done. A job does it, and goes on where it was stopped. ``contacts``: keys of contacts that a split
    left with others when it wrote them anew for these.

    ``results`` says how many rows of which kind went or stayed. ``rows_at``: when the operational store had nothing of
    them any more; ``copied_at``: the columnar copy; ``overwritten_at``: pages of the database file that held them.
    """

    PREFIX: ClassVar[str] = "er"

    class Reason(models.TextChoices):
        ASKED = "asked", _("the person asked for it")
        RETENTION = "retention", _("the time to keep the data is over")
        WRONG = "wrong", _("the data should not have been kept")
        RESTORED = "restored", _("erased before, and back by a backup")

    reason = models.CharField(max_length=10, choices=Reason.choices)
    records = models.JSONField(default=list)
    contacts = models.JSONField(default=list)
    persons = models.PositiveIntegerField(default=1)
    rows_at = models.DateTimeField(null=True)
    copied_at = models.DateTimeField(null=True)
    overwritten_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["status", "id"], name="erasure_status")]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class Erased(models.Model):
    """The ledger: a customer record that was erased, as a mark that nobody reads without the record itself
    (:mod:`rondo.erasure.marks`). It is kept for good, in ``RONDO_HOME`` too."""

    record = models.BigIntegerField(primary_key=True)
    mark = models.CharField(max_length=64, unique=True)
    erasure = models.ForeignKey(Erasure, on_delete=models.PROTECT, related_name="erased")
    at = models.DateTimeField(default=timezone.now)


class Hold(models.Model):
    """Says that a customer is not to be erased for now, and why. ``until``: its last day; None until it is ended."""

    PREFIX: ClassVar[str] = "ho"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200)
    until = models.DateField(null=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.reason

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class KeepRule(models.Model):
    """For how many years figures of a kind are kept of the erased, where an administrator said so."""

    kind = models.CharField(max_length=30, unique=True)
    years = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return self.kind


class KeptFigure(models.Model):
    """A figure that the law asks for, such as one order's number and total, without the person. It goes after
    ``until``."""

    kind = models.CharField(max_length=30)
    day = models.DateField()
    values = models.JSONField(default=dict)
    until = models.DateField(db_index=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.day}"
