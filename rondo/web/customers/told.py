"""What is known of a relationship beside the facts of the run: what the customer said when asked, whom they brought,
and what we answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from django.db.models import Min, QuerySet

from rondo.analysis.models import Score
from rondo.analysis.thresholds import in_force, served
from rondo.customers.models import AttributeValue, Link
from rondo.customers.queries import LinkSeen
from rondo.foundation.prepared import prepared
from rondo.foundation.registry import registries
from rondo.interactions.models import Interaction
from rondo.interactions.queries import COMPLAINTS, LEAVING, standing
from rondo.interactions.reasons import words
from rondo.science.standing import LifeCycleRules

PROMOTER_FROM = 9
"""From so many of ten on somebody is a promoter (Reichheld 2003)."""
_SCALES = {"commitment": (1.0, 7.0), "promoter_score": (0.0, 10.0)}
"""What is asked, and the scale of the answer; what lies off it is not known."""
_LOOKED_AT = 1000
"""So many of the latest questions are looked at."""


@dataclass(frozen=True)
class Left:
    """That somebody said they leave: by which kind, on which day, and why in words (empty where they did not say)."""

    kind: str
    day: date
    why: str


@dataclass(frozen=True)
class Told:
    """``commitment`` (1 to 7) and ``promoter`` (0 to 10): None where nobody asked. ``referred``: customers whom they
    recommended us to, of whom ``came`` bought and are worth ``brought`` (minor units) together. ``asked``: contacts
    of theirs that expect an answer, of which ``answered`` have one, half of them within ``days``. ``complaint``: the
    day of the first complaint that is still open. ``left``: the last cancellation or
    notice, if it still counts."""

    commitment: float | None = None
    promoter: float | None = None
    referred: int = 0
    came: int = 0
    brought: int = 0
    asked: int = 0
    answered: int = 0
    days: float | None = None
    complaint: date | None = None
    left: "Left | None" = None

    @property
    def promotes(self) -> bool:
        """Whether they said that they would recommend us."""
        return self.promoter is not None and self.promoter >= PROMOTER_FROM


def told_by(records: Sequence[int], values: Sequence[AttributeValue], links: Sequence[LinkSeen], as_of: date) -> Told:
    """What is known of the customer of ``records`` up to ``as_of``; ``links`` are those that the viewer may see."""
    said = {
        value.definition.key: value.number
        for value in values
        if value.definition.key in _SCALES and value.number is not None and _within(value.definition.key, value.number)
    }
    brought = [link.other.pk for link in links if link.outward and link.link.role == Link.Role.REFERRED]
    came = (
        list(Score.objects.filter(customer_id__in=brought, purchase_days__gt=0).values_list("value", flat=True))
        if brought
        else []
    )
    asked, answered, days, complaint = _answers(records, as_of)
    return Told(
        said.get("commitment"),
        said.get("promoter_score"),
        len(brought),
        len(came),
        sum(value or 0 for value in came),
        asked,
        answered,
        days,
        complaint,
        _left(records, as_of),
    )


def _within(key: str, number: float) -> bool:
    low, high = _SCALES[key]
    return low <= number <= high


def _answers(records: Sequence[int], as_of: date) -> tuple[int, int, float | None, date | None]:
    """How many contacts expect an answer, how many have one, the median of days until it came, and the day of the first
    complaint that is open."""
    kinds = [kind.key for kind in registries.interaction_kinds if kind.expects_answer]
    latest = _asking(records, kinds, as_of)
    if not latest:
        return 0, 0, None, None
    asked = {key: moment for key, moment, _kind, _day in latest}
    replies = standing().filter(in_response_to__in=list(asked), direction="outbound", business_date__lte=as_of)
    first = dict(replies.order_by().values_list("in_response_to").annotate(first=Min("occurred_at")))
    waits = [(moment - asked[key]).total_seconds() / 86_400 for key, moment in first.items()]
    complaints = [day for key, _moment, kind, day in latest if kind in COMPLAINTS and key not in first]
    return len(asked), len(first), max(median(waits), 0.0) if waits else None, _open(complaints, as_of)


@prepared
def _asking(
    records: Sequence[int], kinds: Sequence[str], as_of: date
) -> QuerySet[Interaction, tuple[int, datetime, str, date]]:
    rows = standing().filter(customer_id__in=records, kind__in=kinds, direction="inbound", business_date__lte=as_of)
    return rows.order_by("-occurred_at").values_list("pk", "occurred_at", "kind", "business_date")[:_LOOKED_AT]


@prepared
def _leaving(records: Sequence[int], as_of: date) -> QuerySet[Interaction]:
    rows = standing().filter(customer_id__in=records, kind__in=LEAVING, direction="inbound", business_date__lte=as_of)
    return rows.select_related("departure").order_by("-business_date", "-pk")[:1]


def _life_cycle() -> LifeCycleRules:
    return (served() or in_force()).life_cycle


def _left(records: Sequence[int], as_of: date) -> Left | None:
    row = next(iter(_leaving(records, as_of)), None)
    if row is None:
        return None
    if row.kind == "notice" and as_of >= row.business_date + timedelta(days=_life_cycle().notice_days):
        return None
    departure = getattr(row, "departure", None)
    return Left(row.kind, row.business_date, words(departure.reason, departure.sub_reason) if departure else "")


def _open(complaints: Sequence[date], as_of: date) -> date | None:
    """The first of these days whose complaint counts as open by the rules of the life cycle."""
    if not complaints:
        return None
    longest = timedelta(days=_life_cycle().complaint_days)
    return min((day for day in complaints if as_of < day + longest), default=None)
