"""What reports hold about customers: their names may name somebody; they go to people who work here."""

from rondo.foundation.holdings import Impersonal, Swept
from rondo.foundation.registry import registries
from rondo.reports.models import Recipient, Report, Sending

registries.swept.add("reports", Swept("reports", Report, ("name", "addresses")))
registries.swept.add("sendings", Swept("sendings", Sending, ("error",)))
registries.impersonal.add(Recipient._meta.db_table, Impersonal(Recipient, "who of those who work here gets a report"))
