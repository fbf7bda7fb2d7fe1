"""Loyalty: where customers stand on the ladder and in the life cycle, how that moves, and what the data cannot tell."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from rondo.analysis.models import Score
from rondo.analysis.reserved import defined
from rondo.analysis.results import Standing, StandingCount
from rondo.analysis.ruled import LADDER, STAGE
from rondo.customers.queries import visible
from rondo.foundation.models import User
from rondo.foundation.rights import has_right
from rondo.interactions.departures import Given, Leaving, leaving
from rondo.interactions.queries import LEAVING
from rondo.interactions.reasons import reasons as known_reasons
from rondo.interactions.reasons import words
from rondo.rules.values import text_of_word
from rondo.web.access import page, viewer
from rondo.web.charts.portfolio import customers_where, everybody
from rondo.web.customers.rules import read_rule
from rondo.web.figures import analysis_state, figures
from rondo.web.views.portfolio import CHARTS

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

PROMOTES = "attr.promoter_score between 9 and 10"
"""The rule of who would recommend us (Reichheld 2003)."""
_RUNGS: dict[str, "_StrOrPromise"] = {
    "advocate": _("Buys regularly and has recommended you, with dated evidence."),
    "client": _("Buys regularly, within the own rhythm."),
    "customer": _("Bought once or now and then, or later than the own rhythm."),
    "prospect": _("Showed interest, has not bought."),
    "suspect": _("Known, no sign of interest."),
}
_STAGES: dict[str, "_StrOrPromise"] = {
    "before": _("Known, no sign of interest: find out whether there is a need."),
    "initiation": _("Interest, no purchase yet: win with a first offer."),
    "socialisation": _("First purchases: welcome, show the range, build the habit."),
    "growth": _("Spends clearly more than before: broaden, tie fairly."),
    "maturity": _("Spends steadily: keep well, ask for a recommendation."),
    "endangered": _("Waits longer than usual or has a reason to be cross: care now."),
    "decline": _("Buys clearly less or has been silent for long: win over before they leave."),
    "termination": _("Presumed gone, or has cancelled: ask why, part well."),
    "abstinence": _("Gone for 90 days and more: leave in peace."),
    "revitalisation": _("Bought again after having gone: welcome back."),
}


@require_GET
@page()
def loyalty(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis that knows of ladder and life cycle it says what will stand here."""
    user = viewer(request)
    found = figures(user)
    standing = found.results.get("standing") if found else None
    context: dict[str, object] = {
        "standing": standing,
        "may_administer": has_right(user, "administer"),
        **analysis_state(user, found),
    }
    if found is not None and standing is not None:
        left = leaving(user, found.as_of)
        context |= {
            "rungs": rungs(standing["rungs"], supporters(user), valued=found.valued),
            "stages": stages(standing["stages"], valued=found.valued),
            "headline": _headline(standing),
            "charts": {key: CHARTS[key](found) for key in ("stages", "moves")},
            "missing": missing(standing, stated=left.customers > 0),
            "left": left,
            "reasons": reasons(left),
            "left_urls": {kind: customers_where(rule=f"did {kind}") for kind in LEAVING},
        }
    return render(request, "shell/loyalty.html", context)


def supporters(user: User) -> dict[str, int]:
    """Customers below advocate who say that they would recommend us (9 or 10 of 10), by rung; empty where nobody was
    asked."""
    if "promoter_score" not in defined():
        return {}
    rows = Score.objects.filter(customer__in=visible(user).filter(read_rule(PROMOTES, user).whole))
    counts: dict[str, int] = dict(rows.exclude(ladder="advocate").values_list("ladder").annotate(n=Count("pk")))
    return counts


def rungs(
    counts: list[StandingCount], promoters: Mapping[str, int] | None = None, *, valued: bool = True
) -> list[dict[str, object]]:
    """The rungs from the top to the foot, with words, bar (percent of the fullest), the list behind each, and the
    supporters on it."""
    known = promoters or {}
    most = max([rung["customers"] for rung in counts], default=0) or 1
    labels = dict(LADDER)
    return [
        {
            "label": labels[rung["key"]],
            "meaning": _RUNGS[rung["key"]],
            "customers": rung["customers"],
            "value": rung["value"] if valued else None,
            "width": round(100 * rung["customers"] / most, 2),
            "url": customers_where(f"ladder:is:{rung['key']}"),
            "supporters": known.get(rung["key"], 0),
            "supporters_url": customers_where(f"ladder:is:{rung['key']}", rule=PROMOTES),
        }
        for rung in reversed(counts)
    ]


def stages(counts: list[StandingCount], *, valued: bool = True) -> list[dict[str, object]]:
    """The stages in their order, with what the company does then and the list behind each."""
    labels = dict(STAGE)
    return [
        {
            "key": stage["key"],
            "label": labels[stage["key"]],
            "meaning": _STAGES[stage["key"]],
            "customers": stage["customers"],
            "value": stage["value"] if valued else None,
            "url": customers_where(f"stage:is:{stage['key']}"),
        }
        for stage in counts
    ]


def _headline(standing: Standing) -> dict[str, object]:
    rung = {one["key"]: one for one in standing["rungs"]}
    stage = {one["key"]: one for one in standing["stages"]}
    slipping = [stage["endangered"], stage["decline"]]
    return {
        "customers": sum(one["customers"] for one in standing["rungs"]),
        "customers_url": everybody(),
        "clients_url": customers_where("ladder:is:client|advocate"),
        "clients": rung["client"]["customers"] + rung["advocate"]["customers"],
        "value": rung["client"]["value"] + rung["advocate"]["value"],
        "slipping": sum(one["customers"] for one in slipping),
        "slipping_url": customers_where("stage:is:endangered|decline"),
        "slipping_value": sum(one["value"] for one in slipping),
        "endangered_url": customers_where("stage:is:endangered"),
        "decline": stage["decline"]["customers"],
        "decline_url": customers_where("stage:is:decline"),
    }


def reasons(left: Leaving) -> list[dict[str, object]]:
    """Why customers leave, group by group with the reasons they gave, and the list behind each number."""
    most = max([one.customers for one in left.reasons], default=0) or 1
    known = known_reasons() if left.reasons else {}
    return [
        {
            "label": words(one.reason, one.sub_reason, known) or _("No reason given"),
            "customers": one.customers,
            "width": round(100 * one.customers / most, 2),
            "url": who_said(one),
        }
        for one in left.reasons
    ]


def who_said(given: Given) -> str:
    """The list of the customers who gave a reason."""
    if not given.reason:
        where = "reason is unknown"
    elif given.sub_reason:
        where = f"(reason = {given.reason} and sub_reason = {text_of_word(given.sub_reason)})"
    else:
        where = f"(reason = {given.reason} and sub_reason is unknown)"
    return customers_where(rule=" or ".join(f"did {kind} where {where}" for kind in LEAVING))


def missing(standing: Standing, *, stated: bool = False) -> list["_StrOrPromise"]:
    """What the data do not say about standing, and how it can be had. ``stated``: somebody cancelled or gave notice."""
    rung = {one["key"]: one["customers"] for one in standing["rungs"]}
    found: list[_StrOrPromise] = []
    if not rung["advocate"]:
        found.append(_("No advocates: nothing tells who recommends. Link who came by whom (“recommended us to”)."))
    if not rung["prospect"]:
        found.append(
            _("No prospects: visits, sign-ups and enquiries are not in the data. Import them as inbound interactions.")
        )
    found += [
        _(
            "Bad scores in surveys are not read yet: customers count as endangered by their silence and by complaints "
            "that nobody answered."
        ),
    ]
    if not stated:
        found.append(
            _(
                "No cancellations and notices: terminations are presumed from silence. Log them on the page of a "
                "customer, or import them as interactions of the kinds cancellation and notice, with their reason."
            )
        )
    return found
