"""The removal of the demo as work of a job."""

from django.db import models
from django.db.models import Q

from rondo.foundation.long_work import LongWork


class Clearing(LongWork):
    """One removal of the whole demo. ``results`` says how many rows of what went."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(status__in=["queued", "running"]), name="demo_one_clearing"
            )
        ]
