"""Jobs of the pages: an analysis that somebody asked for, and the drawings of a new one."""

from rondo.foundation.actors import Actor
from rondo.foundation.jobs import enqueue_after_commit, task
from rondo.foundation.models import User


@task()
def analyse_for(user_id: int) -> int:
    """Run the analysis for a user; returns the key of the run. Safe to run twice: the second run finds the same."""
    from rondo.analysis.actions import run_analysis  # the page that asks for it has no use for the models

    return int(run_analysis(Actor(User.objects.get(pk=user_id), "job")).pk)


def request_analysis(user: User) -> None:
    """Queue an analysis; raises PermissionRefused where the user may not analyse."""
    Actor(user, "web").require("analyse")
    enqueue_after_commit(analyse_for, user.pk)


@task()
def draw_charts() -> int:
    """Draw the charts of the current run; returns how many. Safe to run twice: what is drawn already is found."""
    from rondo.web.drawing import draw_ahead

    return draw_ahead()


def request_charts() -> None:
    """Queue the drawings of a run that has just ended, so that nobody waits for them on a page."""
    enqueue_after_commit(draw_charts)
