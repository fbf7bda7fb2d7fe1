"""What saved views hold about customers: their name, and what they ask for, may name somebody."""

from rondo.foundation.holdings import Impersonal, Swept
from rondo.foundation.registry import registries
from rondo.lists.models import Arrangement, SavedView

registries.swept.add("views", Swept("views", SavedView, ("name", "query")))
registries.impersonal.add(Arrangement._meta.db_table, Impersonal(Arrangement, "the order of views"))
