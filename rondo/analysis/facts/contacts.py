"""Facts of contact: interactions, and campaigns received and answered."""

from typing import Any

from rondo.analysis.facts.past import Past


def contacts(past: Past) -> Any:
    """One row per customer with an interaction."""
    t = past.interactions
    return t.group_by("customer_id").aggregate(
        interactions=t.count(), last_contact=t.business_date.max(where=t.direction == "outbound")
    )


def campaigns(past: Past) -> Any:
    """One row per customer who received a campaign."""
    answers = past.interactions.filter(lambda t: t.in_response_to.notnull() & (t.direction == "inbound"))
    answered = answers.select(answered="in_response_to").distinct()
    t = past.exposures.left_join(answered, past.exposures.interaction_id == answered.answered)
    return t.group_by("customer_id").aggregate(
        campaigns_received=t.campaign_id.nunique(),
        campaigns_answered=t.campaign_id.nunique(where=t.answered.notnull()),
    )
