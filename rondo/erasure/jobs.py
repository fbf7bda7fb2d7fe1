"""Erasure as a job."""

from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def erase_job(key: int) -> str:
    """Carry out an erasure; returns how it ended. Safe to run twice: it goes on where it was stopped."""
    from rondo.erasure.actions.doing import carry_out  # who only asks has no use for the columnar copy

    return str(carry_out(key).status)


def enqueue_erasure(key: int) -> None:
    """Queue an erasure."""
    enqueue_after_commit(erase_job, key)
