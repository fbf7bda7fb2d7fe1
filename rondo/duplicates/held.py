"""What the search for duplicates holds about a person, for data bundles and erasure."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rondo.duplicates.models import AutomaticMerging, Decision, Pair, Search
from rondo.foundation.holdings import Holding, Impersonal, Swept
from rondo.foundation.registry import registries

registries.holdings.add(
    "duplicate_decisions",
    Holding(
        "duplicate_decisions",
        _("Decisions about likely duplicates"),
        Decision,
        120,
        lambda records: Q(pair__left_id__in=records) | Q(pair__right_id__in=records),
    ),
)
registries.holdings.add(
    "duplicates",
    Holding(
        "duplicates",
        _("Likely duplicates"),
        Pair,
        121,
        lambda records: Q(left_id__in=records) | Q(right_id__in=records),
        told=("left_id", "right_id", "probability", "status"),
        audited=("duplicate",),
    ),
)
registries.swept.add("searches", Swept("searches", Search, ("error",)))
registries.impersonal.add(AutomaticMerging._meta.db_table, Impersonal(AutomaticMerging, "a threshold"))
