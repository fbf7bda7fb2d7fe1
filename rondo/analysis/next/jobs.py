"""What comes next as a job, after each analysis."""

from rondo.foundation.actors import system
from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def next_job() -> int:
    """Work out what comes next for the current run; returns its key, 0 before the first. Safe to run twice."""
    from rondo.analysis.next.actions import work_out_next  # who only queues it has no use for the models

    found = work_out_next(system("job"))
    return 0 if found is None else int(found.run_id)


def request_next() -> None:
    """Queue it."""
    enqueue_after_commit(next_job)
