"""The value of a relationship as a profile of parts, and both sides of its ledger; never one sum, nothing made up.

Parts after Kumar et al. (2010): economic, behavioural, psychological. What the data do not hold is said to be missing,
with what would fill it: an absent part is absent, not zero.
"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.models import Score
from rondo.web import formats
from rondo.web.customers.told import Told

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

CHURN_DAYS = 91
"""The horizon of the risk, as docs/facts.md defines it."""
_HARDLY = 0.01


@dataclass(frozen=True)
class Part:
    """A part of the profile: what it is called, its makings as (label, value), and what is missing to it."""

    key: str
    title: "_StrOrPromise"
    rows: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Profile:
    """The three parts of the value to us, the value to the customer, and unanswered turns of both."""

    parts: list[Part]
    got: Part
    turns: Part


def profile(score: Score, currency: str, horizon_months: int, margin_rate: float, told: Told | None = None) -> Profile:
    """The profile of a customer from the facts of the current run and what is known beside them."""
    told = told or Told()
    return Profile(
        [
            _economic(score, currency, horizon_months, margin_rate),
            _behavioural(score, told, currency),
            _psychological(told),
        ],
        _got(score, currency, told),
        _turns(score),
    )


def risk(score: Score) -> list[str]:
    """The risk of falling silent and what drives it, in words; nothing where it is not known."""
    if score.churn is None or score.risk is None:
        return []
    chance = _chance(score.churn)
    days = formats.days(CHURN_DAYS)
    found = [
        {
            "low": _("Low: with a chance of %(chance)s nothing is bought within %(days)s."),
            "elevated": _("Elevated: with a chance of %(chance)s nothing is bought within %(days)s."),
            "high": _("High: with a chance of %(chance)s nothing is bought within %(days)s."),
        }[score.risk]
        % {"chance": chance, "days": days}
    ]
    usual = None if score.churn_usual is None else _chance(score.churn_usual)
    silent = formats.days(score.recency_days)
    if score.risk_driver == "silence" and usual is not None:
        found.append(
            _("The silence of %(silent)s drives it: right after a purchase it would be %(usual)s.")
            % {"silent": silent, "usual": usual}
        )
    elif score.risk_driver == "rhythm" and usual is not None:
        found.append(
            _("The own rhythm drives it: buys so rarely that right after a purchase, too, it would be %(usual)s.")
            % {"usual": usual}
        )
    elif score.risk_driver == "once" and usual is not None:
        found.append(
            _(
                "Bought on one day only, %(silent)s ago: reckoned by how others came back after a first purchase "
                "(right after it: %(usual)s)."
            )
            % {"silent": silent, "usual": usual}
        )
    elif score.risk == "low" and score.activity in ("late", "asleep") and score.gap_q90_days and usual is not None:
        found.append(
            _(
                "Later than the own rhythm all the same: silent for %(silent)s, usually for %(gap)s at most. Right "
                "after a purchase it would be %(usual)s; who buys so often is still expected back within that time."
            )
            % {"silent": silent, "gap": formats.days(score.gap_q90_days), "usual": usual}
        )
    return found


def _chance(value: float) -> str:
    """A probability in whole percent that never claims to be certain."""
    if value < _HARDLY:
        return _("under %(share)s") % {"share": formats.share(0.01, 0)}
    if value > 1 - _HARDLY:
        return _("over %(share)s") % {"share": formats.share(0.99, 0)}
    return formats.share(value, 0)


def _economic(score: Score, currency: str, horizon_months: int, margin_rate: float) -> Part:
    months = ngettext("Value over %(count)s month", "Value over %(count)s months", horizon_months) % {
        "count": formats.number(horizon_months)
    }
    if score.value is None:
        return Part(
            "economic", _("Economic"), missing=[_("No value: nothing was bought, or no model could be fitted.")]
        )
    rows = [
        (months, formats.money(score.value, currency, 0)),
        (_("Purchase days expected"), formats.number(score.expected_purchases, 1)),
        (_("Usual number of them (median)"), formats.number(score.median_purchases)),
        *_ahead(score),
        (_("Spend expected on each"), formats.money(score.expected_spend, currency)),
        (_("Margin"), formats.share(margin_rate, 0)),
    ]
    return Part(
        "economic",
        _("Economic"),
        rows,
        [_("Cost to serve is not recorded; the margin is the company's rate.")],
    )


def _ahead(score: Score) -> list[tuple[str, str]]:
    """Purchases of this one customer while the risk lasts, and the ends of their interval."""
    if score.purchases_ahead is None:
        return []
    label = _("Purchase days within %(days)s") % {"days": formats.days_ago(CHURN_DAYS)}
    more = {
        "expected": formats.number(score.purchases_ahead, 1),
        "low": formats.number(score.purchases_ahead_low),
        "high": formats.number(score.purchases_ahead_high),
    }
    return [(label, _("%(expected)s (with 90%% certainty %(low)s to %(high)s)") % more)]


def _behavioural(score: Score, told: Told, currency: str) -> Part:
    received, answered = score.campaigns_received or 0, score.campaigns_answered or 0
    rows = [
        (_("Days since the last purchase"), formats.number(score.recency_days)),
        (_("Purchase days a month"), formats.number(score.frequency, 1)),
        (_("Categories bought"), formats.number(score.categories)),
        (_("Stores visited"), formats.number(score.stores)),
        (_("Contacts of all kinds"), formats.number(score.interactions)),
    ]
    if received:
        rows.append(
            (
                _("Campaigns answered"),
                _("%(answered)s of %(received)s")
                % {"answered": formats.number(answered), "received": formats.number(received)},
            )
        )
    missing = [] if received else [_("Answers to campaigns: none was sent yet.")]
    if told.referred:
        rows.append((_("Recommended us to"), formats.number(told.referred)))
        rows.append((_("of them bought"), formats.number(told.came)))
        rows.append((_("Value of those who came by it"), formats.money(told.brought, currency, 0)))
    else:
        missing.append(_("Referrals: not recorded. Record who came by whom, and they count here."))
    missing.append(_("Influence on others, and suggestions taken up: not recorded."))
    return Part("behavioural", _("Behavioural"), rows, missing)


def _psychological(told: Told) -> Part:
    rows = []
    if told.promoter is not None:
        rows.append((_("Would recommend us"), _scale(told.promoter, 10, 0)))
    if told.commitment is not None:
        rows.append((_("Commitment"), _scale(told.commitment, 7, 1)))
    missing = (
        _("Satisfaction and trust: not known, nobody was asked. Surveys will fill this.")
        if rows
        else _("Satisfaction, trust and willingness to recommend: not known, nobody was asked. Surveys will fill this.")
    )
    return Part("psychological", _("Psychological"), rows, [missing])


def _scale(value: float, most: int, digits: int) -> str:
    return _("%(value)s of %(most)s") % {"value": formats.number(value, digits), "most": formats.number(most)}


def _got(score: Score, currency: str, told: Told) -> Part:
    rows = [(_("Saved by offers"), formats.money(score.saved, currency, 0))]
    if score.saved:
        rows.append((_("of it by coupons"), formats.money(score.saved_by_coupons, currency, 0)))
        rows.append((_("Share of prices before offers"), formats.share(score.discount_share, 0)))
    rows.append((_("Campaigns received"), formats.number(score.campaigns_received)))
    if told.asked:
        rows.append((_("Questions answered"), _scale(told.answered, told.asked, 0)))
    if told.days is not None:
        rows.append((_("Half of the answers came within"), formats.days(math.ceil(told.days) or 1)))
    return Part(
        "got",
        _("What the customer got from us"),
        rows,
        [
            _("Services, problems solved and how fast: not recorded. Service cases will fill this."),
            _("Preferences respected: not recorded yet."),
        ],
    )


def _turns(score: Score) -> Part:
    silent = max((score.campaigns_received or 0) - (score.campaigns_answered or 0), 0)
    return Part(
        "turns",
        _("Unanswered turns"),
        [
            (_("Questions that wait for our answer"), formats.number(score.unanswered)),
            (_("Campaigns that the customer left unanswered"), formats.number(silent)),
        ],
    )
