"""What the pages know of the analysis: the figures a viewer may see, how fresh they are, and a run under way."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as translated
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from rondo.analysis import queries
from rondo.analysis.models import Run
from rondo.analysis.results import Results
from rondo.customers.models import Merge
from rondo.customers.queries import scope_key
from rondo.foundation.models import Load, User
from rondo.foundation.rights import has_right
from rondo.web.following import follow_up
from rondo.web.jobs import analyse_for


@dataclass(frozen=True)
class Figures:
    """The figures of a run that one viewer may see, the day the run looks from, when it ran.

    ``stamp`` separates cached drawings by run and by what the viewer may see; ``is_stale`` says that data came
    in or was taken back, or records were merged, since.
    """

    run: int
    as_of: date
    made_at: datetime
    results: Results
    stamp: str
    is_stale: bool
    viewer: User | None = None

    def part(self, name: str) -> Any:
        """One part of the run (:mod:`rondo.analysis.parts.shapes`); None where the run, being older, has none."""
        return queries.part(self.viewer, self.run, name)

    @property
    def valued(self) -> bool:
        """Whether customers have a value at all: where no model could be fitted, none has, which is not zero."""
        return bool(self.results["value_bins"])

    @property
    def notes(self) -> list[str]:
        """What the run has to say about its data and models, in the viewer's language."""
        return [translated(note) for note in self.results["notes"]]

    @property
    def method(self) -> str:
        """How the value was computed, in the viewer's language; empty where there is none."""
        value = self.results["value"]
        return translated(value["method"]) if value else ""


def figures(viewer: User) -> Figures | None:
    """The figures of the current run that ``viewer`` may see; None before the first analysis."""
    run = queries.current_run()
    results = queries.figures(viewer, run) if run is not None else None
    if run is None or results is None:
        return None
    since = run.started_at
    ended = [Load.Status.VISIBLE, Load.Status.UNDONE]
    stale = (
        Load.objects.filter(finished_at__gt=since, status__in=ended).exists()
        or Merge.objects.filter(Q(at__gt=since) | Q(undone_at__gt=since)).exists()
    )
    return Figures(run.pk, run.as_of, run.started_at, results, f"{run.pk}:{scope_key(viewer)}", stale, viewer)


@dataclass(frozen=True)
class UnderWay:
    """An analysis that waits or runs: since when, and how many seconds the last one took (None: not known)."""

    since: datetime
    is_running: bool
    usual_seconds: int | None

    @property
    def elapsed(self) -> int:
        """Whole seconds since it began."""
        return max(0, int((timezone.now() - self.since).total_seconds()))

    @property
    def seconds_left(self) -> int | None:
        """Seconds it will take by the measure of the last run; None if not known or longer already."""
        left = (self.usual_seconds or 0) - self.elapsed
        return left if self.is_running and left > 0 else None


def under_way() -> UnderWay | None:
    """The analysis that is queued or running, if any."""
    task = (
        DBTaskResult.objects.filter(
            task_path=analyse_for.module_path, status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING]
        )
        .order_by("enqueued_at")
        .first()
    )
    if task is None:
        return None
    done = Run.objects.filter(status=Run.Status.DONE, finished_at__isnull=False).order_by("-id")
    last = done.only("started_at", "finished_at").first()
    usual = int((last.finished_at - last.started_at).total_seconds()) + 1 if last and last.finished_at else None
    return UnderWay(task.started_at or task.enqueued_at, task.started_at is not None, usual)


def last_failure() -> str:
    """Why the latest analysis failed; empty if it did not."""
    last = Run.objects.defer("results", "models_json").order_by("-id").first()
    return last.error if last is not None and last.status == Run.Status.FAILED else ""


def analysis_state(viewer: User, found: Figures | None, after: str = "") -> dict[str, Any]:
    """What the template ``shell/analysis_state.html`` needs on every page of figures: ``found`` itself, whether an
    analysis is under way or failed, and whether the viewer may start one. ``after`` names the work after an analysis
    (:data:`rondo.web.following.FOLLOWING`) that the page shows."""
    return {
        "figures": found,
        "may_analyse": has_right(viewer, "analyse"),
        "under_way": under_way(),
        "failure": last_failure(),
        "follow_up": follow_up(after) if after else None,
    }
