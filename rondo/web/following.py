"""Pages of what is worked out after an analysis: whether it is on its way, failed, or stands."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django_tasks.base import Task, TaskResultStatus
from django_tasks_db.models import DBTaskResult

from rondo.analysis.buying_stages.jobs import stages_job
from rondo.analysis.leads.jobs import leads_job
from rondo.analysis.models import LeadFound, NextFound, Run, StageFound
from rondo.analysis.next.jobs import next_job

FOLLOWING: dict[str, tuple[type[LeadFound | NextFound | StageFound], "Task[..., Any]"]] = {
    "leads": (LeadFound, leads_job),
    "next": (NextFound, next_job),
    "stages": (StageFound, stages_job),
}
"""What follows an analysis, by the name in addresses: the row that tells of it, and the job that works it out."""


@dataclass(frozen=True)
class FollowUp:
    """What follows the analysis of ``as_of`` and does not stand yet; ``earlier`` is the day of what is shown so far."""

    name: str
    as_of: date
    has_failed: bool
    earlier: date | None


def follow_up(name: str) -> FollowUp | None:
    """The work ``name`` where it waits, runs or failed for the current run; None where it stands or is not to come."""
    found, job = FOLLOWING[name]
    run = Run.objects.filter(is_current=True).values_list("pk", "as_of").first()
    if run is None:
        return None
    key, as_of = run
    known = found._default_manager.values_list("run_id", "as_of").first()
    if known is not None and known[0] == key:
        return None
    last = DBTaskResult.objects.filter(task_path=job.module_path).order_by("-enqueued_at").first()
    if last is None or last.status == TaskResultStatus.SUCCESSFUL:
        return None
    failed = last.status == TaskResultStatus.FAILED
    return FollowUp(name, as_of, failed, known[1] if known is not None else None)
