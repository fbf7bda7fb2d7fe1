"""What pages of studies share: features in words, where a study stands, and what one does with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.analysis.features import feature_of
from rondo.analysis.queries import current_run
from rondo.analysis.segments.models import Segment
from rondo.analysis.studies import actions, queries
from rondo.analysis.studies.models import Study
from rondo.customers.queries import sees_all
from rondo.errors import InputError
from rondo.foundation.installation import installation
from rondo.foundation.money import Money
from rondo.foundation.registry import Feature
from rondo.foundation.rights import has_right
from rondo.web import formats
from rondo.web.access import actor, viewer


@dataclass(frozen=True)
class Driver:
    """A trait in words: what sets a group apart, its label, its share of the whole, and medians inside and outside, or
    means where medians do not show it."""

    words: str
    label: str
    share: float | None
    inside: str
    outside: str
    mean: bool = False


def written(feature: Feature, value: float | None, finer: int = 0) -> str:
    """A value of a feature as the viewer's language writes it, with so many decimals more than it usually has."""
    if value is None:
        return formats.DASH
    if feature.type == "money":
        small = abs(Money(round(value), installation().currency).major) < 10
        return formats.money(value, digits=None if small or finer else 0)
    if feature.type == "share":
        return formats.share(value, finer)
    return formats.number(value, 0 if float(value).is_integer() else 1 + finer)


def written_apart(feature: Feature, values: Sequence[float | None]) -> list[str]:
    """Values as :func:`written` has them, with decimals enough that those which differ are not written alike, and none
    but 0 as 0."""
    for finer in range(3):
        texts = [written(feature, value, finer) for value in values]
        nothing = [
            value for value, text in zip(values, texts, strict=True) if value and not set(text) & set("123456789")
        ]
        if len(set(texts)) == len(set(values)) and not nothing:
            break
    return texts


def drivers(told: list[dict[str, Any]]) -> list[Driver]:
    """Traits as a study stores them, in words; those of features that are no longer registered fall away."""
    found = []
    for one in told:
        feature = feature_of(one["feature"])
        if feature is not None:
            words = str(feature.more if one["high"] else feature.less)
            inside, outside = written_apart(feature, (one.get("inside"), one.get("outside")))
            found.append(Driver(words, str(feature.label), one.get("share"), inside, outside, bool(one.get("mean"))))
    return found


STEPS = {
    "features": lambda: _("Reading what is known of every customer"),
    "model": lambda: _("Learning, and testing on hidden customers"),
    "match": lambda: _("Looking for partners"),
    "standing": lambda: _("Following every customer through the data"),
    "rules": lambda: _("Looking for a rule of each group"),
    "groups": lambda: _("Trying numbers of groups"),
}


@dataclass(frozen=True)
class Going:
    """A study under way, for its progress line."""

    waiting: bool
    step: str
    done: int
    total: int
    since: datetime

    @property
    def elapsed(self) -> int:
        """Whole seconds since it was asked for or begun."""
        return max(0, int((timezone.now() - self.since).total_seconds()))

    @property
    def seconds_left(self) -> int | None:
        """Seconds to go by the rate of the present step; None while that says nothing."""
        if self.waiting or self.done <= 0 or self.total <= self.done:
            return None
        return max(1, round(self.elapsed * (self.total - self.done) / self.done))


def going(study: Study | None) -> Going | None:
    """How far a study is; None where none is under way."""
    if study is None or not study.under_way:
        return None
    step = STEPS.get(study.step)
    return Going(
        study.status == Study.Status.QUEUED,
        step() if step else "",
        study.done,
        study.total,
        study.started_at or study.created_at,
    )


def state_of(
    request: HttpRequest, kind: str, segment: Segment | None = None, subject: str = ""
) -> tuple[Study | None, dict[str, Any]]:
    """The answered study of a kind that the viewer may see, and what its page shows of it whatever the answer:
    ``study``, ``going``, ``failure``, ``may_ask``, ``sees_all``, ``run``, the ``day`` it looks from, and ``stale``.
    """
    user, latest = viewer(request), queries.latest(kind, segment, subject)
    study = latest.answered if sees_all(user) else None
    run = current_run()
    return study, {
        "study": study,
        "going": going(latest.newer),
        "failure": latest.newer.error if latest.newer and latest.newer.status == Study.Status.FAILED else "",
        "may_ask": has_right(user, "segment") and sees_all(user),
        "sees_all": sees_all(user),
        "run": run,
        "day": study.as_of if study else run.as_of if run else None,
        "stale": bool(study and run and study.run_id != run.pk),
    }


def answered(request: HttpRequest, kind: str, segment: Segment | None = None, subject: str = "") -> Study:
    """The answered study of a kind; raises Http404 where there is none that the viewer may see."""
    study = queries.latest(kind, segment, subject).answered if sees_all(viewer(request)) else None
    if study is None:
        raise Http404(kind)
    return study


def ask_of(request: HttpRequest, kind: str, segment: Segment) -> None:
    """Ask a question about a segment, from the day that the form names; a job answers."""
    as_of = request.POST.get("as_of", "").strip()
    actions.request_study(actor(request), kind, segment=segment, config={"as_of": as_of} if as_of else {})


def progress_of(request: HttpRequest, kind: str, segment: Segment | None = None, subject: str = "") -> HttpResponse:
    """The progress line of a study; when it has ended, the page is loaded again."""
    under_way = going(queries.latest(kind, segment, subject).newer)
    if under_way is None:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "segments/study_progress.html", {"going": under_way, "progress_url": request.path})


def kept(request: HttpRequest, make: Callable[[], Segment], back: HttpResponse) -> HttpResponse:
    """The page of the segment that ``make`` makes; where it refuses, ``back`` with the reason."""
    try:
        made = make()
    except InputError as error:
        messages.error(request, str(error))
        return back
    messages.success(request, _("“%(segment)s” made.") % {"segment": made})
    return redirect("segment", made.key)
