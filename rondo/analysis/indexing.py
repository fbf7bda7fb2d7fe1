"""What a run over a large base did not wait for, as a job after it: the old tables go, further indices are built.

Lists of a large base are right without them and slower: a sort by such a fact reads every row until its index is there.
"""

from rondo.analysis.models import Run
from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def index_job(run_id: int) -> int:
    """Drop the tables that the run replaced, then build its indices, if it is still served; returns how many. Safe to
    run twice."""
    from rondo.analysis import scores  # who only queues it has no use for Arrow

    scores.clear()
    return scores.index(run_id)


def request_indices() -> None:
    """Queue it for the current run, where anything is left to build."""
    from rondo.analysis import scores

    run = Run.objects.filter(is_current=True).values_list("pk", flat=True).first()
    if run is not None and scores.unindexed(run):
        enqueue_after_commit(index_job, run)
