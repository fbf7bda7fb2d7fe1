"""What answers a study: the type of its function, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from rondo.analysis.models import Run
from rondo.analysis.queries import current_run
from rondo.analysis.studies.models import Study
from rondo.errors import InputError, StateError

FEWEST = 20
"""Members, and others, that a model of a segment needs (as :data:`rondo.science.propensity.FEWEST`)."""

Report = Callable[[str, int, int], None]
"""Told of progress: the step, how much of it is done, and of how much."""


def _none() -> npt.NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class Found:
    """The customers of an answer in their order, the first at place 1: keys, scores, and the customers they belong to
    (empty: none), see :class:`~rondo.analysis.studies.models.StudyCustomer`. Arrays, since it may be everybody."""

    customers: npt.NDArray[np.int64] = field(default_factory=_none)
    scores: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    others: npt.NDArray[np.int64] = field(default_factory=_none)


@dataclass(frozen=True)
class Published:
    """That the scores of the answer are served as the series ``key``: shares, or numbers of ``choices`` groups."""

    key: str
    choices: int = 0


@dataclass(frozen=True)
class Outcome:
    """The answer: results for the pages (JSON), what they were made with and from, the customers found, whose scores
    may be ``published`` to rules, and whom it ``counted`` beside them (:mod:`rondo.analysis.counted`)."""

    results: dict[str, Any]
    config: dict[str, Any]
    fingerprint: str
    run: Run
    as_of: date
    found: Found = field(default_factory=Found)
    published: Published | None = None
    counted: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)


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


def enough(inside: npt.NDArray[np.bool_]) -> None:
    """Raises InputError, in words of segments, for fewer than 20 members or fewer than 20 others."""
    members, others = int(inside.sum()), int((~inside).sum())
    if members < FEWEST:
        raise InputError(
            _(
                "The segment has %(members)d members; from fewer than %(fewest)d nothing can be learnt that would hold "
                "for others. Widen its rule or add members."
            )
            % {"members": members, "fewest": FEWEST}
        )
    if others < FEWEST:
        raise InputError(
            _("Only %(others)d customers are outside the segment; that is too few to look among.") % {"others": others}
        )


def present_run() -> Run:
    """The run whose day studies look from; raises StateError before the first analysis."""
    run = current_run()
    if run is None:
        raise StateError(_("There is no analysis yet, and so no day to look from; analyse first."))
    return run
