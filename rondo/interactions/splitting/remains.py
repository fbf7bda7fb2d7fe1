"""What a split that was taken back leaves: a record without anything of its own, which only points to the customer.

It stays, since the contacts that were written for it and retracted refer to it; but it is no record that anybody merged
or could take apart, and is told of nowhere. One to which something came meanwhile is a merged record like any other.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from rondo.customers.models import Address, AttributeValue, Consent, Identifier, Link, Merge
from rondo.foundation.loads import shown
from rondo.interactions.models import Split
from rondo.interactions.queries import standing


def merges_of(records: list[int]) -> QuerySet[Merge]:
    """The standing merges among the records of one customer, the last first, without what splits left."""
    rows = Merge.objects.filter(loser_id__in=records, undone_at__isnull=True).order_by("-pk")
    return rows.exclude(_left_behind())


def _left_behind() -> Q:
    parted = Exists(Split.objects.filter(made=OuterRef("loser_id"), undone_at__isnull=False))
    # What was withdrawn before the split was withdrawn for both: that alone is nothing that came to it.
    there: Any = Exists(standing().filter(customer=OuterRef("loser_id"))) | Exists(
        Consent.objects.filter(customer=OuterRef("loser_id")).exclude(state=Consent.State.WITHDRAWN)
    )
    for model in (Identifier, Address, AttributeValue):
        there |= Exists(model._default_manager.filter(customer=OuterRef("loser_id")))
    for end in ("subject", "object"):
        there |= Exists(Link.objects.filter(shown(), **{end: OuterRef("loser_id")}))
    there |= Exists(Merge.objects.filter(winner=OuterRef("loser_id"), undone_at__isnull=True))
    return Q(parted) & ~Q(there)
