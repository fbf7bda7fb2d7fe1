"""The analysis as a job, for the button on the page and after imports."""

from datetime import date

from rondo.analysis.actions import run_analysis
from rondo.foundation.actors import Actor
from rondo.foundation.jobs import enqueue_after_commit, task
from rondo.foundation.models import User


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
