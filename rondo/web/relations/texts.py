"""The words of relationships and bonds: what each type means, its treatment contract, what is missing to each bond.

Types after Avery, Fournier & Wittenbraker (2014). The contract is the unwritten rules of the type as we read them:
cadence, channel, tone, forbidden moves.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rondo.web.charts.portfolio import customers_where

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class Contract:
    """How customers of a type are to be treated."""

    cadence: "_StrOrPromise"
    channel: "_StrOrPromise"
    tone: "_StrOrPromise"
    forbidden: "_StrOrPromise"

    @property
    def rows(self) -> list[tuple["_StrOrPromise", "_StrOrPromise"]]:
        """The four clauses with their names."""
        return [
            (_("Cadence"), self.cadence),
            (_("Channel"), self.channel),
            (_("Tone"), self.tone),
            (_("Never"), self.forbidden),
        ]


@dataclass(frozen=True)
class TypeWords:
    """A type in words: what it is to the customer, by what behaviour it is told, and its contract (None: unknown)."""

    meaning: "_StrOrPromise"
    told_by: "_StrOrPromise"
    contract: Contract | None


TYPES: dict[str, TypeWords] = {
    "unknown": TypeWords(
        _("The data cannot tell what kind of relationship this is: ask, before you presume one."),
        _("no rule held"),
        None,
    ),
    "exchange": TypeWords(
        _("A good product at a fair price, reliable, without effort."),
        _("bought regularly, left campaigns unanswered, hardly got in touch"),
        Contract(
            _("Rarely: when something about the purchase changes, and at most one offer a month."),
            _("Whatever costs them least: receipt, card, post; no calls."),
            _("Short and factual, price and product first."),
            _("Asking for closeness, surveys after each purchase, reminders that they have been silent."),
        ),
    ),
    "partner": TypeWords(
        _("Solve problems together in the long run."),
        _("an organisation that talks with us, in both directions"),
        Contract(
            _("Regularly and by appointment; between that whenever a plan of theirs is touched."),
            _("One person who is answerable, by telephone and in meetings; mail for what was agreed."),
            _("Open, on equal terms, with plans and figures."),
            _("Mass mailings, a changing contact person, a suggestion left without an answer."),
        ),
    ),
    "buddies": TypeWords(
        _("Easy-going and friendly, without obligation."),
        _("got in touch unprompted again and again, without complaint"),
        Contract(
            _("Now and then, when there is something to tell."),
            _("Where they get in touch themselves."),
            _("Light and friendly, a little humour."),
            _("Pressure, deadlines, contracts, asking for commitment."),
        ),
    ),
    "best_friends": TypeWords(
        _("Closeness and mutual support."),
        _("got in touch unprompted and recommended us"),
        Contract(
            _("Often, and always when something goes wrong: they hear it from us first."),
            _("Personal: call, letter, invitation."),
            _("Honest, also about our faults; thankful."),
            _("Billing a favour, standard phrases, better terms for strangers than for them."),
        ),
    ),
    "fling": TypeWords(
        _("Excitement and novelty, for a short time."),
        _("bought often right after the first time, then not at all"),
        Contract(
            _("Only with something new, a few times a year."),
            _("Where novelties are shown: web, social media, shop window."),
            _("Exciting, surprising, brief."),
            _("Subscriptions, loyalty appeals, reproaches for having gone."),
        ),
    ),
    "master_servant": TypeWords(
        _("They command, we deliver."),
        _("complained or demanded again and again"),
        Contract(
            _("At once when they ask; hardly ever unasked."),
            _("The one they choose; a named person answers."),
            _("Attentive and correct, without familiarity."),
            _("Suggestions they did not ask for, arguing, being handed from one to the next."),
        ),
    ),
}

BONDS: dict[str, "_StrOrPromise"] = {
    "local": pgettext_lazy("bond", "local"),
    "contractual": pgettext_lazy("bond", "contractual"),
    "economic": pgettext_lazy("bond", "economic"),
    "technical": pgettext_lazy("bond", "technical-functional"),
    "emotional": pgettext_lazy("bond", "emotional"),
}
"""The bonds in their order."""

BANDS: dict[str, "_StrOrPromise"] = {
    "unknown": pgettext_lazy("strength of a bond", "not known"),
    "weak": pgettext_lazy("strength of a bond", "weak"),
    "moderate": pgettext_lazy("strength of a bond", "moderate"),
    "strong": pgettext_lazy("strength of a bond", "strong"),
}


def band_url(key: str, band: str, strong: float, weak: float) -> str:
    """The list of the customers whose bond is so strong, by the thresholds ``strong`` and ``weak``."""
    field = f"bond_{key}"
    low, high = f"{field}:min:{weak:g}", f"{field}:min:{strong:g}"
    conditions = {
        "unknown": (f"{field}:unknown",),
        "weak": (f"{field}:below:{weak:g}",),
        "moderate": (low, f"{field}:below:{strong:g}"),
        "strong": (high,),
    }
    return customers_where(*conditions[band])


MISSING: dict[str, "_StrOrPromise"] = {
    "local": _("Name the store of every order; it takes two stores to tell who keeps to one."),
    "contractual": _(
        "Contracts are not recorded. Import the end of the term and the notice as attributes contract_end and "
        "notice_months."
    ),
    "economic": _("No price was reduced in the data. Import list prices or discounts with the orders."),
    "technical": _(
        "Installed and connected products are not marked. Import their number as attribute connected_products."
    ),
    "emotional": _(
        "Nobody was asked. Ask for commitment (seven-point items) or willingness to recommend, and import the answers "
        "as attributes commitment or promoter_score; members of a community by community_member."
    ),
}
"""What is missing where a bond is known of nobody, and how it can be had."""
