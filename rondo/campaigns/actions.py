"""What is written of the ledger beside imports: how lines of erased persons were answered."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from rondo.campaigns.models import Exposure
from rondo.campaigns.queries import reaction_count
from rondo.interactions.models import Retraction

_BATCH = 500
RETRACTED = "retracted"
"""Why a line is held back whose contact was taken back, once the contact itself is gone."""


def keep_answers(records: Sequence[int]) -> None:
    """Note on the ledger lines of customer records how often each was answered, before the chain goes; in the erasing
    transaction. A line whose contact was taken back stays out of the figures."""
    lines = Exposure.objects.filter(customer_id__in=records).order_by("pk")
    gone = Exists(Retraction.objects.filter(interaction_id=OuterRef("interaction_id")))
    found = list(lines.annotate(reactions=reaction_count(), taken_back=gone))
    for row in found:
        row.answers = row.reactions
        if row.taken_back:
            row.suppressed = row.suppressed or RETRACTED
    Exposure.objects.bulk_update(found, ["answers", "suppressed"], batch_size=_BATCH)
