"""Refreshing segments as jobs: all of them after an analysis, one when its rule changed or somebody asked."""

from rondo.analysis.segments.models import Segment
from rondo.errors import NotFound
from rondo.foundation.actors import system
from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def refresh_segments_job() -> int:
    """Refresh every segment; returns how many failed. Safe to run twice: the second time nobody enters or leaves."""
    from rondo.analysis.segments.refreshing import refresh_all  # who only queues it has no use for the engine

    return refresh_all()


@task()
def refresh_segment_job(key: str) -> int:
    """Refresh one segment; returns its size, 0 where it was deleted meanwhile."""
    from rondo.analysis.segments.refreshing import refresh_segment

    try:
        return int(refresh_segment(system("job"), key).size)
    except NotFound:
        return 0


def request_refreshes() -> None:
    """Queue the refresh of all segments, where there are any."""
    if Segment.objects.filter(retired_at__isnull=True).exists():
        enqueue_after_commit(refresh_segments_job)


def request_refresh(segment: Segment) -> None:
    """Queue the refresh of one segment."""
    enqueue_after_commit(refresh_segment_job, segment.key)
