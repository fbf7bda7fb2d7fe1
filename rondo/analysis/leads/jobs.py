"""Scores of leads and of interest as a job, after each analysis."""

from rondo.foundation.actors import system
from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def leads_job() -> int:
    """Score leads and interests for the current run; returns its key, 0 before the first. Safe to run twice."""
    from rondo.analysis.leads.actions import work_out_leads  # who only queues it has no use for the models

    found = work_out_leads(system("job"))
    return 0 if found is None else int(found.run_id)


def request_leads() -> None:
    """Queue it."""
    enqueue_after_commit(leads_job)
