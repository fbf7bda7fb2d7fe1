"""Throws away every figure, when what they were worked out from has gone as a whole."""

from django.db.models import Count, Q

from rondo.analysis.models import (
    History,
    InterestOf,
    LeadFound,
    LeadOf,
    NextFound,
    NextOf,
    Refresh,
    Run,
    Score,
    Segment,
    StageFound,
    StageOf,
    Study,
)
from rondo.foundation.removal import remove_rows

_WORKED_OUT = (Score, History, NextOf, NextFound, LeadOf, InterestOf, LeadFound, StageOf, StageFound, Run)


def forget_figures() -> None:
    """Delete runs with what follows them, studies, and the sizes of segments over time; inside a transaction of the
    caller, who holds the lock of the analysis.

    Definitions stay: segments (those by rule are to be worked out anew, those by name keep the members that are left),
    thresholds, pinned models.
    """
    remove_rows(Study.objects.exclude(status__in=[Study.Status.QUEUED, Study.Status.RUNNING]))
    remove_rows(Refresh.objects.filter(segment__kind=Segment.Kind.RULE))
    for model in _WORKED_OUT:
        remove_rows(model._default_manager.all())
    Segment.objects.filter(kind=Segment.Kind.RULE).update(
        status=Segment.Status.NEW, size=0, refreshed_at=None, as_of=None, error=""
    )
    standing = Count("memberships", filter=Q(memberships__left_at__isnull=True))
    for segment in Segment.objects.filter(kind=Segment.Kind.STATIC).annotate(left=standing):
        Segment.objects.filter(pk=segment.pk).update(size=segment.left)
