"""Segments, their refreshes (size over time), and the ledger of their members."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rondo.customers.models import AttributeDefinition, Customer


class Segment(models.Model):
    """A set of customers under a key that rules refer to (``in segment KEY``); the key never changes.

    ``rule`` is the JSON form, ``text`` the rule as its author wrote it; both are empty for static segments. ``status``
    says whether the members are those of the last refresh that was asked for; a failed one keeps its old members.
    """

    class Kind(models.TextChoices):
        RULE = "rule", _("by rule")
        STATIC = "static", _("by name")

    class Status(models.TextChoices):
        NEW = "new", _("not computed yet")
        FRESH = "fresh", _("up to date")
        FAILED = "failed", _("failed")

    Form = AttributeDefinition.Form

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.RULE)
    form = models.CharField(max_length=13, choices=AttributeDefinition.Form.choices, blank=True)
    rule = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.NEW)
    error = models.TextField(blank=True)
    refreshed_at = models.DateTimeField(null=True)
    as_of = models.DateField(null=True)
    size = models.BigIntegerField(default=0)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "analysis_segment"

    def __str__(self) -> str:
        return self.name


class Refresh(models.Model):
    """One computation of a segment's members, failed ones among them.

    ``size`` after it, ``entered`` and ``left`` by it; ``value`` of the members together in minor units, null where no
    analysis valued them. ``profile``: what sets the members apart (:mod:`rondo.analysis.segments.profiles`).
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="refreshes")
    at = models.DateTimeField(default=timezone.now)
    as_of = models.DateField()
    run = models.ForeignKey("analysis.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    size = models.BigIntegerField(default=0)
    entered = models.BigIntegerField(default=0)
    left = models.BigIntegerField(default=0)
    value = models.BigIntegerField(null=True)
    profile = models.JSONField(default=list)
    error = models.TextField(blank=True)

    class Meta:
        db_table = "analysis_segment_refresh"
        indexes = [models.Index(fields=["segment", "id"], name="segment_refresh_order")]


class Membership(models.Model):
    """One stay of a customer in a segment. Rows are never deleted; leaving sets ``left_at`` and ``left_by``."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(Refresh, on_delete=models.CASCADE, related_name="+")
    left_at = models.DateTimeField(null=True)
    left_by = models.ForeignKey(Refresh, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "analysis_segment_member"
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], condition=Q(left_at__isnull=True), name="segment_member_once"
            )
        ]
        indexes = [models.Index(fields=["segment", "entered_at"], name="segment_member_entered")]
