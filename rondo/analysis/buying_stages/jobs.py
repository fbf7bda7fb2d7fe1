"""Buying stages as a job, after each analysis."""

from rondo.foundation.actors import system
from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def stages_job() -> int:
    """Work out the buying stages for the current run; returns its key, 0 before the first. Safe to run twice."""
    from rondo.analysis.buying_stages.actions import work_out_stages  # who only queues it has no use for the engine

    found = work_out_stages(system("job"))
    return 0 if found is None else int(found.run_id)


def request_stages() -> None:
    """Queue it."""
    enqueue_after_commit(stages_job)
