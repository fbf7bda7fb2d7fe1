"""What answers a study: the type of its function, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from django.utils.translation import gettext as _

from rondo.analysis.models import Run
from rondo.analysis.queries import current_run
from rondo.analysis.studies.models import Study
from rondo.errors import InputError, StateError

Report = Callable[[str, int, int], None]
"""Told of progress: the step, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Found:
    """One customer of the answer, see :class:`~rondo.analysis.studies.models.StudyCustomer`."""

    customer: int
    place: int
    score: float
    other: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The answer: results for the pages (JSON), what they were made with and from, and the customers found."""

    results: dict[str, Any]
    config: dict[str, Any]
    fingerprint: str
    run: Run
    as_of: date
    customers: list[Found] = field(default_factory=list)


Answer: TypeAlias = Callable[[Study, Report], Outcome]


def day_of(study: Study, run: Run) -> date:
    """The day a study looks from: the one that was asked for, else that of the run.

    Raises:
        InputError: no such day, one after the run's, or one before its first order.
    """
    wanted = str(study.config.get("as_of") or "")
    if not wanted:
        return run.as_of
    try:
        day = date.fromisoformat(wanted)
    except ValueError as error:
        raise InputError(_("as of = “%(day)s”: write a day such as 2017-10-29.") % {"day": wanted[:20]}) from error
    first = run.results["totals"]["first_day"]
    if day > run.as_of or not first or day < date.fromisoformat(first):
        raise InputError(
            _("as of %(day)s: a day from %(first)s (the first order) to %(last)s (the analysis) is needed.")
            % {"day": day.isoformat(), "first": first or "–", "last": run.as_of.isoformat()}
        )
    return day


def present_run() -> Run:
    """The run whose day studies look from; raises StateError before the first analysis."""
    run = current_run()
    if run is None:
        raise StateError(_("There is no analysis yet, and so no day to look from; analyse first."))
    return run
