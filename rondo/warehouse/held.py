"""What the state of the columnar copy holds about customers: nothing."""

from rondo.foundation.holdings import Impersonal
from rondo.foundation.registry import registries
from rondo.warehouse.models import CopyState

registries.impersonal.add(CopyState._meta.db_table, Impersonal(CopyState, "how far the columnar copy is"))
