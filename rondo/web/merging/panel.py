"""The panel of a customer's page that tells which records it stands for, with the way to merge and back."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from rondo.customers.models import Merge
from rondo.customers.queries import visible
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared
from rondo.foundation.reading import Reading
from rondo.foundation.rights import has_right
from rondo.interactions.models import Split
from rondo.interactions.splitting.remains import merges_of


@prepared
def _splits(of: Sequence[int], made: Sequence[int]) -> QuerySet[Split]:
    rows = Split.objects.filter(Q(customer_id__in=of) | Q(made_id__in=made), undone_at__isnull=True)
    return rows.select_related("customer", "made", "by").order_by("-pk")


def of_customer(viewer: User, reading: Reading) -> dict[str, Any] | None:
    """The standing merges and splits, the last first; None where there are none and the viewer may not merge."""
    records, may = reading.records, has_right(viewer, "merge")
    edges: list[Merge] = []
    if len(records) > 1:
        edges = list(merges_of(records).select_related("loser", "by"))
    splits = [(one, one.made if one.customer_id in records else one.customer) for one in _splits(records, records)]
    splits = [(one, other) for one, other in splits if visible(viewer).filter(pk=other.pk).exists()]
    return {"edges": edges, "splits": splits, "may_merge": may} if edges or splits or may else None
