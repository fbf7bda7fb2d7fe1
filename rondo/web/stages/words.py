"""The words of buying stages: what each means, what a contact in it is for, and why somebody stands there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.analysis.buying_stages.queries import NO_SIGN
from rondo.analysis.buying_stages.ruled import BUYING_STAGE
from rondo.analysis.buying_stages.texts import Entry
from rondo.science.buying_stages import Reason
from rondo.web import formats

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class Told:
    """What a stage means, and what a contact with somebody in it is for."""

    meaning: "_StrOrPromise"
    objective: "_StrOrPromise"


TOLD = {
    "unaware": Told(gettext_lazy("earlier signs have faded"), gettext_lazy("bring it back to mind")),
    "need_recognised": Told(
        gettext_lazy("due again by the own rhythm, or read about it"), gettext_lazy("say that it is time")
    ),
    "information_search": Told(gettext_lazy("viewed it or asked about it"), gettext_lazy("inform, give an overview")),
    "evaluation": Told(
        gettext_lazy("compared it or put it into the basket"), gettext_lazy("prove it, take doubts away")
    ),
    "purchase": Told(gettext_lazy("bought in the last days"), gettext_lazy("make it easy, thank")),
    "after_purchase": Told(
        gettext_lazy("has it, was served or wrote a review"),
        gettext_lazy("confirm, help to use it, hear what was wrong"),
    ),
}
STATES = ((NO_SIGN, gettext_lazy("no sign yet")), *BUYING_STAGE)
"""The stages and, before them, who had given no sign yet."""
FROM_THE_TOP = (
    "purchase",
    "evaluation",
    "information_search",
    "need_recognised",
    "after_purchase",
    "unaware",
    NO_SIGN,
)
"""Stages from the top of a drawing: what is nearest to a purchase first."""


def why(entry: Entry) -> str:
    """Why a customer stands where they stand in a category."""
    since = formats.day(entry.since)
    if entry.bought is None or entry.rhythm is None:
        bought = ""
    else:
        bought = _("bought last on %(day)s") % {"day": formats.day(entry.bought)}
    texts = {
        Reason.FADED: _("faded on %(day)s") % {"day": since},
        Reason.DUE: _("due since %(day)s by a rhythm of %(days)s")
        % {
            "day": since,
            "days": formats.days(max(entry.rhythm or 1, 1)),
        },
        Reason.CONTENT: _("read about it on %(day)s") % {"day": since},
        Reason.SEARCH: _("viewed it or asked on %(day)s") % {"day": since},
        Reason.EVALUATION: _("compared it or put it into the basket on %(day)s") % {"day": since},
        Reason.SERVICE: _("service or review on %(day)s") % {"day": since},
    }
    parts = [texts.get(entry.reason, ""), bought]
    return ", ".join(part for part in parts if part)
