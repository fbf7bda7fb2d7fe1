"""What the room `analysis` registers with the floors below: the facts of a customer, and the nightly run."""

from datetime import time, timedelta

from rondo.analysis import definitions, ruled
from rondo.analysis.segments.jobs import request_refreshes
from rondo.foundation.registry import Periodic, registries

__all__ = ["definitions", "ruled"]

registries.periodic.add("analysis", Periodic("analysis", "rondo.analysis.jobs.nightly", timedelta(days=1), time(2, 10)))
registries.after_analysis.add("segments", request_refreshes)
