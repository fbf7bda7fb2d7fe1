"""The rules in force."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Rule(models.Model):
    """What of a kind (:data:`rondo.retention.kinds.KINDS`) goes ``days`` days after it came about. No row: it stays.

    ``upto``: rows that stay and lose their values have lost them up to this key.
    """

    kind = models.CharField(max_length=20, unique=True)
    days = models.PositiveIntegerField()
    upto = models.BigIntegerField(default=0)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.kind} after {self.days} days"
