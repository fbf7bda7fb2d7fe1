"""Features of campaigns: how many were received and answered, and how lately."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Feature, FeatureGroup, registries

if TYPE_CHECKING:
    from rondo.analysis.facts import Past

RECENT_DAYS = 90


def campaigns(past: "Past") -> Any:
    """One row per customer who received a campaign."""
    import ibis  # the registered words are read by pages, which start without the engine

    recent = ibis.literal(past.as_of - timedelta(days=RECENT_DAYS))
    answers = past.interactions.filter(lambda t: t.in_response_to.notnull() & (t.direction == "inbound"))
    counted = answers.group_by(answered="in_response_to").aggregate(
        answers=answers.count(), answers_90=answers.count(where=answers.business_date > recent)
    )
    sent = past.exposures.select("customer_id", "campaign_id", "interaction_id", "sent_on")
    t = sent.left_join(counted, sent.interaction_id == counted.answered)
    return t.group_by("customer_id").aggregate(
        received=t.campaign_id.nunique(),
        received_90=t.campaign_id.nunique(where=t.sent_on > recent),
        answered=t.campaign_id.nunique(where=t.answered.notnull()),
        answers=t.answers.sum().cast("int64").fill_null(0),
        answers_90=t.answers_90.sum().cast("int64").fill_null(0),
    )


_RECEIVE = _("receive more campaigns"), _("receive fewer campaigns")
_ANSWER = _("answer more campaigns"), _("answer fewer campaigns")

registries.features.add(
    "campaigns",
    FeatureGroup(
        "campaigns",
        (
            Feature("received", _("Campaigns received"), *_RECEIVE, "count", "contacts"),
            Feature("received_90", _("Campaigns received in 90 days"), *_RECEIVE, "count", "contacts"),
            Feature("answered", _("Campaigns answered"), *_ANSWER, "count", "answers"),
            Feature("answers", _("Answers to campaigns"), *_ANSWER, "count", "answers"),
            Feature("answers_90", _("Answers to campaigns in 90 days"), *_ANSWER, "count", "answers"),
        ),
        campaigns,
    ),
)
