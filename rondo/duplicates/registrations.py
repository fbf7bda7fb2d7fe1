"""What duplicates add to the product: a search every night."""

from datetime import time, timedelta

from rondo.foundation.registry import Periodic, registries

registries.periodic.add(
    "duplicates", Periodic("duplicates", "rondo.duplicates.jobs.search_again", timedelta(days=1), time(1, 30))
)
