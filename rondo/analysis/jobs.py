"""The analysis as a job: on request of a person, and by night when something has changed."""

from datetime import date

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Run
from rondo.foundation.actors import Actor
from rondo.foundation.audit import changed_since
from rondo.foundation.jobs import enqueue_after_commit, task
from rondo.foundation.models import User
from rondo.interactions.queries import standing


@task()
def analyse_job(user_id: int | None = None, as_of: str = "") -> int:
    """Run the analysis for a user (None: the system); ``as_of`` as 2017-12-31, empty for the last day with an order.

    Returns the key of the run. Safe to run twice: the second run finds the same.
    """
    user = None if user_id is None else User.objects.get(pk=user_id)
    return int(run_analysis(Actor(user, "job"), date.fromisoformat(as_of) if as_of else None).pk)


def request_analysis(actor: Actor) -> None:
    """Queue an analysis; raises PermissionRefused where the actor may not analyse."""
    actor.require("analyse")
    enqueue_after_commit(analyse_job, actor.user.pk if actor.user else None)


def nightly(actor: Actor) -> Run | None:
    """Analyse if there are purchases and anything may have changed since the last run; else None."""
    last = Run.objects.filter(status=Run.Status.DONE).order_by("-started_at").first()
    if last is not None and not changed_since(last.started_at, apart_from=["run", "study", "user"]):
        return None
    if not standing().filter(kind="purchase").exists():
        return None
    return run_analysis(actor)
