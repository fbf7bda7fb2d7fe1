"""Facts of contact: interactions, and campaigns received and answered."""

from typing import Any

from rondo.analysis.facts.past import Past
from rondo.foundation.registry import registries


def contacts(past: Past) -> Any:
    """Contacts, one row per customer with an interaction, whom ``talks`` names."""
    t = past.interactions
    return t.group_by(talks="customer_id").aggregate(
        interactions=t.count(), last_contact=t.business_date.max(where=t.direction == "outbound")
    )


def unanswered(past: Past) -> Any:
    """Turns that wait for us: inbound contacts of a kind that expects an answer, without an outbound contact that
    answers them. One row per customer with any, whom ``waits`` names."""
    t = past.interactions
    kinds = [kind.key for kind in registries.interaction_kinds if kind.expects_answer]
    asked = t.filter((t.direction == "inbound") & t.kind.isin(kinds))
    answers = t.filter((t.direction == "outbound") & t.in_response_to.notnull())
    answers = answers.select(answered="in_response_to").distinct()
    open_ = asked.anti_join(answers, asked.id == answers.answered)
    return open_.group_by(waits="customer_id").aggregate(unanswered=open_.count())


def campaigns(past: Past) -> Any:
    """Campaigns, one row per customer who received one, whom ``receives`` names."""
    answers = past.interactions.filter(lambda t: t.in_response_to.notnull() & (t.direction == "inbound"))
    answered = answers.select(answered="in_response_to").distinct()
    sent = past.exposures.select("customer_id", "campaign_id", "interaction_id")
    t = sent.left_join(answered, sent.interaction_id == answered.answered)
    return t.group_by(receives="customer_id").aggregate(
        campaigns_received=t.campaign_id.nunique(),
        campaigns_answered=t.campaign_id.nunique(where=t.answered.notnull()),
    )
