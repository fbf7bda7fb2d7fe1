"""What the room `analysis` registers with the floors below: the facts of a customer, and the nightly run."""

from datetime import time, timedelta

from rondo.analysis import definitions, ruled
from rondo.foundation.registry import Periodic, registries

__all__ = ["definitions", "ruled"]

registries.periodic.add("analysis", Periodic("analysis", "rondo.analysis.jobs.nightly", timedelta(days=1), time(2, 10)))
