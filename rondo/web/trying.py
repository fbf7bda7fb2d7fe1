"""What pages of thresholds have in common: how far a dry run is, and putting into force what was tried."""

from typing import Any, Protocol

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from rondo.analysis.studies import queries
from rondo.analysis.studies.models import Study
from rondo.errors import InputError, StateError
from rondo.web.access import actor
from rondo.web.segments.studying import going


class Kept(Protocol):
    """A module that keeps versions of thresholds (:mod:`rondo.analysis.thresholds` and its like)."""

    KIND: str

    def tried_with(self, study: Study) -> Any:
        """The thresholds that a study tried."""

    def change(self, actor: Any, wanted: Any, *, expected_version: int, reason: str = "") -> Any:
        """Put thresholds into force."""


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
    key = request.POST.get("study", "")
    done = Study.objects.filter(kind=kept.KIND, status=Study.Status.DONE)
    study = done.filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
    if study is None:
        raise Http404
    try:
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
