"""Searches for duplicates, the pairs found, what was decided about them, and the threshold of merging by itself."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rondo.customers.models import Customer, Merge
from rondo.foundation.long_work import LongWork


class Search(LongWork):
    """One search for duplicates among all customers; a job does it. ``results`` is its model and what it looked at (see
    :func:`rondo.duplicates.actions.searching.told`). ``step``, ``done`` and ``total`` tell how far it is."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(status__in=["queued", "running"]), name="duplicates_one_search"
            )
        ]


class Pair(models.Model):
    """Two customers who are probably one, ``left`` the one with the lower key.

    ``agreement`` maps a comparison to [level, bits]; ``prior`` and ``together`` are the bits before anything is
    compared and those taken away because people who live together agree, too; ``weight`` is the sum of all.
    ``left_print`` and ``right_print`` are digests of what was compared: a pair that was told apart is open again when
    they differ (``changed``). ``found``: the last search found it.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        LATER = "later", _("later")
        MERGED = "merged", _("merged")
        DIFFERENT = "different", _("not the same")

    left = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    right = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    probability = models.FloatField()
    weight = models.FloatField()
    prior = models.FloatField()
    together = models.FloatField(default=0.0)
    agreement = models.JSONField(default=dict)
    left_print = models.CharField(max_length=32)
    right_print = models.CharField(max_length=32)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    changed = models.BooleanField(default=False)
    found = models.BooleanField(default=True)
    merge = models.ForeignKey(Merge, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["left", "right"], name="duplicates_pair_once")]
        indexes = [models.Index(fields=["status", "weight", "id"], name="duplicates_in_order")]

    def __str__(self) -> str:
        return f"{self.left_id} = {self.right_id}?"


class Decision(models.Model):
    """What somebody, or the job by itself (``automatic``), decided about a pair, and at which probability it stood.

    Decisions of people are the labels that precision is told from; they outlive a new search.
    """

    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="decisions")
    decided = models.CharField(max_length=9, choices=Pair.Status.choices)
    probability = models.FloatField()
    automatic = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["decided", "probability"], name="duplicates_labels")]


class AutomaticMerging(models.Model):
    """From which probability on pairs are merged without being asked about; the newest row counts, None is never."""

    least = models.FloatField(null=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
