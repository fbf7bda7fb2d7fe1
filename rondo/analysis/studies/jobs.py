"""Studies as jobs."""

from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def study_job(key: int) -> str:
    """Answer a study; returns how it ended. Safe to run twice."""
    from rondo.analysis.studies.actions import answer_study  # who only asks has no use for the models

    return str(answer_study(key).status)


def enqueue_study(key: int) -> None:
    """Queue the answer to a study."""
    enqueue_after_commit(study_job, key)
