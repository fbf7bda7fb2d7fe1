"""Why customers leave: the kinds by which they say so, the reasons they give, and how many gave which.

Four groups of reasons, each with its own: natural, service or product, brand, competitor. A cancellation ends the
relationship; a notice says that it is going to end.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Count, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from rondo.customers.queries import belongs_to, visible
from rondo.errors import InputError
from rondo.foundation.models import User
from rondo.interactions.queries import LEAVING, standing

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

GROUPS: dict[str, "_StrOrPromise"] = {
    "natural": pgettext_lazy("reason for leaving", "Natural"),
    "product": pgettext_lazy("reason for leaving", "Service or product"),
    "brand": pgettext_lazy("reason for leaving", "Brand"),
    "competitor": pgettext_lazy("reason for leaving", "Competitor"),
}
"""Groups of reasons for leaving, by key."""
REASONS: dict[str, dict[str, "_StrOrPromise"]] = {
    "natural": {
        "grown_out": gettext_lazy("grown out of it"),
        "moved": gettext_lazy("moved away"),
        "died": gettext_lazy("died"),
    },
    "product": {
        "quality": gettext_lazy("quality"),
        "price": gettext_lazy("price against value"),
        "service": gettext_lazy("service"),
        "range": gettext_lazy("range"),
    },
    "brand": {
        "self_image": gettext_lazy("self-image"),
        "trust": gettext_lazy("trust lost"),
    },
    "competitor": {
        "cheaper": gettext_lazy("cheaper elsewhere"),
        "better": gettext_lazy("better elsewhere"),
        "nearer": gettext_lazy("nearer elsewhere"),
    },
}
"""Reasons within each group; no key stands in two groups."""


def group_of(sub_reason: str) -> str:
    """The group a reason belongs to; empty where there is no such reason."""
    return next((group for group, reasons in REASONS.items() if sub_reason in reasons), "")


def checked(kind: str, reason: str, sub_reason: str) -> tuple[str, str]:
    """A reason as it is kept: its group and itself; the group follows from the reason where it is not named.

    Raises:
        InputError: a kind that has no reason for leaving, or a group or reason that there is not.
    """
    if not reason and not sub_reason:
        return "", ""
    if kind not in LEAVING:
        raise InputError(_("Only a cancellation or a notice has a reason for leaving; choose one of these kinds."))
    group = reason or group_of(sub_reason)
    if group not in GROUPS or (sub_reason and sub_reason not in REASONS[group]):
        known = ", ".join([*GROUPS, *(f"{name}.{one}" for name, ones in REASONS.items() for one in ones)])
        given = ".".join(part for part in (reason, sub_reason) if part)
        raise InputError(
            _("There is no reason for leaving “%(given)s”; there are %(known)s.")
            % {"given": given[:60], "known": known}
        )
    return group, sub_reason


def words(reason: str, sub_reason: str = "") -> str:
    """A reason in words, such as "Service or product: price against value"; empty where none was given."""
    group = str(GROUPS.get(reason, reason))
    return f"{group}: {REASONS.get(reason, {}).get(sub_reason, sub_reason)}" if sub_reason else group


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
