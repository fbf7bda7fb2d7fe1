"""What pages of thresholds have in common: what the form holds, which versions there were, how far a dry run is, which
analysis it was tried on, trying it again, and putting into force what was tried."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from rondo.analysis.models import Run
from rondo.analysis.studies import queries
from rondo.analysis.studies.actions import request_study
from rondo.analysis.studies.models import Study
from rondo.errors import InputError, StateError
from rondo.web.access import actor
from rondo.web.segments.studying import going

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

T = TypeVar("T")


class Kept(Protocol):
    """A module that keeps versions of thresholds (:mod:`rondo.analysis.thresholds` and its like)."""

    KIND: str

    def versions(self) -> Any:
        """The versions that were in force, the newest first."""

    def tried_with(self, study: Study) -> Any:
        """The thresholds that a study tried."""

    def change(self, actor: Any, wanted: Any, *, expected_version: int, reason: str = "") -> Any:
        """Put thresholds into force."""


@dataclass(frozen=True)
class Change:
    """A threshold that differs: its label, and both values in words."""

    label: "_StrOrPromise"
    before: str
    after: str


def tried_of(latest: queries.Latest, version: int) -> Study | None:
    """The dry run that has an answer, where it was tried against the version in force."""
    answered = latest.answered
    return answered if answered and answered.results.get("version") == version else None


@dataclass(frozen=True)
class TriedOn:
    """The analysis that a dry run was tried on (None: it is kept no more), and the one that is served now."""

    made_at: datetime | None
    served_at: datetime | None
    is_stale: bool


def tried_on(study: Study) -> TriedOn:
    """Which analysis a dry run was tried on. It is stale once another is served: what it foretells, and what it says
    of now, are of customers as they stood then."""
    made = None
    if study.run_id is not None:
        made = Run.objects.filter(pk=study.run_id).values_list("finished_at", flat=True).first()
    served = Run.objects.filter(is_current=True).values_list("pk", "finished_at").first()
    key, at = served or (None, None)
    return TriedOn(made, at, study.run_id != key)


def failure_of(latest: queries.Latest) -> str:
    """Why the latest dry run failed; empty where it did not."""
    return latest.newer.error if latest.newer and latest.newer.status == Study.Status.FAILED else ""


def form_holds(
    request: HttpRequest, kept: Kept, in_force: T, version: int, latest: queries.Latest, read: Callable[[Any], T]
) -> T:
    """What the form holds: a version that was asked for (0: the defaults, which ``read`` gives for None), what was
    tried last, else what is in force."""
    wanted = request.GET.get("version", "")
    if wanted == "0":
        return read(None)
    for row in kept.versions():
        if str(row.pk) == wanted:
            return read(row)
    study = latest.newer or latest.answered
    current = study is not None and (study.under_way or study.results.get("version") == version)
    found: T = kept.tried_with(study) if study is not None and current else in_force
    return found


def history(kept: Kept, read: Callable[[Any], T], changes: Callable[[T, T], list[Change]]) -> list[dict[str, Any]]:
    """The versions, the newest first, each with what it changed; the first against the defaults."""
    rows = kept.versions()
    known = [read(row) for row in rows]
    earlier = [*known[1:], read(None)]  # one more than rows where there are none
    return [
        {"row": row, "changes": changes(before, after)}
        for row, before, after in zip(rows, earlier, known, strict=False)
    ]


def peopled(matrix: Sequence[Sequence[int]]) -> list[int]:
    """The states of a square matrix of moves that somebody is in, before or after."""
    size = range(len(matrix))
    return [n for n in size if any(matrix[n]) or any(matrix[row][n] for row in size)]


def how_far(request: HttpRequest, kind: str, here: str) -> HttpResponse:
    """How far the dry run is, asked again at the address named ``here``; at its end the page is loaded again."""
    under_way = going(queries.latest(kind).newer)
    if under_way is None:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "segments/study_progress.html", {"going": under_way, "progress_url": reverse(here)})


def put_into_force(request: HttpRequest, kept: Kept, page: str) -> HttpResponse:
    """Put into force what the study of the form tried, then go back to ``page``."""
    study = _posted(request, kept)
    try:
        if tried_on(study).is_stale:
            raise StateError(_("There has been an analysis since this was tried; try it again first."))
        kept.change(
            actor(request),
            kept.tried_with(study),
            expected_version=study.results["version"],
            reason=request.POST.get("reason", ""),
        )
    except (InputError, StateError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("In force from the next analysis on; the figures shown are still of the last one."))
    return redirect(page)


def try_again(request: HttpRequest, kept: Kept, page: str) -> HttpResponse:
    """Try once more what the study of the form tried, on the analysis that is served now; then go back to ``page``."""
    try:
        request_study(actor(request), kept.KIND, config=_posted(request, kept).config)
    except InputError as error:
        messages.error(request, str(error))
    return redirect(page)


def _posted(request: HttpRequest, kept: Kept) -> Study:
    """The dry run that the form names; raises Http404 where there is none with an answer."""
    key = request.POST.get("study", "")
    done = Study.objects.filter(kind=kept.KIND, status=Study.Status.DONE)
    study = done.filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
    if study is None:
        raise Http404
    return study
