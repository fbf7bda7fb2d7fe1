"""What webhooks add to the product: they follow the audit log and the segments, and have a thread in every worker."""

from datetime import time, timedelta

from rondo.foundation.registry import Companion, Periodic, registries
from rondo.webhooks import held
from rondo.webhooks.deliveries import stop_restored
from rondo.webhooks.outbox import note_entries, note_refresh

__all__ = ["held"]

registries.noted.add("webhooks", note_entries)
registries.noted.add("webhooks after a restore", stop_restored)
registries.members_moved.add("webhooks", note_refresh)
registries.companions.add("webhooks", Companion("webhooks", "rondo.webhooks.courier.run"))
registries.periodic.add(
    "webhooks", Periodic("webhooks", "rondo.webhooks.deliveries.tidy", timedelta(days=1), time(3, 50))
)
