"""Periodic work of the analysis."""

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Run
from rondo.foundation.actors import Actor
from rondo.foundation.audit import changed_since
from rondo.interactions.queries import standing


def nightly(actor: Actor) -> Run | None:
    """Analyse if there are purchases and anything may have changed since the last run; else None."""
    last = Run.objects.filter(status=Run.Status.DONE).order_by("-started_at").first()
    if last is not None and not changed_since(last.started_at, apart_from=["run"]):
        return None
    if not standing().filter(kind="purchase").exists():
        return None
    return run_analysis(actor)
