"""What retention registers: its nightly job."""

from datetime import time, timedelta

from rondo.foundation.registry import Periodic, registries
from rondo.retention import held

__all__ = ["held"]

registries.periodic.add(
    "retention", Periodic("retention", "rondo.retention.actions.carrying.every_night", timedelta(days=1), time(3, 20))
)
