"""Relationships: of which type they are, how each is to be treated, what binds customers, what the data cannot tell."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from rondo.analysis import thresholds
from rondo.analysis.reserved import defined, mistyped
from rondo.analysis.results import Standing, StandingCount
from rondo.analysis.ruled import ATTACHMENT, CONFIDENCE, RELATIONSHIP
from rondo.analysis.thresholds import Thresholds
from rondo.foundation.rights import has_right
from rondo.web.access import page, viewer
from rondo.web.charts.portfolio import customers_where, everybody
from rondo.web.figures import analysis_state, figures
from rondo.web.relations.charts import bonds_map
from rondo.web.relations.texts import BANDS, BONDS, MISSING, TYPES, band_url

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_SHOWN_BANDS = ("strong", "moderate", "weak", "unknown")
_SURVEYED = ("relationship_survey",)


@require_GET
@page()
def relationships(request: HttpRequest) -> HttpResponse:
    """The page; before the first analysis that knows of types and bonds it says what will stand here."""
    user = viewer(request)
    found = figures(user)
    standing = found.results.get("standing") if found else None
    context: dict[str, Any] = {"may_administer": has_right(user, "administer"), **analysis_state(user, found)}
    if found is not None and standing is not None and "types" in standing and "bonds" in standing:
        context |= {
            "types": _types(standing["types"], found.valued),
            "headline": _headline(standing),
            "bonds": _bonds(standing),
            "chart": bonds_map(standing["bonds"], found.stamp),
            "attachment": _attachment(standing),
            "missing": _missing(standing),
            "mistyped": mistyped(),
        }
    return render(request, "relations/relationships.html", context)


def _headline(standing: Standing) -> dict[str, Any]:
    counts = {one["key"]: one["customers"] for one in standing["types"]}
    sure = {one["key"]: one["customers"] for one in standing["confidence"]}
    return {
        "customers": sum(counts.values()),
        "customers_url": everybody(),
        "known": sum(counts.values()) - counts["unknown"],
        "known_url": customers_where(f"relationship:is:{'|'.join(key for key in counts if key != 'unknown')}"),
        "sure": [(label, sure[key], customers_where(f"relationship_confidence:is:{key}")) for key, label in CONFIDENCE],
    }


def _types(counts: list[StandingCount], valued: bool) -> list[dict[str, Any]]:
    """The types by how many customers are of them, the unknown last, with their contract and the list behind each."""
    labels = dict(RELATIONSHIP)
    ordered = sorted(counts, key=lambda one: (one["key"] == "unknown", -one["customers"]))
    return [
        {
            "key": one["key"],
            "label": labels[one["key"]],
            "words": TYPES[one["key"]],
            "customers": one["customers"],
            "value": one["value"] if valued else None,
            "url": customers_where(f"relationship:is:{one['key']}"),
        }
        for one in ordered
    ]


def _bonds(standing: Standing) -> list[dict[str, Any]]:
    """Each bond with how many customers it binds how strongly, or what is missing to know it."""
    rules = (thresholds.served() or Thresholds()).bonds
    found = []
    for bond in standing["bonds"]:
        counts = bond["bands"]
        known = sum(counts.values()) - counts["unknown"]
        found.append(
            {
                "label": BONDS[bond["key"]],
                "known": known,
                "mean": bond["mean"],
                "bands": [
                    (BANDS[band], counts[band], band_url(bond["key"], band, rules.strong, rules.weak))
                    for band in _SHOWN_BANDS
                ],
                "missing": "" if known else MISSING[bond["key"]],
            }
        )
    return found


def _attachment(standing: Standing) -> list[tuple["_StrOrPromise", int, str]]:
    """How many are attached, bound but not attached, free; empty where that is known of nobody."""
    counts = {one["key"]: one["customers"] for one in standing["attachment"]}
    if not any(counts.values()):
        return []
    return [(label, counts[key], customers_where(f"attachment:is:{key}")) for key, label in ATTACHMENT]


def _missing(standing: Standing) -> list[str]:
    """What would tell more about relationships than the data do, and how to get it."""
    counts = {one["key"]: one["customers"] for one in standing["types"]}
    found = []
    if not set(_SURVEYED) <= defined():
        found.append(
            _(
                "Nobody was asked what kind of relationship they want. Ask, and import the answers as attribute "
                "relationship_survey, with their day as relationship_survey_on: an answer tells more than any rule."
            )
        )
    if not any(counts[key] for key in ("buddies", "best_friends", "master_servant", "partner")):
        found.append(
            _(
                "Calls, mails, visits and complaints of customers are not in the data, or too few: without them nobody "
                "can be told to be a friend, a partner or a master. Log them, or import them as interactions."
            )
        )
    if not counts["best_friends"]:
        found.append(_("Recommendations are not recorded, or too few. Link who came by whom (“recommended us to”)."))
    return found
