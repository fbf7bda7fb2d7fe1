"""What webhooks hold about customers: ids alone; what a receiver answered may name somebody."""

from rondo.foundation.holdings import Impersonal, Swept
from rondo.foundation.registry import registries
from rondo.webhooks.models import Attempt, Delivery, Endpoint, Event

registries.swept.add(
    "webhook answers", Swept("webhook answers", Attempt, ("error", "answer"), emptied={"error": "", "answer": ""})
)
for _model, _why in (
    (Endpoint, "addresses of other systems, and what they are told of"),
    (Event, "keys of records and names of fields, for some days"),
    (Delivery, "public ids and names of fields, for some days"),
):
    registries.impersonal.add(_model._meta.db_table, Impersonal(_model, _why))
