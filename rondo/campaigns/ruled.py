"""What rules can ask of campaigns: the one an interaction belongs to, as its contact or as the answer to it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from rondo.campaigns.models import Campaign, Exposure
from rondo.foundation.loads import shown
from rondo.foundation.registry import RuleDetail, registries
from rondo.foundation.search import fold
from rondo.interactions.models import Interaction, Retraction


def _contacts() -> QuerySet[Exposure]:
    retracted = Retraction.objects.filter(interaction_id=OuterRef("interaction_id"))
    return Exposure.objects.filter(shown(), ~Exists(retracted), interaction_id__isnull=False)


def _named(values: tuple[Any, ...], _viewer: int | None) -> list[Any]:
    names = {fold(value) for value in values} - {""}
    rows = Campaign.objects.filter(shown()).values_list("pk", "number", "name")
    return [key for key, number, name in rows if number in values or fold(name) in names]


def _like(text: str) -> Iterable[str]:
    named = Campaign.objects.filter(shown(), name__icontains=text).order_by("name")
    return named.values_list("name", flat=True)[:200]


def _q(match: Any, _as_of: date) -> Q:
    found = _contacts().filter(match.q("campaign_id"))
    return Q(Exists(found.filter(interaction_id=OuterRef("pk")))) | Q(
        Exists(found.filter(interaction_id=OuterRef("in_response_to_id")))
    )


def _expr(tables: Any, rows: Any, match: Any, _as_of: date) -> Any:
    contacts = tables.exposures
    found = contacts.filter(match.expr(contacts.campaign_id), contacts.interaction_id.notnull())
    return rows.id.isin(found.interaction_id) | rows.in_response_to.isin(found.interaction_id).fill_null(False)


def _load(events: Sequence[int], _as_of: date) -> dict[int, Any]:
    answered = dict(
        Interaction.objects.filter(pk__in=events, in_response_to_id__isnull=False).values_list(
            "pk", "in_response_to_id"
        )
    )
    contacts = {*events, *answered.values()}
    campaigns = dict(_contacts().filter(interaction_id__in=contacts).values_list("interaction_id", "campaign_id"))
    found = {event: campaigns.get(event, campaigns.get(answered.get(event, event))) for event in events}
    return {event: campaign for event, campaign in found.items() if campaign is not None}


registries.rule_details.add(
    "campaign",
    RuleDetail(
        "campaign",
        _("Campaign"),
        "text",
        meaning=_("A campaign by its number or its name; of a contact, or of what answers one."),
        stored=_named,
        suggested=_like,
        events="interactions",
        q=_q,
        expr=_expr,
        load=_load,
    ),
)
