"""What campaigns hold about a person, for data bundles and erasure: lines of the ledger, which lose the person."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rondo.campaigns.actions import keep_answers
from rondo.campaigns.models import Campaign, Exposure
from rondo.foundation.holdings import Holding, Impersonal
from rondo.foundation.registry import registries

registries.holdings.add(
    "exposures",
    Holding(
        "exposures",
        _("Lines of campaigns"),
        Exposure,
        30,
        lambda records: Q(customer_id__in=records),
        told=("campaign__number", "campaign__name", "eligible", "arm", "suppressed", "sent_on", "interaction_id"),
        fate="blank",
        blank={"customer": None, "interaction": None},
        why=_("the line stays without the person, so that the totals of experiments stay"),
        first=keep_answers,
    ),
)
registries.impersonal.add(Campaign._meta.db_table, Impersonal(Campaign, "campaigns of the company"))
