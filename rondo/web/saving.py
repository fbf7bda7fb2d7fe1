"""The customers most worth saving, each with the reason in words."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.models import Score
from rondo.analysis.parts.shapes import Worth
from rondo.customers.queries import visible
from rondo.foundation.models import User
from rondo.web import formats


@dataclass(frozen=True)
class ToSave:
    """One of them: who, the margin at stake, and why."""

    name: str
    url: str
    at_stake: int
    reason: str


def worth_saving(viewer: User, part: Worth, currency: str) -> list[ToSave]:
    """Those of the part that ``viewer`` still sees, the most at stake first."""
    keys = [one["customer"] for one in part["saving"]]
    people = {one.pk: one for one in visible(viewer).filter(pk__in=keys)}
    scores = {one.pk: one for one in Score.objects.filter(pk__in=keys)}
    return [
        ToSave(
            str(people[one["customer"]]),
            reverse("customer", args=[people[one["customer"]].public_id]),
            one["at_stake"],
            reason(scores[one["customer"]], currency),
        )
        for one in part["saving"]
        if one["customer"] in people and one["customer"] in scores
    ]


def scores_tell(part: Worth) -> bool:
    """Whether the scores tell what is at stake; those of a run by an earlier version do not."""
    keys = [one["customer"] for one in part["saving"]]
    return Score.objects.filter(pk__in=keys, at_stake__isnull=False).exists()


def reason(score: Score, currency: str) -> str:
    """Why a customer is worth saving: the own rhythm against the silence, the spend, and what the silence adds."""
    words: dict[str, Any] = {
        "silent": formats.days(score.recency_days),
        "spend": formats.money(score.spend_365, currency, 0),
        "risk": formats.share(score.churn, 0),
        "usual": formats.share(score.churn_usual, 0),
    }
    if score.typical_gap_days is None:
        return (
            _("Bought once, silent for %(silent)s; spent %(spend)s; risk %(risk)s, right after a purchase %(usual)s.")
            % words
        )
    gap = max(1, round(score.typical_gap_days))
    return ngettext(
        "Usually buys every day, silent for %(silent)s; spent %(spend)s in 365 days; risk %(risk)s, right after a "
        "purchase %(usual)s.",
        "Usually buys every %(gap)s days, silent for %(silent)s; spent %(spend)s in 365 days; risk %(risk)s, right "
        "after a purchase %(usual)s.",
        gap,
    ) % (words | {"gap": formats.number(gap)})
