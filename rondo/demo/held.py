"""What the demo keeps about persons: nothing; its households are customers as others are."""

from rondo.demo.models import Clearing
from rondo.foundation.holdings import Impersonal
from rondo.foundation.registry import registries

registries.impersonal.add(Clearing._meta.db_table, Impersonal(Clearing, "when the demo was cleared, and by whom"))
