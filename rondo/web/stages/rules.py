"""The thresholds of buying stages: see them, try others on the customers, put them into force."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rondo.analysis.buying_stages import thresholds
from rondo.analysis.buying_stages.ruled import BUYING_STAGE
from rondo.analysis.models import StageFound, Study
from rondo.analysis.studies import queries
from rondo.analysis.studies.actions import request_study
from rondo.errors import InputError
from rondo.science.buying_stages import BuyingStageRules
from rondo.web import formats
from rondo.web.access import actor, page
from rondo.web.segments.studying import going
from rondo.web.trying import (
    Change,
    failure_of,
    form_holds,
    history,
    how_far,
    peopled,
    put_into_force,
    tried_of,
    tried_on,
    try_again,
)

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_MOST = 3660
"""No threshold in days is longer than ten years."""
_RHYTHMS = ("need_from", "fades_after")
_MOST_RHYTHMS = 20


@dataclass(frozen=True)
class Threshold:
    """One threshold as the form asks for it."""

    name: str
    label: "_StrOrPromise"
    help: "_StrOrPromise"

    @property
    def affix(self) -> "_StrOrPromise":
        return _("× rhythm") if self.name in _RHYTHMS else _("days")


ALL = (
    Threshold("purchase_days", gettext_lazy("Purchase lasts"), gettext_lazy("Its own day among them.")),
    Threshold(
        "habit_from",
        gettext_lazy("Habit from"),
        gettext_lazy("Purchase days in a category from which a need comes back."),
    ),
    Threshold(
        "need_from", gettext_lazy("Need recognised from"), gettext_lazy("Part of the own rhythm that has passed.")
    ),
    Threshold("fades_after", gettext_lazy("Fades after"), gettext_lazy("Rhythms without a purchase.")),
    Threshold("fades_least", gettext_lazy("Fades at the earliest after"), gettext_lazy("However short the rhythm is.")),
    Threshold("content_days", gettext_lazy("Content read counts for"), gettext_lazy("As a sign of a need.")),
    Threshold("search_days", gettext_lazy("Search counts for"), gettext_lazy("Viewed, visited or asked.")),
    Threshold("evaluation_days", gettext_lazy("Evaluation counts for"), gettext_lazy("Compared, put into the basket.")),
    Threshold("service_days", gettext_lazy("Service counts for"), gettext_lazy("Support, complaint, return, review.")),
    Threshold(
        "usual_days",
        gettext_lazy("Rhythm without data"),
        gettext_lazy("Where nobody has bought of anything twice."),
    ),
)
"""The thresholds in the order of the form."""


class StageRulesForm(forms.Form):
    """All thresholds."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, shown: BuyingStageRules | None = None) -> None:
        super().__init__(data, initial=None if shown is None else shown.to_dict())
        for one in ALL:
            rhythms = one.name in _RHYTHMS
            self.fields[one.name] = forms.DecimalField(
                label=one.label,
                help_text=one.help,
                min_value=Decimal("0.01") if rhythms else 1,
                max_value=_MOST_RHYTHMS if rhythms else _MOST,
                max_digits=7,
                decimal_places=2 if rhythms else 0,
                localize=True,
            )

    def clean(self) -> dict[str, Any]:
        """What two thresholds say together."""
        given = self.cleaned_data
        low, high = given.get("need_from"), given.get("fades_after")
        if low is not None and high is not None and low >= high:
            self.add_error("need_from", _("This has to lie below the one after which it fades."))
        return given

    def wanted(self) -> BuyingStageRules:
        """The thresholds typed in.

        Raises:
            InputError: a value that a threshold cannot have.
        """
        given = self.cleaned_data
        return thresholds.read(
            {one.name: float(given[one.name]) if one.name in _RHYTHMS else int(given[one.name]) for one in ALL}
        )


def _changes(before: BuyingStageRules, after: BuyingStageRules) -> list[Change]:
    old, new = before.to_dict(), after.to_dict()
    return [
        Change(one.label, _words(one, old[one.name]), _words(one, new[one.name]))
        for one in ALL
        if old[one.name] != new[one.name]
    ]


def _words(one: Threshold, value: float) -> str:
    return f"{formats.number(value, 0 if float(value).is_integer() else 2)} {one.affix}"


@require_http_methods(["GET", "POST"])
@page("administer")
def rules(request: HttpRequest) -> HttpResponse:
    """The form; what is posted is tried first (a dry run) and changes nothing."""
    now = thresholds.in_force()
    latest = queries.latest(thresholds.KIND)
    tried = tried_of(latest, now.version)
    if request.method == "POST":
        form = StageRulesForm(request.POST)
        if form.is_valid():
            try:
                wanted = form.wanted()
                if wanted.to_dict() == now.rules.to_dict():
                    raise InputError(_("These thresholds are in force already."))
                request_study(actor(request), thresholds.KIND, config=wanted.to_dict())
                return redirect("buying-stages-rules")
            except InputError as error:
                form.add_error(None, str(error))
    else:
        form = StageRulesForm(shown=form_holds(request, thresholds, now.rules, now.version, latest, _read))
    served = StageFound.objects.values_list("results__rules", flat=True).first()
    context = {
        "form": form,
        "fields": [(form[one.name], one.affix) for one in ALL],
        "now": now,
        "going": going(latest.newer),
        "failure": failure_of(latest),
        "tried": tried,
        "tried_on": tried_on(tried) if tried else None,
        "changes": _changes(now.rules, thresholds.tried_with(tried)) if tried else [],
        "matrix": _matrix(tried) if tried else None,
        "versions": history(thresholds, _read, _changes),
        "pending": served is not None and served != now.rules.to_dict(),
    }
    return render(request, "stages/rules.html", context, status=400 if form.errors else 200)


def _read(row: Any) -> BuyingStageRules:
    """The thresholds of a version; the defaults for None."""
    return BuyingStageRules() if row is None else thresholds.read(row.thresholds)


def _matrix(study: Study) -> dict[str, Any]:
    """From which stage to which; stages that nobody is in are left out."""
    cells = study.results["matrix"]
    size = range(len(cells))
    labels = [label for _key, label in BUYING_STAGE]
    kept = peopled(cells)
    return {
        "heads": [labels[n] for n in kept],
        "rows": [(labels[row], [(cells[row][n], row != n) for n in kept], sum(cells[row])) for row in kept],
        "sums": [sum(cells[row][n] for row in size) for n in kept],
    }


@require_GET
@page("administer")
def progress(request: HttpRequest) -> HttpResponse:
    """How far the dry run is; when it has ended, the page is loaded again."""
    return how_far(request, thresholds.KIND, "buying-stages-rules-progress")


@require_POST
@page("administer")
def apply(request: HttpRequest) -> HttpResponse:
    """Puts into force what was tried."""
    return put_into_force(request, thresholds, "buying-stages-rules")


@require_POST
@page("administer")
def again(request: HttpRequest) -> HttpResponse:
    """Tries once more what was tried on an analysis that is no longer the last."""
    return try_again(request, thresholds, "buying-stages-rules")
