"""The panel of a customer's page that tells which records it stands for, with the way to merge and back."""

from typing import Any

from django.db.models import Q

from rondo.customers.models import Merge
from rondo.foundation.models import User
from rondo.foundation.reading import Reading
from rondo.foundation.rights import has_right


def of_customer(viewer: User, reading: Reading) -> dict[str, Any] | None:
    """The standing merges, the last first; None where there are none and the viewer may not merge."""
    records, may = reading.records, has_right(viewer, "merge")
    edges: list[Merge] = []
    if len(records) > 1:
        rows = Merge.objects.filter(Q(loser_id__in=records), undone_at__isnull=True).select_related("loser", "by")
        edges = list(rows.order_by("-pk"))
    return {"edges": edges, "may_merge": may} if edges or may else None
