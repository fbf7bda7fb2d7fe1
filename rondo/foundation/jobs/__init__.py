"""Jobs: work that leaves after commit, is claimed with a lease, is taken up again when its worker died.

Tasks are django-tasks in the database. A task carries ids, never objects, and is safe to run twice: a worker that died
after its last step and before its report leaves a task that is run again.

    @task()
    def send_campaign(campaign_id: int) -> None: ...

    enqueue_after_commit(send_campaign, campaign.pk)
"""

from typing import Any

from django_tasks import task
from django_tasks.base import Task, TaskResult

__all__ = ["enqueue_after_commit", "task"]


def enqueue_after_commit(job: "Task[..., Any]", *args: Any, **kwargs: Any) -> "TaskResult[Any]":
    """Enqueue ``job`` as part of the transaction in force: no worker sees it before the commit, and a rollback takes
    it back. A crash right after the commit loses nothing, because the task is a row of the same transaction.

    Arguments must be JSON values: ids, not objects.
    """
    return job.enqueue(*args, **kwargs)
