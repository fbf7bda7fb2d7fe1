"""How many customers said that they leave, and for which of the reasons in :mod:`rondo.interactions.reasons`."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Value
from django.db.models.functions import Coalesce

from rondo.customers.queries import belongs_to, visible
from rondo.foundation.models import User
from rondo.interactions.queries import LEAVING, standing


@dataclass(frozen=True)
class Given:
    """How many customers gave a reason, in cancellations and notices together."""

    reason: str
    sub_reason: str
    customers: int


@dataclass(frozen=True)
class Leaving:
    """Who said that they leave: ``cancelled``, ``noticed`` and ``customers`` in all, and the reasons they gave, the
    most frequent first; who gave several counts in each, who gave none has an empty one."""

    cancelled: int
    noticed: int
    customers: int
    reasons: tuple[Given, ...]


def leaving(viewer: User | None, as_of: date) -> Leaving:
    """Who of the customers that ``viewer`` sees has said until ``as_of`` that they leave, and why."""
    rows = standing().filter(belongs_to(visible(viewer)), kind__in=LEAVING, business_date__lte=as_of)
    who = Coalesce("customer__survivor_row__survivor_id", "customer_id")
    why, more = (Coalesce(f"departure__{name}", Value("")) for name in ("reason", "sub_reason"))
    rows = rows.annotate(who=who, why=why, more=more).order_by()
    by_kind: dict[str, int] = dict(rows.values_list("kind").annotate(n=Count("who", distinct=True)))
    counts = rows.values_list("why", "more").annotate(n=Count("who", distinct=True))
    given = [Given(*one) for one in counts]
    given.sort(key=lambda one: (not one.reason, -one.customers, one.reason, one.sub_reason))
    whole = rows.aggregate(n=Count("who", distinct=True))["n"]
    return Leaving(by_kind.get("cancellation", 0), by_kind.get("notice", 0), whole, tuple(given))
