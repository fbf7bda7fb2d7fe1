"""Every threshold of where customers stand and what binds them, as the form of the rules asks for it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

MOST = 3660
"""No threshold in days is longer than ten years."""
LEAST = {"client_from": 2, "trend_days": 2, "fling_from": 2, "partner_talks": 2} | dict.fromkeys(
    (
        "settled_from",
        "settled_days",
        "abstinence",
        "complaint_days",
        "notice_days",
        "window_days",
        "exchange_from",
        "offers",
        "fling_days",
        "fling_silence",
        "contacts",
        "demands",
        "survey_days",
        "least_days",
        "full_months",
        "full_products",
    ),
    1,
)
"""Least values of thresholds that cannot be 0."""
PLACES = {"trend_errors": 3}


@dataclass(frozen=True)
class Threshold:
    """One threshold as the form asks for it: which part and name, and whether it is a share, typed in per cent."""

    part: str
    name: str
    label: "_StrOrPromise"
    help: "_StrOrPromise" = ""
    share: bool = False
    unit: "_StrOrPromise" = ""

    @property
    def key(self) -> str:
        return f"{self.part}_{self.name}"

    @property
    def affix(self) -> "_StrOrPromise":
        return "%" if self.share else self.unit


_DAYS = gettext_lazy("days")
_MONTHS = gettext_lazy("months")
_CONTACTS = gettext_lazy("contacts")
_CAMPAIGNS = gettext_lazy("campaigns")
_COMPLAINTS = gettext_lazy("complaints")
_PRODUCTS = gettext_lazy("products")
ALL = (
    Threshold(
        "ladder", "client_from", gettext_lazy("Client from"), gettext_lazy("Purchase days a client needs."), unit=_DAYS
    ),
    Threshold(
        "ladder",
        "quantile",
        gettext_lazy("Own rhythm"),
        gettext_lazy("A client is back within this quantile of the own gaps."),
        share=True,
    ),
    Threshold(
        "ladder",
        "hold_days",
        gettext_lazy("Holds for"),
        gettext_lazy("Before a client falls or a customer climbs."),
        unit=_DAYS,
    ),
    Threshold(
        "life_cycle",
        "settled_from",
        gettext_lazy("Settled from"),
        gettext_lazy("Purchase days that end socialisation and revitalisation."),
        unit=_DAYS,
    ),
    Threshold(
        "life_cycle",
        "settled_days",
        gettext_lazy("Settled after"),
        gettext_lazy("Days that end socialisation in any case."),
        unit=_DAYS,
    ),
    Threshold(
        "life_cycle",
        "trend_days",
        gettext_lazy("Window of the trend"),
        gettext_lazy("Its later half is compared with the earlier one; an even number."),
        unit=_DAYS,
    ),
    Threshold(
        "life_cycle",
        "trend",
        gettext_lazy("Trend"),
        gettext_lazy("Change of spend beyond which it rises or falls."),
        share=True,
    ),
    Threshold(
        "life_cycle",
        "trend_errors",
        gettext_lazy("Beyond chance"),
        gettext_lazy("Standard errors of chance that a trend has to pass; 0 asks for none."),
    ),
    Threshold(
        "life_cycle",
        "endangered",
        gettext_lazy("Endangered beyond"),
        gettext_lazy("Quantile of the own gaps."),
        share=True,
    ),
    Threshold(
        "life_cycle", "decline", gettext_lazy("Decline beyond"), gettext_lazy("Quantile of the own gaps."), share=True
    ),
    Threshold(
        "life_cycle",
        "alive_below",
        gettext_lazy("Gone below"),
        gettext_lazy("Probability of being alive below which a repeat buyer is presumed gone."),
        share=True,
    ),
    Threshold(
        "life_cycle",
        "once",
        gettext_lazy("Bought once, gone beyond"),
        gettext_lazy("Quantile of all customers' gaps to the second purchase day."),
        share=True,
    ),
    Threshold(
        "life_cycle",
        "abstinence",
        gettext_lazy("Abstinence after"),
        gettext_lazy("Days after the relationship ended."),
        unit=_DAYS,
    ),
    Threshold(
        "life_cycle",
        "complaint_days",
        gettext_lazy("A complaint is open for"),
        gettext_lazy("At most, where nobody answers it."),
        unit=_DAYS,
    ),
    Threshold(
        "life_cycle",
        "notice_days",
        gettext_lazy("A notice counts for"),
        gettext_lazy("At most, where nobody cancels."),
        unit=_DAYS,
    ),
    Threshold(
        "life_cycle",
        "hold_days",
        gettext_lazy("Holds for"),
        gettext_lazy("Before growth, maturity or decline begins."),
        unit=_DAYS,
    ),
    Threshold(
        "life_cycle",
        "endangered_hold_days",
        gettext_lazy("Endangered holds for"),
        gettext_lazy("Before a customer counts as endangered."),
        unit=_DAYS,
    ),
    Threshold(
        "relationship",
        "window_days",
        gettext_lazy("Looks back"),
        gettext_lazy("Contacts and purchases that count."),
        unit=_DAYS,
    ),
    Threshold(
        "relationship",
        "hold_days",
        gettext_lazy("Holds for"),
        gettext_lazy("Before a type is entered; an answer counts at once."),
        unit=_DAYS,
    ),
    Threshold(
        "relationship",
        "survey_days",
        gettext_lazy("An answer counts for"),
        gettext_lazy("What the customer answered when asked."),
        unit=_DAYS,
    ),
    Threshold(
        "relationship",
        "exchange_from",
        gettext_lazy("Exchange from"),
        gettext_lazy("Purchase days."),
        unit=_DAYS,
    ),
    Threshold(
        "relationship",
        "few",
        gettext_lazy("Exchange with at most"),
        gettext_lazy("Contacts of their own."),
        unit=_CONTACTS,
    ),
    Threshold(
        "relationship",
        "offers",
        gettext_lazy("Exchange after"),
        gettext_lazy("Campaigns sent, so that silence says something."),
        unit=_CAMPAIGNS,
    ),
    Threshold(
        "relationship",
        "answered",
        gettext_lazy("Exchange answers at most"),
        gettext_lazy("Share of the campaigns sent."),
        share=True,
    ),
    Threshold(
        "relationship",
        "fling_from",
        gettext_lazy("Fling from"),
        gettext_lazy("Purchase days."),
        unit=_DAYS,
    ),
    Threshold(
        "relationship",
        "fling_days",
        gettext_lazy("Fling within"),
        gettext_lazy("From the first purchase on."),
        unit=_DAYS,
    ),
    Threshold(
        "relationship",
        "fling_silence",
        gettext_lazy("Fling silent for"),
        gettext_lazy("Since the last purchase."),
        unit=_DAYS,
    ),
    Threshold(
        "relationship",
        "contacts",
        gettext_lazy("Buddies from"),
        gettext_lazy("Unprompted contacts; with a recommendation: best friends."),
        unit=_CONTACTS,
    ),
    Threshold(
        "relationship",
        "partner_talks",
        gettext_lazy("Partner from"),
        gettext_lazy("Contacts from both sides, of organisations."),
        unit=_CONTACTS,
    ),
    Threshold(
        "relationship",
        "demands",
        gettext_lazy("Master and servant from"),
        gettext_lazy("Complaints."),
        unit=_COMPLAINTS,
    ),
    Threshold(
        "bonds",
        "window_days",
        gettext_lazy("Looks back"),
        gettext_lazy("Purchases that count."),
        unit=_DAYS,
    ),
    Threshold(
        "bonds",
        "least_days",
        gettext_lazy("Known from"),
        gettext_lazy("Purchase days for the local and the economic bond."),
        unit=_DAYS,
    ),
    Threshold(
        "bonds",
        "full_saving",
        gettext_lazy("Full economic bond"),
        gettext_lazy("Share of list prices saved."),
        share=True,
    ),
    Threshold(
        "bonds",
        "full_months",
        gettext_lazy("Full contractual bond"),
        gettext_lazy("Until the contract can be left."),
        unit=_MONTHS,
    ),
    Threshold(
        "bonds",
        "full_products",
        gettext_lazy("Full technical bond"),
        gettext_lazy("Connected products."),
        unit=_PRODUCTS,
    ),
    Threshold(
        "bonds",
        "member",
        gettext_lazy("Emotional bond of members"),
        gettext_lazy("At least, in the community."),
        share=True,
    ),
    Threshold(
        "bonds",
        "strong",
        gettext_lazy("Strong from"),
        gettext_lazy("Of every bond."),
        share=True,
    ),
    Threshold(
        "bonds",
        "weak",
        gettext_lazy("Weak below"),
        gettext_lazy("Of every bond."),
        share=True,
    ),
)
"""The thresholds in the order of the form."""

PARTS = (
    ("ladder", gettext_lazy("Loyalty ladder")),
    ("life_cycle", gettext_lazy("Life cycle")),
    ("relationship", gettext_lazy("Type of relationship")),
    ("bonds", gettext_lazy("Bonds")),
)
"""The parts of the form in their order, with their headings."""
