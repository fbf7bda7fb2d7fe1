"""What the pages know of the analysis: the current run, and its figures over what the viewer may see."""

from dataclasses import dataclass
from datetime import date

from rondo.analysis.models import Run
from rondo.analysis.results import Results
from rondo.foundation.models import User


@dataclass(frozen=True)
class Figures:
    """The results of the current run, the day it looks from, and its key."""

    run: int
    as_of: date
    results: Results


def figures(viewer: User) -> Figures | None:
    """The figures of the current run that ``viewer`` may see; None before the first analysis."""
    run = Run.objects.filter(is_current=True).first()
    return None if run is None else Figures(run.pk, run.as_of, run.results)
