"""What the ground floor itself registers."""

from datetime import time, timedelta

from rondo.foundation.registry import Periodic, registries

registries.periodic.add(
    "tidy", Periodic("tidy", "rondo.foundation.jobs.housekeeping.tidy", timedelta(days=1), time(3, 40))
)
