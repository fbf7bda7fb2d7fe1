"""The state of the columnar copy: how far each Delta table has followed the operational store."""

from django.db import models


class CopyState(models.Model):
    """One row per Delta table: a cache of what the table's own log says (see :mod:`rondo.warehouse.delta`).

    Written only after the Delta commit stands. It counts while ``version`` is the table's own; a process that died in
    between leaves another one, and the log is read instead.
    """

    table = models.CharField(max_length=60, primary_key=True)
    version = models.BigIntegerField(default=-1)
    rows = models.BigIntegerField(default=0)
    watermark = models.JSONField(default=dict)
    refreshed_at = models.DateTimeField(null=True)
