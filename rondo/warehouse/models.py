"""The state of the columnar copy: how far each Delta table has followed the operational store."""

from django.db import models


class CopyState(models.Model):
    """One row per Delta table. ``watermark`` and ``version`` are written only after the Delta commit stands; a copy that
    died in between is found by comparing ``version`` with the table's own version and the rows are taken once."""

    table = models.CharField(max_length=60, primary_key=True)
    version = models.BigIntegerField(default=-1)
    rows = models.BigIntegerField(default=0)
    watermark = models.JSONField(default=dict)
    refreshed_at = models.DateTimeField(null=True)
