"""Why somebody is likely to buy for the first time, and what is missing where it cannot be told, in words."""

from collections.abc import Callable
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rondo.analysis.leads.queries import LeadForOne
from rondo.analysis.leads.shapes import Interest, Leads
from rondo.analysis.leads.texts import Reason
from rondo.customers.models import AttributeDefinition, Link
from rondo.foundation.registry import registries
from rondo.science.reasons import RECENT_DAYS, Why
from rondo.web import formats

WHY = {
    Why.TASTE: gettext_lazy("customers with a basket like theirs buy it"),
    Why.DEPARTMENT: gettext_lazy("they buy much of its department"),
    Why.LOOKED: gettext_lazy("they looked at it or asked about it"),
    Why.TOLD: gettext_lazy("they were told of it"),
    Why.POPULAR: gettext_lazy("many try it now"),
}
"""Why a category is likely to be bought for the first time."""


def theme(key: str) -> str:
    """The name of a theme of signals."""
    head, _dot, name = key.partition(".")
    if head == "kind":
        kind = registries.interaction_kinds.get(name)
        return str(kind.label) if kind else name
    if head == "link":
        return str(dict(Link.Role.choices).get(name, name))
    if head == "attribute":
        return _attribute(name)
    if head == "channel":
        return _("Contacts over the channel %(channel)s") % {"channel": name}
    if head == "medium":
        return _("Contacts by the medium %(medium)s") % {"medium": name}
    if head == "origin":
        return _("First contact over the channel %(channel)s") % {"channel": name}
    known = {
        "contact": _("Contacts from them"),
        "sent": _("Contacts from us"),
        "answers": _("Answers to what we sent"),
        "waits": _("Questions that wait for our answer"),
        "interest": _("Categories and products they named"),
        "known": _("Time known"),
    }
    return known.get(key, key)


def _attribute(name: str) -> str:
    key, equals, value = name.partition("=")
    definition = AttributeDefinition.objects.filter(key=key).first()
    label = definition.label if definition else key
    return f"{label}: {value}" if equals else label


def _often(reason: Reason) -> str:
    """How often and how lately, of contacts."""
    if reason.recent:
        return ngettext("%(n)s time in %(days)s days", "%(n)s times in %(days)s days", reason.recent) % {
            "n": formats.number(reason.recent),
            "days": formats.number(RECENT_DAYS),
        }
    if reason.total and reason.silent is not None:
        return _("last %(days)s ago") % {"days": formats.days_ago(reason.silent)}
    return _("none yet")


def _of_known(reason: Reason) -> str:
    return _("known for %(days)s") % {"days": formats.days_ago(reason.total)}


def _of_answers(reason: Reason) -> str:
    if not reason.total:
        return _("never answered what we sent")
    return ngettext("answered %(n)s time", "answered %(n)s times", reason.total) % {"n": formats.number(reason.total)}


def _of_waits(reason: Reason) -> str:
    if not reason.total:
        return _("no question of theirs is open")
    return ngettext(
        "waits for our answer to %(n)s question", "waits for our answer to %(n)s questions", reason.total
    ) % {"n": formats.number(reason.total)}


def _of_interest(reason: Reason) -> str:
    if not reason.total:
        return _("named no category or product")
    return ngettext(
        "named categories or products in %(n)s contact", "named categories or products in %(n)s contacts", reason.total
    ) % {"n": formats.number(reason.total)}


_TOLD: dict[str, Callable[[Reason], str]] = {
    "known": _of_known,
    "answers": _of_answers,
    "waits": _of_waits,
    "interest": _of_interest,
}


def told(reason: Reason) -> str:
    """A reason as a part of a sentence: what is known of the theme."""
    if words := _TOLD.get(reason.theme):
        return words(reason)
    head, _dot, name = reason.theme.partition(".")
    if head == "link" and name == Link.Role.REFERRED:
        return _("recommended by a customer") if reason.total else _("nobody recommended us to them")
    if head == "link":
        label = theme(reason.theme)
        return label if reason.total else _("not known as: %(link)s") % {"link": label}
    if head == "origin":
        text = _("came first over %(channel)s") if reason.total else _("did not first come over %(channel)s")
        return text % {"channel": name}
    if head == "attribute" and "=" in name:
        label = theme(reason.theme)
        return label if reason.total == 1 else _("not %(what)s") % {"what": label}
    if head == "attribute":
        return f"{theme(reason.theme)}: {formats.number(reason.total)}"
    return _("%(what)s: %(often)s") % {"what": theme(reason.theme), "often": _often(reason)}


def because(found: LeadForOne) -> str:
    """The reasons of one lead, joined."""
    return "; ".join(told(reason) for reason in found.reasons)


def against_average(times: float) -> str:
    """A chance against that of the average lead, in words."""
    if times >= 1.95:
        return _("%(times)s times the average lead") % {"times": formats.number(times, 0 if times >= 9.95 else 1)}
    if times <= 0.55:
        return _("less than %(share)s of the average lead") % {"share": formats.share(max(times, 0.01) + 0.005, 0)}
    if 0.9 <= times <= 1.1:
        return _("about as the average lead")
    return _("%(share)s of the average lead") % {"share": formats.share(times, 0)}


def missing_leads(found: Leads) -> tuple[str, str]:
    """Why there is no score of leads, with the figures; and what would bring one."""
    have, need = formats.number(found["have"]), formats.number(found["need"])
    figures = {
        "have": have,
        "need": need,
        "days": formats.days(found["horizon"]),
        "before": formats.number(found["before"]),
        "customers": formats.number(found["customers"]),
    }
    imports = _("Import contacts from before the first purchase, with the people who never bought:")
    told_ = {
        "nobody": (
            _("All %(customers)s customers of the data appear with their first purchase: nobody was known before it."),
            imports,
        ),
        "too_short": (
            _("What is known of people before they bought goes back %(have)s days; %(need)s are needed."),
            _("Wait, or import older contacts:"),
        ),
        "too_few_leads": (
            _(
                "%(before)s of %(customers)s customers were known before their first purchase. On the day on which a "
                "score would have to prove itself, %(days)s before the run, %(have)s of them had not bought yet; "
                "%(need)s are needed."
            ),
            imports,
        ),
        "too_few_taught": (
            _(
                "Before the day on which a score would have to prove itself, %(have)s leads are known who did not buy "
                "within %(days)s; %(need)s are needed to learn from."
            ),
            imports,
        ),
        "too_few_buyers": (
            _("%(have)s people bought for the first time within %(days)s; %(need)s are needed to learn from."),
            _("Wait for more first purchases, or import older contacts:"),
        ),
        "no_signal": (
            _("What is known of people before they buy does not tell who will: forecasts ranked them by chance."),
            _("More kinds of contact may tell (visits, content read, enquiries):"),
        ),
        "no_better": (
            _("A score was tried on people it had not seen and told no more than the share that buys anyhow."),
            _("More kinds of contact may tell (visits, content read, enquiries):"),
        ),
    }
    why, way = told_[found["reason"]]
    return why % figures, way


def missing_interest(found: Interest) -> str:
    """Why there is no score of interest, with the figures."""
    told_ = {
        "no_categories": _("Interest is scored by category of the second level: give the products a category."),
        "too_short": _("The purchases go back %(have)s days; %(need)s are needed."),
        "too_few_firsts": _(
            "%(have)s first purchases in a category came in the last %(days)s; %(need)s are needed to prove a score."
        ),
        "no_better": _("A score was tried on the last %(days)s and told no more than how many try each category."),
    }
    return told_[found["reason"]] % {
        "have": formats.number(found["have"]),
        "need": formats.number(found["need"]),
        "days": formats.days(found["horizon"]),
    }


def day_of(text: str) -> date:
    """An ISO date of the findings as a day."""
    return date.fromisoformat(text)
