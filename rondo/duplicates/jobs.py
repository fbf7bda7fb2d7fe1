"""The search for duplicates as a job: when somebody asks, and every night once somebody has."""

from rondo.foundation.actors import Actor
from rondo.foundation.jobs import enqueue_after_commit, task


@task()
def search_job(key: int) -> str:
    """Do a search; returns how it ended. Safe to run twice: it begins anew, and the same data give the same pairs."""
    from rondo.duplicates.actions.searching import do_search  # who only asks has no use for the engine

    return str(do_search(key).status)


def enqueue_search(key: int) -> None:
    """Queue a search."""
    enqueue_after_commit(search_job, key)


def search_again(actor: Actor) -> None:
    """The nightly search: where there was one before, and something has changed since."""
    from rondo.duplicates.actions.asking import request_search
    from rondo.duplicates.models import Search
    from rondo.foundation.audit import changed_since

    last = Search.objects.filter(status=Search.Status.DONE).order_by("-pk").first()
    if last is not None and changed_since(last.started_at or last.created_at, apart_from=("search", "duplicate")):
        request_search(actor)
