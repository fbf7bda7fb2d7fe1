"""The removal of the demo as a job, and the analysis of what is left."""

from rondo.foundation.actors import system
from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def clear_job(key: int) -> str:
    """Do a removal; returns how it ended. Safe to run twice: it goes on with what is still there."""
    from rondo.demo.actions.clearing import clear_demo

    return str(clear_demo(key).status)


@task()
def analyse_job() -> int:
    """Analyse what was there beside the demo; returns the key of the run."""
    from rondo.analysis.actions import run_analysis  # who only asks has no use for the models

    return int(run_analysis(system("job")).pk)


def enqueue_clearing(key: int) -> None:
    """Queue a removal."""
    enqueue_after_commit(clear_job, key)


def enqueue_analysis() -> None:
    """Queue the analysis."""
    enqueue_after_commit(analyse_job)
