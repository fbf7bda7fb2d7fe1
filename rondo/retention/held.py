"""What retention keeps about persons: nothing."""

from rondo.foundation.holdings import Impersonal
from rondo.foundation.registry import registries
from rondo.retention.models import Rule

registries.impersonal.add(Rule._meta.db_table, Impersonal(Rule, "after how many days what goes"))
