"""Why a customer is worth what they are worth, in plain words built from the facts of the current run."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.models import Score
from rondo.analysis.ruled import CHANGE, LADDER, STAGE
from rondo.web import formats
from rondo.web.customers.profile import CHURN_DAYS
from rondo.web.customers.told import Told

_REGULAR_DAYS = 3
"""From so many purchase days on there is a rhythm to speak of."""


def reasons(score: Score, as_of: date, currency: str, horizon_months: int) -> list[str]:
    """One sentence per reason, the strongest first; a fact that is not known gives no sentence."""
    found = [
        _rhythm(score, currency),
        _last(score, as_of),
        _outlook(score, currency, horizon_months),
        _ahead(score),
        _campaigns(score),
        _taste(score),
    ]
    return [sentence for sentence in found if sentence]


def where(score: Score, told: Told) -> list[str]:
    """Where the customer stands on the ladder and in the life cycle, since when, and why; nothing before an analysis
    that knows of them. What a promoter said is a mark on the rung and no rung."""
    if not score.ladder or not score.stage:
        return []
    stage = str(dict(STAGE).get(score.stage, score.stage))
    since = (
        _("%(stage)s since %(day)s") % {"stage": _capital(stage), "day": formats.day(score.stage_since)}
        if score.stage_since
        else _capital(stage)
    )
    rung = str(dict(LADDER).get(score.ladder, score.ladder))
    found = [f"{since}: {_stage_reason(score, told)}.", f"{_capital(rung)}: {_rung_reason(score)}."]
    if told.promotes and score.ladder != "advocate":
        said = _("Supporter: would recommend us (%(value)s of 10); that they did is not recorded.")
        found.append(said % {"value": formats.number(told.promoter)})
    if score.change and score.change_weeks:
        more = {
            "change": _capital(str(dict(CHANGE)[score.change])),
            "weeks": formats.number(score.change_weeks),
            "what": score.change_to,
        }
        found.append(
            _("%(change)s than in the year before, for about %(weeks)s weeks, beyond chance: above all more %(what)s.")
            % more
            if score.change_to
            else _("%(change)s than in the year before, for about %(weeks)s weeks, beyond chance.") % more
        )
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_late(score: Score) -> bool:
    """Whether the pause is longer than nine of ten of the customer's own."""
    return score.overdue is not None and score.overdue > 1


def _stage_reason(score: Score, told: Told) -> str:
    late = _is_late(score)
    if score.stage == "endangered" and told.complaint is not None:
        return _("a complaint of %(day)s is open") % {"day": formats.day(told.complaint)}
    if said := _said(score, told):
        return said
    reasons = {
        "before": _("no sign of interest yet"),
        "initiation": _("has shown interest, has not bought"),
        "socialisation": _("the first purchases of a new customer"),
        "growth": _(
            "spent clearly more in the last 90 days than in the 90 before; the present pause is longer than nine of "
            "ten of the own and moves the stage once it lasts"
        )
        if late
        else _("spent clearly more in the last 90 days than in the 90 before, beyond chance"),
        "maturity": _(
            "spends steadily; the present pause is longer than nine of ten of the own and moves the stage once it lasts"
        )
        if late
        else _("spends steadily, within the own rhythm"),
        "endangered": _("the pause is longer than three of four of the own"),
        "decline": _("the pause is longer than nine of ten of the own")
        if late
        else _("spent clearly less in the last 90 days than in the 90 before, beyond chance"),
        "termination": _("presumed gone: silent for longer than the own history makes likely"),
        "abstinence": _("presumed gone 90 days ago or more"),
        "revitalisation": _("bought again after having been gone"),
    }
    return reasons.get(score.stage or "", "")


def _said(score: Score, told: Told) -> str:
    """That the customer said they leave, where that is why they stand where they do."""
    left = told.left
    if left is None:
        return ""
    bought_since = score.last_purchase is not None and score.last_purchase > left.day
    day = {"day": formats.day(left.day), "why": left.why or _("no reason given")}
    if left.kind == "cancellation" and not bought_since and score.stage in ("termination", "abstinence"):
        return _("cancelled on %(day)s (%(why)s)") % day
    if left.kind == "notice" and score.stage == "decline":
        return _("gave notice on %(day)s (%(why)s)") % day
    return ""


def _rung_reason(score: Score) -> str:
    reasons = {
        "suspect": _("known, no sign of interest"),
        "prospect": _("interested, no purchase yet"),
        "customer": _("bought regularly, but the last purchase is too long ago")
        if (score.purchase_days or 0) >= _REGULAR_DAYS
        else _("has bought, but not yet on three days"),
        "client": _(
            "buys regularly; the present pause is longer than nine of ten of the own and moves the rung once it lasts"
        )
        if _is_late(score)
        else _("buys regularly, on three days or more and within the own rhythm"),
        "advocate": _("buys regularly and has recommended you"),
    }
    return reasons.get(score.ladder or "", "")


def _whole(minor: int | None, currency: str) -> str:
    return formats.money(minor, currency, digits=0)


def _rhythm(score: Score, currency: str) -> str:
    if not score.purchase_days:
        return _("Has not bought anything yet.")
    basket = _whole(score.average_basket, currency)
    if score.purchase_days == 1:
        return _("Bought on one day only, for %(basket)s a basket.") % {"basket": basket}
    if score.purchase_days < _REGULAR_DAYS or score.typical_gap_days is None:
        return _("Bought on %(days)s days, %(basket)s a basket.") % {
            "days": formats.number(score.purchase_days),
            "basket": basket,
        }
    gap = max(1, round(score.typical_gap_days))
    return ngettext(
        "Buys about every day, %(basket)s a basket.", "Buys about every %(gap)s days, %(basket)s a basket.", gap
    ) % {"gap": formats.number(gap), "basket": basket}


def _last(score: Score, as_of: date) -> str:
    if score.recency_days is None:
        return ""
    day = formats.day(as_of)
    if score.recency_days == 0:
        last = _("Last bought on %(day)s, the day this is reckoned from") % {"day": day}
    else:
        last = ngettext(
            "Last bought %(count)s day before %(day)s", "Last bought %(count)s days before %(day)s", score.recency_days
        ) % {"count": formats.number(score.recency_days), "day": day}
    rhythm = {
        "active": _("within the usual rhythm"),
        "late": _("later than the own rhythm suggests"),
        "asleep": _("far beyond the usual rhythm"),
    }.get(score.activity or "")
    if rhythm is None or not score.purchase_days or score.purchase_days < _REGULAR_DAYS:
        return f"{last}."
    if score.activity in ("late", "asleep") and score.gap_q90_days is not None:
        pauses = ngettext(
            "nine of ten pauses last at most %(count)s day", "nine of ten pauses last at most %(count)s days",
            round(score.gap_q90_days),
        ) % {"count": formats.number(score.gap_q90_days)}  # fmt: skip
        return f"{last}, {rhythm}: {pauses}."
    return f"{last}, {rhythm}."


def _outlook(score: Score, currency: str, horizon_months: int) -> str:
    if score.expected_purchases is None or not score.purchase_days:
        return ""
    days = round(score.expected_purchases)
    months = ngettext("the next month", "the next %(count)s months", horizon_months) % {
        "count": formats.number(horizon_months)
    }
    if days == 0:
        return _("Hardly any purchase is expected in %(months)s.") % {"months": months}
    if score.median_purchases == 0:
        return _("More likely than not, no purchase follows in %(months)s.") % {"months": months}
    if score.expected_spend is None:
        text = ngettext("%(count)s purchase day is expected in %(months)s.",
                        "%(count)s purchase days are expected in %(months)s.", days)  # fmt: skip
        return text % {"count": formats.number(days), "months": months}
    text = ngettext(
        "%(count)s purchase day of about %(spend)s is expected in %(months)s.",
        "%(count)s purchase days of about %(spend)s each are expected in %(months)s.",
        days,
    )
    return text % {"count": formats.number(days), "months": months, "spend": _whole(score.expected_spend, currency)}


def _ahead(score: Score) -> str:
    """How often this one customer will buy while the risk lasts, and how sure one may be."""
    if score.purchases_ahead is None or score.purchases_ahead_low is None or score.purchases_ahead_high is None:
        return ""
    low, high = score.purchases_ahead_low, score.purchases_ahead_high
    more = {
        "days": formats.days_ago(CHURN_DAYS),
        "expected": formats.number(score.purchases_ahead, 1),
        "low": formats.number(low),
        "high": formats.number(high),
    }
    if not high:
        return (
            _("In the next %(days)s %(expected)s purchase days are expected; with 90%% certainty there will be none.")
            % more
        )
    if low == high:
        return (
            _("In the next %(days)s %(expected)s purchase days are expected; with 90%% certainty it will be %(high)s.")
            % more
        )
    if not low:
        return (
            _("In the next %(days)s %(expected)s purchase days are expected; with 90%% certainty at most %(high)s.")
            % more
        )
    return (
        _("In the next %(days)s %(expected)s purchase days are expected; with 90%% certainty %(low)s to %(high)s.")
        % more
    )


def _campaigns(score: Score) -> str:
    received, answered = score.campaigns_received, score.campaigns_answered or 0
    if not received:
        return ""
    if not answered:
        return ngettext(
            "Received %(count)s campaign and did not answer.",
            "Received %(count)s campaigns and answered none.",
            received,
        ) % {"count": formats.number(received)}
    return ngettext(
        "Answered the only campaign received.", "Answered %(answered)s of %(count)s campaigns.", received
    ) % {"count": formats.number(received), "answered": formats.number(answered)}


def _taste(score: Score) -> str:
    if not score.favourite_category:
        return ""
    category = score.favourite_category.rsplit(" > ", 1)[-1]
    if score.own_label_share is None:
        return _("Spends most on %(category)s.") % {"category": category}
    return _("Spends most on %(category)s; own-label products make up %(share)s.") % {
        "category": category,
        "share": formats.share(score.own_label_share, 0),
    }
