"""Reads of leads and interests: of one customer, already checked as visible, and of those a viewer may see."""

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.db.models import Count, Q, QuerySet

from rondo.analysis.leads.shapes import CategoryInterest, Found
from rondo.analysis.leads.texts import Interest, Reason, beginning, interests, reasons
from rondo.analysis.models import InterestOf, LeadFound, LeadOf
from rondo.catalogue.queries import paths_of
from rondo.customers.queries import sees_all, visible
from rondo.foundation.models import User
from rondo.foundation.prepared import prepared


@dataclass(frozen=True)
class LeadForOne:
    """How likely one customer is to buy for the first time within ``horizon`` days, beside the ``average`` lead."""

    customer: int
    chance: float
    average: float
    horizon: int
    reasons: list[Reason]

    @property
    def times(self) -> float:
        """The chance against that of the average lead."""
        return self.chance / self.average if self.average > 0 else 1.0


@dataclass(frozen=True)
class InterestIn:
    """A category that one customer never bought of, by its path."""

    path: str
    entry: Interest


@dataclass(frozen=True)
class LikelyOfOne:
    """What one customer is likely to buy for the first time, as of a day."""

    as_of: date
    lead: LeadForOne | None
    interests: list[InterestIn]
    horizon: int


def likely_of(customer_id: int, limit: int = 5) -> LikelyOfOne | None:
    """What a surviving customer is likely to buy for the first time; None where nothing is known."""
    found = next(iter(_found()), None)
    if found is None:
        return None
    results = cast("Found", found.results)
    lead = next(iter(_lead_of(customer_id)), None)
    row = next(iter(_interest_of(customer_id)), None)
    told = interests(row.interests)[:limit] if row else []
    paths = paths_of([one.category for one in told])
    kept = [InterestIn(paths[one.category], one) for one in told if one.category in paths]
    if lead is None and not kept:
        return None
    return LikelyOfOne(found.as_of, _lead(lead, results) if lead else None, kept, results["interest"]["horizon"])


@prepared
def _found() -> QuerySet[LeadFound]:
    return LeadFound.objects.order_by("pk")[:1]


@prepared
def _lead_of(customer_id: int) -> QuerySet[LeadOf]:
    return LeadOf.objects.filter(pk=customer_id)


@prepared
def _interest_of(customer_id: int) -> QuerySet[InterestOf]:
    return InterestOf.objects.filter(pk=customer_id)


def _lead(row: LeadOf, results: Found) -> LeadForOne:
    leads = results["leads"]
    return LeadForOne(row.pk, row.lead_chance, leads["average"], leads["horizon"], reasons(row.reasons))


@dataclass(frozen=True)
class FoundAsOf:
    """What a viewer may see of leads and interests, the run and the day they are of. ``whole``: over all customers."""

    run: int
    as_of: date
    results: Found
    whole: bool


def found_for(viewer: User | None) -> FoundAsOf | None:
    """What was found, counted over the customers of the viewer's; None before it was worked out.

    Who does not see all customers gets no figures of the hold-outs, which are of all.
    """
    row = LeadFound.objects.first()
    if row is None:
        return None
    whole = cast("Found", row.results)
    if sees_all(viewer):
        return FoundAsOf(row.run_id, row.as_of, whole, True)
    seen = visible(viewer)
    mine = LeadOf.objects.filter(customer__in=seen)
    leads = whole["leads"] | {
        "customers": seen.count(),
        "people": mine.count() if not whole["leads"]["reason"] else 0,
        "undated": 0,
        "before": 0,
        "bands": _bands(mine, len(whole["leads"]["bands"])),
        "judged": None,
    }
    of_them = InterestOf.objects.filter(customer__in=seen)
    likely = _likely(of_them, whole["interest"]["categories"])
    categories = [
        one | {"likely": likely[one["category"]], "was_expected": 0.0, "came": 0, "auc": None}
        for one in whole["interest"]["categories"]
        if likely.get(one["category"])
    ]
    categories.sort(key=lambda one: (-one["likely"], one["path"]))
    interest = whole["interest"] | {"people": of_them.count(), "categories": categories, "judged": None}
    return FoundAsOf(row.run_id, row.as_of, cast("Found", {"leads": leads, "interest": interest}), False)


def _bands(rows: "QuerySet[LeadOf]", count: int) -> list[int]:
    from rondo.analysis.leads.bands import BANDS

    edges = [*BANDS, 1.1]
    counts: dict[str, Any] = {
        f"n{place}": Count("pk", filter=Q(lead_chance__gte=edges[place], lead_chance__lt=edges[place + 1]))
        for place in range(count)
    }
    found = rows.aggregate(**counts)
    return [found[f"n{place}"] for place in range(count)]


def _likely(rows: "QuerySet[InterestOf]", categories: list[CategoryInterest]) -> dict[int, int]:
    """How many have at least twice the mean chance, by category."""
    least = {one["category"]: one["from_chance"] for one in categories}
    found = dict.fromkeys(least, 0)
    for text in rows.values_list("interests", flat=True).iterator():
        for one in interests(text):
            if one.category in least and one.chance >= least[one.category]:
                found[one.category] += 1
    return found


def best_leads(viewer: User | None, limit: int) -> list[LeadForOne]:
    """The likeliest of the viewer's leads, ties by key."""
    found = LeadFound.objects.first()
    if found is None:
        return []
    rows = LeadOf.objects.filter(customer__in=visible(viewer)).order_by("-lead_chance", "pk")[:limit]
    return [_lead(row, cast("Found", found.results)) for row in rows]


def interested(category: int) -> "QuerySet[InterestOf]":
    """Everybody of whom a chance in a category is known."""
    return InterestOf.objects.filter(interests__contains=beginning(category))
