"""Why a customer is worth what they are worth, in plain words built from the facts of the current run."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.models import Score
from rondo.web import formats

_REGULAR_DAYS = 3
"""From so many purchase days on there is a rhythm to speak of."""


def reasons(score: Score, as_of: date, currency: str, horizon_months: int) -> list[str]:
    """One sentence per reason, the strongest first; a fact that is not known gives no sentence."""
    found = [
        _rhythm(score, currency),
        _last(score, as_of),
        _outlook(score, currency, horizon_months),
        _campaigns(score),
        _taste(score),
    ]
    return [sentence for sentence in found if sentence]


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
