"""The panel of what a customer is likely to buy for the first time: at all, and of categories new to them."""

from typing import Any

from django.utils.translation import gettext as _

from rondo.analysis.leads.queries import InterestIn, LeadForOne, likely_of
from rondo.analysis.leads.ruled import rule_of
from rondo.foundation.models import User
from rondo.foundation.reading import Reading
from rondo.web import formats
from rondo.web.charts.portfolio import customers_where
from rondo.web.leads.words import WHY, against_average, told


def of_customer(_viewer: User, reading: Reading) -> dict[str, Any] | None:
    """What the customer, whom the viewer may see, is likely to buy first; None where nothing is known."""
    found = likely_of(reading.survivor)
    if found is None:
        return None
    return {
        "as_of": found.as_of,
        "headline": _headline(found.lead) if found.lead else "",
        "reasons": [(told(one), one.effect > 0) for one in found.lead.reasons] if found.lead else [],
        "interests": [_interest(one) for one in found.interests],
        "horizon": found.horizon,
    }


def _headline(found: LeadForOne) -> str:
    return _("Likely to buy for the first time: %(chance)s within %(days)s, %(times)s") % {
        "chance": formats.share(found.chance, 0 if found.chance >= 0.0995 else 1),
        "days": formats.days(found.horizon),
        "times": against_average(found.times),
    }


def _interest(found: InterestIn) -> dict[str, Any]:
    entry = found.entry
    return {
        "name": found.path.rpartition(" > ")[2],
        "path": found.path,
        "chance": entry.chance,
        "why": WHY[entry.why],
        "times": entry.times,
        "url": customers_where(rule=rule_of(found.path, entry.chance)),
    }
